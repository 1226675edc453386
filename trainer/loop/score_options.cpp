#include "trainer/loop/score_options.h"

#include <cstdio>
#include <limits>

#include "trainer/metrics/bootstrap.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

constexpr long long kMostResamples = 1'000'000, kMostExamples = 1000;

std::string middle_of(const std::vector<double>& numbers) {
  const metrics::Interval middle = metrics::middle_interval(numbers, 0.95);
  char text[64];
  std::snprintf(text, sizeof text, "%.3f to %.3f", middle.low, middle.high);
  return text;
}

}  // namespace

ScoreOptions read_score_options(const Request& request) {
  ScoreOptions asked;
  if (request.has("groups")) asked.groups = request.text("groups");
  asked.resamples = static_cast<std::size_t>(
      request.integer("resamples", 1, kMostResamples, 0, "1000 are enough for an interval of 95 %."));
  asked.examples =
      static_cast<std::size_t>(request.integer("examples", 1, kMostExamples, 0, "8 are enough to look at."));
  for (const char* option : {"groups", "seed"})
    if (request.has(option) && asked.resamples == 0)
      throw Error(ExitCode::kUsage, std::string("--") + option + " without --resamples",
                  "Say how many resamples: --resamples 1000.");
  asked.seed =
      static_cast<std::uint64_t>(request.integer("seed", 0, std::numeric_limits<std::int64_t>::max(), 0));
  if (asked.examples > 0 && !request.as_json)
    throw Error(ExitCode::kUsage, "--examples without --json", "They are for programs: add --json.");
  return asked;
}

std::string interval_text(std::vector<double> numbers) {
  std::erase_if(numbers, [](double number) { return number < 0; });
  return middle_of(numbers);
}

std::string interval_of_differences(const std::vector<double>& numbers, const std::vector<double>& from) {
  return middle_of(metrics::differences(numbers, from));
}

}  // namespace tune::trainer::loop
