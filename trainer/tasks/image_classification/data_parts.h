#pragma once
// Labelled images on disk, whole or in part: one way for training and for every command that looks at them.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "trainer/loop/task.h"
#include "trainer/tasks/image_classification/data/dataset_split.h"
#include "trainer/tasks/image_classification/data/reader.h"
#include "trainer/tasks/image_sets/parts.h"

namespace tune::trainer::image_classification {

// The data that a command looks at, as its options say: --data, --split, --part, --images, --classes-from.
struct DataChoice {
  std::filesystem::path data;
  std::optional<image_sets::PartChoice> part = std::nullopt;  // all of it without
  std::filesystem::path images = {};                          // see ReadOptions
  ClassesFrom classes_from = ClassesFrom::kFolder;
};
// What --images and --classes-from are for, and the keys of `trainer` that go by these names.
inline constexpr const char *kImagesOption =
                                "where the paths of a list or table begin, instead of in its folder",
                            *kClassesFromOption =
                                "where the class of an image in a folder is written: folder (pit/a.jpg, the "
                                "default) or file_name (pit_12.jpg: what is before the last `_` and digits)";
// All but --data.
void add_data_options(std::vector<loop::Option>& options);
DataChoice data_choice(const loop::Request& request);

// The rows of Task::trainer_keys() that read_training_data() reads.
std::vector<OrderedJson> data_keys();

// "folder" or "file_name", as the trainer's key `classes_from` and --classes-from have it; "" for the first.
// Throws Error with that code for anything else, naming `place`.
ClassesFrom classes_from(const std::string& text, const std::string& place, ExitCode code);

// read_dataset(), which a signal ends together with the program: readers do not look for one.
Dataset read_to_the_end(const std::filesystem::path& data, const ReadOptions& options);

// Reads what the choice says with the other options as they are given; `description` gets that of the cut.
Dataset read_chosen(const DataChoice& choice, const ReadOptions& options, std::ostream& notes,
                    const std::function<bool()>& interrupted, OrderedJson* description = nullptr);

}  // namespace tune::trainer::image_classification
