#pragma once
// The three data sets of one trial, out of the keys of its `trainer` object. Other commands read parts by
// data_parts.h.
#include <functional>
#include <iosfwd>

#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/image_sets/training_sets.h"

namespace tune::trainer::detection {

using TrainingData = image_sets::TrainingSets<Dataset>;

// Whether objects take the class of their image where a model is trained and chosen: trainer.labels. Throws
// Error(kBadSpec).
bool takes_labels_of_images(const Json& trainer);

// Reads `data`, `validation`, `test`, `images` and `split` as image_sets::read_training_sets() says, and
// `labels`.
TrainingData read_training_data(const Json& trainer, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted);

}  // namespace tune::trainer::detection
