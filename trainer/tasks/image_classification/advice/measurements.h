#pragma once
// What `tune-train advise` measures of a labelled set, in a bounded time.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/overlap.h"
#include "trainer/loop/device.h"
#include "trainer/tasks/image_classification/advice/label_doubts.h"
#include "trainer/tasks/image_classification/advice/rules.h"
#include "trainer/tasks/image_classification/data/dataset.h"
#include "trainer/tasks/image_classification/models.h"

namespace tune::trainer::image_classification {

struct Measuring {
  const ClassifierModel& kind;
  std::optional<std::filesystem::path> weights;
  loop::Compute compute;
  double seconds = 0;  // that the whole may take, about
  std::ostream& notes;
  std::function<bool()> interrupted;
};

// Images that are the same or show the same, as far as was looked. Equal images of different classes are
// refused when a set is read.
struct Copies {
  std::size_t compared = 0;        // images whose bytes were compared
  std::size_t equal = 0;           // of them, those that another is equal to
  std::size_t leaks = 0;           // as an audit counts them, see image_sets::count_leaks()
  bool searched_overlaps = false;  // among the sample and as many of the other parts; else the time was over
  std::size_t overlapping = 0;     // images of the sample that show a part of another
  data::Groups groups;             // of the sample, by its own indices
};

struct Measurements {
  std::vector<std::size_t> sample;  // of the images to train on, as indices of the set's examples
  std::size_t images = 0;           // to train on, from which the sample was taken
  Copies copies;
  double images_per_second = 0;
  std::size_t stages = 0;
  int folds = 0;  // of the linear probes
  std::optional<Nearness> nearness = std::nullopt;
  int neighbours = 0;               // that each label was compared with; 0: none was
  std::vector<LabelDoubt> doubts;   // by indices of the sample
  std::vector<std::string> limits;  // what was looked at in part only, or not at all, and why
};

// The images that are trained on or cut for validation: those of the set's part "train", or all.
std::vector<std::size_t> training_examples_of(const Dataset& set);

// Throws Error(kBadData) for images that cannot be decoded and for weights of another network,
// Error(kInterrupted) once `interrupted` says so.
Measurements measure(const Dataset& set, const Measuring& work);

}  // namespace tune::trainer::image_classification
