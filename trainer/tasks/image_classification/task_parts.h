#pragma once
// What a trial's training is made of, out of its file.
#include "trainer/tasks/image_classification/image_classification_training.h"
#include "trainer/tasks/image_classification/models.h"

namespace tune::trainer::image_classification {

// Reads the data, draws the network and gives it its first weights. What a person should know goes to
// `notes`. Throws Error(kBadData) for the data, Error(kBadSpec) for the trial.
ClassifierParts parts_of(const loop::TrialFile& trial, const loop::Compute& compute, std::ostream& notes);

}  // namespace tune::trainer::image_classification
