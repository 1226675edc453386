#pragma once
// What a whole search will take of memory, storage, time and money, before it begins.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tuner/engine/devices/machine.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/engine/study/stopping_share.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// A trial of the space, and what `tune-train estimate` says of it.
struct PointEstimate {
  std::string name;  // "middle", "smallest", "largest", "optimizer = adam"
  ParameterSet parameters;
  Json answer;

  std::uint64_t memory() const { return answer.at("memory").at("total_bytes").get<std::uint64_t>(); }
  double seconds() const { return answer.at("time").at("seconds").get<double>(); }
  double least_seconds() const { return answer.at("time").at("least_seconds").get<double>(); }
};

// The points of a space that are asked about: its middle, and where hyperparameters are searched that the
// trainer says weigh (Hyperparameter::weighs), both corners of those, and the middle with each other value of
// categorical ones, so many in all.
inline constexpr std::size_t kMostPoints = 10;
struct SpacePoint {
  std::string name;
  ParameterSet parameters;
};
std::vector<SpacePoint> points_to_estimate(const Spec& spec, const Json& hyperparameters);

// A number between two bounds.
struct Range {
  double low = 0, expected = 0, high = 0;
};

// The mean over the space along its diagonal by Simpson's rule, which is exact for a quadratic; categorical
// values count alike. low and high: the least and the most that any point takes.
Range mean_seconds(const std::vector<PointEstimate>& points);

// How many trials one device holds beside each other: `limit` bytes of it over what the largest trial takes.
int trials_that_fit(std::uint64_t limit, std::uint64_t memory);

// A change that makes the largest trial smaller.
struct Advice {
  std::string change;  // "batch_size 8 with accumulate 4"
  std::optional<std::uint64_t> memory;
  bool fits = false;
  bool is_measured = false;  // asked of the trainer; else by what each example takes
};

struct DeviceFit {
  std::string name;  // of a GPU; "CPU"
  std::uint64_t memory = 0;
  int trials = 0;  // at once
};

struct SearchEstimate {
  std::vector<PointEstimate> points;
  std::size_t largest = 0, middle = 0;  // of those, by memory; the middle of the space
  std::vector<DeviceFit> devices;
  bool fits = true;  // the largest trial, on one of them at least
  std::vector<Advice> advice;

  std::optional<int> trials;  // nullopt: nothing limits them
  int parallel = 1;
  StoppingShare stopping;
  Range trial_seconds;
  // Of the whole search; nullopt where neither trials nor time are limited.
  std::optional<Range> device_hours, wall_hours, usd;
  bool is_cut = false;  // limits on time or money end it before its trials

  // Bytes on the disk.
  std::uint64_t base = 0, data = 0, checkpoints = 0, models = 0;
  std::uint64_t storage() const { return base + data + checkpoints + models; }
  std::uint64_t free_disk = 0;
};

struct SearchEstimateRequest {
  const BuiltinTrainer& trainer;
  const Spec& spec;  // apply_builtin_trainer() has made it ready
  const Machine& machine;
  std::filesystem::path folder;  // a private one, for what the trainer is given
  std::filesystem::path store;
  double seconds = 3;                              // of timed steps, for each point
  std::function<int()> signals;                    // how many a person has sent
  std::function<void(const std::string&)> notice;  // a sentence for people
};
// Asks the trainer on a share of the machine that is held as a trial's is. nullopt when a signal came first.
// Throws Error(kEnvironment).
std::optional<SearchEstimate> estimate_search(const SearchEstimateRequest& request);

// The same document for programs.
OrderedJson to_json(const Spec& spec, const SearchEstimate& estimate);

}  // namespace tune::engine
