#include "tuner/report/text/study_summary.h"

#include <algorithm>

#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/numbers/bill.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/replicated.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/edge_text.h"
#include "tuner/report/text/failures.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/trial_table.h"

namespace tune::report {
namespace {

// "  completed trials: device time 1.25 h, $3.83" and so on, a line each; parts of nothing are left out.
std::string bill_lines(const StudyBill& bill) {
  std::string text;
  const auto part = [&text](const char* name, const Cost& cost) {
    if (cost.device_hours > 0) text += std::string("  ") + name + ": " + cost_text(cost) + '\n';
  };
  if (bill.completed.device_hours < bill.total.device_hours) part("completed trials", bill.completed);
  part("stopped trials", bill.stopped);
  part("failed trials", bill.failed);
  part("paused trials", bill.paused);
  part("open trials", bill.open);
  part("deleted trials", bill.deleted);
  part("of these, attempts that were run again", bill.retried);
  part("of these, validating", bill.validating);
  part("beside these, probing", bill.probing);
  part("beside these, idle", bill.idle);
  return text;
}

Json bill_json(const StudyBill& bill) {
  return {{"total", cost_json(bill.total)},
          {"completed", cost_json(bill.completed)},
          {"stopped", cost_json(bill.stopped)},
          {"failed", cost_json(bill.failed)},
          {"paused", cost_json(bill.paused)},
          {"open", cost_json(bill.open)},
          {"deleted", cost_json(bill.deleted)},
          {"retried", cost_json(bill.retried)},
          {"validating", cost_json(bill.validating)},
          {"probing", cost_json(bill.probing)},
          {"idle", cost_json(bill.idle)}};
}

constexpr std::size_t kLeaders = 5;        // rows of the leaderboard at the end of a run
constexpr std::size_t kListedTrials = 50;  // more than these are left to `tune trials`

std::string edge_lines(const StudyRows& rows) {
  std::string text;
  for (const Edge& edge : best_edges(rows)) text += edge_text(edge) + '\n';
  return text.empty() ? text : text + wider_search_text(rows.study.name) + '\n';
}

std::string best_lines(const StudyRows& rows, const store::TrialRow& best) {
  const std::string warning = leak_warning(rows.study);
  return "Best: trial " + std::to_string(best.number) + " with " + rows.study.objective.metric + ' ' +
         value_text(best) + '\n' + replicate_lines(rows, best.number) +
         (best.cut.empty() ? "" : cut_text(best) + '\n') +
         (best.facts.overrides.empty() ? "" : overrides_text(best) + '\n') +
         parameter_lines(best.parameters.empty() ? fixed_values(rows.study) : best.parameters,
                         best.facts.overrides) +
         edge_lines(rows) + (warning.empty() ? warning : "Warning: " + warning + '\n');
}

// "Front: 4 trials ..." with their table, and the one that the spec prefers.
std::string front_lines(const StudyRows& rows, const StudyFront& front, int width) {
  const std::string names = front.objectives[0].metric + " and " + front.objectives[1].metric;
  if (front.trials.empty()) return "No trial has completed with values of " + names + " yet.\n";
  const std::string warning = leak_warning(rows.study);
  std::string text = "Front of " + names + ": " + plural_text(front.trials.size(), "trial") +
                     " that no other one beats in both\n" + text_table(front_table(rows, front), width);
  if (front.preferred) {
    const store::TrialRow& trial = front.trials[*front.preferred];
    text += "\nPreferred (" + preference_text(*front.preference, front.objectives) + "): trial " +
            std::to_string(trial.number) + " with " + front.objectives[0].metric + ' ' + value_text(trial) +
            ", " + front.objectives[1].metric + ' ' + value_text(trial, 1) + '\n' +
            (trial.cut.empty() ? "" : cut_text(trial) + '\n') +
            parameter_lines(trial.parameters.empty() ? fixed_values(rows.study) : trial.parameters);
  } else if (front.preference) {
    text +=
        "\nNone of them is what the spec prefers: " + preference_text(*front.preference, front.objectives) +
        '\n';
  }
  return text + (warning.empty() ? warning : "Warning: " + warning + '\n');
}

// Each trial's time and cost, without the long columns of `tune trials`.
Table time_table(const StudyRows& rows, const CostReport& costs) {
  const bool priced = usd_per_hour(rows.study).has_value();
  Table table;
  table.columns = {{"trial", Align::kRight}, {"state"}, {rows.study.objective.metric, Align::kRight}};
  if (rows.study.second) table.columns.push_back({rows.study.second->metric, Align::kRight});
  table.columns.push_back({"time", Align::kRight});
  if (priced) table.columns.push_back({"cost", Align::kRight});
  table.columns.push_back({"reason", Align::kLeft, true});
  for (const auto& trial : rows.trials) {
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), to_string(trial.state), value_text(trial)};
    if (rows.study.second) row.push_back(value_text(trial, 1));
    row.push_back(seconds_text(cost.lease_seconds));
    if (priced) row.push_back(usd_text(cost.usd));
    // What failed trials say is said below, once for all that say the same.
    const std::string reason = trial.failure.empty() ? reason_text(trial) : trial.failure;
    const std::string replicate = replicate_text(trial);
    row.push_back(replicate + (replicate.empty() || reason.empty() ? "" : "; ") + reason);
  }
  return table;
}

std::string promotion_lines(const store::PromotionDecision& promotion) {
  const std::string model = promotion.model;
  if (!promotion.promoted) return "Not promoted: " + promotion.reason + '\n';
  return "Promoted: " + model + " version " + std::to_string(promotion.version) + " (" + promotion.reason +
         ")\n  " + promotion.folder.string() + '\n';
}

// "1 trial", "1 of 20 trials", "20 of 20 trials, 3 enqueued beyond them"
std::string trials_text(const StudyRows& rows) {
  const SearchedTrials searched = searched_trials(rows);
  const std::string others = replicate_count_text(rows.trials), more = others.empty() ? "" : " and " + others;
  if (!searched.limit) return plural_text(searched.within, "trial") + more;
  return std::to_string(searched.within) + " of " + plural_text(*searched.limit, "trial") +
         (searched.beyond > 0 ? ", " + std::to_string(searched.beyond) + " enqueued beyond them" : "") + more;
}

std::string head_line(const StudyRows& rows) {
  const store::StudyRow& study = rows.study;
  std::string text = study.name + ": " + one_line(standing(study));
  text += ", " + trials_text(rows) + ": " + counts_text(count_trials(rows.trials));
  return text + ", " + seconds_text(study.elapsed_seconds) + '\n';
}

// Attempts of running trials; nothing of a study that nobody works on.
std::vector<store::AttemptRow> running_attempts(const StudyRows& rows) {
  std::vector<store::AttemptRow> running;
  if (rows.study.state != store::StudyState::kRunning) return running;
  for (const auto& attempt : rows.attempts)
    if (attempt.state == store::AttemptState::kRunning) running.push_back(attempt);
  return running;
}

std::string running_lines(const StudyRows& rows) {
  std::string text;
  for (const auto& attempt : running_attempts(rows)) {
    text += "  running: trial " + std::to_string(attempt.trial);
    const auto point = rows.latest.find(attempt.trial);
    if (point != rows.latest.end())
      text += ", step " + std::to_string(point->second.step) + ", " + rows.study.objective.metric + ' ' +
              number_text(point->second.value);
    for (const std::string& device : attempt.devices) text += ", " + one_line(device);
    text += ", " + seconds_text(attempt.lease_seconds) + '\n';
  }
  return text;
}

Json running_json(const StudyRows& rows) {
  Json list = Json::array();
  for (const auto& attempt : running_attempts(rows)) {
    const auto point = rows.latest.find(attempt.trial);
    const bool seen = point != rows.latest.end();
    list.push_back({{"trial", attempt.trial},
                    {"attempt", attempt.attempt},
                    {"step", seen ? Json(point->second.step) : Json()},
                    {"value", seen ? number_to_json(point->second.value) : Json()},
                    {"devices", attempt.devices},
                    {"seconds", attempt.lease_seconds}});
  }
  return list;
}

}  // namespace

std::string standing(const store::StudyRow& study) {
  if (study.finish_reason.starts_with("paused: "))
    return study.finish_reason;  // its state is that of a run cut short
  const std::string state = to_string(study.state);
  if (study.facts.held && study.state != store::StudyState::kFinished)
    return state + ", paused by " + *study.facts.held + ": `tune continue " + study.name +
           "` has it begin trials again";
  const bool says_more = !study.finish_reason.empty() && study.finish_reason != state;
  return says_more ? state + " (" + study.finish_reason + ")" : state;
}

Json counts_json(const TrialCounts& counts) {
  Json json = Json::object();
  for (const TrialState state : {TrialState::kQueued, TrialState::kRunning, TrialState::kPaused,
                                 TrialState::kCompleted, TrialState::kStopped, TrialState::kFailed}) {
    const auto found = counts.by_state.find(state);
    json[to_string(state)] = found == counts.by_state.end() ? 0 : found->second;
  }
  json["deleted"] = counts.deleted;
  return json;
}

std::string counts_text(const TrialCounts& counts) {
  std::string text;
  for (const TrialState state : {TrialState::kRunning, TrialState::kQueued, TrialState::kPaused,
                                 TrialState::kCompleted, TrialState::kStopped, TrialState::kFailed}) {
    const auto found = counts.by_state.find(state);
    if (found == counts.by_state.end()) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(found->second) + ' ' + to_string(state);
  }
  if (counts.deleted > 0) text += (text.empty() ? "" : ", ") + std::to_string(counts.deleted) + " deleted";
  return text.empty() ? "no trials yet" : text;
}

std::string leak_warning(const store::StudyRow& study) {
  const auto trainer = study.spec.find("trainer");
  if (trainer == study.spec.end() || !trainer->is_object() || trainer->contains("validation") ||
      !trainer->contains("data"))
    return {};
  for (const auto& [machine, probe] : study.facts.probes)
    if (probe.unit.value_or("images") != "images") return {};  // crops are of images
  const Json split = trainer->value("split", Json::object());
  if (split.is_object() && split.value("grouping", "image") != "image") return {};
  // Only the trainer knows whether the data has parts of its own, which an explicit split contradicts.
  const bool is_cut = split.is_object() && (split.contains("fractions") || split.contains("grouping"));
  return study.objective.metric +
         " may leak: " + (is_cut ? "the data" : "data that brings no part of its own to validate on") +
         " is split image by image, so crops of one surface may be on both sides; "
         "\"grouping\": \"content\" in trainer.split keeps them on one";
}

std::string best_text(const StudyRows& rows, int width) {
  if (const auto front = study_front(rows)) return front_lines(rows, *front, width);
  const auto best = best_trial(rows);
  return best ? best_lines(rows, *best)
              : "no trial of " + rows.study.name + " has completed with a value yet\n";
}

std::string run_summary(const StudyRows& rows, const std::optional<store::PromotionDecision>& promotion,
                        int width) {
  const CostReport costs = costs_of(rows);
  std::string text = head_line(rows);
  const std::optional<StudyFront> front = study_front(rows);
  const auto best = best_trial(rows);
  if (front) {
    if (!front->trials.empty()) text += '\n' + front_lines(rows, *front, width);
  } else if (best) {
    text += '\n' + best_lines(rows, *best);
    text += "\nLeaderboard:\n" + text_table(leaderboard_table(rows, kLeaders), width);
    if (const Table replicates = replicate_table(rows); !replicates.rows.empty())
      text += "\nOn other seeds:\n" + text_table(replicates, width);
  }
  if (!rows.trials.empty()) {
    text += "\nTime" + std::string(usd_per_hour(rows.study) ? " and cost" : "") + ":\n";
    text += rows.trials.size() <= kListedTrials
                ? text_table(time_table(rows, costs), width)
                : "`tune trials " + rows.study.name + "` lists every trial.\n";
    const StudyBill bill = study_bill(rows);
    text += "Total: " + cost_text(bill.total) + '\n' + bill_lines(bill);
  }
  const std::string failures = failure_lines(rows.trials, "  ");
  if (!failures.empty()) text += "\nFailed:\n" + failures;
  if (promotion) text += '\n' + promotion_lines(*promotion);
  return text;
}

Json run_summary_json(const StudyRows& rows, const std::optional<store::PromotionDecision>& promotion) {
  Json json = status_json(rows);
  const CostReport costs = costs_of(rows);
  Json trials = Json::array();
  for (const auto& trial : rows.trials) trials.push_back(trial_json(trial, costs));
  json["trials"] = trials;
  if (promotion)
    json["promotion"] = {{"model", promotion->model},
                         {"promoted", promotion->promoted},
                         {"version", promotion->version > 0 ? Json(promotion->version) : Json()},
                         {"reason", promotion->reason},
                         {"folder", promotion->folder.string()}};
  else
    json["promotion"] = nullptr;
  json["replicates"] = replicates_json(rows);
  json["edges"] = edges_json(best_edges(rows));
  if (const std::string warning = leak_warning(rows.study); !warning.empty()) json["warning"] = warning;
  return json;
}

std::string status_text(const StudyRows& rows, int width) {
  std::string text = head_line(rows) + "  in the consoles' words: " + console_state(rows) + '\n' +
                     running_lines(rows) + failure_lines(rows.trials, "  failed: ");
  const std::optional<StudyFront> front = study_front(rows);
  if (front && !front->trials.empty())
    text += "  front: " + plural_text(front->trials.size(), "trial") + ", " + front->objectives[0].metric +
            ' ' + value_text(front->trials.front()) + " to " + value_text(front->trials.back()) + ", " +
            front->objectives[1].metric + ' ' + value_text(front->trials.front(), 1) + " to " +
            value_text(front->trials.back(), 1) + '\n';
  const auto best = best_trial(rows);
  if (best)
    text += std::string(front ? "  preferred" : "  best") + ": trial " + std::to_string(best->number) + ", " +
            rows.study.objective.metric + ' ' + value_text(*best) + ", " +
            (front ? front->objectives[1].metric + ' ' + value_text(*best, 1) + ", " : std::string()) +
            one_line(parameters_text(*best)) + '\n';
  const StudyBill bill = study_bill(rows);
  if (bill.total.device_hours > 0) text += "  " + cost_text(bill.total) + '\n';
  if (width <= 0) return text;
  std::string cut;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    cut += cut_to_width(std::string_view(text).substr(begin, end - begin), static_cast<std::size_t>(width)) +
           '\n';
    begin = end + 1;
  }
  return cut;
}

Json status_json(const StudyRows& rows) {
  const store::StudyRow& study = rows.study;
  Json json{{"schema", 1},
            {"study", study.name},
            {"state", to_string(study.state)},
            {"console_state", console_state(rows)},
            {"finish_reason", study.finish_reason},
            {"held", study.facts.held ? Json(*study.facts.held) : Json()},
            {"metric", study.objective.metric},
            {"goal", goal_text(study.objective.goal)},
            {"limits", study.limits},
            {"elapsed_seconds", study.elapsed_seconds},
            {"created", format_time(study.created)},
            {"updated", format_time(study.updated)},
            {"counts", counts_json(count_trials(rows.trials))},
            {"running", running_json(rows)},
            {"best", best_json(best_trial(rows))},
            {"cost", bill_json(study_bill(rows))}};
  if (const auto front = study_front(rows)) {
    json["objectives"] = objectives_json(*front);
    json["front"] = front_json(*front);
  }
  return json;
}

}  // namespace tune::report
