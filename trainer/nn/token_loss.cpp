#include "trainer/nn/token_loss.h"

#include <algorithm>

#include "trainer/nn/frozen_product.h"

namespace tune::trainer::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// Of the logits of a part: they stay in the caches of a processor, more or less.
constexpr std::int64_t kBytesAtOnce = std::int64_t{16} << 20;

std::int64_t rows_at_once(const torch::Tensor& weight) {
  return std::max<std::int64_t>(16, kBytesAtOnce / (weight.size(0) * 4));
}

class TokenLoss : public torch::autograd::Function<TokenLoss> {
 public:
  static Variable forward(AutogradContext* context, const Variable& hidden, const Variable& weight,
                          const Variable& targets, double cap, double smoothing, bool of_hidden,
                          bool of_weight) {
    const OutputLayer output{weight, cap > 0 ? std::optional(cap) : std::nullopt};
    torch::Tensor sum = torch::zeros({}, hidden.options().dtype(torch::kFloat)), to_hidden, to_weight;
    if (of_hidden) to_hidden = torch::empty_like(hidden);
    if (of_weight) to_weight = torch::zeros(weight.sizes(), hidden.options().dtype(torch::kFloat));
    const auto words = static_cast<double>(weight.size(0));
    const std::int64_t rows = rows_at_once(weight);
    for (std::int64_t begin = 0; begin < hidden.size(0); begin += rows) {
      const torch::Tensor part = hidden.slice(0, begin, begin + rows),
                          target = targets.slice(0, begin, begin + rows).unsqueeze(1);
      torch::Tensor logits = logits_of(part, output);
      const torch::Tensor own = (1 - smoothing) * logits.gather(1, target);
      if (smoothing > 0) sum.sub_(logits.sum(), smoothing / words);
      if (!of_hidden && !of_weight) {
        sum.add_((torch::logsumexp(logits, 1, /*keepdim=*/true) - own).sum());
        continue;
      }
      torch::Tensor slope;
      if (output.cap) slope = 1 - (logits / *output.cap).square();
      // Exponentials are taken once, for their sum and for the probabilities.
      const torch::Tensor largest = logits.amax(1, /*keepdim=*/true);
      torch::Tensor& gradient = logits.sub_(largest).exp_();
      const torch::Tensor total = gradient.sum(1, /*keepdim=*/true);
      sum.add_((largest + total.log() - own).sum());
      gradient.mul_(total.reciprocal());
      gradient.scatter_add_(1, target, torch::full_like(target, smoothing - 1, gradient.options()));
      if (smoothing > 0) gradient.sub_(smoothing / words);
      if (output.cap) gradient.mul_(slope);
      if (of_hidden)
        to_hidden.slice(0, begin, begin + rows)
            .copy_(frozen_product(gradient.to(weight.scalar_type()), weight.t()));
      if (of_weight) to_weight.add_(gradient.to(part.scalar_type()).t().matmul(part));
    }
    context->saved_data["hidden"] = to_hidden.defined() ? to_hidden : torch::empty({0});
    context->saved_data["weight"] = to_weight.defined() ? to_weight : torch::empty({0});
    context->saved_data["of_hidden"] = of_hidden;
    context->saved_data["of_weight"] = of_weight;
    return sum;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto of = [&](const char* name, bool wanted) {
      return wanted ? context->saved_data.at(name).toTensor() * gradients.front() : Variable();
    };
    variable_list all(7);
    all[0] = of("hidden", context->saved_data.at("of_hidden").toBool());
    all[1] = of("weight", context->saved_data.at("of_weight").toBool());
    return all;
  }
};

}  // namespace

torch::Tensor logits_of(const torch::Tensor& hidden, const OutputLayer& output) {
  const torch::Tensor logits =
      frozen_product(hidden, output.weight.to(hidden.scalar_type())).to(torch::kFloat);
  return output.cap ? (logits / *output.cap).tanh_().mul_(*output.cap) : logits;
}

torch::Tensor token_loss(const torch::Tensor& hidden, const OutputLayer& output, const torch::Tensor& targets,
                         double smoothing) {
  const bool grad = torch::GradMode::is_enabled();
  return TokenLoss::apply(hidden, output.weight, targets, output.cap.value_or(0), smoothing,
                          grad && hidden.requires_grad(), grad && output.weight.requires_grad());
}

TokenScores token_scores(const torch::Tensor& hidden, const OutputLayer& output,
                         const torch::Tensor& targets) {
  const torch::NoGradGuard no_grad;
  TokenScores scores{torch::zeros({}, hidden.options().dtype(torch::kDouble)),
                     torch::zeros({}, hidden.options().dtype(torch::kLong))};
  const std::int64_t rows = rows_at_once(output.weight);
  for (std::int64_t begin = 0; begin < hidden.size(0); begin += rows) {
    const torch::Tensor target = targets.slice(0, begin, begin + rows),
                        logits = logits_of(hidden.slice(0, begin, begin + rows), output);
    const torch::Tensor losses =
        torch::logsumexp(logits, 1) - logits.gather(1, target.unsqueeze(1)).squeeze(1);
    scores.losses.add_(losses.to(torch::kDouble).sum());
    scores.right.add_(logits.argmax(1).eq(target).sum());
  }
  return scores;
}

}  // namespace tune::trainer::nn
