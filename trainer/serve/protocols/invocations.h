#pragma once
// The cloud service's protocol for one model: POST /invocations.
#include <string>
#include <string_view>
#include <vector>

#include "trainer/served/served_model.h"
#include "tuner/core/json.h"

namespace tune::trainer::serve {

// What a body holds. Inputs may be views of `held` and of the body, which have to outlive them.
struct Invocation {
  std::vector<served::Input> inputs = {};
  bool is_list = false;  // "instances": answered by a list
  // Of language models: {"inputs": TEXT, "parameters": {...}}.
  std::vector<std::string> prompts = {};
  served::GenerationSettings settings = {};
  bool repeats_prompt = false;  // "return_full_text"
  std::vector<std::unique_ptr<std::string>> held = {};
};

// `media_type` is in lower case and without parameters; "" is guessed from what the model takes. Throws
// Refusal: 415 for a type that the model does not take, which names those that it does.
Invocation read_invocation(const served::Facts& facts, std::string_view media_type, std::string_view body);

// "image/jpeg" and so on.
std::vector<std::string> media_types_of(const served::Facts& facts);

}  // namespace tune::trainer::serve
