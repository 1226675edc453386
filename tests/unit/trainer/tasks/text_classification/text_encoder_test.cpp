// Against transformers' answers in tests/golden/text_classification/encoders_golden.json, with weights by a
// formula; and weights under the names that their files have.
#include "trainer/nn/text_encoder.h"

#include <sstream>

#include "torch_catch.h"
#include "trainer/loop/transfer.h"
#include "trainer/tasks/text_classification/encoder_weights.h"
#include "trainer/tasks/text_classification/recipes.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"
#include "unit/trainer/tasks/image_classification/formula_classifier.h"
#include "unit/trainer/tasks/text_classification/tiny_encoder.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::text_classification;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;
namespace fs = std::filesystem;

namespace {

const Json& goldens() {
  static const Json json = Json::parse(
      tune::read_file(TUNE_SOURCE_DIR "/tests/golden/text_classification/encoders_golden.json"))["models"];
  return json;
}

torch::Tensor matrix(const Json& rows) {
  std::vector<std::int64_t> flat;
  for (const Json& row : rows)
    for (const Json& value : row) flat.push_back(value);
  return torch::tensor(flat, torch::kLong).view({static_cast<std::int64_t>(rows.size()), -1});
}

std::shared_ptr<nn::TextEncoder> filled(const Json& golden) {
  auto network = std::make_shared<nn::TextEncoder>(encoder_config(golden["config"], "config.json").layout, 3);
  tune::tests::fill_classifier(*network);
  return network;
}

torch::Tensor answer(nn::TextEncoder& network, const Json& golden) {
  const torch::Tensor types = matrix(golden["types"]);
  const bool has_types = network.layout().family == nn::EncoderFamily::kBert;
  return network.head(network.features(matrix(golden["ids"]), matrix(golden["mask"]).to(torch::kBool),
                                       has_types ? types : torch::Tensor()));
}

}  // namespace

TEST_CASE("Encoders have transformers' names and shapes, and their numbers are counted") {
  for (const auto& [name, golden] : goldens().items()) {
    INFO(name);
    const auto network = filled(golden);
    std::map<std::string, std::vector<std::int64_t>> own;
    std::int64_t numbers = 0;
    for (const auto& [key, tensor] : weights::state_dict(*network)) {
      own[key] = tensor.sizes().vec();
      if (!key.starts_with(network->classes_prefix())) numbers += tensor.numel();
    }
    CHECK(own == golden["names"].get<std::map<std::string, std::vector<std::int64_t>>>());
    CHECK(numbers == nn::parameter_count(network->layout()));
  }
}

TEST_CASE("Encoders answer as transformers' do, whatever pads the texts beside them") {
  for (const auto& [name, golden] : goldens().items()) {
    INFO(name);
    const auto network = filled(golden);
    network->eval();
    const torch::NoGradGuard no_grad;
    const torch::Tensor logits = answer(*network, golden);
    for (std::int64_t row = 0; row < logits.size(0); ++row)
      for (std::int64_t c = 0; c < 3; ++c)
        CHECK(
            logits[row][c].item<double>() ==
            Approx(golden["logits"][static_cast<std::size_t>(row)][static_cast<std::size_t>(c)].get<double>())
                .margin(1e-5));
    // One text by itself, without a mask.
    const torch::Tensor single =
        network->head(network->features(matrix(golden["ids"]).narrow(0, 0, 1).narrow(1, 0, 9), {}, {}));
    for (std::int64_t c = 0; c < 3; ++c)
      CHECK(single[0][c].item<double>() ==
            Approx(golden["single"][static_cast<std::size_t>(c)].get<double>()).margin(1e-5));
  }
}

TEST_CASE("Encoders have transformers' gradients") {
  for (const auto& [name, golden] : goldens().items()) {
    INFO(name);
    const auto network = filled(golden);
    network->to(torch::kDouble);
    network->eval();
    const torch::Tensor logits = answer(*network, golden);
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(logits, torch::arange(logits.size(0)).remainder(3));
    loss.backward();
    CHECK(loss.item<double>() == Approx(golden["loss"].get<double>()).epsilon(1e-7));
    const auto parameters = network->named_parameters();
    for (const auto& [key, samples] : golden["gradients"].items()) {
      INFO(key);
      const torch::Tensor flat = parameters[key].grad().reshape(-1);
      const auto step = samples["step"].get<std::int64_t>();
      CHECK(flat.square().mean().item<double>() ==
            Approx(samples["mean_square"].get<double>()).epsilon(1e-5));
      for (std::size_t i = 0; i < samples["values"].size(); ++i)
        CHECK(flat[static_cast<std::int64_t>(i) * step].item<double>() ==
              Approx(samples["values"][i].get<double>()).margin(1e-7));
    }
  }
}

TEST_CASE("A new encoder is drawn as transformers draws it") {
  torch::manual_seed(1);
  nn::EncoderLayout layout = default_layout("bert");
  layout.width = 128;
  layout.inner = 256;
  layout.layers = 1;
  layout.heads = 2;
  const nn::TextEncoder network(layout, 3);
  for (const auto& [name, tensor] : weights::state_dict(network)) {
    INFO(name);
    if (tensor.dim() > 1 && tensor.numel() > 1000)
      CHECK(tensor.std().item<double>() == Approx(0.02).epsilon(0.05));
    else if (name.ends_with("bias"))
      CHECK(tensor.abs().max().item<double>() == 0);
    else if (tensor.dim() == 1)
      CHECK(tensor.eq(1).all().item<bool>());
  }
}

TEST_CASE("Dropout works in training alone, and frozen layers have none") {
  const auto network = filled(goldens()["bert"]);
  nn::EncoderLayout layout = network->layout();
  layout.dropout = layout.attention = layout.head_dropout = 0.5;
  auto random = std::make_shared<nn::TextEncoder>(layout, 3);
  weights::load_state_dict(*random, weights::state_dict(*network));
  const torch::NoGradGuard no_grad;
  random->eval();
  const torch::Tensor still = answer(*random, goldens()["bert"]);
  CHECK(still.equal(answer(*random, goldens()["bert"])));
  random->train();
  CHECK_FALSE(answer(*random, goldens()["bert"]).allclose(still));
  const Json frozen{{"freeze", "features"}};
  loop::StagedModel staged(random, random->stages(), loop::make_transfer(fine_tuning_values(frozen)));
  staged.enter_step(0);
  const auto features = [&] { return random->features(matrix(goldens()["bert"]["ids"]), {}, {}); };
  CHECK(features().equal(features()));
  CHECK_FALSE(answer(*random, goldens()["bert"]).allclose(still));  // its head has
}

TEST_CASE("config.json says what an encoder is, and what cannot be one is refused with its key") {
  const auto refusal = [](const Json& more, const std::string& family = "bert") {
    Json json = tune::tests::tiny_config(family);
    json.update(more);
    return message_of(ExitCode::kBadData, [&] { encoder_config(json, "c.json"); });
  };
  const EncoderConfig config = encoder_config(tune::tests::tiny_config(), "c.json");
  CHECK(config.family == "bert");
  CHECK(config.layout.width == 16);
  CHECK(config.classes.empty());
  CHECK(encoder_config(tune::tests::tiny_config("distilbert"), "c.json").layout.inner == 24);
  CHECK(refusal({{"model_type", "t5"}}) == "c.json: \"model_type\" is \"t5\"");
  CHECK(refusal({{"hidden_size", 0}}) == "c.json: \"hidden_size\" is 0");
  CHECK(refusal({{"hidden_size", "16"}}) == "c.json: \"hidden_size\" is \"16\"");
  CHECK(refusal({{"num_attention_heads", 3}}) == "c.json: a width of 16 has no 3 heads of one size");
  CHECK(refusal({{"hidden_dropout_prob", 1.5}}) == "c.json: \"hidden_dropout_prob\" is 1.5");
  CHECK(refusal({{"hidden_act", "swish"}}) == "c.json: \"hidden_act\" is \"swish\"");
  CHECK(refusal({{"position_embedding_type", "relative_key"}}) ==
        "c.json: \"position_embedding_type\" is \"relative_key\"");
  CHECK(refusal({{"is_decoder", true}}) == "c.json: \"is_decoder\" is true");
  CHECK(contains(refusal({{"pad_token_id", 21}}), "\"pad_token_id\" is 21, yet \"vocab_size\" is 21"));
  CHECK(contains(refusal({{"problem_type", "regression"}}), "regression"));
  Json named = tune::tests::tiny_config();
  named["id2label"] = {{"0", "ham"}, {"1", "spam"}};
  CHECK(encoder_config(named, "c.json").classes == std::vector<std::string>{"ham", "spam"});
  named["id2label"] = {{"0", "LABEL_0"}, {"1", "LABEL_1"}};
  CHECK(encoder_config(named, "c.json").classes.empty());
  const tune::OrderedJson written = config_for_classes(config, {"ham", "spam"}, false);
  CHECK(written["architectures"] == Json{"BertForSequenceClassification"});
  CHECK(written["id2label"]["1"] == "spam");
  CHECK(written["label2id"]["spam"] == 1);
  CHECK(written["problem_type"] == "single_label_classification");
  CHECK(written["hidden_size"] == 16);
}

namespace {

struct Started {
  std::shared_ptr<nn::TextEncoder> network;
  std::string notes;
};

// From `tensors` as a file, beside that config.json.
Started start_from(const TestFolder& folder, const weights::TensorMap& tensors, const Json& json,
                   const std::vector<std::string>& classes = {"a", "b"},
                   classification::HeadPolicy policy = classification::HeadPolicy::kAuto) {
  const fs::path file = folder.path() / "model.safetensors";
  weights::write_safetensors(file, tensors, {{"format", "pt"}});
  const EncoderConfig config = encoder_config(json, "config.json");
  torch::manual_seed(5);
  Started started{std::make_shared<nn::TextEncoder>(config.layout, static_cast<std::int64_t>(classes.size())),
                  ""};
  std::ostringstream notes;
  initialise_from(*started.network, config, file, {classes}, policy, notes);
  started.notes = notes.str();
  return started;
}

// Of a tiny network by the formula, under names that `rename` gives.
weights::TensorMap renamed(const std::function<std::string(const std::string&)>& rename,
                           std::int64_t classes = 2) {
  nn::TextEncoder network(encoder_config(tune::tests::tiny_config(), "").layout, classes);
  tune::tests::fill_classifier(network);
  weights::TensorMap tensors;
  for (const auto& [name, tensor] : weights::state_dict(network))
    if (const std::string given = rename(name); !given.empty()) tensors[given] = tensor.detach().clone();
  return tensors;
}

std::string same(const std::string& name) { return name; }

bool equal(const Started& started, const weights::TensorMap& tensors, const std::string& name) {
  return weights::state_dict(*started.network).at(name).equal(tensors.at(name));
}

}  // namespace

TEST_CASE("Names of the first BERT files, and of encoders saved alone, are taken for transformers'") {
  const TestFolder folder;
  const weights::TensorMap whole = renamed(same);
  const std::string norm = "bert.encoder.layer.1.output.LayerNorm.", last = "classifier.";
  const auto old = [](std::string name) {
    if (name.find("LayerNorm.weight") != name.npos) return name.substr(0, name.size() - 6) + "gamma";
    if (name.find("LayerNorm.bias") != name.npos) return name.substr(0, name.size() - 4) + "beta";
    return name.starts_with("classifier.") ? std::string() : name;
  };
  weights::TensorMap first = renamed(old);
  first["cls.predictions.bias"] = torch::zeros({21});
  first["bert.embeddings.position_ids"] = torch::arange(32).unsqueeze(0);
  const Started from_first = start_from(folder, first, tune::tests::tiny_config());
  const auto alone = [](const std::string& name) {
    return name.starts_with("bert.") ? name.substr(5) : std::string();
  };
  const Started from_alone = start_from(folder, renamed(alone), tune::tests::tiny_config());
  for (const Started* started : {&from_first, &from_alone}) {
    for (const auto& [name, tensor] : whole)
      if (!name.starts_with(last)) {
        INFO(name);
        CHECK(equal(*started, whole, name));
      }
    CHECK(contains(started->notes, "the layer for the classes is initialised anew: the file has none"));
    CHECK_FALSE(contains(started->notes, "not used"));
  }
}

TEST_CASE("A layer for the classes is kept where it is for the data's, and layers that lack are made anew") {
  const TestFolder folder;
  const weights::TensorMap whole = renamed(same);
  Json named = tune::tests::tiny_config();
  named["id2label"] = {{"0", "a"}, {"1", "b"}};
  CHECK(equal(start_from(folder, whole, named), whole, "classifier.weight"));
  CHECK_FALSE(equal(start_from(folder, whole, named, {"a", "c"}), whole, "classifier.weight"));
  CHECK_FALSE(equal(start_from(folder, whole, tune::tests::tiny_config()), whole, "classifier.weight"));
  CHECK(equal(
      start_from(folder, whole, tune::tests::tiny_config(), {"a", "b"}, classification::HeadPolicy::kKeep),
      whole, "classifier.weight"));
  CHECK(contains(
      message_of(ExitCode::kBadSpec,
                 [&] {
                   start_from(folder, renamed(same, 3), named, {"a", "b"}, classification::HeadPolicy::kKeep);
                 }),
      "its head cannot be kept"));
  Json of_several = named;
  of_several["problem_type"] = "multi_label_classification";
  CHECK(contains(message_of(ExitCode::kBadSpec, [&] { start_from(folder, whole, of_several); }),
                 "its head is for examples of several classes or none, but those of the data have one class "
                 "each"));
  const auto without_pooler = [](const std::string& name) {
    return name.find("pooler") != name.npos ? std::string() : name;
  };
  CHECK(contains(start_from(folder, renamed(without_pooler), named).notes,
                 "layers of the head that the file lacks are made anew: bert.pooler.dense.bias, "
                 "bert.pooler.dense.weight"));
}

TEST_CASE("Weights of another encoder are refused with the tensor that differs") {
  const TestFolder folder;
  const auto refusal = [&](const weights::TensorMap& tensors, const Json& more = Json::object()) {
    Json json = tune::tests::tiny_config();
    json.update(more);
    return message_of(ExitCode::kBadData, [&] { start_from(folder, tensors, json); });
  };
  const weights::TensorMap whole = renamed(same);
  CHECK(contains(refusal(whole, {{"vocab_size", 30}}),
                 "bert.embeddings.word_embeddings.weight is [21, 16] in the file, and config.json asks for "
                 "[30, 16]"));
  CHECK(contains(refusal(whole, {{"num_hidden_layers", 3}}), "the file has no bert.encoder.layer.2."));
  CHECK(contains(refusal(whole, {{"num_hidden_layers", 1}}),
                 "the file has bert.encoder.layer.1.attention.output.LayerNorm.bias, for which config.json "
                 "has no place"));
  weights::TensorMap coded = whole;
  coded["bert.pooler.dense.weight"] = torch::zeros({16, 16}, torch::kInt8);
  CHECK(contains(refusal(coded), "bert.pooler.dense.weight"));
}
