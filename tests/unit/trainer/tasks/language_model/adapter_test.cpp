// Adapters: PEFT's in ours, ours as PEFT writes them, several on one base.
#include "trainer/tasks/language_model/adapter.h"
#include "formula_decoder.h"
#include "test_folder.h"
#include "trainer/weights/state_dict.h"

namespace {

using namespace tune;
using namespace tune::trainer;
using namespace tune::trainer::language_model;
using trainer::tests::contains, trainer::tests::message_of, trainer::tests::TestFolder;
using tune::tests::distance, tune::tests::formula_decoder, tune::tests::formula_ids, tune::tests::golden_file,
    tune::tests::golden_of;

nn::Decoder base_of(const std::string& name) {
  return formula_decoder(golden_of("decoders.json")[name]["config"]);
}

torch::Tensor logits(nn::Decoder& decoder) {
  const torch::NoGradGuard no_grad;
  return tune::tests::logits_of(decoder, formula_ids("ids", 2, 11)).slice(1, 0, 11, 5);
}

std::int64_t count_trained(const nn::Decoder& decoder) {
  std::int64_t trained = 0;
  for (const torch::Tensor& parameter : decoder->parameters())
    if (parameter.requires_grad()) trained += parameter.numel();
  return trained;
}

LoraSettings settings_of(const Json& json) { return lora_settings(json, "lora_config"); }

}  // namespace

TEST_CASE("PEFT's adapters give PEFT's logits within 1e-4, and train the same parameters") {
  const Json golden = golden_of("adapters.json");
  for (const auto& [name, one] : golden.items()) {
    INFO(name);
    nn::Decoder decoder = base_of(one["base"]);
    load_adapter(decoder, "default", golden_file("adapters") / name, "the base");
    CHECK(distance(logits(decoder), one["logits"]) < 1e-4);
    CHECK(count_trained(decoder) == one["trained"]);
  }
}

TEST_CASE("An adapter that is written has the names, shapes and settings of PEFT's file") {
  const TestFolder folder;
  const Json golden = golden_of("adapters.json");
  for (const auto& [name, one] : golden.items()) {
    INFO(name);
    nn::Decoder decoder = base_of(one["base"]);
    const LoraSettings settings =
        load_adapter(decoder, "default", golden_file("adapters") / name, "the base");
    write_adapter(folder.path() / name, weights::state_dict(*decoder), "default", settings, "base");
    const auto ours = weights::read_safetensors(folder.path() / name / kAdapterFile).tensors,
               theirs = weights::read_safetensors(golden_file("adapters") / name / kAdapterFile).tensors;
    CHECK(ours.size() == theirs.size());
    for (const auto& [key, tensor] : theirs) {
      INFO(key);
      REQUIRE(ours.contains(key));
      CHECK(ours.at(key).equal(tensor));
    }
    nn::Decoder again = base_of(one["base"]);
    load_adapter(again, "default", folder.path() / name, "the base");
    CHECK(distance(logits(again), one["logits"]) < 1e-4);
  }
}

TEST_CASE("Weights with an adapter merged in answer as the adapter does") {
  const Json golden = golden_of("adapters.json");
  for (const auto& [name, one] : golden.items()) {
    INFO(name);
    nn::Decoder decoder = base_of(one["base"]), merged = base_of(one["base"]);
    weights::TensorMap tensors;
    for (const auto& [key, tensor] : weights::state_dict(*merged)) tensors[key] = tensor.detach().clone();
    const LoraSettings settings =
        load_adapter(decoder, "default", golden_file("adapters") / name, "the base");
    merge_adapter(tensors, weights::state_dict(*decoder), "default", settings);
    if (tensors.contains("lm_head.weight")) merged->untie();
    CHECK(weights::load_state_dict(*merged, tensors).missing.empty());
    CHECK(distance(logits(merged), one["logits"]) < 1e-4);
  }
}

TEST_CASE("Several adapters lie on one base in memory, each answering as it does alone") {
  nn::Decoder decoder = base_of("llama");
  const torch::Tensor plain = logits(decoder);
  load_adapter(decoder, "first", golden_file("adapters/plain"), "the base");
  const torch::Tensor first = logits(decoder);
  add_adapter(decoder, "second", settings_of({{"r", 4}, {"target_modules", {"o_proj", "up_proj"}}}));
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : decoder->named_parameters())
      if (parameter.key().find("lora_B.second") != std::string::npos) parameter.value().fill_(0.1);
  }
  const torch::Tensor second = logits(decoder);
  CHECK((first - plain).abs().max().item<double>() > 1e-3);
  CHECK((second - first).abs().max().item<double>() > 1e-3);
  decoder->use_adapter("first");
  CHECK(logits(decoder).equal(first));
  decoder->use_adapter("");
  CHECK(logits(decoder).equal(plain));
  decoder->use_adapter("second");
  CHECK(logits(decoder).equal(second));
}

TEST_CASE("A new adapter changes nothing before it is trained, and all else is frozen") {
  nn::Decoder decoder = base_of("qwen3");
  const torch::Tensor plain = logits(decoder);
  add_adapter(decoder, "default", settings_of(nullptr));
  CHECK(logits(decoder).equal(plain));
  // r 8 on q_proj [48, 32] and v_proj [24, 32] of two layers.
  CHECK(count_trained(decoder) == 2 * 8 * (48 + 32 + 24 + 32));
}

TEST_CASE(
    "lora_config takes the names of PEFT and of other products, and what is left out has PEFT's defaults") {
  const LoraSettings defaults = settings_of(Json::object());
  CHECK(defaults.rank == 8);
  CHECK(defaults.alpha == 8);
  CHECK(defaults.dropout == 0);
  CHECK(defaults.targets == std::vector<std::string>{"q_proj", "v_proj"});
  CHECK(defaults.bias == "none");
  const LoraSettings given = settings_of({{"r", "16"},
                                          {"lora_alpha", 32},
                                          {"dropout", 0.05},
                                          {"target_modules", "all-linear"},
                                          {"bias", "lora_only"},
                                          {"use_rslora", "true"},
                                          {"fan_in_fan_out", "false"},
                                          {"modules_to_save", {"lm_head"}}});
  CHECK(given.rank == 16);
  CHECK(given.alpha == 32);
  CHECK(given.dropout == 0.05);
  CHECK(given.targets.empty());
  CHECK(given.bias == "lora_only");
  CHECK(given.rank_stabilised);
  CHECK(given.scale_of("q_proj", 16) == 8);
  CHECK(contains(message_of(ExitCode::kBadSpec,
                            [] {
                              settings_of({{"alpha", 8}, {"lora_alpha", 16}});
                            }),
                 "twice"));
  CHECK(contains(message_of(ExitCode::kBadSpec, [] { settings_of({{"rr", 8}}); }), "rr"));
  CHECK(contains(message_of(ExitCode::kBadSpec, [] { settings_of({{"r", 0}}); }), "lora_config.r"));
  CHECK(contains(message_of(ExitCode::kBadSpec, [] { settings_of({{"bias", "some"}}); }), "some"));
  CHECK(contains(message_of(ExitCode::kBadSpec,
                            [] {
                              settings_of({{"target_modules", 3}});
                            }),
                 "target_modules"));
}

TEST_CASE("Targets that match nothing are refused with the layers that there are") {
  nn::Decoder decoder = base_of("llama");
  try {
    add_adapter(decoder, "default", settings_of({{"target_modules", {"q_proj", "query"}}}));
    FAIL("a target that matches nothing was taken");
  } catch (const Error& error) {
    CHECK(contains(error.what(), "\"query\""));
    CHECK(contains(error.hint(), "q_proj"));
    CHECK(contains(error.hint(), "down_proj"));
  }
}

TEST_CASE(
    "An adapter of another base is refused, naming both sizes; DoRA and damaged files by what is wrong") {
  nn::Decoder other = base_of("gemma2");
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] { load_adapter(other, "a", golden_file("adapters/plain"), "gemma"); }),
                 "another model than gemma"));
  const TestFolder folder;
  const Json config = Json::parse(read_file(golden_file("adapters/plain/adapter_config.json")));
  const auto refused = [&](const Json& changes) {
    Json changed = config;
    changed.update(changes);
    folder.write("adapter_config.json", changed.dump());
    nn::Decoder decoder = base_of("llama");
    return message_of(ExitCode::kBadData, [&] { load_adapter(decoder, "a", folder.path(), "the base"); });
  };
  folder.write("adapter_model.safetensors",
               read_file(golden_file("adapters/plain/adapter_model.safetensors")));
  CHECK(contains(refused({{"use_dora", true}}), "use_dora"));
  CHECK(contains(refused({{"peft_type", "IA3"}}), "LORA"));
  CHECK(contains(refused({{"r", "many"}}), "r is"));
  CHECK(contains(refused({{"rank_pattern", {{"layers\\.[0-9]", 4}}}}), "regular expression"));
  const std::string whole = read_file(golden_file("adapters/plain/adapter_model.safetensors"));
  folder.write("adapter_model.safetensors", whole.substr(0, whole.size() - 8));
  CHECK(contains(refused(Json::object()), "safetensors"));
}

TEST_CASE("A frozen layer has the products and the input's gradients of one that is trained") {
  torch::manual_seed(3);
  for (const bool has_bias : {false, true}) {
    nn::AdaptedLinear layer(24, 40, has_bias);
    const torch::NoGradGuard filling;
    for (torch::Tensor& parameter : layer->parameters()) parameter.normal_();
    for (const std::int64_t rows : {3, 50}) {
      const torch::AutoGradMode on(true);
      std::vector<torch::Tensor> products, gradients;
      for (const bool trained : {false, true}) {
        for (torch::Tensor& parameter : layer->parameters()) parameter.set_requires_grad(trained);
        const torch::Tensor x = torch::linspace(-1, 1, rows * 48).view({rows, 24, 2}).transpose(1, 2);
        const torch::Tensor in = x.detach().requires_grad_(true);
        products.push_back(layer->forward(in));
        (products.back() * torch::linspace(0, 1, 40)).sum().backward();
        gradients.push_back(in.grad());
      }
      CHECK(products[0].sizes() == c10::IntArrayRef({rows, 2, 40}));
      CHECK(torch::allclose(products[0], products[1], 1e-5, 1e-5));
      CHECK(torch::allclose(gradients[0], gradients[1], 1e-5, 1e-5));
    }
  }
}
