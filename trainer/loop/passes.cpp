#include "trainer/loop/passes.h"

#include <ostream>
#include <string>

namespace tune::trainer::loop {
namespace {

bool are_alike(const weights::TensorMap& a, const weights::TensorMap& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
           return x.first == y.first && x.second.sizes() == y.second.sizes() &&
                  x.second.dtype() == y.second.dtype();
         });
}

}  // namespace

Passes::Passes(Training& training, const Compute& compute, std::unique_ptr<DeviceGraph> graph,
               std::ostream& notes)
    : training_(training),
      compute_(compute),
      graph_(training.is_repeatable() ? std::move(graph) : nullptr),
      notes_(notes) {
  if (compute.device.is_cuda() && training.is_repeatable() && !graph_ && compute.team->size() == 1)
    notes
        << "warning: this LibTorch's CUDA graphs are not as they are known here, so steps are done operator "
           "by operator, which is slower"
        << std::endl;
  const auto on_device = torch::TensorOptions(compute.device);
  const auto losses = static_cast<std::int64_t>(training.recipe().loss_names.size());
  loss_sums_ = torch::zeros({2, losses}, on_device.dtype(torch::kDouble));
  divisor_ = torch::ones({}, on_device.dtype(torch::kFloat));
  weight_ = torch::ones({}, on_device.dtype(torch::kDouble));
}

void Passes::start_anew(std::unique_ptr<DeviceGraph> graph) {
  graph_ = training_.is_repeatable() ? std::move(graph) : nullptr;
  warm_ups_ = 0;
  recorded_ = false;
}

void Passes::compute(const weights::TensorMap& tensors) {
  LossTerms terms;
  {
    const compat::Autocast precision(compute_.device.type(), compute_.precision == Precision::kBf16,
                                     torch::kBFloat16);
    terms = training_.losses(tensors);
  }
  const torch::Tensor all = torch::stack(terms);
  (all.sum() / divisor_).backward();
  loss_sums_.add_(all.detach().to(torch::kDouble) * weight_);
}

void Passes::run(const Batch& batch, double divisor) {
  divisor_.fill_(divisor);
  weight_.fill_(batch.weight);
  if (!graph_ || !take_in(batch.tensors)) return compute(batch.tensors);
  if (recorded_) return graph_->replay();
  if (warm_ups_ == kWarmUps) return record();
  ++warm_ups_;
  compute(inputs_);
}

bool Passes::take_in(const weights::TensorMap& tensors) {
  if (inputs_.empty())
    for (const auto& [name, tensor] : tensors) inputs_[name] = torch::empty_like(tensor);
  if (!are_alike(inputs_, tensors)) return false;
  for (const auto& [name, tensor] : tensors) inputs_[name].copy_(tensor, /*non_blocking=*/true);
  return true;
}

void Passes::record() {
  try {
    graph_->record([this] { compute(inputs_); });
    recorded_ = true;
  } catch (const c10::Error& error) {
    notes_ << "warning: the step cannot be recorded as a graph of the device, and is done operator by "
              "operator, which is slower: "
           << error.what_without_backtrace() << std::endl;
    graph_.reset();
    return compute(inputs_);
  }
  graph_->replay();
}

}  // namespace tune::trainer::loop
