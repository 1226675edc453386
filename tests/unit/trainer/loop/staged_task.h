#pragma once
// A training for tests of transfer strategies: three stages of which two have batch normalisation, and a
// head, on two classes of random points.
#include "trainer/loop/training.h"
#include "trainer/loop/transfer.h"
#include "tuner/core/rng.h"

namespace tune::tests {

inline trainer::nn::Stages staged_net_stages() {
  return {{{"first", {"linear1.", "norm1."}}, {"second", {"linear2.", "norm2."}}, {"third", {"linear3."}}},
          {"fc."}};
}

struct StagedNetImpl : torch::nn::Module {
  StagedNetImpl() {
    torch::manual_seed(17);
    linear1 = register_module("linear1", torch::nn::Linear(4, 8));
    norm1 = register_module("norm1", torch::nn::BatchNorm1d(8));
    linear2 = register_module("linear2", torch::nn::Linear(8, 8));
    norm2 = register_module("norm2", torch::nn::BatchNorm1d(8));
    linear3 = register_module("linear3", torch::nn::Linear(8, 8));
    fc = register_module("fc", torch::nn::Linear(8, 2));
  }
  torch::Tensor first(const torch::Tensor& x) { return torch::relu(norm1(linear1(x))); }
  torch::Tensor second(const torch::Tensor& x) { return torch::relu(norm2(linear2(first(x)))); }
  torch::Tensor third(const torch::Tensor& x) { return torch::relu(linear3(second(x))); }
  torch::Tensor forward(const torch::Tensor& x) { return fc(third(x)); }
  torch::nn::Linear linear1{nullptr}, linear2{nullptr}, linear3{nullptr}, fc{nullptr};
  torch::nn::BatchNorm1d norm1{nullptr}, norm2{nullptr};
};
TORCH_MODULE(StagedNet);

class StagedTask final : public trainer::loop::Training {
 public:
  explicit StagedTask(const trainer::loop::Transfer& transfer, std::int64_t epochs = 4)
      : stages_(net_.ptr(), staged_net_stages(), transfer) {
    plan_.epochs = epochs;
    plan_.batch_size = 4;
    plan_.optimizer.kind = trainer::loop::OptimizerKind::kAdamW;
    plan_.optimizer.weight_decay = 0.01;
    plan_.schedule = {.kind = trainer::loop::ScheduleKind::kCosine,
                      .base = 0.02,
                      .warmup_epochs = 0.5,
                      .step_epochs = {},
                      .epochs = static_cast<double>(epochs)};
  }
  const trainer::loop::Recipe& recipe() const override { return recipe_; }
  const trainer::loop::Plan& plan() const override { return plan_; }
  trainer::loop::Plan& change_plan() { return plan_; }
  StagedNet& net() { return net_; }
  torch::nn::Module& model() override { return *net_; }
  std::vector<trainer::loop::ParameterGroup> parameter_groups() override {
    return stages_.by_stage(Training::parameter_groups());
  }
  bool enter_step(double epoch) override {
    const bool changes = stages_.enter_step(epoch);
    entered.emplace_back(epoch, changes);
    return changes;
  }
  std::int64_t training_examples() const override { return 16; }
  trainer::loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t) const override {
    const auto count = static_cast<std::int64_t>(examples.size());
    torch::Tensor points = torch::empty({count, 4}), classes = torch::empty({count}, torch::kLong);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t example = examples[static_cast<std::size_t>(i)];
      Rng rng(static_cast<std::uint64_t>(example));
      for (int column = 0; column < 4; ++column)
        points[i][column] = rng.normal() + (example % 2 == 0 ? 1 : -1);
      classes[i] = example % 2;
    }
    return {{{"points", points}, {"classes", classes}}, static_cast<double>(count)};
  }
  trainer::loop::LossTerms losses(const trainer::weights::TensorMap& tensors) override {
    return {torch::cross_entropy_loss(net_(tensors.at("points")), tensors.at("classes"))};
  }
  trainer::loop::Metrics evaluate(const std::function<bool()>& interrupted) override {
    if (interrupted()) return {};
    std::vector<std::int64_t> all(16);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    return {{"validation:loss", losses(prepare(all, 0).tensors).front().item<double>()}};
  }
  void export_model(const std::filesystem::path& folder, const trainer::weights::TensorMap& model,
                    const trainer::loop::Report&) const override {
    trainer::weights::write_safetensors(folder / "weights.safetensors", model);
  }
  std::string fingerprint() const override { return "staged"; }

  std::vector<std::pair<double, bool>> entered;  // what enter_step() was asked, and said

 private:
  const trainer::loop::Recipe recipe_{"staged", "", {}, {}, {"train:loss"}, {"validation:loss"}};
  trainer::loop::Plan plan_;
  StagedNet net_;
  trainer::loop::StagedModel stages_;
};

}  // namespace tune::tests
