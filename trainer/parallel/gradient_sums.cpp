#include "trainer/parallel/gradient_sums.h"

#include "tuner/core/error.h"

namespace tune::trainer::parallel {
namespace {

// The first is small, so that something travels early.
constexpr std::int64_t kFirstBytes = 1 << 20, kBytes = 8 << 20;

}  // namespace

class GradientSums::Hook : public torch::autograd::PostAccumulateGradHook {
 public:
  Hook(GradientSums& owner, std::size_t slot) : owner_(owner), slot_(slot) {}
  void operator()(const torch::Tensor& /*parameter*/) override { owner_.arrive(slot_); }

 private:
  GradientSums& owner_;
  std::size_t slot_;
};

GradientSums::GradientSums(const torch::nn::Module& module, const Team& team) : team_(team) {
  std::vector<torch::Tensor> parameters, some;
  for (const torch::Tensor& parameter : module.parameters())
    if (parameter.requires_grad()) parameters.push_back(parameter);
  std::int64_t bytes = 0;
  for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
    some.push_back(*parameter);
    bytes += parameter->numel() * static_cast<std::int64_t>(sizeof(float));
    if (bytes < (buckets_.empty() ? kFirstBytes : kBytes) && parameter + 1 != parameters.rend()) continue;
    fill(buckets_.emplace_back(), std::move(some));
    some.clear();
    bytes = 0;
  }
  for (std::size_t i = 0; i < slots_.size(); ++i)
    torch::autograd::impl::set_post_acc_grad_hooks(slots_[i].parameter, std::make_unique<Hook>(*this, i));
}

GradientSums::~GradientSums() {
  for (const Slot& slot : slots_) torch::autograd::impl::set_post_acc_grad_hooks(slot.parameter, nullptr);
}

void GradientSums::fill(Bucket& bucket, std::vector<torch::Tensor> parameters) {
  std::int64_t numbers = 0;
  for (const torch::Tensor& parameter : parameters) numbers += parameter.numel();
  bucket.memory =
      torch::zeros({numbers}, parameters.front().options().dtype(torch::kFloat).requires_grad(false));
  std::int64_t at = 0;
  for (torch::Tensor& parameter : parameters) {
    TUNE_CHECK(parameter.is_non_overlapping_and_dense());
    Slot slot;
    slot.sum = bucket.memory.as_strided(parameter.sizes(), parameter.strides(), at);
    slot.bucket = buckets_.size() - 1;
    at += parameter.numel();
    slot.parameter = std::move(parameter);
    bucket.slots.push_back(slots_.size());
    slots_.push_back(std::move(slot));
  }
  bucket.missing = bucket.slots.size();
}

void GradientSums::begin() { is_last_pass_ = true; }

void GradientSums::arrive(std::size_t slot) {
  if (!is_last_pass_) return;
  take(slots_[slot]);
  send_full_ones();
}

void GradientSums::take(Slot& slot) {
  TUNE_CHECK(!slot.has_arrived, "a gradient came twice in one pass");
  const torch::NoGradGuard no_grad;
  slot.has_arrived = true;
  torch::Tensor& gradient = slot.parameter.mutable_grad();
  slot.has_gradient = gradient.defined();
  if (slot.has_gradient)
    slot.sum.copy_(gradient);
  else
    slot.sum.zero_();
  // Its memory serves the layers that are still to come.
  if (slot.has_gradient && gradient.is_cpu()) gradient.reset();
  --buckets_[slot.bucket].missing;
}

void GradientSums::send_full_ones() {
  for (; next_ < buckets_.size() && buckets_[next_].missing == 0; ++next_)
    buckets_[next_].sum = team_.begin_to_add(buckets_[next_].memory);
}

void GradientSums::finish(bool all_take_part) {
  for (Slot& slot : slots_)
    if (!slot.has_arrived) take(slot);
  send_full_ones();
  if (!all_take_part) {
    std::vector<double> counts;
    for (const Slot& slot : slots_) counts.push_back(slot.has_gradient ? 1 : 0);
    counts = team_.sums(std::move(counts));
    for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].has_gradient = counts[i] > 0;
  }
  for (Bucket& bucket : buckets_) {
    team_.finish(bucket.sum);
    for (const std::size_t slot : bucket.slots) hand_out(slots_[slot]);
    bucket.missing = bucket.slots.size();
  }
  next_ = 0;
  is_last_pass_ = false;
}

// On a GPU gradients stay where they are, for steps that are recorded; on the CPU the sum itself becomes one.
void GradientSums::hand_out(Slot& slot) {
  const torch::NoGradGuard no_grad;
  slot.has_arrived = false;
  if (!slot.has_gradient) return;
  torch::Tensor& gradient = slot.parameter.mutable_grad();
  if (gradient.defined())
    gradient.copy_(slot.sum);
  else
    gradient =
        slot.parameter.scalar_type() == torch::kFloat ? slot.sum : slot.sum.to(slot.parameter.scalar_type());
}

}  // namespace tune::trainer::parallel
