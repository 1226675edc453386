#pragma once
// Models as the protocols see them, and what a refusal says.
#include <string>

#include "trainer/serve/protocols/refusal.h"
#include "trainer/served/served_model.h"

namespace tune::tests {

inline trainer::served::Facts classifier_facts(bool multi_label = false) {
  return {
      "image_classification", trainer::served::InputKind::kImages, {"pit", "scratch"}, multi_label, false, 4};
}
inline trainer::served::Facts detector_facts() {
  return {"detection", trainer::served::InputKind::kImages, {"pit", "scratch"}, false, false, 4};
}
inline trainer::served::Facts text_facts(bool pairs = false) {
  return {"text_classification", trainer::served::InputKind::kTexts, {"ham", "spam"}, false, pairs};
}
inline trainer::served::Facts prompt_facts() {
  trainer::served::Facts facts{"language_model", trainer::served::InputKind::kPrompts};
  facts.context = 128;
  facts.adapters = {"polite"};
  return facts;
}

// "400 inputs[0].shape: what it says"; "" where nothing is refused.
template <typename Work>
std::string refusal_of(Work&& work) {
  try {
    work();
  } catch (const trainer::serve::Refusal& refusal) {
    return std::to_string(refusal.status()) + " " + refusal.param() + ": " + refusal.what();
  }
  return "";
}

}  // namespace tune::tests
