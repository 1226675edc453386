#pragma once
// Options that several commands of language models have, and what they say.
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/language_model/data/example.h"
#include "trainer/tasks/language_model/generation.h"

namespace tune::trainer::language_model {

// Of --data: --template, --prompt-column and --completion-column.
std::vector<loop::Option> example_options();
ExampleForm example_form(const loop::Request& request);

// --max-new-tokens, --temperature and the like.
std::vector<loop::Option> generation_options();
GenerationSettings generation_settings(const loop::Request& request);

}  // namespace tune::trainer::language_model
