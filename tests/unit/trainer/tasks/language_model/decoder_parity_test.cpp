// What transformers says of every kind of model.
#include "formula_decoder.h"
#include "trainer/tasks/language_model/generation.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/error.h"

namespace {

using namespace tune;
using namespace tune::trainer;
using tune::tests::golden_of, tune::tests::formula_decoder, tune::tests::formula_ids, tune::tests::distance,
    tune::tests::noise;

double loss_of(nn::Decoder& decoder, const torch::Tensor& ids, torch::Tensor* loss = nullptr) {
  const torch::Tensor hidden = decoder->forward({.ids = ids});
  const torch::Tensor sum = nn::token_loss(hidden.slice(1, 0, -1).reshape({-1, hidden.size(2)}),
                                           decoder->output(), ids.slice(1, 1).reshape({-1}), 0);
  const torch::Tensor mean = sum / static_cast<double>(ids.size(0) * (ids.size(1) - 1));
  if (loss != nullptr) *loss = mean;
  return mean.item<double>();
}

}  // namespace

TEST_CASE("Logits of every kind of language model are transformers' within 1e-4, by either attention") {
  const Json golden = golden_of("decoders.json");
  REQUIRE(golden.size() >= 12);
  const torch::NoGradGuard no_grad;
  for (const auto& [name, one] : golden.items()) {
    INFO(name);
    nn::Decoder decoder = formula_decoder(one["config"]);
    CHECK(nn::count_parameters(decoder->shape()) == one["parameters"]);
    for (const nn::Attention attention : {nn::Attention::kSdpa, nn::Attention::kEager}) {
      decoder->set_attention(attention);
      CHECK(distance(tune::tests::logits_of(decoder, formula_ids("ids", 2, 11)).slice(1, 0, 11, 5),
                     one["logits"]) < 1e-4);
    }
  }
}

TEST_CASE("The parameters of a model are those that its shape foretells, without weights") {
  const Json golden = golden_of("decoders.json");
  for (const auto& [name, one] : golden.items()) {
    INFO(name);
    nn::Decoder decoder = formula_decoder(one["config"]);
    auto own = weights::state_dict(*decoder);
    const auto tensors = nn::tensors_of(decoder->shape());
    CHECK(own.size() == tensors.size());
    for (const nn::TensorShape& tensor : tensors) {
      REQUIRE(own.contains(tensor.name));
      CHECK(own.at(tensor.name).sizes() == c10::IntArrayRef(tensor.sizes));
    }
    std::size_t layers = 0;
    for (const auto& [place, layer] : decoder->linear_layers()) {
      CHECK(nn::linear_layers_of(decoder->shape())[layers].name == place);
      ++layers;
    }
    CHECK(layers == nn::linear_layers_of(decoder->shape()).size());
  }
}

TEST_CASE("Losses and gradients of every kind are transformers', with gradient checkpoints too") {
  const Json golden = golden_of("decoders.json");
  for (const auto& [name, one] : golden.items()) {
    for (const bool again : {false, true}) {
      INFO(name << (again ? ", computed again" : ""));
      nn::Decoder decoder = formula_decoder(one["config"]);
      decoder->train();
      decoder->set_gradient_checkpointing(again);
      torch::Tensor loss;
      CHECK(loss_of(decoder, formula_ids("ids", 2, 11), &loss) ==
            Approx(one["loss"].get<double>()).epsilon(1e-5));
      loss.backward();
      for (const auto& parameter : decoder->named_parameters()) {
        const auto wanted = one["gradient_norms"].find(parameter.key());
        if (wanted == one["gradient_norms"].end()) continue;
        INFO(parameter.key());
        REQUIRE(parameter.value().grad().defined());
        CHECK(parameter.value().grad().to(torch::kDouble).norm().item<double>() ==
              Approx(wanted->get<double>()).epsilon(1e-3).margin(1e-6));
      }
    }
  }
}

TEST_CASE("Tokens that are made one by one, with a cache, are transformers'") {
  const torch::NoGradGuard no_grad;
  const Json golden = golden_of("decoders.json");
  for (const auto& [name, one] : golden.items()) {
    INFO(name);
    nn::Decoder decoder = formula_decoder(one["config"]);
    nn::Cache cache;
    torch::Tensor ids = formula_ids("ids", 2, 11).slice(0, 0, 1).slice(1, 0, 4);
    for (const auto& wanted : one["generated"]) {
      const torch::Tensor hidden = decoder->forward({.ids = ids, .cache = &cache});
      ids =
          nn::logits_of(hidden.select(1, hidden.size(1) - 1), decoder->output()).argmax(1, /*keepdim=*/true);
      CHECK(ids.item<std::int64_t>() == wanted.get<std::int64_t>());
    }
  }
}

TEST_CASE("A prompt that is padded on the left is answered as without") {
  const torch::NoGradGuard no_grad;
  const Json golden = golden_of("decoders.json");
  for (const char* name : {"llama", "mistral-window", "gemma3_text"}) {
    INFO(name);
    nn::Decoder decoder = formula_decoder(golden[name]["config"]);
    const torch::Tensor ids = formula_ids("prompt", 1, 6), padding = torch::zeros({1, 3}, torch::kLong);
    const torch::Tensor alone = decoder->forward({.ids = ids});
    nn::Cache cache;
    const torch::Tensor is_token =
        torch::cat({torch::zeros({1, 3}, torch::kBool), torch::ones({1, 6}, torch::kBool)}, 1);
    const torch::Tensor padded =
        decoder->forward({.ids = torch::cat({padding, ids}, 1),
                          .positions = torch::cat({padding, torch::arange(6).unsqueeze(0)}, 1),
                          .is_token = is_token,
                          .cache = &cache});
    CHECK((padded.slice(1, 3) - alone).abs().max().item<double>() < 1e-5);
  }
}

TEST_CASE("Texts that share a row do not see one another") {
  const torch::NoGradGuard no_grad;
  const Json golden = golden_of("decoders.json");
  for (const char* name : {"llama", "mistral-window"}) {
    nn::Decoder decoder = formula_decoder(golden[name]["config"]);
    const torch::Tensor a = formula_ids("a", 1, 7), b = formula_ids("b", 1, 5);
    const torch::Tensor together = decoder->forward(
        {.ids = torch::cat({a, b}, 1),
         .positions = torch::cat({torch::arange(7), torch::arange(5)}).unsqueeze(0),
         .texts = torch::cat({torch::zeros({1, 7}, torch::kLong), torch::ones({1, 5}, torch::kLong)}, 1)});
    CHECK((together.slice(1, 0, 7) - decoder->forward({.ids = a})).abs().max().item<double>() < 1e-5);
    CHECK((together.slice(1, 7) - decoder->forward({.ids = b})).abs().max().item<double>() < 1e-5);
  }
}

TEST_CASE("The loss over tokens has the gradients of finite differences, with a cap and smoothing") {
  torch::manual_seed(1);
  torch::Tensor hidden = torch::randn({5, 4}, torch::kDouble).requires_grad_(true),
                weight = torch::randn({7, 4}, torch::kDouble).requires_grad_(true);
  const torch::Tensor targets = torch::tensor({1, 0, 6, 3, 3}, torch::kLong);
  for (const bool caps : {false, true}) {
    for (const double smoothing : {0.0, 0.2}) {
      const auto reference = [&] {
        torch::Tensor logits = hidden.matmul(weight.t());
        if (caps) logits = (logits / 2).tanh() * 2;
        const torch::Tensor logs = torch::log_softmax(logits, 1);
        return ((1 - smoothing) * -logs.gather(1, targets.unsqueeze(1)).squeeze(1) - smoothing * logs.mean(1))
            .sum();
      };
      const nn::OutputLayer output{weight, caps ? std::optional(2.0) : std::nullopt};
      const torch::Tensor loss = nn::token_loss(hidden, output, targets, smoothing);
      CHECK(loss.item<double>() == Approx(reference().item<double>()).epsilon(1e-5));
      loss.backward();
      const torch::Tensor of_hidden = hidden.grad().clone(), of_weight = weight.grad().clone();
      hidden.mutable_grad() = torch::Tensor();
      weight.mutable_grad() = torch::Tensor();
      reference().backward();
      CHECK((of_hidden - hidden.grad()).abs().max().item<double>() < 1e-5);
      CHECK((of_weight - weight.grad()).abs().max().item<double>() < 1e-5);
      hidden.mutable_grad() = torch::Tensor();
      weight.mutable_grad() = torch::Tensor();
    }
  }
}

TEST_CASE("A config.json that asks for what is not computed is refused by the key and the value") {
  const Json golden = golden_of("decoders.json")["llama"]["config"];
  const auto refusal = [&](const Json& changes) {
    Json config = golden;
    config.update(changes);
    try {
      language_model::shape_from_config(config, "config.json");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kBadData);
      CHECK_FALSE(error.hint().empty());
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal({{"model_type", "lama"}}).find("lama") != std::string::npos);
  CHECK(refusal({{"hidden_act", "relu"}}).find("relu") != std::string::npos);
  CHECK(refusal({{"rope_parameters", {{"rope_type", "longrope"}, {"factor", 2}}}}).find("longrope") !=
        std::string::npos);
  CHECK(refusal({{"num_key_value_heads", 3}}).find("3 heads") != std::string::npos);
  CHECK(refusal({{"hidden_size", -1}}).find("hidden_size") != std::string::npos);
  CHECK(refusal({{"num_hidden_layers", 1e9}}).find("num_hidden_layers") != std::string::npos);
  CHECK(refusal({{"quantization_config", {{"bits", 4}}}}).find("quantised") != std::string::npos);
  CHECK(refusal(Json::object()).empty());
}
