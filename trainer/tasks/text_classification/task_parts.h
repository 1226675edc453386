#pragma once
// What a trial's training is made of, out of its file.
#include "trainer/tasks/text_classification/text_classification_training.h"

namespace tune::trainer::text_classification {

// Reads the data, opens the tokenizer, builds the encoder and gives it its first weights. What a person
// should know goes to `notes`. Throws Error(kBadData) for the data and the weights, Error(kBadSpec) for the
// trial.
TextParts parts_of(const loop::TrialFile& trial, std::ostream& notes);

}  // namespace tune::trainer::text_classification
