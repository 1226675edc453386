#include "trainer/tasks/image_classification/training_data.h"

#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/loop/trial_file.h"
#include "trainer/tasks/image_classification/data/fingerprint.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

std::set<int> shown_classes(const Dataset& dataset) {
  std::set<int> shown;
  for (const Example& example : dataset.examples) shown.insert(example.labels.begin(), example.labels.end());
  return shown;
}

void check_parts(const Dataset& training, const Dataset& validation, const std::string& data) {
  const std::set<int> trained = shown_classes(training);
  if (trained.empty())
    throw Error(ExitCode::kBadData, data + ": no training image has a label", "check the labels");
  // Other classes may be named by a file, or lie in another part.
  if (trained.size() == 1 && !training.multi_label)
    throw Error(ExitCode::kBadData,
                data + ": all training images show " +
                    training.classes[static_cast<std::size_t>(*trained.begin())] +
                    ", so there is nothing to tell apart",
                "add images of another class");
  if (shown_classes(validation).empty())
    throw Error(ExitCode::kBadData, data + ": no validation image has a label, so no metric is defined",
                "give `validation`, or a larger share of it in `split`");
}

}  // namespace

TrainingData read_training_data(const Json& trainer, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted) {
  const std::string data = loop::text_key(trainer, "data", "");
  ReadOptions usual;
  usual.threads = threads;
  usual.classes_from =
      classes_from(loop::text_key(trainer, "classes_from", ""), "trainer.classes_from", ExitCode::kBadSpec);
  const std::string images = loop::text_key(trainer, "images", "");
  image_sets::SetReading<Dataset> reading;
  reading.own_parts = [&](const std::string& folder, const Json& split) {
    ReadOptions options = usual;
    options.images = images;
    std::string words;
    const std::vector<std::string> names = parts_of_set(folder, options, &words);
    return image_sets::own_parts(names, words, folder, split);
  };
  reading.read = [&](const image_sets::OtherSet& set, const Dataset* like) {
    ReadOptions options = usual;
    if (like != nullptr) {
      options.classes = like->classes;
      options.multi_label = like->multi_label;
    }
    // Another set has its images in the same place only where it is a list too.
    if (set.folder == data || !data::is_folder(set.folder)) options.images = images;
    options.part = set.part;
    return read_to_the_end(set.folder, options);
  };
  reading.check = check_parts;
  return image_sets::read_training_sets(trainer, reading, {threads, notes, interrupted});
}

}  // namespace tune::trainer::image_classification
