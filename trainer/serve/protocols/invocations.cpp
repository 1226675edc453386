#include "trainer/serve/protocols/invocations.h"

#include <algorithm>

#include "trainer/serve/protocols/json_body.h"
#include "trainer/serve/protocols/refusal.h"
#include "tuner/core/rng.h"

namespace tune::trainer::serve {
namespace {

constexpr const char* kJson = "application/json";
constexpr std::size_t kMostInstances = 256;

std::string without_line_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return std::string(text);
}

void add_image(Invocation& invocation, const Json& value, const std::string& place) {
  invocation.held.push_back(std::make_unique<std::string>(base64_bytes(value, place)));
  invocation.inputs.emplace_back(served::EncodedImage{*invocation.held.back()});
}

// {"b64": "..."} or the text itself.
void add_image_instance(Invocation& invocation, const Json& value, const std::string& place) {
  if (!value.is_object()) return add_image(invocation, value, place);
  JsonMembers members(value, place);
  const Json* bytes = members.find("b64");
  if (bytes == nullptr) throw Refusal(members.at("b64") + " is missing", members.at("b64"));
  add_image(invocation, *bytes, members.at("b64"));
  members.finish();
}

void add_text_instance(Invocation& invocation, const Json& value, const std::string& place) {
  if (value.is_string()) {
    invocation.inputs.emplace_back(served::Text{value});
  } else if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string()) {
    invocation.inputs.emplace_back(served::Text{value[0], value[1].get<std::string>()});
  } else if (value.is_object()) {
    JsonMembers members(value, place);
    served::Text text{members.required_text("text")};
    text.second = members.text("second");
    members.finish();
    invocation.inputs.emplace_back(std::move(text));
  } else {
    throw Refusal(place + " is neither a text nor two of them", place);
  }
}

void add_prompts(Invocation& invocation, JsonMembers& members) {
  const Json* inputs = members.find("inputs");
  if (inputs == nullptr) throw Refusal("inputs is missing", "inputs");
  const Json list = inputs->is_array() ? *inputs : Json::array({*inputs});
  if (list.empty() || list.size() > kMostInstances)
    throw Refusal("inputs holds no prompt, or more than " + std::to_string(kMostInstances), "inputs");
  for (const Json& prompt : list) {
    if (!prompt.is_string()) throw Refusal("inputs is neither a text nor a list of texts", "inputs");
    invocation.prompts.push_back(prompt);
  }
  invocation.settings.seed = entropy_seed();
  const Json* given = members.find("parameters");
  if (given == nullptr) return;
  JsonMembers parameters(*given, "parameters");
  served::GenerationSettings& settings = invocation.settings;
  settings.max_new_tokens = parameters.whole("max_new_tokens", 1, kMostTokens).value_or(64);
  const bool samples = parameters.flag("do_sample").value_or(parameters.has("temperature"));
  const double temperature = parameters.number("temperature", 0, 100).value_or(1);
  settings.temperature = samples ? temperature : 0;
  settings.top_p = parameters.number("top_p", 0, 1).value_or(1);
  settings.top_k = parameters.whole("top_k", 0, kMostTokens).value_or(0);
  settings.repetition_penalty = parameters.number("repetition_penalty", 0.01, 100).value_or(1);
  if (const auto seed = parameters.whole("seed", 0, std::int64_t{1} << 53))
    settings.seed = static_cast<std::uint64_t>(*seed);
  invocation.repeats_prompt = parameters.flag("return_full_text").value_or(false);
  if (const Json* stop = parameters.find("stop")) {
    const Json stops = stop->is_array() ? *stop : Json::array({*stop});
    for (const Json& one : stops) {
      if (!one.is_string() || one.get_ref<const std::string&>().empty())
        throw Refusal("parameters.stop is no text, or no list of texts that are not empty",
                      "parameters.stop");
      settings.stops.push_back(one);
    }
  }
  parameters.finish();
}

Invocation read_json(const served::Facts& facts, std::string_view body) {
  const Json json = json_body(body);
  Invocation invocation;
  if (facts.input == served::InputKind::kImages && json.is_string()) {
    add_image(invocation, json, "the body");
    return invocation;
  }
  JsonMembers members(json, "");
  if (facts.input == served::InputKind::kPrompts) {
    add_prompts(invocation, members);
    members.finish();
    return invocation;
  }
  const bool sees = facts.input == served::InputKind::kImages;
  const auto add = sees ? add_image_instance : add_text_instance;
  if (const Json* instances = members.find("instances")) {
    if (!instances->is_array() || instances->empty() || instances->size() > kMostInstances)
      throw Refusal("instances is no list of 1 to " + std::to_string(kMostInstances), "instances");
    invocation.is_list = true;
    for (std::size_t i = 0; i < instances->size(); ++i)
      add(invocation, (*instances)[i], "instances[" + std::to_string(i) + "]");
    members.finish();
  } else if (sees) {
    add_image_instance(invocation, json, "");
  } else if (const Json* inputs = members.find("inputs")) {
    add_text_instance(invocation, *inputs, "inputs");
    members.finish();
  } else {
    add_text_instance(invocation, json, "");
  }
  return invocation;
}

}  // namespace

std::vector<std::string> media_types_of(const served::Facts& facts) {
  switch (facts.input) {
    case served::InputKind::kImages:
      return {"image/jpeg", "image/png", "image/webp",          "image/bmp",
              "image/tiff", "image/jpg", "application/x-image", "application/octet-stream",
              kJson};
    case served::InputKind::kTexts:
      return {"text/plain", "application/x-text", kJson};
    case served::InputKind::kPrompts:
      return {kJson};
  }
  return {};
}

Invocation read_invocation(const served::Facts& facts, std::string_view media_type, std::string_view body) {
  const std::vector<std::string> types = media_types_of(facts);
  if (!media_type.empty() && std::find(types.begin(), types.end(), media_type) == types.end()) {
    std::string known;
    for (const std::string& type : types) known += (known.empty() ? "" : ", ") + type;
    throw Refusal::with_status(415, "a model of the task " + facts.task + " takes no " +
                                        std::string(media_type) + "; it takes " + known);
  }
  if (body.empty()) throw Refusal("the body is empty");
  const bool is_json = media_type == kJson || facts.input == served::InputKind::kPrompts;
  if (is_json) return read_json(facts, body);
  Invocation invocation;
  if (facts.input == served::InputKind::kImages)
    invocation.inputs.emplace_back(served::EncodedImage{body});
  else
    invocation.inputs.emplace_back(served::Text{without_line_end(body)});
  return invocation;
}

}  // namespace tune::trainer::serve
