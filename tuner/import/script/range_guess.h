#pragma once
// A range of a hyperparameter by what it is called: what people who tune it begin with.
#include <optional>
#include <string>

#include "tuner/core/json.h"
#include "tuner/import/script/argparse_arguments.h"

namespace tune::script {

struct Guess {
  OrderedJson range;   // as under `parameters` in a spec
  std::string reason;  // in a few words
};

// nullopt where nothing is guessed by this name, or where its values could not be passed on as text.
std::optional<Guess> guess_range(const ScriptArgument& argument);

// Whether it says how long a trial takes: epochs, steps.
bool is_length_of_training(const ScriptArgument& argument);

// Why an argument that has a guessable name or choices gets no range; "" where there is nothing to say.
std::string objection_to_range(const ScriptArgument& argument);

}  // namespace tune::script
