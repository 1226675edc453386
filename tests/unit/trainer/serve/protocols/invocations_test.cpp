// The cloud service's protocol: bodies by their media type, and answers in three shapes.
#include "trainer/serve/protocols/invocations.h"

#include "protocol_facts.h"
#include "support/catch.h"
#include "trainer/serve/protocols/answer_json.h"

using namespace tune::trainer;
using serve::AnswerShape;
using serve::read_invocation;
using tune::OrderedJson;
using tune::tests::classifier_facts;
using tune::tests::detector_facts;
using tune::tests::prompt_facts;
using tune::tests::refusal_of;
using tune::tests::text_facts;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string image_of(const served::Input& input) {
  return std::string(std::get<served::EncodedImage>(input).bytes);
}

}  // namespace

TEST_CASE("An image comes as its bytes, or as base64 in JSON, alone or several") {
  const served::Facts facts = detector_facts();
  for (const char* type : {"image/jpeg", "image/png", "application/x-image", ""})
    CHECK(image_of(read_invocation(facts, type, "bytes").inputs.at(0)) == "bytes");
  CHECK(image_of(read_invocation(facts, "application/json", R"({"b64": "Ynl0ZXM="})").inputs.at(0)) ==
        "bytes");
  CHECK(image_of(
            read_invocation(facts, "application/json", R"("data:image/png;base64,Ynl0ZXM=")").inputs.at(0)) ==
        "bytes");
  const auto several =
      read_invocation(facts, "application/json", R"({"instances": [{"b64": "YQ=="}, "Yg"]})");
  CHECK(several.is_list);
  CHECK(image_of(several.inputs.at(1)) == "b");
}

TEST_CASE("A text comes as it is, or in JSON, alone, in pairs or several") {
  const auto text = [](const served::Input& input) { return std::get<served::Text>(input); };
  CHECK(text(read_invocation(text_facts(), "text/plain", "Hello\n").inputs.at(0)).first == "Hello");
  CHECK(text(read_invocation(text_facts(), "application/json", R"({"text": "a"})").inputs.at(0)).first ==
        "a");
  CHECK(text(read_invocation(text_facts(), "application/json", R"({"inputs": "a"})").inputs.at(0)).first ==
        "a");
  const auto pair = read_invocation(text_facts(true), "application/json",
                                    R"({"instances": [["a", "b"], {"text": "c", "second": "d"}]})");
  CHECK(*text(pair.inputs.at(0)).second == "b");
  CHECK(*text(pair.inputs.at(1)).second == "d");
}

TEST_CASE("A language model is asked as the cloud's are") {
  const auto asked = read_invocation(
      prompt_facts(), "application/json",
      R"({"inputs": "Slag is", "parameters": {"max_new_tokens": 5, "temperature": 0.5, "stop": ["\n"], "return_full_text": true}})");
  CHECK(asked.prompts == std::vector<std::string>{"Slag is"});
  CHECK(asked.settings.max_new_tokens == 5);
  CHECK(asked.settings.temperature == 0.5);
  CHECK(asked.repeats_prompt);
  const auto plain = read_invocation(prompt_facts(), "application/json", R"({"inputs": ["a", "b"]})");
  CHECK(plain.prompts.size() == 2);
  CHECK(plain.settings.temperature == 0);
}

TEST_CASE("A body of another type or without sense is refused with its place") {
  const auto refused = [](const served::Facts& facts, const char* type, const std::string& body) {
    return refusal_of([&] { read_invocation(facts, type, body); });
  };
  CHECK(contains(refused(detector_facts(), "text/csv", "a,b"), "415"));
  CHECK(contains(refused(detector_facts(), "text/csv", "a,b"), "image/jpeg, image/png"));
  CHECK(contains(refused(text_facts(), "image/jpeg", "x"), "415"));
  CHECK(contains(refused(detector_facts(), "image/jpeg", ""), "empty"));
  CHECK(contains(refused(detector_facts(), "application/json", R"({"b64": "a*b="})"),
                 "400 b64: b64 is no base64"));
  CHECK(contains(refused(detector_facts(), "application/json", R"({"b64": "abcde"})"), "cut off"));
  CHECK(contains(refused(detector_facts(), "application/json", R"({"b64": "YQ==YQ=="})"), "no base64"));
  CHECK(contains(refused(detector_facts(), "application/json", R"({"instances": []})"), "400 instances"));
  CHECK(contains(refused(detector_facts(), "application/json", R"({"instances": [3]})"), "400 instances[0]"));
  CHECK(contains(refused(detector_facts(), "application/json", R"({"image": "YQ=="})"), "b64 is missing"));
  CHECK(
      contains(refused(text_facts(), "application/json", R"({"text": "a", "scores": 1})"), "unknown member"));
  CHECK(contains(refused(text_facts(), "application/json", R"({"instances": [["a"]]})"), "400 instances[0]"));
  CHECK(contains(refused(prompt_facts(), "application/json", R"({"inputs": 3})"), "400 inputs"));
  CHECK(contains(
      refused(prompt_facts(), "application/json", R"({"inputs": "a", "parameters": {"max_tokens": 3}})"),
      "400 parameters.max_tokens: unknown member"));
  CHECK(contains(refused(prompt_facts(), "application/json", "{\"inputs\": NaN}"), "400"));
}

TEST_CASE("Accept chooses between the algorithms' shape, the pretrained models' and ours") {
  CHECK(serve::shape_of("") == AnswerShape::kAlgorithm);
  CHECK(serve::shape_of("*/*") == AnswerShape::kAlgorithm);
  CHECK(serve::shape_of("application/json") == AnswerShape::kAlgorithm);
  CHECK(serve::shape_of("application/json; q=0.5") == AnswerShape::kAlgorithm);
  CHECK(serve::shape_of("application/json; verbose") == AnswerShape::kVerbose);
  CHECK(serve::shape_of("text/html, application/json;verbose") == AnswerShape::kVerbose);
  CHECK(serve::shape_of("application/vnd.tune+json, */*") == AnswerShape::kOwn);
  CHECK(contains(refusal_of([] { serve::shape_of("text/html"); }), "406"));
}

TEST_CASE("Detections are fractions for the cloud's clients, and named boxes in pixels for ours") {
  const served::Answer answer = served::Detections{200, 100, {{1, 0.9F, 0.1F, 0.2F, 0.5F, 0.75F}}};
  const auto shown = [&](AnswerShape shape) {
    return serve::answer_json(shape, detector_facts(), answer, "steel", "3");
  };
  CHECK(shown(AnswerShape::kAlgorithm).dump() == R"({"prediction":[[1,0.9,0.1,0.2,0.5,0.75]]})");
  CHECK(
      shown(AnswerShape::kVerbose).dump() ==
      R"({"normalized_boxes":[[0.1,0.2,0.5,0.75]],"classes":[1],"scores":[0.9],"labels":["pit","scratch"]})");
  const OrderedJson own = shown(AnswerShape::kOwn);
  CHECK(own.at("model") == "steel");
  CHECK(own.at("version") == "3");
  CHECK(own.at("width") == 200);
  CHECK(own.at("detections").at(0).at("class") == "scratch");
  CHECK(own.at("detections").at(0).at("box").at(3).get<double>() == 75);
}

TEST_CASE("Probabilities stand in the order of the classes, with the labels that they make") {
  const served::Answer answer = served::Probabilities{{0.25, 0.75}, {1}};
  const auto shown = [&](AnswerShape shape, bool multi_label = false) {
    return serve::answer_json(shape, classifier_facts(multi_label), answer, "steel", "3");
  };
  CHECK(shown(AnswerShape::kAlgorithm).dump() == "[0.25,0.75]");
  CHECK(shown(AnswerShape::kVerbose).at("predicted_label") == "scratch");
  CHECK(shown(AnswerShape::kVerbose, true).at("predicted_labels") == OrderedJson::array({"scratch"}));
  CHECK(shown(AnswerShape::kOwn).at("labels") == OrderedJson::array({"scratch"}));
  // Floats, as files of predictions have them.
  CHECK(serve::float_number(0.1F) == 0.1);
}
