#include "tuner/cli/limit_options.h"

#include <stdexcept>

#include "tuner/cli/gpu_options.h"
#include "tuner/cli/number_options.h"
#include "tuner/core/error.h"
#include "tuner/spec/spec_keys.h"

namespace tune::cli {
namespace {

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
  return declare_gpus(declare_totals(options))
      .variable("TUNE_SYNCHRONOUS",
                "full: every commit survives a power cut [normal: kill -9 loses nothing,\n"
                "                        a power cut the last commits before the end]");
}

Limits limits_given(const Parsed& options) {
  Limits limits;
  limits.trials = count_option(options, "trials");
  limits.parallel = count_option(options, "parallel", kMostParallel);
  limits.gpu_hours = amount_option(options, "gpu-hours");
  limits.cost_usd = amount_option(options, "cost-usd");
  limits.target = value_option(options, "target");
  limits.no_improvement = count_option(options, "no-improvement");
  limits.convergence = amount_option(options, "convergence");
  if (options.has("time")) {
    try {
      limits.time = parse_duration(options.text("time"));
    } catch (const std::invalid_argument& error) {
      throw Error(ExitCode::kUsage, std::string("--time: ") + error.what(), kTimeExamples);
    }
    if (limits.time->count() == 0)
      throw Error(ExitCode::kUsage, "--time must be longer than nothing", kTimeExamples);
  }
  return limits;
}

}  // namespace tune::cli
