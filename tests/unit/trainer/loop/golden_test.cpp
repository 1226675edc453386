// Against torch's optimizers, schedules and averaged models: tests/golden/loop/make_golden.py says how the
// numbers were made.
#include <cmath>

#include "torch_catch.h"
#include "trainer/loop/optimizer.h"
#include "trainer/loop/schedule.h"
#include "trainer/loop/weight_average.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using loop::OptimizerKind;
using tune::Json;

namespace {

constexpr int kSize = 6, kSteps = 8;

const Json& golden() {
  static const Json json = Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/loop/golden.json"));
  return json;
}

torch::Tensor formula(const std::function<double(int)>& value) {
  torch::Tensor made = torch::empty({kSize});
  for (int i = 0; i < kSize; ++i) made[i] = value(i);
  return made;
}

torch::Tensor gradient(int step) {
  return formula([&](int i) { return std::sin(1 + 0.7 * i + 1.3 * step); });
}

struct Vector : torch::nn::Module {
  Vector() {
    weight = register_parameter("weight", formula([](int i) { return std::cos(i); }));
    mean = register_buffer("mean", torch::zeros({kSize}));
  }
  torch::Tensor weight, mean;
};

void check_equal(const torch::Tensor& found, const Json& expected) {
  REQUIRE(expected.size() == kSize);
  for (int i = 0; i < kSize; ++i)
    CHECK(found[i].item<double>() ==
          Approx(expected[static_cast<std::size_t>(i)].get<double>()).epsilon(2e-6));
}

}  // namespace

TEST_CASE("RMSprop, Adagrad and Adadelta go where torch's go") {
  struct Case {
    const char* name;
    double rate;
    loop::OptimizerSettings settings;
  };
  const auto made = [](OptimizerKind kind, double alpha, double epsilon, double momentum = 0,
                       double initial = 0) {
    loop::OptimizerSettings settings;
    settings.kind = kind;
    settings.alpha = alpha;
    settings.epsilon = epsilon;
    settings.momentum = momentum;
    settings.initial_accumulator = initial;
    return settings;
  };
  for (const Case& one :
       std::vector<Case>{{"rmsprop", 0.05, made(OptimizerKind::kRmsprop, 0.95, 1e-6)},
                         {"rmsprop momentum decay", 0.05, made(OptimizerKind::kRmsprop, 0.9, 1e-7, 0.8)},
                         {"adagrad", 0.05, made(OptimizerKind::kAdagrad, 0, 1e-7, 0, 0.1)},
                         {"adagrad decay", 0.05, made(OptimizerKind::kAdagrad, 0, 1e-10)},
                         {"adadelta", 1, made(OptimizerKind::kAdadelta, 0.95, 1e-6)},
                         {"adadelta decay", 1, made(OptimizerKind::kAdadelta, 0.9, 1e-5)}}) {
    INFO(one.name);
    const bool decays = std::string(one.name).ends_with("decay");
    Vector module;
    loop::Optimizer optimizer(module, one.settings, {{{"weight"}, 1, decays ? 0.1 : 0.0}});
    for (int step = 0; step < kSteps; ++step) {
      module.weight.mutable_grad() = gradient(step);
      optimizer.step(one.rate);
    }
    check_equal(module.weight, golden()["optimizers"][one.name]);
  }
}

TEST_CASE("One cycle passes through the points of torch's OneCycleLR") {
  const loop::Schedule schedule{
      .kind = loop::ScheduleKind::kOneCycle, .base = 0.4, .step_epochs = {}, .epochs = 1};
  const std::vector<double> rates = golden()["one_cycle"];
  REQUIRE(rates.size() == 100);
  // torch takes its first step at the beginning of the curve, and its 30th at the top.
  constexpr std::size_t kTop = 29;
  for (std::size_t step = 0; step < rates.size(); ++step) {
    const double place = step <= kTop ? 0.3 * static_cast<double>(step) / kTop
                                      : 0.3 + 0.7 * static_cast<double>(step - kTop) / (99 - kTop);
    CHECK(schedule.rate(place) == Approx(rates[step]).epsilon(1e-6));
  }
}

TEST_CASE("An average of weights and buffers moves as torch's, and copies during the warm-up") {
  struct Case {
    const char* name;
    loop::Averaging averaging;
    int warm_from;
  };
  for (const Case& one : {Case{"each step", {0.7, 1}, 0}, Case{"every second", {0.6, 2}, 0},
                          Case{"warm-up of 3", {0.7, 1}, 4}}) {
    INFO(one.name);
    Vector module;
    loop::WeightAverage average(module, one.averaging);
    for (int step = 1; step <= kSteps; ++step) {
      const torch::NoGradGuard no_grad;
      module.weight -= 0.1 * gradient(step - 1);
      module.mean.mul_(0.9).add_(0.1 * module.weight);
      average.step(step, step >= one.warm_from);
    }
    const torch::Tensor own = module.weight.detach().clone();
    average.swap();
    check_equal(module.weight, golden()["averages"][one.name]["weight"]);
    check_equal(module.mean, golden()["averages"][one.name]["mean"]);
    average.swap();
    CHECK(module.weight.equal(own));
  }
}
