#pragma once
// Answers of detectors and classifiers as JSON, in the three shapes that /invocations has.
#include <string>
#include <string_view>

#include "trainer/served/served_model.h"
#include "tuner/core/json.h"

namespace tune::trainer::serve {

enum class AnswerShape {
  kAlgorithm,  // of the cloud service's built-in algorithms: numbers alone
  kVerbose,    // of its pretrained models: with names, boxes apart from scores
  kOwn,        // everything, by name, boxes in pixels
};
inline constexpr const char* kOwnMediaType = "application/vnd.tune+json";

// What "Accept" asks for; "" and anything that JSON would satisfy is kAlgorithm. Throws Refusal (406) for
// what is not offered.
AnswerShape shape_of(std::string_view accept);

// `name` and `version` are those of the model that has answered.
OrderedJson answer_json(AnswerShape shape, const served::Facts& facts, const served::Answer& answer,
                        const std::string& name, const std::string& version);

// A probability or a score as people read it: the shortest number that is the same float.
double float_number(double value);

}  // namespace tune::trainer::serve
