#pragma once
// A task for tests of the loop: fits y = 3 x0 - x1 + 0.5 with a linear layer, and counts what it is asked.
// With a base, the inputs first pass a frozen layer that changes nothing.
#include <algorithm>

#include "trainer/loop/training.h"
#include "tuner/core/rng.h"

namespace tune::tests {

struct LineModelImpl : torch::nn::Module {
  explicit LineModelImpl(bool has_base) {
    layer = register_module("layer", torch::nn::Linear(2, 1));
    if (!has_base) return;
    base = register_module("base", torch::nn::Linear(2, 2));
    torch::nn::init::eye_(base->weight);
    torch::nn::init::zeros_(base->bias);
    for (auto& parameter : base->parameters()) parameter.requires_grad_(false);
    table = register_buffer("table", torch::arange(3));
    batches = register_buffer("batches", torch::zeros({1}));
  }
  torch::Tensor forward(const torch::Tensor& inputs) {
    if (base.is_empty()) return layer(inputs).squeeze(1);
    batches += 1;
    return layer(base(inputs)).squeeze(1);
  }
  torch::nn::Linear layer{nullptr}, base{nullptr};
  torch::Tensor table, batches;
};
TORCH_MODULE(LineModel);

class LineTask final : public trainer::loop::Training {
 public:
  explicit LineTask(std::int64_t epochs = 4, std::int64_t accumulate = 1, bool has_base = false) {
    torch::manual_seed(11);
    model_ = LineModel(has_base);
    plan_.epochs = epochs;
    plan_.batch_size = 4;
    plan_.accumulate = accumulate;
    plan_.optimizer.kind = trainer::loop::OptimizerKind::kAdam;
    plan_.schedule = {.kind = trainer::loop::ScheduleKind::kCosine,
                      .base = 0.1,
                      .warmup_epochs = 0.5,
                      .step_epochs = {},
                      .epochs = static_cast<double>(epochs)};
  }

  const trainer::loop::Recipe& recipe() const override { return recipe_; }
  const trainer::loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *model_; }
  trainer::loop::Plan& change_plan() { return plan_; }
  LineModel& line() { return model_; }
  std::string initial_weights() const override { return "base.safetensors"; }
  std::vector<std::vector<std::int64_t>> epoch_batches(std::int64_t epoch,
                                                       std::uint64_t seed) const override {
    if (batches.empty()) return Training::epoch_batches(epoch, seed);
    std::vector<std::vector<std::int64_t>> ordered = batches;
    if (epoch % 2 == 0) std::reverse(ordered.begin(), ordered.end());
    return ordered;
  }
  std::int64_t training_examples() const override { return 22; }

  // Noise that depends on the epoch stands for augmentation.
  trainer::loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const override {
    torch::Tensor inputs = torch::empty({static_cast<std::int64_t>(examples.size()), 2});
    for (std::size_t i = 0; i < examples.size(); ++i) {
      Rng rng(static_cast<std::uint64_t>(examples[i]), static_cast<std::uint64_t>(epoch));
      for (int column = 0; column < 2; ++column) inputs[static_cast<std::int64_t>(i)][column] = rng.normal();
    }
    trainer::loop::Batch batch;
    if (weigh) batch.weight = weigh(examples);
    batch.tensors = {{"inputs", inputs},
                     {"outputs", 3 * inputs.select(1, 0) - inputs.select(1, 1) + 0.5},
                     {"weight", torch::tensor(batch.weight, torch::kDouble)}};
    return batch;
  }

  trainer::loop::LossTerms losses(const trainer::weights::TensorMap& tensors) override {
    const torch::Tensor inputs = tensors.at("inputs");
    ++batches_seen;
    // Noise from LibTorch's own generator, so that a test notices when its state is not restored.
    const torch::Tensor predicted = model_(inputs) + noise * torch::randn({inputs.size(0)});
    if (loss_of) return {predicted.sum() * 0 + loss_of(tensors.at("weight").item<double>())};
    return {torch::mse_loss(predicted, tensors.at("outputs")) * (batches_seen >= poisoned_batch ? NAN : 1.0)};
  }

  trainer::loop::Metrics evaluate(const std::function<bool()>& interrupted) override {
    if (interrupted()) return {};
    if (!errors.empty()) return {{"validation:error", errors.at(evaluations++)}};
    const auto values = model_->layer->weight.flatten();
    return {{"validation:error",
             std::abs(values[0].item<double>() - 3) + std::abs(values[1].item<double>() + 1)}};
  }

  std::vector<std::string> metric_lines(const trainer::loop::Report& report) const override {
    std::string line = "epoch " + std::to_string(report.epoch) + " step " + std::to_string(report.step);
    for (const auto& [name, value] : report.metrics) line += " " + name + "=" + std::to_string(value);
    return {line};
  }

  void export_model(const std::filesystem::path& folder, const trainer::weights::TensorMap& model,
                    const trainer::loop::Report& best) const override {
    trainer::weights::write_safetensors(folder / "weights.safetensors", model);
    exported_epoch = best.epoch;
  }

  std::string fingerprint() const override { return fingerprint_text; }

  std::string fingerprint_text = "line";
  std::vector<std::vector<std::int64_t>> batches;  // of an odd epoch; the even ones go backwards
  double noise = 0.01;
  std::function<double(const std::vector<std::int64_t>&)> weigh;  // 1 each without
  std::function<double(double weight)> loss_of;                   // in place of the real one
  std::vector<double> errors;  // what evaluations find, in place of the real ones
  std::size_t evaluations = 0;
  int batches_seen = 0;
  int poisoned_batch = 1 << 30;  // from this one on the loss is not a number
  mutable std::int64_t exported_epoch = -1;

 private:
  const trainer::loop::Recipe recipe_{"line", "", {}, {}, {"train:loss"}, {"validation:error"}};
  trainer::loop::Plan plan_;
  LineModel model_{nullptr};
};

}  // namespace tune::tests
