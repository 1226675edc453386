#include "tuner/report/text/replicate_table.h"

#include <optional>
#include <set>

#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/numbers/replicated.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

using Candidate = Replication::Candidate;

std::string text_of(const std::optional<double>& number) {
  return number ? number_text(*number) : std::string();
}

Json json_of(const std::optional<double>& number) { return number ? number_to_json(*number) : Json(); }

// A bound is on the side where it says the least.
std::string bound_words(const Objective& objective) {
  return objective.goal == Goal::kMaximize ? "at least" : "at most";
}

std::string failed_text(const StudyRows& rows, int trial) {
  const RepeatCount count = count_repeats(rows.trials, trial);
  return count.failed == 0
             ? std::string()
             : std::to_string(count.failed) + " of " + plural_text(count.begun, "replicate") + " failed";
}

// Those that were repeated, even if no replicate has brought a value.
std::vector<const Candidate*> repeated(const StudyRows& rows, const Replication& replication) {
  std::set<int> begun;
  for (const auto& trial : rows.trials)
    if (trial.facts.replicate_of) begun.insert(*trial.facts.replicate_of);
  std::vector<const Candidate*> found;
  if (begun.empty()) return found;
  for (const Candidate* one : replication.ranking())
    if (begun.contains(one->trial)) found.push_back(one);
  return found;
}

Json candidate_json(const StudyRows& rows, const Candidate& one) {
  Json replicates = Json::array(), fresh = Json::array();
  for (const auto& trial : rows.trials)
    if (trial.facts.replicate_of == one.trial) replicates.push_back(trial.number);
  for (const double value : one.fresh) fresh.push_back(number_to_json(value));
  const bool is_estimated = !one.fresh.empty();
  return {{"trial", one.trial},
          {"replicates", replicates},
          {"failed", count_repeats(rows.trials, one.trial).failed},
          {"seeds", one.fresh.size() + 1},
          {"first_value", number_to_json(one.first)},
          {"fresh_values", fresh},
          {"mean", is_estimated ? number_to_json(one.mean) : Json()},
          {"spread", json_of(one.spread)},
          {"bound", json_of(is_estimated ? one.bound : std::nullopt)},
          {"luck", json_of(one.luck)}};
}

}  // namespace

std::string replicate_lines(const StudyRows& rows, int trial) {
  if (count_repeats(rows.trials, trial).begun == 0) return {};
  const Objective& objective = rows.study.objective;
  const Replication replication = replication_of(rows.trials, objective);
  const Candidate* one = replication.find(trial);
  const std::string failed = failed_text(rows, trial);
  if (one == nullptr || one->fresh.empty())
    return "  on other seeds: no value yet" + (failed.empty() ? failed : ", " + failed) + '\n';
  std::string text =
      "  over " + plural_text(one->fresh.size() + 1, "seed") + ": mean " + number_text(one->mean);
  if (one->bound) text += ", " + bound_words(objective) + ' ' + number_text(*one->bound) + " (95 %)";
  if (one->spread) text += ", spread " + number_text(*one->spread);
  if (!failed.empty()) text += ", " + failed;
  return text + "\n  its first value: " + number_text(one->first) + ", of which luck " +
         number_text(*one->luck) + '\n';
}

Table replicate_table(const StudyRows& rows) {
  const Replication replication = replication_of(rows.trials, rows.study.objective);
  Table table;
  table.columns = {{"trial", Align::kRight},      {"first " + rows.study.objective.metric, Align::kRight},
                   {"luck of it", Align::kRight}, {"seeds", Align::kRight},
                   {"mean", Align::kRight},       {bound_words(rows.study.objective), Align::kRight},
                   {"spread", Align::kRight},     {"on fresh seeds", Align::kLeft, true}};
  for (const Candidate* one : repeated(rows, replication)) {
    std::string fresh;
    for (const double value : one->fresh) fresh += (fresh.empty() ? "" : ", ") + number_text(value);
    const std::string failed = failed_text(rows, one->trial);
    const bool is_estimated = !one->fresh.empty();
    table.rows.push_back({std::to_string(one->trial), number_text(one->first), text_of(one->luck),
                          std::to_string(one->fresh.size() + 1),
                          is_estimated ? number_text(one->mean) : std::string(),
                          is_estimated ? text_of(one->bound) : std::string(), text_of(one->spread),
                          fresh + (fresh.empty() || failed.empty() ? "" : "; ") + failed});
  }
  return table;
}

Json replicates_json(const StudyRows& rows, int trial) {
  if (count_repeats(rows.trials, trial).begun == 0) return nullptr;
  const Replication replication = replication_of(rows.trials, rows.study.objective);
  const Candidate* one = replication.find(trial);
  return one == nullptr ? Json() : candidate_json(rows, *one);
}

Json replicates_json(const StudyRows& rows) {
  const Replication replication = replication_of(rows.trials, rows.study.objective);
  Json list = Json::array();
  for (const Candidate* one : repeated(rows, replication)) list.push_back(candidate_json(rows, *one));
  return list;
}

std::string replicate_text(const store::TrialRow& trial) {
  if (!trial.facts.replicate_of) return {};
  return "replicate of trial " + std::to_string(*trial.facts.replicate_of);
}

std::string replicate_count_text(const std::vector<store::TrialRow>& trials) {
  std::int64_t replicates = 0, repeats = 0;
  for (const store::TrialRow& trial : trials) {
    replicates += trial.facts.replicate_of.has_value();
    repeats += trial.facts.rerun_of.has_value();
  }
  std::string text = replicates == 0 ? std::string() : plural_text(replicates, "replicate");
  if (repeats > 0) text += (text.empty() ? "" : " and ") + plural_text(repeats, "repeat");
  return text;
}

}  // namespace tune::report
