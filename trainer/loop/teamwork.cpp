#include "trainer/loop/teamwork.h"

#include <algorithm>
#include <ostream>

#include "trainer/nn/batch_norm.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {

Teamwork::Teamwork(Training& training, std::shared_ptr<const parallel::Team> team, std::ostream& notes)
    : training_(training), team_(std::move(team)) {
  const bool asked = training_.plan().sync_batch_norm;
  const std::vector<nn::BatchNorm2dImpl*> norms = nn::batch_norms(training_.model());
  if (asked && norms.empty())
    notes << "warning: sync_batch_norm is true, yet the model has no batch normalisation" << std::endl;
  if (team_->size() == 1) return;
  gradients_.emplace(training_.model(), *team_);
  for (nn::BatchNorm2dImpl* norm : norms) {
    if (asked) {
      norm->share_statistics(team_);
    } else {
      norms_.push_back(norm->running_mean);
      norms_.push_back(norm->running_var);
    }
  }
}

void Teamwork::check_parts(const std::vector<std::vector<std::int64_t>>& batches,
                           const std::string& unit) const {
  if (!is_shared()) return;
  std::int64_t part = 0;
  for (const Hyperparameter& row : training_.recipe().hyperparameters) part = std::max(part, row.least_part);
  const std::int64_t least = part * team_->size();
  for (const std::vector<std::int64_t>& batch : batches)
    if (static_cast<std::int64_t>(batch.size()) < least)
      throw Error(ExitCode::kBadSpec,
                  "a batch of " + std::to_string(batch.size()) + " " + unit + " is too small for " +
                      std::to_string(team_->size()) + " processes",
                  "a batch_size of " + std::to_string(least) + " or more, or fewer processes");
}

bool Teamwork::are_alike(const std::vector<std::int64_t>& numbers) const {
  const std::vector<double> own(numbers.begin(), numbers.end()), all = team_->sums(own);
  for (std::size_t i = 0; i < own.size(); ++i)
    if (all[i] != own[i] * team_->size()) return false;
  return true;
}

void Teamwork::begin() {
  std::vector<torch::Tensor> changing;
  for (const torch::Tensor& parameter : training_.model().parameters())
    if (parameter.requires_grad()) changing.push_back(parameter);
  for (const torch::Tensor& buffer : training_.model().buffers())
    if (buffer.is_floating_point()) changing.push_back(buffer);
  team_->take_from_first(changing);
}

void Teamwork::begin_last_pass() {
  if (gradients_) gradients_->begin();
}

void Teamwork::finish_step(bool all_take_part) {
  if (!gradients_) return;
  gradients_->finish(all_take_part);
  average_norms();
}

LossSums Teamwork::whole(LossSums own) const {
  own.sums.push_back(own.weight);
  own.sums = team_->sums(std::move(own.sums));
  own.weight = own.sums.back();
  own.sums.pop_back();
  return own;
}

void Teamwork::average_norms() {
  if (norms_.empty()) return;
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> flat;
  for (const torch::Tensor& norm : norms_) flat.push_back(norm.to(torch::kDouble));
  const torch::Tensor all = torch::cat(flat);
  team_->add(all);
  all.div_(team_->size());
  std::int64_t at = 0;
  for (torch::Tensor& norm : norms_) {
    norm.copy_(all.narrow(0, at, norm.numel()));
    at += norm.numel();
  }
}

}  // namespace tune::trainer::loop
