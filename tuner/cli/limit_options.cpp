#include "tuner/cli/limit_options.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <vector>

#include "tuner/cli/number_options.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/devices/gpu.h"
#include "tuner/spec/spec_keys.h"

namespace tune::cli {
namespace {

// What --gpus lists, without blanks around it.
std::vector<std::string> listed_gpus(const std::string& list) {
  std::vector<std::string> entries;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string entry = list.substr(begin, end - begin);
    entry.erase(0, entry.find_first_not_of(' '));
    entry.erase(entry.find_last_not_of(' ') + 1);
    const bool is_index = !entry.empty() && entry.find_first_not_of("0123456789") == std::string::npos;
    if (!is_index && !entry.starts_with("GPU-") && !entry.starts_with("MIG-"))
      throw Error(ExitCode::kUsage, "--gpus takes a list of GPUs, not \"" + list + "\"",
                  "indices or UUIDs as in CUDA_VISIBLE_DEVICES (0,2 or GPU-8a3f), or none");
    entries.push_back(std::move(entry));
    begin = end + 1;
  }
  return entries;
}

// CUDA would stop in silence at the first GPU that is not there.
void require_gpus(const std::string& list) {
  const std::vector<std::string> entries = listed_gpus(list);
  std::string problem;
  const auto nvml = engine::Nvml::load(&problem);
  const std::vector<engine::Gpu> gpus = nvml ? nvml->gpus() : std::vector<engine::Gpu>();
  const std::size_t found = nvml ? engine::visible_gpus(gpus, list.c_str()).size() : 0;
  if (found == entries.size()) return;
  const std::string& first = entries[found];
  if (nvml && !engine::visible_gpus(gpus, first.c_str()).empty())
    throw Error(ExitCode::kUsage, "--gpus names the GPU " + first + " twice", "name each once");
  throw Error(ExitCode::kEnvironment,
              "--gpus names the GPU " + first + ", which is not there: this machine has " +
                  (gpus.empty() ? "no GPU" : plural_text(gpus.size(), "GPU")) +
                  (nvml ? "" : " (" + problem + ")"),
              "`tune doctor` lists the GPUs; --gpus none uses none");
}

constexpr const char* kTimeExamples = "for example 90s, 20m, 2h or 1d";

}  // namespace

Options& declare_totals(Options& options) {
  return options.value("trials", "N", "trials in all, in place of limits.trials")
      .value("parallel", "N", "trials at once, in place of limits.parallel")
      .value("time", "T", "time in all (90s, 20m, 2h, 1d), in place of limits.time")
      .value("gpu-hours", "H", "device hours in all, in place of limits.gpu_hours")
      .value("cost-usd", "USD", "dollars in all, in place of limits.cost_usd; needs cost.usd_per_hour")
      .value("target", "X", "value of the objective that ends the study, in place of limits.target")
      .value("no-improvement", "N",
             "trials without a new best that end it, in place of limits.no_improvement")
      .value("convergence", "X", "part of the best value, in place of limits.convergence; 0: never");
}

Options& declare_limits(Options& options) {
  return declare_totals(options)
      .value("gpus", "LIST", "GPUs to use: indices or UUIDs as in CUDA_VISIBLE_DEVICES, or none")
      .variable("TUNE_SYNCHRONOUS",
                "full: every commit survives a power cut [normal: kill -9 loses nothing,\n"
                "                        a power cut the last commits before the end]");
}

engine::Overrides limit_overrides(const Parsed& options) {
  engine::Overrides overrides;
  overrides.trials = count_option(options, "trials");
  overrides.parallel = count_option(options, "parallel", kMostParallel);
  overrides.gpu_hours = amount_option(options, "gpu-hours");
  overrides.cost_usd = amount_option(options, "cost-usd");
  overrides.target = value_option(options, "target");
  overrides.no_improvement = count_option(options, "no-improvement");
  overrides.convergence = amount_option(options, "convergence");
  if (options.has("time")) {
    try {
      overrides.time = parse_duration(options.text("time"));
    } catch (const std::invalid_argument& error) {
      throw Error(ExitCode::kUsage, std::string("--time: ") + error.what(), kTimeExamples);
    }
    if (overrides.time->count() == 0)
      throw Error(ExitCode::kUsage, "--time must be longer than nothing", kTimeExamples);
  }
  return overrides;
}

void choose_gpus(const Parsed& options) {
  if (!options.has("gpus")) return;
  const std::string list = options.text("gpus");
  if (list != "none") require_gpus(list);
  setenv("CUDA_VISIBLE_DEVICES", list == "none" ? "" : list.c_str(), 1);
}

}  // namespace tune::cli
