#include "trainer/loop/batch_loader.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

constexpr int kMostAhead = 8;

}  // namespace

BatchLoader::BatchLoader(const Training& training, const std::vector<std::vector<std::int64_t>>& batches,
                         std::int64_t epoch, std::int64_t first_batch, const Compute& compute)
    : training_(training),
      batches_(batches),
      epoch_(epoch),
      next_(static_cast<std::size_t>(first_batch)),
      ahead_(compute.accelerated ? static_cast<std::size_t>(std::clamp(compute.threads, 1, kMostAhead)) : 0),
      team_(compute.team),
      device_(compute.device),
      copies_(new_stream(compute.device)) {}

std::vector<std::int64_t> BatchLoader::examples_of(std::size_t batch) const {
  const std::vector<std::int64_t>& all = batches_.at(batch);
  const auto [first, last] = team_->part(static_cast<std::int64_t>(all.size()));
  return {all.begin() + first, all.begin() + last};
}

Batch BatchLoader::prepared(std::size_t batch) const {
  const std::vector<std::int64_t> examples = examples_of(batch);
  if (examples.empty()) return {.tensors = {}, .weight = 0, .units = 0};
  Batch made = training_.prepare(examples, epoch_);
  TUNE_CHECK(made.weight >= 0 && std::isfinite(made.weight), "a batch has a weight");
  if (made.units == 0) made.units = static_cast<std::int64_t>(examples.size());
  if (copies_)
    for (auto& [name, tensor] : made.tensors) tensor = tensor.pin_memory();
  return made;
}

void BatchLoader::prepare_ahead() {
  while (pending_.size() < ahead_ + 1 && next_ < batches_.size())
    pending_.push_back(std::async(std::launch::async, [this, batch = next_++] { return prepared(batch); }));
}

Batch BatchLoader::take() {
  const auto begin = std::chrono::steady_clock::now();
  Batch batch = ahead_ == 0 ? prepared(next_++) : pending_.front().get();
  if (ahead_ > 0) pending_.pop_front();
  seconds_waited_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return batch;
}

BatchLoader::Sent BatchLoader::send(Batch batch) const {
  if (!copies_) return {std::move(batch), std::nullopt};
  const c10::StreamGuard copying(*copies_);
  for (auto& [name, tensor] : batch.tensors) tensor = tensor.to(device_, /*non_blocking=*/true);
  c10::Event arrived(device_.type());
  arrived.record(*copies_);
  return {std::move(batch), std::move(arrived)};
}

Batch BatchLoader::receive(Sent sent) const {
  if (!sent.arrived) return std::move(sent.batch);
  const c10::Stream current = c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
  sent.arrived->block(current);
  // Its memory belongs to the stream of the copies, which must not reuse it before the work here is done.
  for (auto& [name, tensor] : sent.batch.tensors) tensor.record_stream(current);
  return std::move(sent.batch);
}

Batch BatchLoader::next() {
  if (ahead_ == 0) return take();
  prepare_ahead();
  Sent now = sent_ ? std::move(*sent_) : send(take());
  sent_.reset();
  prepare_ahead();
  // One that is not ready yet would be waited for: it is sent when it is asked for.
  if (!pending_.empty() && pending_.front().wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    sent_ = send(take());
  return receive(std::move(now));
}

}  // namespace tune::trainer::loop
