#pragma once
// trial.json as `tune` writes it: all that one trial needs.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::loop {

struct Objective {
  std::string metric;  // empty: the recipe's first metric
  bool maximize = true;
};

inline constexpr int kMostProcesses = 64, kMostNodes = 1024;

struct TrialFile {
  std::uint64_t seed = 0;
  Json parameters;  // `parameters` and `fixed` in one object; the former win
  Json trainer;     // {"task": ..., "model": ..., "data": ..., ...}
  Objective objective;
  double budget = 1;                 // (0, 1]: the fraction of the epochs to run; schedules span all of them
  int threads = 1;                   // this and the next two: of each machine
  std::vector<std::string> devices;  // empty: the CPU
  int processes = 1;                 // that share each batch; on GPUs one for each
  int nodes = 1;                     // machines with so many processes each
  std::string precision = "auto";    // auto, fp32 or bf16
  std::filesystem::path checkpoint_dir, output_dir;
  std::optional<std::filesystem::path> resume_from;
};

// Throws Error(kBadSpec) naming the file and the key, Error(kNotFound) when there is no such file.
TrialFile read_trial_file(const std::filesystem::path& path);
TrialFile parse_trial(const Json& json, const std::string& place);

// A key of `trainer` that is text, or `fallback` where it is absent. Throws Error(kBadSpec) for anything
// else.
std::string text_key(const Json& trainer, const char* key, const char* fallback);

}  // namespace tune::trainer::loop
