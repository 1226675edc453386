#include "trainer/loop/probe.h"

#include <chrono>
#include <fstream>
#include <ostream>
#include <sstream>

#include "trainer/loop/batch_loader.h"
#include "trainer/loop/passes.h"

namespace tune::trainer::loop {
namespace {

constexpr int kFewestSteps = 2, kMostSteps = 20;
constexpr std::int64_t kEpoch = 1;

struct Done {
  std::int64_t examples = 0, units = 0;
};

// Trains as the loop does, epoch 1 over and over: it may be shorter than a probe.
class ProbedSteps {
 public:
  ProbedSteps(Training& training, const Compute& compute)
      : training_(training),
        compute_(compute),
        batches_(training.epoch_batches(kEpoch, /*seed=*/0)),
        optimizer_(training.model(), training.plan().optimizer, training.parameter_groups(),
                   compute.accelerated ? Gradients::kStay : Gradients::kDropped),
        passes_(training, compute, device_graph(compute.device), quiet_) {}

  void warm_up() {
    for (int i = 0; i < (compute_.accelerated ? kWarmUps + 1 : 1); ++i) step();
    wait_for(compute_.device);
  }

  Done step() {
    if (!loader_ || next_ == batches_.size()) {
      loader_.emplace(training_, batches_, kEpoch, /*first_batch=*/0, compute_);
      next_ = 0;
    }
    const Batch batch = loader_->next();
    passes_.run(batch, /*divisor=*/1);
    optimizer_.step(/*learning_rate=*/1e-6);  // small: only the time matters
    // All processes of a team take such steps at the same time.
    return {static_cast<std::int64_t>(batches_[next_++].size()), batch.units * compute_.team->size()};
  }

 private:
  Training& training_;
  const Compute compute_;
  const std::vector<std::vector<std::int64_t>> batches_;
  std::ostream quiet_{nullptr};  // what hinders the recording is said by the training itself
  Optimizer optimizer_;
  Passes passes_;
  std::optional<BatchLoader> loader_;
  std::size_t next_ = 0;
};

ProbeCandidate measure(Training& training, Compute compute, Precision precision, double seconds,
                       const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  compute.precision = precision;
  ProbedSteps steps(training, compute);
  forget_peak_memory(compute.device);
  steps.warm_up();
  const auto begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  Done all;
  for (int done = 0; done < kMostSteps && (done < kFewestSteps || elapsed() < seconds) && !interrupted();
       ++done) {
    const Done step = steps.step();
    all.examples += step.examples;
    all.units += step.units;
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
  // Several processes divide the examples.
  return metrics.empty() ? std::nullopt : std::optional(elapsed() / compute.team->size());
}

}  // namespace

bool has_bf16_units(const std::string& cpu_facts) {
  std::ifstream facts(cpu_facts);
  for (std::string line; std::getline(facts, line);) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;  // x86, ARM
    std::istringstream words(line);
    for (std::string word; words >> word;)
      if (word == "avx512_bf16" || word == "amx_bf16" || word == "bf16") return true;
    return false;
  }
  return true;
}

ProbeResult probe(Training& training, const Compute& compute, double seconds,
                  const std::function<bool()>& interrupted, std::optional<Precision> known) {
  training.model().train();
  ProbeResult result;
  for (const Precision precision :
       known ? std::vector{*known} : std::vector{Precision::kFp32, Precision::kBf16})
    on_own_stream(compute.device, [&] {
      result.candidates.push_back(measure(training, compute, precision, seconds, interrupted));
    });
  const double gain = result.candidates.back().units_per_second / result.candidates.front().units_per_second;
  result.precision = known.value_or(gain >= kClearlyFaster ? Precision::kBf16 : Precision::kFp32);
  // Every epoch has one, so a few seconds of it are worth knowing.
  constexpr double kValidationShare = 10;
  result.validation_seconds =
      time_of_validation(training, compute, result.precision, kValidationShare * seconds, interrupted);
  return result;
}

std::vector<OperatorTime> profile_steps(Training& training, const Compute& compute,
                                        const std::function<bool()>& interrupted) {
  training.model().train();
  std::vector<OperatorTime> times;
  on_own_stream(compute.device, [&] {
    ProbedSteps steps(training, compute);
    steps.warm_up();
    times = operator_times(compute.device, [&] {
      for (int i = 0; i < kProfiledSteps && !interrupted(); ++i) steps.step();
    });
  });
  return times;
}

}  // namespace tune::trainer::loop
