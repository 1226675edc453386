#include "trainer/loop/optimizer.h"
#include "torch_catch.h"
#include "tuner/core/error.h"

using namespace tune::trainer;
using loop::OptimizerKind;

namespace {

// A convolution in channels_last and a bias: both layouts that the fused kernels meet.
std::shared_ptr<torch::nn::Conv2dImpl> make_module() {
  torch::manual_seed(1);
  auto module = std::make_shared<torch::nn::Conv2dImpl>(torch::nn::Conv2dOptions(3, 4, 3));
  module->weight.set_data(module->weight.detach().contiguous(at::MemoryFormat::ChannelsLast));
  return module;
}

void set_gradients(torch::nn::Module& module, int step) {
  torch::manual_seed(static_cast<std::uint64_t>(100 + step));
  for (auto& parameter : module.parameters()) parameter.mutable_grad() = torch::randn(parameter.sizes());
}

template <typename Reference>
void check_equal_trajectories(const loop::OptimizerSettings& settings, Reference make_reference) {
  auto ours = make_module(), theirs = make_module();
  loop::Optimizer optimizer(*ours, settings);
  auto reference = make_reference(*theirs);
  for (int step = 0; step < 5; ++step) {
    set_gradients(*ours, step);
    set_gradients(*theirs, step);
    optimizer.step(0.05);
    reference.step();
  }
  CHECK(torch::allclose(ours->weight, theirs->weight, 1e-5, 1e-6));
  CHECK(torch::allclose(ours->bias, theirs->bias, 1e-5, 1e-6));
}

// Weight decay for weights only, as ours.
template <typename Options>
std::vector<torch::optim::OptimizerParamGroup> groups(torch::nn::Conv2dImpl& module, const Options& options,
                                                      double weight_decay) {
  auto with = std::make_unique<Options>(options), without = std::make_unique<Options>(options);
  with->weight_decay(weight_decay);
  without->weight_decay(0);
  return {{std::vector<torch::Tensor>{module.weight}, std::move(with)},
          {std::vector<torch::Tensor>{module.bias}, std::move(without)}};
}

}  // namespace

TEST_CASE("SGD with momentum and decay of weights follows LibTorch's own") {
  for (const bool nesterov : {false, true}) {
    loop::OptimizerSettings settings;
    settings.weight_decay = 0.1;
    settings.nesterov = nesterov;
    check_equal_trajectories(settings, [&](torch::nn::Conv2dImpl& module) {
      const auto options = torch::optim::SGDOptions(0.05).momentum(0.9).nesterov(nesterov);
      return torch::optim::SGD(groups(module, options, 0.1), options);
    });
  }
}

TEST_CASE("Adam and AdamW follow LibTorch's own") {
  loop::OptimizerSettings settings;
  settings.weight_decay = 0.1;
  settings.kind = OptimizerKind::kAdam;
  check_equal_trajectories(settings, [](torch::nn::Conv2dImpl& module) {
    const torch::optim::AdamOptions options(0.05);
    return torch::optim::Adam(groups(module, options, 0.1), options);
  });
  settings.kind = OptimizerKind::kAdamW;
  check_equal_trajectories(settings, [](torch::nn::Conv2dImpl& module) {
    const torch::optim::AdamWOptions options(0.05);
    return torch::optim::AdamW(groups(module, options, 0.1), options);
  });
}

TEST_CASE("Clipping limits the norm of all gradients together") {
  loop::OptimizerSettings settings;
  settings.momentum = 0;
  settings.gradient_clip = 0.5;
  auto module = make_module();
  const torch::Tensor before = module->weight.detach().clone(), bias = module->bias.detach().clone();
  loop::Optimizer optimizer(*module, settings);
  set_gradients(*module, 0);
  optimizer.step(1.0);
  const double moved = (module->weight - before).pow(2).sum().item<double>() +
                       (module->bias - bias).pow(2).sum().item<double>();
  CHECK(std::sqrt(moved) == Approx(0.5).epsilon(1e-4));
  CHECK_FALSE(module->weight.grad().defined());
}

TEST_CASE("An optimizer goes on from its saved state as if it had never stopped") {
  for (const OptimizerKind kind : {OptimizerKind::kSgd, OptimizerKind::kAdamW, OptimizerKind::kRmsprop,
                                   OptimizerKind::kAdagrad, OptimizerKind::kAdadelta}) {
    loop::OptimizerSettings settings;
    settings.kind = kind;
    auto through = make_module(), stopped = make_module();
    loop::Optimizer one(*through, settings), first(*stopped, settings), second(*stopped, settings);
    const auto train = [](loop::Optimizer& optimizer, torch::nn::Module& module, int from, int to) {
      for (int step = from; step < to; ++step) {
        set_gradients(module, step);
        optimizer.step(0.01);
      }
    };
    train(one, *through, 0, 6);
    train(first, *stopped, 0, 3);
    second.load_state(
        weights::decode_safetensors(weights::encode_safetensors(first.state()), "state").tensors);
    train(second, *stopped, 3, 6);
    CHECK(through->weight.equal(stopped->weight));
    CHECK(through->bias.equal(stopped->bias));
  }
}

TEST_CASE(
    "A parameter whose first gradient comes late begins as it would have at the start, also after a stop") {
  loop::OptimizerSettings settings;
  settings.kind = OptimizerKind::kAdam;
  const auto step = [](loop::Optimizer& optimizer, torch::nn::Conv2dImpl& module, int number,
                       bool with_bias) {
    set_gradients(module, number);
    if (!with_bias) module.bias.mutable_grad().reset();
    optimizer.step(0.01);
  };
  auto late = make_module(), early = make_module();
  loop::Optimizer first(*late, settings), reference(*early, settings);
  for (int number = 0; number < 3; ++number) step(first, *late, number, /*with_bias=*/false);
  CHECK(late->bias.equal(early->bias));
  loop::Optimizer second(*late, settings);
  second.load_state(weights::decode_safetensors(weights::encode_safetensors(first.state()), "state").tensors);
  for (int number = 3; number < 6; ++number) step(second, *late, number, true);
  // The reference sees the same gradients from its first step on.
  for (int number = 3; number < 6; ++number) step(reference, *early, number, true);
  CHECK(late->bias.equal(early->bias));
  CHECK_FALSE(late->weight.equal(early->weight));
}

TEST_CASE("Each group of parameters has a rate and a weight decay of its own") {
  auto module = make_module();
  const torch::Tensor weight = module->weight.detach().clone(), bias = module->bias.detach().clone();
  loop::OptimizerSettings settings;
  settings.momentum = 0;
  loop::Optimizer optimizer(*module, settings, {{{"bias"}, 3, 0.5}, {{"weight"}, 0.5, 0}});
  set_gradients(*module, 0);
  const torch::Tensor of_weight = module->weight.grad().clone(), of_bias = module->bias.grad().clone();
  optimizer.step(0.1);
  CHECK(torch::allclose(module->weight, weight - 0.05 * of_weight));
  CHECK(torch::allclose(module->bias, bias - 0.3 * (of_bias + 0.5 * bias)));
}

TEST_CASE("Each parameter that is trained is in one group, and a frozen one in none") {
  auto module = make_module();
  using Groups = std::vector<loop::ParameterGroup>;
  for (const Groups& groups : {Groups{{{"weight"}, 1, 0}}, Groups{{{"weight", "bias", "other"}, 1, 0}},
                               Groups{{{"weight", "bias"}, 1, 0}, {{"bias"}, 2, 0}}})
    CHECK_THROWS(loop::Optimizer(*module, {}, groups));
  module->bias.requires_grad_(false);
  CHECK_NOTHROW(loop::Optimizer(*module, {}, {{{"weight"}, 1, 0}}));
  CHECK_THROWS(loop::Optimizer(*module, {}, {{{"weight", "bias"}, 1, 0}}));
}

TEST_CASE("A state that does not fit is refused by name") {
  auto module = make_module();
  loop::Optimizer optimizer(*module, {});
  weights::TensorMap state = optimizer.state();
  state.erase("weight.first");
  try {
    optimizer.load_state(state);
    FAIL("was accepted");
  } catch (const tune::Error& error) {
    CHECK(std::string(error.what()).find("weight.first") != std::string::npos);
  }
}
