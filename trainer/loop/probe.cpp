#include "trainer/loop/probe.h"

#include <chrono>

#include "trainer/loop/batch_loader.h"

namespace tune::trainer::loop {
namespace {

constexpr int kFewestSteps = 2, kMostSteps = 20;

void step(Task& task, Optimizer& optimizer, const Compute& compute, Precision precision, std::int64_t batch) {
  const std::int64_t batches = batches_per_epoch(task.training_examples(), task.plan().batch_size);
  BatchLoader loader(task, /*seed=*/0, /*epoch=*/1, batch % batches, /*ahead=*/0);
  const std::unique_ptr<Batch> prepared = loader.next();
  LossTerms terms;
  {
    const compat::Autocast autocast(compute.device.type(), precision == Precision::kBf16, torch::kBFloat16);
    terms = task.losses(*prepared);
  }
  torch::stack(terms).sum().backward();
  optimizer.step(/*learning_rate=*/1e-6);  // small: only the time matters
}

ProbeCandidate measure(Task& task, const Compute& compute, Precision precision, double seconds,
                       const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  Optimizer optimizer(task.model(), task.plan().optimizer);
  forget_peak_memory(compute.device);
  step(task, optimizer, compute, precision, 0);
  wait_for(compute.device);
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  int steps = 0;
  while (steps < kMostSteps && (steps < kFewestSteps || elapsed() < seconds) && !interrupted())
    step(task, optimizer, compute, precision, ++steps);
  wait_for(compute.device);
  const std::int64_t images = steps * std::min(task.plan().batch_size, task.training_examples());
  return {precision, static_cast<double>(images) / elapsed(), peak_memory_bytes(compute.device)};
}

std::optional<double> time_of_validation(Task& task, const Compute& compute, Precision precision,
                                         double limit, const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  task.model().eval();
  const torch::NoGradGuard no_grad;
  const compat::Autocast autocast(compute.device.type(), precision == Precision::kBf16, torch::kBFloat16);
  const Metrics metrics = task.evaluate([&] { return interrupted() || elapsed() > limit; });
  return metrics.empty() ? std::nullopt : std::optional(elapsed());
}

}  // namespace

ProbeResult probe(Task& task, const Compute& compute, double seconds,
                  const std::function<bool()>& interrupted) {
  task.model().train();
  ProbeResult result;
  for (const Precision precision : {Precision::kFp32, Precision::kBf16})
    result.candidates.push_back(measure(task, compute, precision, seconds, interrupted));
  const double gain = result.candidates[1].images_per_second / result.candidates[0].images_per_second;
  result.precision = gain >= kClearlyFaster ? Precision::kBf16 : Precision::kFp32;
  // Every epoch has one, so a few seconds of it are worth knowing.
  constexpr double kValidationShare = 10;
  result.validation_seconds =
      time_of_validation(task, compute, result.precision, kValidationShare * seconds, interrupted);
  return result;
}

}  // namespace tune::trainer::loop
