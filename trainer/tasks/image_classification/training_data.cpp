#include "trainer/tasks/image_classification/training_data.h"

#include <algorithm>

#include "trainer/data/folder_listing.h"
#include "trainer/loop/trial_file.h"
#include "trainer/tasks/image_classification/data/fingerprint.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

bool shows_nothing(const Dataset& dataset) {
  return std::all_of(dataset.examples.begin(), dataset.examples.end(),
                     [](const Example& example) { return example.labels.empty(); });
}

void check_parts(const Dataset& training, const Dataset& validation, const std::string& data) {
  if (shows_nothing(training))
    throw Error(ExitCode::kBadData, data + ": no training image has a label", "check the labels");
  if (shows_nothing(validation))
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
