#pragma once
// The smallest whole task: fits a straight line to the rows "x,y" of a CSV file. It shows what a new task
// costs, and the conformance suite runs on it.
#include <cmath>
#include <sstream>

#include "trainer/loop/task.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {

using namespace trainer;

struct Points {
  torch::Tensor x, y;  // float [rows, 1]
};

inline Points read_points(const std::filesystem::path& file) {
  std::istringstream lines(read_file(file));
  std::vector<float> numbers;
  char comma = 0;
  float x = 0, y = 0;
  for (std::string line; std::getline(lines, line); numbers.insert(numbers.end(), {x, y})) {
    std::istringstream row(line);
    if (!(row >> x >> comma >> y) || comma != ',')
      throw Error(ExitCode::kBadData, file.string() + ": \"" + line + "\" is no row \"x,y\"");
  }
  const torch::Tensor table = torch::tensor(at::ArrayRef<float>(numbers)).view({-1, 2});
  return {table.slice(1, 0, 1).clone(), table.slice(1, 1, 2).clone()};
}

inline double rmse(const torch::Tensor& a, const torch::Tensor& b) {
  return std::sqrt(torch::mse_loss(a, b).item<double>());
}

inline const std::vector<loop::Recipe>& line_recipes() {
  static const std::vector<loop::Recipe> recipes = [] {
    loop::Recipe sgd{"sgd", "stochastic gradient descent", loop::plan_hyperparameters("rows"), {}, {}, {}};
    sgd.hyperparameters.push_back(loop::real("learning_rate", 0.05, 1e-6, 1, "log", "of SGD"));
    sgd.metrics = {loop::plain_metric("validation:rmse", "minimize"),
                   loop::plain_metric("train:mse", "minimize")};
    sgd.loss_names = {"train:mse"};
    sgd.metric_names = {"validation:rmse"};
    return std::vector<loop::Recipe>{sgd};
  }();
  return recipes;
}

class LineTraining final : public loop::Training {
 public:
  LineTraining(const loop::TrialFile& trial, std::shared_ptr<const parallel::Team> team)
      : team_(std::move(team)),
        values_(line_recipes().front().hyperparameters, trial.parameters),
        seed_(trial.seed),
        points_(read_points(loop::text_key(trial.trainer, "data", ""))),
        plan_(loop::make_plan(values_)) {
    plan_.schedule.base = values_.number("learning_rate");
    torch::manual_seed(seed_);
    layer_ = torch::nn::Linear(1, 1);
  }
  const loop::Recipe& recipe() const override { return line_recipes().front(); }
  const loop::Plan& plan() const override { return plan_; }
  torch::nn::Module& model() override { return *layer_; }
  std::int64_t training_examples() const override { return points_.x.size(0); }
  loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t) const override {
    const torch::Tensor rows = torch::tensor(examples);
    return {{{"x", points_.x.index_select(0, rows)}, {"y", points_.y.index_select(0, rows)}},
            static_cast<double>(examples.size())};
  }
  loop::LossTerms losses(const weights::TensorMap& tensors) override {
    return {torch::mse_loss(layer_(tensors.at("x")), tensors.at("y"))};
  }
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override {
    if (team_->any(interrupted())) return {};
    return {{"validation:rmse", rmse(layer_(points_.x), points_.y)}};
  }
  void export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                    const loop::Report& best) const override {
    weights::write_safetensors(folder / "weights.safetensors", model);
    write_file_atomically(folder / "model.json", Json{{"task", "line"}, {"metrics", best.metrics}}.dump());
  }
  std::string fingerprint() const override {
    return Json{{"values", values_.values()}, {"seed", seed_}}.dump();
  }

 private:
  const std::shared_ptr<const parallel::Team> team_;
  const loop::Hyperparameters values_;
  const std::uint64_t seed_;
  const Points points_;
  loop::Plan plan_;
  torch::nn::Linear layer_{nullptr};
};

inline torch::Tensor line_through(const loop::Request& request, const torch::Tensor& x) {
  const auto tensors = weights::read_safetensors(request.text("model") + "/weights.safetensors").tensors;
  return torch::linear(x, tensors.at("weight"), tensors.at("bias"));
}

inline loop::Answer evaluate_line(const loop::Request& request) {
  const Points points = read_points(request.text("data"));
  const double error = rmse(line_through(request, points.x), points.y);
  return {{{"schema", 1}, {"rmse", error}}, "rmse " + shortest(error) + "\n"};
}

inline loop::Answer predict_line(const loop::Request& request) {
  const torch::Tensor y = line_through(request, read_points(request.text("data")).x);
  std::string rows;
  for (std::int64_t i = 0; i < y.size(0); ++i) rows += shortest(y[i].item<double>()) + "\n";
  write_file_atomically(request.text("output"), rows);
  return {{{"schema", 1}, {"rows", y.size(0)}}, request.text("output") + "\n"};
}

inline const loop::Task& line_task() {
  static const std::vector<loop::Option> options{{"model", "MODEL", "a folder", true},
                                                 {"data", "DATA", "rows x,y", true},
                                                 {"output", "FILE", "rows to write"}};
  static const loop::Task task{
      .name = "line",
      .unit = "rows",
      .start = [](const loop::TrialFile& trial, const loop::Compute& compute, std::ostream&)
          -> std::unique_ptr<loop::Training> { return std::make_unique<LineTraining>(trial, compute.team); },
      .trainer_keys =
          [] {
            return OrderedJson::array(
                {loop::trainer_key("data", "path", "a CSV file"), loop::recipe_key(line_recipes())});
          },
      .recipes = line_recipes,
      .models =
          [] {
            return OrderedJson::array({{{"name", "line"}, {"description", "y = a x + b"}}});
          },
      .offers = {{"evaluate", options, evaluate_line}, {"predict", options, predict_line}},
      .primary = {"rmse", false}};
  return task;
}

}  // namespace tune::tests
