#include "tuner/live/forecast.h"

#include <algorithm>

#include "tuner/core/quantile.h"
#include "tuner/report/text/format.h"

namespace tune::live {
namespace {

std::optional<double> left_of_time_limit(const store::StudyRow& study) {
  const auto limit = study.limits.find("time");
  if (limit == study.limits.end() || !limit->is_string()) return std::nullopt;
  const std::chrono::duration<double> whole = parse_duration(limit->get<std::string>());
  return std::max(0.0, whole.count() - study.elapsed_seconds);
}

}  // namespace

std::optional<double> remaining_seconds(const report::StudyRows& rows) {
  std::optional<double> left = left_of_time_limit(rows.study);
  const report::SearchedTrials searched = report::searched_trials(rows);
  std::vector<double> lasted;
  for (const store::TrialRow& trial : rows.trials)
    if (const auto seconds = report::trial_seconds(trial)) lasted.push_back(*seconds);
  if (!searched.limit || lasted.empty()) return left;
  const double each = median(lasted);
  std::vector<double> running;
  for (const store::AttemptRow& attempt : rows.attempts)
    if (store::is_live(attempt.state) && !attempt.ended)
      running.push_back(std::max(0.0, each - attempt.lease_seconds));
  const std::size_t parallel = rows.study.limits.value("parallel", std::size_t{0});
  const double slots = static_cast<double>(std::max<std::size_t>({parallel, running.size(), 1}));
  double work = each * static_cast<double>(std::max<std::int64_t>(0, *searched.limit - searched.within));
  for (const double rest : running) work += rest;
  const double longest = running.empty() ? 0 : *std::max_element(running.begin(), running.end());
  const double by_trials = std::max(longest, work / slots);
  return left ? std::min(*left, by_trials) : by_trials;
}

}  // namespace tune::live
