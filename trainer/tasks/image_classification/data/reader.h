#pragma once
// Reads labelled images from disk: names, labels and image headers, no pixels (those are ImageBatches').
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/tasks/image_classification/data/dataset.h"

namespace tune::trainer::image_classification {

enum class Labels {
  kRequired,  // to train or to evaluate
  kIgnored,   // to predict: a folder of images, or one image, will do
};

// Where the class of an image in a folder is written.
enum class ClassesFrom {
  kFolder,    // pit/any/name.jpg is a pit
  kFileName,  // any/pit_12.jpg is a pit: what stands before the last `_` and digits
};

struct ReadOptions {
  Labels labels = Labels::kRequired;
  // The classes of a model or of the training set, in their order: an image of any other class is an error.
  // Empty: the data set's own classes, those of its part to train on where it has one; sorted by name, or in
  // the order of a file of names.
  std::vector<std::string> classes;
  // Where problems go, all of them, instead of an exception: an audit reads on with what is left. An image
  // whose header cannot be read is among the examples all the same.
  std::vector<data::DataProblem>* problems = nullptr;
  // "train", "validation" or "test" of a set that has such parts of its own; empty: all of it.
  std::string part = {};
  // Where the paths of a list or table begin; empty: in the folder that it lies in.
  std::filesystem::path images = {};
  ClassesFrom classes_from = ClassesFrom::kFolder;
  // What a model or the training set says: whether an image may show several classes, or none. nullopt: the
  // data set itself shows it.
  std::optional<bool> multi_label = std::nullopt;
  int threads = 1;  // that read headers
};

// What `data` is, told by what lies there:
//   a folder per class   pit/a.jpg, pit/more/b.jpg, scratch/c.png, also in train/, val/ (valid/, validation/)
//                        and test/; with ClassesFrom::kFileName any folders
//   FILE.lst             index, label and path, with tabs between them; several labels are a 0 or 1 for each
//                        class; names in synset.txt, classes.txt or labels.txt beside it
//   FILE.csv             path and label, perhaps a part; several labels have `|` or `;` between them
//   a folder with one of these files, or with several that are named as parts (train.lst, val.lst)
//   with Labels::kIgnored images alone: a folder of them, or one
// Throws Error(kBadData) with up to 20 problems, each naming file, cause and cure: anything else, missing or
// damaged files, paths that lead out of the folder, labels that are not understood, no class or one only,
// images of equal bytes with different labels, classes that training would not know.
Dataset read_dataset(const std::filesystem::path& data, const ReadOptions& options = {});

// What the parts of the set's own are: of "train", "validation" and "test", in this order; none where it is
// one set. `words` gets what the set was recognised as.
std::vector<std::string> parts_of_set(const std::filesystem::path& data, const ReadOptions& options,
                                      std::string* words = nullptr);

// "data: steel is a folder for each of 6 classes; 300 images", for people.
std::string recognised(const std::filesystem::path& data, const Dataset& dataset);

}  // namespace tune::trainer::image_classification
