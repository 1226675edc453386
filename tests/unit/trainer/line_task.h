#pragma once
// A task for tests of the loop: fits y = 3 x0 - x1 + 0.5 with a linear layer, and counts what it is asked.
#include <atomic>

#include "trainer/loop/task.h"
#include "tuner/core/rng.h"

namespace tune::tests {

class LineBatch final : public trainer::loop::Batch {
 public:
  torch::Tensor inputs, outputs;
};

class LineTask final : public trainer::loop::Task {
 public:
  explicit LineTask(std::int64_t epochs = 4, std::int64_t accumulate = 1) {
    torch::manual_seed(11);
    layer_ = torch::nn::Linear(2, 1);
    plan_.epochs = epochs;
    plan_.batch_size = 4;
    plan_.accumulate = accumulate;
    plan_.optimizer.kind = trainer::loop::OptimizerKind::kAdam;
    plan_.schedule = {trainer::loop::ScheduleKind::kCosine, 0.1, 0.5, {}, 0.1, static_cast<double>(epochs)};
  }

  const trainer::loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *layer_; }
  std::int64_t training_examples() const override { return 22; }
  std::vector<std::string> loss_names() const override { return {"train:loss"}; }
  std::vector<std::string> metric_names() const override { return {"validation:error"}; }

  // Noise that depends on the epoch stands for augmentation.
  std::unique_ptr<trainer::loop::Batch> prepare(const std::vector<std::int64_t>& examples,
                                                std::int64_t epoch) const override {
    auto batch = std::make_unique<LineBatch>();
    batch->inputs = torch::empty({static_cast<std::int64_t>(examples.size()), 2});
    for (std::size_t i = 0; i < examples.size(); ++i) {
      Rng rng(static_cast<std::uint64_t>(examples[i]), static_cast<std::uint64_t>(epoch));
      for (int column = 0; column < 2; ++column)
        batch->inputs[static_cast<std::int64_t>(i)][column] = rng.normal();
    }
    batch->outputs = 3 * batch->inputs.select(1, 0) - batch->inputs.select(1, 1) + 0.5;
    return batch;
  }

  trainer::loop::LossTerms losses(const trainer::loop::Batch& batch) override {
    const auto& line = dynamic_cast<const LineBatch&>(batch);
    ++batches_seen;
    // Noise from LibTorch's own generator, so that a test notices when its state is not restored.
    const torch::Tensor predicted =
        layer_(line.inputs).squeeze(1) + 0.01 * torch::randn({line.inputs.size(0)});
    return {torch::mse_loss(predicted, line.outputs) * (batches_seen >= poisoned_batch ? NAN : 1.0)};
  }

  trainer::loop::Metrics evaluate(const std::function<bool()>& interrupted) override {
    if (interrupted()) return {};
    const auto values = layer_->weight.flatten();
    return {{"validation:error",
             std::abs(values[0].item<double>() - 3) + std::abs(values[1].item<double>() + 1)}};
  }

  std::vector<std::string> metric_lines(const trainer::loop::EpochReport& report) const override {
    std::string line = "epoch " + std::to_string(report.epoch);
    for (const auto& [name, value] : report.metrics) line += " " + name + "=" + std::to_string(value);
    return {line};
  }

  void export_model(const std::filesystem::path& folder, const trainer::weights::TensorMap& model,
                    const trainer::loop::EpochReport& best) const override {
    trainer::weights::write_safetensors(folder / "weights.safetensors", model);
    exported_epoch = best.epoch;
  }

  std::string fingerprint() const override { return fingerprint_text; }

  std::string fingerprint_text = "line";
  int batches_seen = 0;
  int poisoned_batch = 1 << 30;  // from this one on the loss is not a number
  mutable std::int64_t exported_epoch = -1;

 private:
  trainer::loop::Plan plan_;
  torch::nn::Linear layer_{nullptr};
};

}  // namespace tune::tests
