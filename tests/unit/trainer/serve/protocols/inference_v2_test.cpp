// KServe's protocol: tensors as JSON and as bytes, in and out.
#include "trainer/serve/protocols/inference_v2.h"

#include <cstring>

#include "protocol_facts.h"
#include "support/catch.h"

using namespace tune::trainer;
using serve::InferRequest;
using serve::read_infer;
using tune::Json;
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

Json tensor(const char* name, const char* type, const Json& shape, const Json& data) {
  return {{"name", name}, {"datatype", type}, {"shape", shape}, {"data", data}};
}

std::string body_of(const Json& one, const Json& more = Json::object()) {
  Json body{{"inputs", Json::array({one})}};
  body.update(more);
  return body.dump();
}

InferRequest read(const served::Facts& facts, const Json& one, const Json& more = Json::object()) {
  return read_infer(facts, body_of(one, more), std::nullopt);
}

}  // namespace

TEST_CASE("Images are files, pixels of any size, or what the network takes") {
  const InferRequest files = read(classifier_facts(), tensor("image", "BYTES", {2}, {"YQ==", "Yg=="}));
  CHECK(std::get<served::EncodedImage>(files.inputs.at(1)).bytes == "b");
  const Json pixels = {1, 2, 3, 4, 5, 6};
  const InferRequest raw = read(classifier_facts(), tensor("pixels", "UINT8", {1, 1, 2, 3}, pixels));
  const auto& one = std::get<served::RawPixels>(raw.inputs.at(0));
  CHECK(one.width == 2);
  CHECK(one.height == 1);
  CHECK(one.bytes == std::string("\1\2\3\4\5\6"));
  CHECK(read(classifier_facts(), tensor("pixels", "UINT8", {1, 2, 3}, pixels)).inputs.size() == 1);
  const InferRequest ready =
      read(classifier_facts(), tensor("input", "FP32", {2, 3, 4, 4}, std::vector<double>(96, 0.5)));
  CHECK(std::get<served::NormalisedPixels>(ready.inputs.at(1)).values[47] == 0.5F);
}

TEST_CASE("Lists may be nested as the shape is") {
  const Json nested = Json::array({Json::array({Json::array({1, 2, 3}), Json::array({4, 5, 6})})});
  CHECK(read(classifier_facts(), tensor("pixels", "UINT8", {1, 2, 3}, nested)).inputs.size() == 1);
}

TEST_CASE("Texts, pairs and prompts are bytes") {
  CHECK(std::get<served::Text>(read(text_facts(), tensor("text", "BYTES", {2}, {"a", "b"})).inputs.at(1))
            .first == "b");
  const auto pairs = read(text_facts(true), tensor("text", "BYTES", {1, 2}, {"a", "b"}));
  CHECK(*std::get<served::Text>(pairs.inputs.at(0)).second == "b");
  const auto prompts = read(prompt_facts(), tensor("prompt", "BYTES", {2}, {"a", "b"}),
                            {{"parameters", {{"max_tokens", 3}, {"temperature", 0.5}}}, {"id", "7"}});
  CHECK(prompts.prompts == std::vector<std::string>{"a", "b"});
  CHECK(prompts.settings.max_new_tokens == 3);
  CHECK(*prompts.id == "7");
}

TEST_CASE("Tensors' bytes come behind the JSON where a header says how long that is") {
  Json one{
      {"name", "image"}, {"datatype", "BYTES"}, {"shape", {2}}, {"parameters", {{"binary_data_size", 11}}}};
  const std::string json = body_of(one), bytes("\2\0\0\0ab\1\0\0\0c", 11);
  const InferRequest request = read_infer(classifier_facts(), json + bytes, json.size());
  CHECK(std::get<served::EncodedImage>(request.inputs.at(0)).bytes == "ab");
  CHECK(std::get<served::EncodedImage>(request.inputs.at(1)).bytes == "c");
  const auto refused = [&](const std::string& body, std::size_t size) {
    return refusal_of([&] { read_infer(classifier_facts(), body, size); });
  };
  CHECK(contains(refused(json + bytes + "x", json.size()), "belong to no tensor"));
  CHECK(contains(refused(json + "abc", json.size()), "3 bytes are left"));
  CHECK(contains(refused(json, json.size() + 1), "Inference-Header-Content-Length"));
  CHECK(contains(refused(json + std::string("\xFF\0\0\0ab\1\0\0\0c", 11), json.size()),
                 "longer than the bytes"));
}

TEST_CASE("Tensors that are none of the model's are refused with their place") {
  for (const auto& [one, words] : std::vector<std::pair<Json, std::string>>{
           {tensor("images", "BYTES", {1}, {"YQ=="}),
            "400 inputs[0].name: inputs[0].name is \"images\": did you mean"},
           {tensor("image", "FP32", {1}, {1}), "400 inputs[0].datatype"},
           {tensor("image", "BYTES", {2}, {"YQ=="}), "holds 1 values, and its shape 2"},
           {tensor("image", "BYTES", {0}, Json::array()), "400 inputs[0].shape"},
           {tensor("image", "BYTES", {1e18, 1e18}, {"YQ=="}), "400 inputs[0].shape"},
           {tensor("image", "BYTES", Json::array(), {"YQ=="}), "400 inputs[0].shape"},
           {tensor("image", "BYTES", {300}, std::vector<std::string>(300, "YQ==")), "256 are the most"},
           {tensor("image", "BYTES", {1}, {"*"}), "no base64"},
           {tensor("pixels", "UINT8", {1, 1, 1, 3}, {1, 2, 256}), "from 0 to 255"},
           {tensor("pixels", "UINT8", {1, 1, 1, 3}, {1, 2, 1.5}), "from 0 to 255"},
           {tensor("pixels", "UINT8", {1, 1, 4}, {1, 2, 3, 4}), "[n, height, width, 3]"},
           {tensor("input", "FP32", {1, 3, 2, 2}, std::vector<double>(12, 0.5)), "[n, 3, 4, 4]"},
           {tensor("input", "FP32", {1, 3, 4, 4}, std::vector<double>(48, 1e300)), "not finite"},
           {tensor("input", "FP32", {1, 3, 4, 4}, std::vector<std::string>(48, "NaN")), "no number"},
           {tensor("image", "BYTES", {1}, nullptr), "400 inputs[0].data"}}) {
    INFO(one.dump().substr(0, 200));
    const std::string refusal = refusal_of([&] { read(classifier_facts(), one); });
    INFO(refusal);
    CHECK(contains(refusal, words));
  }
  CHECK(contains(refusal_of([] { read(text_facts(true), tensor("text", "BYTES", {1}, {"a"})); }), "[n, 2]"));
  CHECK(contains(refusal_of([] { read_infer(classifier_facts(), "{}", std::nullopt); }), "400 inputs"));
  CHECK(contains(refusal_of([] { read_infer(classifier_facts(), R"({"inputs": [{}, {}]})", std::nullopt); }),
                 "400 inputs"));
}

TEST_CASE("Classifiers answer with probabilities and labels, those alone that are asked for") {
  const std::vector<served::Answer> answers{served::Probabilities{{0.25, 0.75}, {1}}};
  const auto request = read(classifier_facts(), tensor("image", "BYTES", {1}, {"YQ=="}));
  const Json whole =
      Json::parse(serve::infer_response(classifier_facts(), request, answers, "steel", "3").body);
  CHECK(whole.at("model_name") == "steel");
  CHECK(whole.at("model_version") == "3");
  CHECK(whole.at("outputs").at(0).at("shape") == Json({1, 2}));
  CHECK(whole.at("outputs").at(0).at("data") == Json({0.25, 0.75}));
  CHECK(whole.at("outputs").at(1).at("data") == Json::array({"scratch"}));
  const Json wanted{{"outputs", Json::array({{{"name", "label"}}})}};
  const auto some = read(classifier_facts(), tensor("image", "BYTES", {1}, {"YQ=="}), wanted);
  CHECK(Json::parse(serve::infer_response(classifier_facts(), some, answers, "steel", "3").body)
            .at("outputs")
            .size() == 1);
  const Json wrong{{"outputs", Json::array({{{"name", "labels"}}})}};
  const auto other = read(classifier_facts(), tensor("image", "BYTES", {1}, {"YQ=="}), wrong);
  CHECK(contains(refusal_of([&] { serve::infer_response(classifier_facts(), other, answers, "steel", "3"); }),
                 "did you mean"));
}

TEST_CASE("Answers of different length are padded, and say how long each is") {
  const std::vector<served::Answer> answers{
      served::Detections{10, 10, {{0, 0.5F, 0, 0, 1, 1}, {1, 0.25F, 0, 0, 0.5F, 1}}},
      served::Detections{10, 10, {}}};
  const auto request = read(detector_facts(), tensor("image", "BYTES", {2}, {"YQ==", "YQ=="}));
  const Json json = Json::parse(serve::infer_response(detector_facts(), request, answers, "steel", "3").body);
  CHECK(json.at("outputs").at(0).at("shape") == Json({2, 2, 4}));
  CHECK(json.at("outputs").at(2).at("data") == Json({0, 1, -1, -1}));
  CHECK(json.at("outputs").at(3).at("data") == Json({2, 0}));
}

TEST_CASE("Outputs go as bytes where that is asked for") {
  const std::vector<served::Answer> answers{served::Probabilities{{0.25, 0.75}, {1}}};
  const auto request = read(classifier_facts(), tensor("image", "BYTES", {1}, {"YQ=="}),
                            {{"parameters", {{"binary_data_output", true}}}});
  const serve::InferResponse response =
      serve::infer_response(classifier_facts(), request, answers, "steel", "3");
  REQUIRE(response.json_bytes);
  const Json json = Json::parse(response.body.substr(0, *response.json_bytes));
  CHECK(json.at("outputs").at(0).at("parameters").at("binary_data_size") == 8);
  CHECK(json.at("outputs").at(1).at("parameters").at("binary_data_size") == 11);
  float second = 0;
  std::memcpy(&second, response.body.data() + *response.json_bytes + 4, sizeof second);
  CHECK(second == 0.75F);
  CHECK(response.body.size() == *response.json_bytes + 19);
}

TEST_CASE("A model's metadata names its tensors and classes") {
  const OrderedJson image = serve::model_metadata(detector_facts(), "steel", "3");
  CHECK(image.at("platform") == "tune_detection");
  CHECK(image.at("inputs").size() == 3);
  CHECK(image.at("outputs").at(0).at("name") == "boxes");
  CHECK(image.at("parameters").at("classes") == OrderedJson({"pit", "scratch"}));
  CHECK(image.at("versions") == OrderedJson::array({"3"}));
  CHECK(serve::model_metadata(prompt_facts(), "answers", "1").at("parameters").at("adapters") ==
        OrderedJson::array({"polite"}));
  CHECK(serve::model_metadata(text_facts(true), "mails", "1").at("inputs").at(0).at("shape") ==
        OrderedJson({-1, 2}));
}
