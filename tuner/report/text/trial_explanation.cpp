#include "tuner/report/text/trial_explanation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

// The events that say how a trial went on or ended, and why.
constexpr std::array<std::string_view, 5> kEnds{"trial_finished", "attempt_requeued", "trial_reopened",
                                                "trial_rescanned", "trial_deleted"};

// A suggestion behind the first attempt is to go on with a trial that was paused.
bool is_end(const store::EventRow& event) {
  return std::find(kEnds.begin(), kEnds.end(), event.kind) != kEnds.end() ||
         (event.kind == "trial_queued" && event.attempt > 1);
}

// A number of an explanation; "?" where it was not finite.
std::string shown(const Json& json, const char* name) {
  const auto place = json.find(name);
  return place != json.end() && place->is_number() ? number_text(place->get<double>()) : "?";
}

std::string text_at(const Json& json, const char* name) {
  const auto place = json.find(name);
  return place != json.end() && place->is_string() ? place->get<std::string>() : std::string();
}

std::string count_at(const Json& json, const char* name, const std::string& word) {
  const auto place = json.find(name);
  if (place == json.end() || !place->is_number_integer()) return {};
  return plural_text(place->get<std::int64_t>(), word);
}

const Json& member_of(const Json& json, const char* name) {
  static const Json kNothing;
  const auto place = json.find(name);
  return place == json.end() ? kNothing : *place;
}

// "Gaussian process of 11 results, 1 failed, 2 pending; two equal trials differ by about 0.01"
std::string model_line(const Json& model) {
  const std::string kind = text_at(model, "kind");
  std::string text = kind == "gaussian_process"    ? "Gaussian process"
                     : kind == "parzen_estimators" ? "Parzen estimators"
                                                   : kind;
  const std::string results = count_at(model, "results", "result");
  if (!results.empty()) text += " of " + results;
  for (const char* name : {"good", "failed", "pending"}) {
    const Json& count = member_of(model, name);
    if (count.is_number_integer() && count.get<std::int64_t>() > 0)
      text += ", " + count.dump() +
              (std::string_view(name) == "good" ? " of them good" : ' ' + std::string(name));
  }
  if (model.contains("noise")) text += "; noise of one result: " + shown(model, "noise");
  return text;
}

std::string nearest_text(const Json& nearest, const std::string& metric) {
  std::string text;
  for (const Json& trial : nearest) {
    text += "    trial " + member_of(trial, "trial").dump() + " at distance " + shown(trial, "distance") +
            ": " + text_at(trial, "state");
    if (trial.contains("value")) text += ", " + metric + ' ' + shown(trial, "value");
    text += '\n';
  }
  return text.empty() ? text : "  nearest earlier trials, as they were then:\n" + text;
}

std::string contributions_text(const Json& explanation) {
  const Json& list = member_of(explanation, "contributions");
  if (!list.is_object() || list.empty()) return {};
  struct Part {
    std::string name;
    double number;
  };
  std::vector<Part> parts;
  bool is_ratio = false;
  for (const auto& [name, part] : list.items()) {
    if (!part.is_object()) continue;
    is_ratio = part.contains("log_ratio");
    const Json& number = member_of(part, is_ratio ? "log_ratio" : "change");
    if (number.is_number()) parts.push_back({name, number.get<double>()});
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return std::abs(a.number) > std::abs(b.number); });
  const Json& best = member_of(explanation, "best");
  std::string text;
  if (is_ratio) {
    text = "  how much likelier each value is among the good trials, by itself (logarithm):\n";
  } else {
    const bool is_of_earlier = best.is_object() && best.contains("of_earlier_study");
    text = "  the best known trial" +
           (best.is_object() && best.contains("trial")
                ? ", " + best["trial"].dump() + (is_of_earlier ? " of an earlier study," : ",")
                : std::string()) +
           " is predicted " + (best.is_object() ? shown(best, "predicted") : "?") +
           "; what each parameter adds to the prediction by differing from it:\n";
  }
  std::size_t widest = 0;
  for (const Part& part : parts) widest = std::max(widest, part.name.size());
  for (const Part& part : parts)
    text += "    " + part.name + std::string(widest - part.name.size(), ' ') + "  " +
            (part.number > 0 ? "+" : "") + number_text(part.number) + '\n';
  return text;
}

std::string prediction_text(const Json& predicted, const std::string& metric) {
  if (!predicted.is_object()) return {};
  return "  predicted " + metric + ": " + shown(predicted, "value") + " (" + shown(predicted, "low") +
         " to " + shown(predicted, "high") + ", one standard deviation)\n";
}

std::string suggestion_text(const TrialRows& rows) {
  const Json& explanation = rows.trial.facts.explanation;
  const std::string metric = one_line(rows.study.objective.metric);
  std::string text = "\nWhy it was suggested:\n";
  if (explanation.empty())
    return text + (rows.trial.note.empty() ? "  nothing was recorded\n" : "  nothing more was recorded\n");
  if (const std::string strategy = text_at(explanation, "strategy"); !strategy.empty()) {
    const std::string chosen_by = text_at(explanation, "chosen_by");
    text += "  strategy: " + strategy + (chosen_by.empty() ? "" : ", chosen by " + chosen_by) + '\n';
  }
  const Json& second_model = member_of(explanation, "second_model");
  const bool is_pair = second_model.is_object() && rows.study.second;
  if (const Json& model = member_of(explanation, "model"); model.is_object())
    text += "  model" + (is_pair ? " of " + metric : std::string()) + ": " + model_line(model) + '\n';
  if (is_pair)
    text += "  model of " + one_line(rows.study.second->metric) + ": " + model_line(second_model) + '\n';
  text += prediction_text(member_of(explanation, "predicted"), metric);
  if (is_pair)
    text += prediction_text(member_of(explanation, "second_predicted"), one_line(rows.study.second->metric));
  if (const Json& gain = member_of(explanation, "expected_hypervolume_improvement"); gain.is_number())
    text += "  expected to add to what the front of " + count_at(explanation, "front", "trial") +
            " dominates: " + number_text(100 * gain.get<double>()) + " %\n";
  if (explanation.contains("expected_improvement"))
    text += "  expected improvement: " + shown(explanation, "expected_improvement") + '\n';
  const Json& success = member_of(explanation, "success");
  if (success.is_number())
    text += "  chance that it does not fail: " + percent_text(success.get<double>()) + '\n';
  text += contributions_text(explanation);
  const Json& nearest = member_of(explanation, "nearest");
  if (nearest.is_array()) text += nearest_text(nearest, metric);
  return text;
}

std::string ending_text(const TrialRows& rows) {
  std::string text =
      is_finished(rows.trial.state) ? "\nWhy it ended as it did (UTC):\n" : "\nHow it stands (UTC):\n";
  bool any = false;
  for (const store::EventRow& event : rows.events) {
    if (!is_end(event)) continue;
    any = true;
    text += "  " + event_line(event) + '\n';
  }
  if (!any) text += std::string("  it is ") + to_string(rows.trial.state) + '\n';
  return text;
}

// Whether its model was promoted, and why or why not: sentences.
std::vector<std::string> promotion_lines(const TrialRows& rows,
                                         const std::vector<store::StudyVersion>& versions) {
  std::vector<std::string> lines;
  for (const auto& [version, is_current, promotions] : versions) {
    if (version.trial != rows.trial.number) continue;
    std::string line = version.model + " version " + std::to_string(version.version) + " was made of it";
    for (const store::Promotion& promotion : promotions) line += ": " + promotion.reason;
    lines.push_back(std::move(line));
  }
  const auto& decision = rows.study.facts.promotion;
  const int number = rows.trial.number;
  if (decision && !decision->promoted && decision->trial == number)
    lines.push_back("it was not promoted to " + decision->model + ": " + decision->reason);
  if (!lines.empty()) return lines;
  if (rows.trial.facts.deleted) {
    lines.push_back("it was deleted");
  } else if (rows.trial.state != TrialState::kCompleted || rows.trial.values.empty()) {
    lines.push_back("only a completed trial with a value can be promoted, and it is " +
                    std::string(to_string(rows.trial.state)));
  } else if (rows.trial.facts.rerun_of) {
    lines.push_back("it repeats trial " + std::to_string(*rows.trial.facts.rerun_of) +
                    ", and a repeat is never promoted by itself; `tune promote " + rows.study.name + '/' +
                    std::to_string(number) + (rows.study.spec.contains("promote") ? "" : " --model NAME") +
                    "` makes a version of it");
  } else if (decision && decision->trial > 0) {
    lines.push_back("the best trial alone is promoted, which was trial " + std::to_string(decision->trial) +
                    ": " + decision->reason);
  } else if (decision) {
    lines.push_back(decision->reason);
  } else if (!rows.study.spec.contains("promote")) {
    lines.push_back("the spec names no model; `tune promote " + rows.study.name + '/' +
                    std::to_string(number) + " --model NAME` makes a version of it");
  } else {
    lines.push_back("that is decided when the study ends, of the trial that is best then");
  }
  return lines;
}

Json promotions_json(const TrialRows& rows, const std::vector<store::StudyVersion>& versions) {
  Json list = Json::array();
  for (const auto& [version, is_current, promotions] : versions) {
    if (version.trial != rows.trial.number) continue;
    Json one = {{"model", version.model}, {"version", version.version}, {"reasons", Json::array()}};
    for (const store::Promotion& promotion : promotions)
      one["reasons"].push_back({{"reason", promotion.reason}, {"evidence", promotion.evidence}});
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

std::string explanation_text(const TrialRows& rows, const std::vector<store::StudyVersion>& versions) {
  std::string text =
      trial_head(rows) + suggestion_text(rows) + ending_text(rows) + "\nWhether it was promoted:\n";
  for (const std::string& line : promotion_lines(rows, versions)) text += "  " + one_line(line) + '\n';
  return text;
}

Json explanation_json(const TrialRows& rows, const std::vector<store::StudyVersion>& versions) {
  const store::TrialRow& trial = rows.trial;
  Json events = Json::array();
  for (const store::EventRow& event : rows.events)
    if (is_end(event))
      events.push_back({{"time", format_time(event.time)},
                        {"kind", event.kind},
                        {"attempt", event.attempt},
                        {"data", event.data}});
  Json verdicts = Json::array();
  for (const store::AttemptRow& attempt : rows.attempts)
    if (!attempt.facts.verdict.empty())
      verdicts.push_back(
          {{"attempt", attempt.attempt}, {"reason", attempt.reason}, {"compared", attempt.facts.verdict}});
  Json values = Json::array();
  for (const double value : trial.values) values.push_back(number_to_json(value));
  const auto& second = rows.study.second;
  return {{"schema", 1},
          {"study", rows.study.name},
          {"trial", trial.number},
          {"state", to_string(trial.state)},
          {"metric", rows.study.objective.metric},
          {"second_metric", second ? Json(second->metric) : Json()},
          {"value", value_json(trial)},
          {"values", values},
          {"parameters", trial.parameters},
          {"suggestion", {{"note", trial.note}, {"explanation", trial.facts.explanation}}},
          {"reason", trial.reason},
          {"verdicts", verdicts},
          {"events", events},
          {"rerun", rows.original ? rerun_of(rows).json : Json()},
          {"promotion",
           {{"versions", promotions_json(rows, versions)}, {"lines", promotion_lines(rows, versions)}}}};
}

}  // namespace tune::report
