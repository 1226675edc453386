#include "trainer/nn/batch_norm.h"

#include "tuner/core/error.h"

namespace tune::trainer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

struct HeldTeam : torch::CustomClassHolder {
  std::shared_ptr<const parallel::Team> team;
};

// Of the values of each channel, over all processes.
struct Statistics {
  torch::Tensor mean, variance;  // float [C]; the variance is divided by the count
  torch::Tensor count;           // double scalar
};

// `x` float [B, C, H, W]. Sums are doubles, as the variance is the difference of two of them.
Statistics statistics_of(const torch::Tensor& x, const parallel::Team& team) {
  const std::int64_t channels = x.size(1);
  const auto [mean, variance] = at::batch_norm_update_stats(x, {}, {}, /*momentum=*/0);
  const torch::Tensor wide = mean.to(torch::kDouble);
  const auto own = static_cast<double>(x.numel() / channels);
  const torch::Tensor sums = torch::cat({wide * own, (variance.to(torch::kDouble) + wide.square()) * own,
                                         torch::full({1}, own, wide.options())});
  team.add(sums);
  const torch::Tensor count = sums[2 * channels], whole = sums.narrow(0, 0, channels) / count;
  const torch::Tensor squares = sums.narrow(0, channels, channels) / count;
  return {whole.to(torch::kFloat), (squares - whole.square()).clamp_min(0).to(torch::kFloat), count};
}

torch::Tensor of_channels(const torch::Tensor& values) { return values.view({1, -1, 1, 1}); }

// Ioffe & Szegedy, ICML 2015. LibTorch's operators are those of evaluation, which take the statistics as
// given; what the gradient owes to the statistics is added.
class Synchronised : public torch::autograd::Function<Synchronised> {
 public:
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& weight,
                          const Variable& bias, const torch::Tensor& mean, const torch::Tensor& variance,
                          const torch::Tensor& count, double epsilon,
                          const c10::intrusive_ptr<HeldTeam>& team) {
    context->save_for_backward({x, weight, mean, variance, count});
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["team"] = c10::IValue::make_capsule(team);
    return std::get<0>(
        at::native_batch_norm(x, weight, bias, mean, variance, /*training=*/false, 0, epsilon));
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3],
                        &count = saved[4];
    const double epsilon = context->saved_data.at("epsilon").toDouble();
    const auto held =
        c10::static_intrusive_pointer_cast<HeldTeam>(context->saved_data.at("team").toCapsule());
    const torch::Tensor gradient = gradients.front().contiguous(x.suggest_memory_format());
    auto [of_x, of_weight, of_bias] = at::native_batch_norm_backward(
        gradient, x, weight, mean, variance, {}, {}, /*train=*/false, epsilon, {true, true, true});
    const torch::Tensor sums = torch::cat({of_weight, of_bias});
    held->team->add(sums);
    const torch::Tensor inverse = (variance + epsilon).rsqrt(),
                        scale = weight * inverse / count.to(torch::kFloat);
    const std::int64_t channels = weight.numel();
    const torch::Tensor by_x = -scale * inverse * sums.narrow(0, 0, channels);
    const torch::Tensor constant = -scale * sums.narrow(0, channels, channels) - by_x * mean;
    of_x.addcmul_(x, of_channels(by_x)).add_(of_channels(constant));
    return {of_x, of_weight, of_bias, Variable(), Variable(), Variable(), Variable(), Variable()};
  }
};

}  // namespace

torch::Tensor BatchNorm2dImpl::forward(const torch::Tensor& x) {
  if (team_ == nullptr || !is_training()) return torch::nn::BatchNorm2dImpl::forward(x);
  const torch::Tensor values = x.to(torch::kFloat);
  Statistics statistics;
  {
    const torch::NoGradGuard no_grad;
    statistics = statistics_of(values, *team_);
    const torch::Tensor unbiased =
        statistics.variance * (statistics.count / (statistics.count - 1).clamp_min(1)).to(torch::kFloat);
    const double momentum = options.momentum().value();
    running_mean.lerp_(statistics.mean, momentum);
    running_var.lerp_(unbiased, momentum);
    num_batches_tracked += 1;
  }
  auto held = c10::make_intrusive<HeldTeam>();
  held->team = team_;
  return Synchronised::apply(values, weight, bias, statistics.mean, statistics.variance, statistics.count,
                             options.eps(), held)
      .to(x.scalar_type());
}

std::vector<BatchNorm2dImpl*> batch_norms(torch::nn::Module& module) {
  std::vector<BatchNorm2dImpl*> found;
  for (const auto& child : module.modules(/*include_self=*/false)) {
    auto* norm = dynamic_cast<BatchNorm2dImpl*>(child.get());
    TUNE_CHECK(norm != nullptr || child->as<torch::nn::BatchNorm2d>() == nullptr, "it knows no team");
    if (norm != nullptr) found.push_back(norm);
  }
  return found;
}

}  // namespace tune::trainer::nn
