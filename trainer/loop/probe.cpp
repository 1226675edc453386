#include "trainer/loop/probe.h"

#include <chrono>

#include "trainer/loop/batch_loader.h"

namespace tune::trainer::loop {
namespace {

constexpr int kFewestSteps = 2, kMostSteps = 20;
constexpr std::int64_t kEpoch = 1;

struct Done {
  std::int64_t examples = 0, units = 0;
};

// An epoch may be shorter than a probe.
Done step(Training& training, Optimizer& optimizer, const Compute& compute, Precision precision,
          const std::vector<std::vector<std::int64_t>>& batches, std::int64_t batch) {
  const std::int64_t place = batch % static_cast<std::int64_t>(batches.size());
  const std::vector<std::int64_t>& examples = batches[static_cast<std::size_t>(place)];
  BatchLoader loader(training, batches, kEpoch, place, /*ahead=*/0);
  const std::unique_ptr<Batch> prepared = loader.next();
  LossTerms terms;
  {
    const compat::Autocast autocast(compute.device.type(), precision == Precision::kBf16, torch::kBFloat16);
    terms = training.losses(*prepared);
  }
  torch::stack(terms).sum().backward();
  optimizer.step(/*learning_rate=*/1e-6);  // small: only the time matters
  return {static_cast<std::int64_t>(examples.size()), prepared->units};
}

ProbeCandidate measure(Training& training, const Compute& compute, Precision precision, double seconds,
                       const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  Optimizer optimizer(training.model(), training.plan().optimizer, training.parameter_groups());
  const std::vector<std::vector<std::int64_t>> batches = training.epoch_batches(kEpoch, /*seed=*/0);
  forget_peak_memory(compute.device);
  step(training, optimizer, compute, precision, batches, 0);
  wait_for(compute.device);
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  std::int64_t steps = 0;
  Done all;
  while (steps < kMostSteps && (steps < kFewestSteps || elapsed() < seconds) && !interrupted()) {
    const Done done = step(training, optimizer, compute, precision, batches, ++steps);
    all.examples += done.examples;
    all.units += done.units;
  }
  wait_for(compute.device);
  const double seconds_taken = elapsed();
  return {precision, static_cast<double>(all.examples) / seconds_taken,
          static_cast<double>(all.units) / seconds_taken, peak_memory_bytes(compute.device)};
}

std::optional<double> time_of_validation(Training& training, const Compute& compute, Precision precision,
                                         double limit, const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  training.model().eval();
  const torch::NoGradGuard no_grad;
  const compat::Autocast autocast(compute.device.type(), precision == Precision::kBf16, torch::kBFloat16);
  const Metrics metrics = training.evaluate([&] { return interrupted() || elapsed() > limit; });
  return metrics.empty() ? std::nullopt : std::optional(elapsed());
}

}  // namespace

ProbeResult probe(Training& training, const Compute& compute, double seconds,
                  const std::function<bool()>& interrupted) {
  training.model().train();
  ProbeResult result;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16})
    result.candidates.push_back(measure(training, compute, precision, seconds, interrupted));
  const double gain = result.candidates[1].units_per_second / result.candidates[0].units_per_second;
  result.precision = gain >= kClearlyFaster ? Precision::kBf16 : Precision::kFp32;
  // Every epoch has one, so a few seconds of it are worth knowing.
  constexpr double kValidationShare = 10;
  result.validation_seconds =
      time_of_validation(training, compute, result.precision, kValidationShare * seconds, interrupted);
  return result;
}

}  // namespace tune::trainer::loop
