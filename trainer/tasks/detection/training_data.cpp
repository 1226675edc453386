#include "trainer/tasks/detection/training_data.h"

#include <algorithm>
#include <ostream>

#include "trainer/data/folder_listing.h"
#include "trainer/loop/trial_file.h"
#include "trainer/tasks/detection/data/fingerprint.h"
#include "trainer/tasks/detection/data/image_labels.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/data_parts.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

// Crowd regions aside, which are neither learned nor to be found.
std::size_t count_objects(const Dataset& dataset) {
  std::size_t count = 0;
  for (const Example& example : dataset.examples)
    count += static_cast<std::size_t>(std::count_if(example.objects.begin(), example.objects.end(),
                                                    [](const GroundTruth& object) { return !object.crowd; }));
  return count;
}

void check_parts(const Dataset& training, const Dataset& validation, const std::string& place) {
  if (count_objects(training) == 0)
    throw Error(ExitCode::kBadData, place + ": the training images have no objects (crowd regions are none)",
                "check the annotations");
  if (count_objects(validation) == 0)
    throw Error(
        ExitCode::kBadData,
        place + ": the validation images have no objects (crowd regions are none), so no metric is defined",
        "give `validation`, or a larger share of it in `split`");
}

}  // namespace

bool takes_labels_of_images(const Json& trainer) {
  const std::string labels = loop::text_key(trainer, "labels", "boxes");
  if (labels != "boxes" && labels != "image")
    throw Error(ExitCode::kBadSpec, "trainer.labels is \"" + labels + "\"", "boxes or image");
  return labels == "image";
}

TrainingData read_training_data(const Json& trainer, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted) {
  const std::string data = loop::text_key(trainer, "data", ""),
                    images = loop::text_key(trainer, "images", "");
  image_sets::SetReading<Dataset> reading;
  reading.own_parts = [&](const std::string& folder, const Json& split) {
    ReadOptions options;
    options.images = images;
    return own_parts(folder, options, split);
  };
  reading.read = [&](const image_sets::OtherSet& set, const Dataset* like) {
    ReadOptions options;
    if (like != nullptr) options.classes = like->classes;
    // Another set has its images in the same folder only where it is a COCO file.
    if (set.folder == data || !data::is_folder(set.folder)) options.images = images;
    options.part = set.part;
    return read_to_the_end(set.folder, options);
  };
  reading.check = check_parts;
  const bool by_image = takes_labels_of_images(trainer);
  TrainingData sets = image_sets::read_training_sets(trainer, reading, {threads, notes, interrupted});
  if (!by_image) return sets;
  const auto relabel = [&](Dataset& part, const std::string& name) {
    const Relabelled changed = label_by_image(part);
    sets.warnings.push_back("trainer.labels is \"image\": " + to_text(changed, part) +
                            ", and are taken for that in " + name);
    notes << "warning: " << sets.warnings.back() << std::endl;
  };
  relabel(sets.training, "training");
  relabel(sets.validation, "validation");
  return sets;
}

}  // namespace tune::trainer::detection
