#include "trainer/tasks/image_classification/advice/linear_probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <tuple>

#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::array kStrengths{1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0};
// Of the fits of a cross-validation: nearer to the minimum, hardly an answer changes. The tolerance is
// scikit-learn's.
constexpr double kTolerance = 1e-4;
constexpr int kMostSteps = 200;

torch::Tensor labels_tensor(std::span<const int> labels) {
  return torch::tensor(std::vector<std::int64_t>(labels.begin(), labels.end()), torch::kLong);
}

// The mean cross entropy with its penalty, as a function of the weights and, in the last row, the biases.
class ProbeLoss {
 public:
  ProbeLoss(const torch::Tensor& features, std::span<const int> labels, int classes, double strength)
      : features_(features),
        targets_(torch::one_hot(labels_tensor(labels), classes).to(torch::kDouble)),
        images_(static_cast<double>(features.size(0))),
        decay_(1 / (strength * images_)) {}

  // The value; `gradient` gets that.
  double at(const torch::Tensor& point, torch::Tensor& gradient) const {
    const std::int64_t rows = features_.size(1);
    const torch::Tensor weights = point.narrow(0, 0, rows), bias = point.narrow(0, rows, 1);
    const torch::Tensor logs = torch::log_softmax(features_.mm(weights) + bias, 1);
    const torch::Tensor residual = (logs.exp() - targets_) / images_;
    gradient = torch::cat({features_.t().mm(residual) + decay_ * weights, residual.sum(0, /*keepdim=*/true)});
    return -(logs * targets_).sum().item<double>() / images_ +
           decay_ / 2 * weights.square().sum().item<double>();
  }

 private:
  torch::Tensor features_, targets_;
  double images_, decay_;
};

double inner_product(const torch::Tensor& a, const torch::Tensor& b) { return (a * b).sum().item<double>(); }

// One step of L-BFGS and the change of the gradient along it.
struct Memory {
  torch::Tensor step, change;
  double product;
};

// The two loops of algorithm 7.4 in Nocedal and Wright, Numerical Optimization.
torch::Tensor newton_direction(const torch::Tensor& gradient, const std::deque<Memory>& memory) {
  torch::Tensor direction = -gradient;
  std::vector<double> factors(memory.size());
  for (std::size_t i = memory.size(); i-- > 0;) {
    factors[i] = inner_product(memory[i].step, direction) / memory[i].product;
    direction = direction - factors[i] * memory[i].change;
  }
  if (!memory.empty())
    direction =
        direction * (memory.back().product / inner_product(memory.back().change, memory.back().change));
  for (std::size_t i = 0; i < memory.size(); ++i)
    direction = direction + (factors[i] - inner_product(memory[i].change, direction) / memory[i].product) *
                                memory[i].step;
  return direction;
}

torch::Tensor minimum(const ProbeLoss& loss, torch::Tensor point, double tolerance, int most_steps) {
  constexpr std::size_t kRemembered = 10;
  constexpr double kEnough = 1e-4;     // of the decrease that the slope promises (Armijo)
  constexpr double kRounding = 1e-13;  // of a value, below which a decrease cannot be told
  constexpr int kHalvings = 40;
  std::deque<Memory> memory;
  torch::Tensor gradient;
  double value = loss.at(point, gradient);
  for (int step = 0; step < most_steps && gradient.abs().max().item<double>() > tolerance; ++step) {
    const torch::Tensor direction = newton_direction(gradient, memory);
    const double slope = inner_product(gradient, direction);
    double length = memory.empty() ? 1 / std::max(1.0, gradient.norm().item<double>()) : 1;
    torch::Tensor next, next_gradient;
    double next_value = 0;
    bool is_lower = false;
    for (int halving = 0; halving < kHalvings && !is_lower; ++halving, length /= 2) {
      next = point + length * direction;
      next_value = loss.at(next, next_gradient);
      is_lower = next_value <= value + kEnough * length * slope + kRounding * std::abs(value);
    }
    if (!is_lower) break;  // as near as rounding lets it come
    Memory taken{next - point, next_gradient - gradient, 0};
    taken.product = inner_product(taken.step, taken.change);
    if (taken.product > 0) memory.push_back(std::move(taken));
    if (memory.size() > kRemembered) memory.pop_front();
    point = next;
    gradient = next_gradient;
    value = next_value;
  }
  return point;
}

// While it lives LibTorch computes with one thread, where several would wait for each other longer than they
// work.
class OneThreadIfSmall {
 public:
  explicit OneThreadIfSmall(std::int64_t products) : before_(at::get_num_threads()) {
    constexpr std::int64_t kSmall = 20'000'000;
    if (products < kSmall) at::set_num_threads(1);
  }
  ~OneThreadIfSmall() { at::set_num_threads(before_); }
  OneThreadIfSmall(const OneThreadIfSmall&) = delete;
  OneThreadIfSmall& operator=(const OneThreadIfSmall&) = delete;

 private:
  int before_;
};

// What is trained on and what is measured on, standardised by the former.
struct Halves {
  torch::Tensor training, measured;
  std::vector<int> training_labels, measured_labels;
  std::vector<std::size_t> measured_images;
};

Halves halves_of(const torch::Tensor& features, std::span<const int> labels, std::span<const int> folds,
                 int measured, int left_out) {
  Halves halves;
  std::vector<std::int64_t> training, others;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (folds[i] == measured) {
      others.push_back(static_cast<std::int64_t>(i));
      halves.measured_images.push_back(i);
      halves.measured_labels.push_back(labels[i]);
    } else if (folds[i] != left_out) {
      training.push_back(static_cast<std::int64_t>(i));
      halves.training_labels.push_back(labels[i]);
    }
  }
  const torch::Tensor taught = features.index_select(0, torch::tensor(training, torch::kLong));
  const torch::Tensor mean = taught.mean(0, /*keepdim=*/true);
  torch::Tensor deviation = (taught - mean).square().mean(0, /*keepdim=*/true).sqrt();
  deviation = torch::where(deviation > 0, deviation, torch::ones_like(deviation));
  halves.training = (taught - mean) / deviation;
  halves.measured = (features.index_select(0, torch::tensor(others, torch::kLong)) - mean) / deviation;
  if (halves.training.size(0) < halves.training.size(1)) {
    // The weights are a combination of the images, whose span has fewer dimensions; turning the axes into it
    // changes neither the loss nor the weights' norm.
    const torch::Tensor axes = std::get<0>(torch::linalg_qr(halves.training.t()));
    halves.training = halves.training.mm(axes);
    halves.measured = halves.measured.mm(axes);
  }
  return halves;
}

torch::Tensor log_probabilities(const LinearProbe& probe, const torch::Tensor& features) {
  return torch::log_softmax(features.mm(probe.weights) + probe.bias, 1);
}

// Which of the strengths suits the images that are not in the fold `measured`.
double chosen_strength(const torch::Tensor& features, std::span<const int> labels, int classes,
                       std::span<const int> folds, int measured, int count) {
  const Halves halves = halves_of(features, labels, folds, (measured + 1) % count, measured);
  const torch::Tensor truth = labels_tensor(halves.measured_labels).unsqueeze(1);
  double best = 0, lowest = 0;
  LinearProbe probe;
  for (const double strength : kStrengths) {
    probe =
        fit_probe(halves.training, halves.training_labels, classes, strength, kTolerance, kMostSteps, probe);
    const double entropy = -log_probabilities(probe, halves.measured).gather(1, truth).mean().item<double>();
    if (best > 0 && entropy >= lowest) continue;
    best = strength;
    lowest = entropy;
  }
  return best;
}

// An answer to an image: whether it is right, and the image's group.
struct ProbeAnswer {
  bool right;
  std::size_t group;
};

Estimate estimate_of(const std::vector<ProbeAnswer>& answers) {
  const auto images = static_cast<double>(answers.size());
  const auto rights = static_cast<double>(
      std::count_if(answers.begin(), answers.end(), [](const ProbeAnswer& answer) { return answer.right; }));
  Estimate estimate{rights / images, 0, answers.size()};
  std::map<std::size_t, double> excess;  // of right answers over the mean, by group
  for (const ProbeAnswer& answer : answers) excess[answer.group] += (answer.right ? 1 : 0) - estimate.value;
  double squares = 0;
  for (const auto& [group, value] : excess) squares += value * value;
  const auto clusters = static_cast<double>(excess.size());
  const double of_clusters = clusters > 1 ? std::sqrt(clusters / (clusters - 1) * squares) / images : 1;
  const double share = (rights + 1) / (images + 2);
  estimate.standard_error = std::max(of_clusters, std::sqrt(share * (1 - share) / images));
  return estimate;
}

}  // namespace

LinearProbe fit_probe(const torch::Tensor& features, std::span<const int> labels, int classes,
                      double strength, double tolerance, int most_steps, const LinearProbe& start) {
  TUNE_CHECK(features.dim() == 2 && features.size(0) == static_cast<std::int64_t>(labels.size()));
  const torch::NoGradGuard no_grad;
  const torch::Tensor begin = start.weights.defined()
                                  ? torch::cat({start.weights, start.bias.unsqueeze(0)})
                                  : torch::zeros({features.size(1) + 1, classes}, torch::kDouble);
  const torch::Tensor found =
      minimum(ProbeLoss(features, labels, classes, strength), begin, tolerance, most_steps);
  return {found.narrow(0, 0, features.size(1)), found[features.size(1)]};
}

Estimate cross_validated_accuracy(const torch::Tensor& features, std::span<const int> labels, int classes,
                                  std::span<const int> folds, std::span<const std::size_t> groups,
                                  const std::function<bool()>& is_over) {
  const int count = *std::max_element(folds.begin(), folds.end()) + 1;
  TUNE_CHECK(count >= 3);
  const torch::NoGradGuard no_grad;
  const OneThreadIfSmall threads(features.numel() * classes);
  std::vector<ProbeAnswer> answers;
  for (int fold = 0; fold < count && (fold == 0 || !is_over || !is_over()); ++fold) {
    const double strength = chosen_strength(features, labels, classes, folds, fold, count);
    const Halves halves = halves_of(features, labels, folds, fold, /*left_out=*/-1);
    const LinearProbe probe =
        fit_probe(halves.training, halves.training_labels, classes, strength, kTolerance, kMostSteps);
    const torch::Tensor said = log_probabilities(probe, halves.measured).argmax(1);
    for (std::size_t i = 0; i < halves.measured_images.size(); ++i)
      answers.push_back({said[static_cast<std::int64_t>(i)].item<std::int64_t>() == halves.measured_labels[i],
                         groups[halves.measured_images[i]]});
  }
  return estimate_of(answers);
}

}  // namespace tune::trainer::image_classification
