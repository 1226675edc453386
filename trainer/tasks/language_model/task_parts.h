#pragma once
// A training of a language model out of a trial's file.
#include <iosfwd>

#include "trainer/tasks/language_model/language_model_training.h"

namespace tune::trainer::language_model {

// Opens the base and its adapter, reads and cuts the data into tokens. What a person should know goes to
// `notes`. Throws Error(kBadSpec), Error(kNotFound), Error(kBadData).
LanguageModelParts parts_of(const loop::TrialFile& trial, const loop::Compute& compute, std::ostream& notes);

// The keys of `trainer` that the task takes.
OrderedJson trainer_keys();

}  // namespace tune::trainer::language_model
