#pragma once
// Which precision trains faster here, measured.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/loop/operator_times.h"
#include "trainer/loop/training.h"

namespace tune::trainer::loop {

struct ProbeCandidate {
  Precision precision = Precision::kFp32;
  double examples_per_second = 0, units_per_second = 0;  // of the task's unit
  std::int64_t peak_memory_bytes =
      0;  // of the process on the CPU, of tensors on a GPU; 0 where it is not known
};

struct ProbeResult {
  Precision precision = Precision::kFp32;  // the choice
  std::vector<ProbeCandidate> candidates;
  // The time of one validation in that precision; nullopt where it took longer than its share.
  std::optional<double> validation_seconds;
};

// Whether the CPU computes in bf16 by instructions of its own, by a file as /proc/cpuinfo; true where that
// does not say.
bool has_bf16_units(const std::string& cpu_facts = "/proc/cpuinfo");

// bf16 rounds weights and activations to 8 bits of precision, so it has to earn its place.
inline constexpr double kClearlyFaster = 1.15;

// Trains `task` for a few steps in each precision, or in `known` alone where there is nothing to choose, on
// the data that it would train on: its model is then spoilt. Each candidate gets at least two steps after one
// to warm up, and stops at `seconds`, or when `interrupted` says so. Then one validation is timed, which may
// take ten times `seconds`.
ProbeResult probe(Training& training, const Compute& compute, double seconds,
                  const std::function<bool()>& interrupted, std::optional<Precision> known = std::nullopt);

inline constexpr int kProfiledSteps = 5;
// Where the time of so many steps goes, after some to warm up, in the precision of `compute`; of fewer once
// `interrupted` says so.
std::vector<OperatorTime> profile_steps(Training& training, const Compute& compute,
                                        const std::function<bool()>& interrupted);

}  // namespace tune::trainer::loop
