#include "trainer/serve/protocols/answer_json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "trainer/serve/protocols/refusal.h"

namespace tune::trainer::serve {
namespace {

std::string lower_without_blanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' && c != '\t') result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

OrderedJson numbers(const std::vector<double>& values) {
  OrderedJson list = OrderedJson::array();
  for (const double value : values) list.push_back(float_number(value));
  return list;
}

OrderedJson labels_json(const served::Facts& facts, const std::vector<int>& labels) {
  OrderedJson names = OrderedJson::array();
  for (const int label : labels) names.push_back(facts.classes[static_cast<std::size_t>(label)]);
  return names;
}

OrderedJson json_of(AnswerShape shape, const served::Facts& facts, const served::Probabilities& said) {
  const OrderedJson probabilities = numbers(said.of_classes);
  if (shape == AnswerShape::kAlgorithm) return probabilities;
  OrderedJson labels = labels_json(facts, said.labels);
  if (shape == AnswerShape::kOwn)
    return {{"classes", facts.classes}, {"probabilities", probabilities}, {"labels", labels}};
  OrderedJson json{{"probabilities", probabilities}, {"labels", facts.classes}};
  if (facts.multi_label)
    json["predicted_labels"] = labels;
  else
    json["predicted_label"] = labels.at(0);
  return json;
}

OrderedJson json_of(AnswerShape shape, const served::Facts& facts, const served::Detections& said) {
  OrderedJson rows = OrderedJson::array(), boxes = OrderedJson::array(), classes = OrderedJson::array(),
              scores = OrderedJson::array();
  for (const served::Detection& one : said.found) {
    const double x1 = float_number(one.x1), y1 = float_number(one.y1), x2 = float_number(one.x2),
                 y2 = float_number(one.y2);
    const double score = float_number(one.score), width = said.width, height = said.height;
    switch (shape) {
      case AnswerShape::kAlgorithm:
        rows.push_back({one.category, score, x1, y1, x2, y2});
        break;
      case AnswerShape::kVerbose:
        boxes.push_back({x1, y1, x2, y2});
        classes.push_back(one.category);
        scores.push_back(score);
        break;
      case AnswerShape::kOwn:
        rows.push_back({{"class", facts.classes[static_cast<std::size_t>(one.category)]},
                        {"score", score},
                        // As exact as predictions that are written into files.
                        {"box", {one.x1 * width, one.y1 * height, one.x2 * width, one.y2 * height}}});
        break;
    }
  }
  if (shape == AnswerShape::kAlgorithm) return {{"prediction", rows}};
  if (shape == AnswerShape::kVerbose)
    return {{"normalized_boxes", boxes}, {"classes", classes}, {"scores", scores}, {"labels", facts.classes}};
  return {{"width", said.width}, {"height", said.height}, {"detections", rows}};
}

}  // namespace

double float_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(value)).ptr;
  double read = 0;
  std::from_chars(text.data(), end, read);
  return read;
}

AnswerShape shape_of(std::string_view accept) {
  const std::string asked = lower_without_blanks(accept);
  if (asked.empty()) return AnswerShape::kAlgorithm;
  // The first of a list that is offered; weights are passed over.
  for (std::size_t begin = 0; begin <= asked.size();) {
    const std::size_t end = std::min(asked.find(',', begin), asked.size());
    const std::string one = asked.substr(begin, end - begin);
    begin = end + 1;
    if (one.starts_with(kOwnMediaType)) return AnswerShape::kOwn;
    if (one.starts_with("application/json;verbose")) return AnswerShape::kVerbose;
    for (const char* plain : {"application/json", "application/*", "*/*", "application/jsonlines"})
      if (one == plain || one.starts_with(std::string(plain) + ";")) return AnswerShape::kAlgorithm;
  }
  throw Refusal::with_status(406, "Accept is \"" + std::string(accept) +
                                      "\": application/json, application/json;verbose and " + kOwnMediaType +
                                      " are answered");
}

OrderedJson answer_json(AnswerShape shape, const served::Facts& facts, const served::Answer& answer,
                        const std::string& name, const std::string& version) {
  OrderedJson said = std::visit([&](const auto& one) { return json_of(shape, facts, one); }, answer);
  if (shape != AnswerShape::kOwn) return said;
  OrderedJson json{{"schema", 1}, {"task", facts.task}, {"model", name}, {"version", version}};
  json.update(said);
  return json;
}

}  // namespace tune::trainer::serve
