#pragma once
// The commands that language models have, each in NAME_offer.cpp.
#include "trainer/loop/task.h"

namespace tune::trainer::language_model {

loop::Offer evaluate_offer();
loop::Offer predict_offer();
loop::Offer score_offer();
loop::Offer export_offer();

// Of --data: --template, --prompt-column and --completion-column.
std::vector<loop::Option> example_options();
struct ExampleForm;
ExampleForm example_form(const loop::Request& request);

// --max-new-tokens, --temperature and the like.
std::vector<loop::Option> generation_options();
struct GenerationSettings;
GenerationSettings generation_settings(const loop::Request& request);

}  // namespace tune::trainer::language_model
