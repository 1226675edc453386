#include "tuner/report/study/study_document.h"

#include <algorithm>
#include <utility>

#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/numbers/bill.h"
#include "tuner/report/numbers/edges.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/numbers/replicated.h"
#include "tuner/report/numbers/rung_counts.h"
#include "tuner/report/numbers/savings.h"
#include "tuner/report/numbers/study_front.h"
#include "tuner/report/study/model_quality.h"
#include "tuner/report/study/study_setup.h"
#include "tuner/report/text/edge_text.h"
#include "tuner/report/text/failures.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/replicate_table.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/trial_table.h"

namespace tune::report {
namespace {

constexpr std::size_t kListedLeaders = 10;
constexpr std::size_t kUnfolded = 25;  // trials of a table that is shown without being asked for

std::optional<store::TrialRow> best_of(const StudyMaterial& material) { return best_trial(material.rows); }

std::string subtitle(const StudyMaterial& material) {
  const store::StudyRow& study = material.rows.study;
  return standing(study) + " · goal: " + goal_text(study.objective.goal) + ' ' + study.objective.metric +
         (study.second ? " and " + std::string(goal_text(study.second->goal)) + ' ' + study.second->metric
                       : "");
}

std::vector<Tile> tiles(const StudyMaterial& material) {
  const store::StudyRow& study = material.rows.study;
  const CostReport costs = costs_of(material.rows);
  const auto best = best_of(material);
  const SearchedTrials searched = searched_trials(material.rows);
  const std::string replicates = replicate_count_text(material.rows.trials);
  std::vector<Tile> list;
  if (const auto front = study_front(material.rows))
    list.push_back({"on the front", std::to_string(front->trials.size()),
                    best ? "preferred: trial " + std::to_string(best->number) : ""});
  else
    list.push_back({"best " + study.objective.metric, best ? value_text(*best) : "none yet",
                    best ? "trial " + std::to_string(best->number) : ""});
  list.push_back(
      {"trials",
       std::to_string(searched.within) + (searched.limit ? " of " + std::to_string(*searched.limit) : "") +
           (searched.beyond > 0 ? ", " + std::to_string(searched.beyond) + " enqueued beyond" : "") +
           (replicates.empty() ? "" : " and " + replicates),
       counts_text(count_trials(material.rows.trials))});
  list.push_back({"wall time", seconds_text(study.elapsed_seconds), ""});
  list.push_back({"device time", hours_text(costs.total().device_hours), ""});
  if (const auto price = usd_per_hour(study))
    list.push_back(
        {"cost", usd_text(costs.total().usd), "at " + usd_text(*price) + " for an hour of a device"});
  return list;
}

void add_promotion(const StudyMaterial& material, Section& section) {
  for (const PromotedVersion& version : material.promoted)
    section.blocks.push_back(Paragraph{"Trial " + std::to_string(version.trial) + " is version " +
                                       std::to_string(version.version) + " of the model " + version.model +
                                       (version.is_current ? ", the current one" : "") +
                                       (version.reason.empty() ? "." : ": " + version.reason + ".")});
  if (!material.promoted.empty()) return;
  const std::optional<store::PromotionDecision>& promotion = material.rows.study.facts.promotion;
  if (promotion && !promotion->promoted)
    section.blocks.push_back(Paragraph{"Nothing was promoted: " + promotion->reason + "."});
}

Section best_section(const StudyMaterial& material) {
  Section section{"best", "Best trial", {}};
  const auto best = best_of(material);
  if (!best) {
    section.blocks.push_back(Paragraph{"No trial has completed with a value yet."});
    return section;
  }
  Table table;
  table.columns = {{"hyperparameter"}, {"value", Align::kRight}};
  for (const auto& [name, value] : best->parameters) table.rows.push_back({name, parameter_text(value)});
  const std::string caption = "Trial " + std::to_string(best->number) + " with " +
                              material.rows.study.objective.metric + ' ' + value_text(*best);
  section.blocks.push_back(TableBlock{caption, table});
  if (!best->cut.empty()) section.blocks.push_back(Paragraph{cut_text(*best)});
  if (const std::string text = overrides_text(*best); !text.empty())
    section.blocks.push_back(Paragraph{text});
  const std::vector<Edge> edges = best_edges(material.rows);
  for (const Edge& edge : edges) section.blocks.push_back(Paragraph{edge_text(edge) + "."});
  if (!edges.empty()) section.blocks.push_back(Paragraph{wider_search_text(material.rows.study.name)});
  add_promotion(material, section);
  for (Block& block : quality_blocks(material.model)) section.blocks.push_back(std::move(block));
  return section;
}

// In place of the best trial and of the leaderboard.
Section front_section(const StudyMaterial& material, const StudyFront& front) {
  Section section{"front", "Pareto front", {}};
  if (front.trials.empty()) {
    section.blocks.push_back(Paragraph{"No trial has completed with a value of both objectives yet."});
    return section;
  }
  section.blocks.push_back(Figures{front_charts(material)});
  section.blocks.push_back(TableBlock{"No other completed trial is better in both " +
                                          front.objectives[0].metric + " and " + front.objectives[1].metric,
                                      front_table(material.rows, front)});
  if (front.preference) {
    const std::string wish = preference_text(*front.preference, front.objectives);
    section.blocks.push_back(Paragraph{
        front.preferred ? "Preferred is trial " + std::to_string(front.trials[*front.preferred].number) +
                              ": " + wish + "."
                        : "None of them is what the spec prefers: " + wish + "."});
  }
  if (const auto best = best_of(material); best && !best->cut.empty())
    section.blocks.push_back(Paragraph{cut_text(*best)});
  add_promotion(material, section);
  for (Block& block : quality_blocks(material.model)) section.blocks.push_back(std::move(block));
  return section;
}

Section leaderboard_section(const StudyMaterial& material) {
  const auto ranked = leaderboard(material.rows.trials, material.rows.study.objective).size();
  const std::string caption =
      ranked > kListedLeaders
          ? "The best " + std::to_string(kListedLeaders) + " of " + plural_text(ranked, "completed trial")
          : plural_text(ranked, "completed trial") + ", best first";
  return {
      "leaderboard", "Leaderboard", {TableBlock{caption, leaderboard_table(material.rows, kListedLeaders)}}};
}

// How the best trials did on other seeds; nullopt where none was repeated.
std::optional<Section> replicates_section(const StudyMaterial& material) {
  Table table = replicate_table(material.rows);
  if (table.rows.empty()) return std::nullopt;
  const Replication replication = replication_of(material.rows.trials, material.rows.study.objective);
  Section section{"replicates", "On other seeds", {}};
  section.blocks.push_back(Paragraph{
      "The best trials ran again on fresh seeds. The luck of a first value is what it is better than "
      "the mean of the fresh ones; the mean over seeds takes the luck that first values have in "
      "common off the first value. The best trial is the one with the best bound of its mean (95 %)."});
  if (const auto deviation = replication.deviation())
    section.blocks.push_back(Paragraph{"By its seed alone a value varies with a standard deviation of " +
                                       number_text(*deviation) + "."});
  section.blocks.push_back(TableBlock{"Repeated trials, the best first", std::move(table)});
  return section;
}

Section history_section(const StudyMaterial& material) {
  return {"history", "Search history", {Figures{history_charts(material)}}};
}

Section cost_section(const StudyMaterial& material) {
  const CostReport costs = costs_of(material.rows);
  const StudyRows& rows = material.rows;
  const bool is_priced = usd_per_hour(rows.study).has_value();
  Table table;
  table.columns = {
      {"trial", Align::kRight}, {rows.study.objective.metric, Align::kRight}, {"device time", Align::kRight}};
  if (is_priced) table.columns.push_back({"cost", Align::kRight});
  table.columns.push_back({"hyperparameters", Align::kLeft, true});
  for (const auto& trial : cheapest_and_best(rows, costs)) {
    const Cost cost = costs.of(trial.number).total;
    auto& row = table.rows.emplace_back();
    row = {std::to_string(trial.number), value_text(trial), hours_text(cost.device_hours)};
    if (is_priced) row.push_back(usd_text(cost.usd));
    row.push_back(parameters_text(trial));
  }
  Section section{"accuracy-cost", "Accuracy and cost", {Figures{cost_charts(material)}}};
  section.blocks.push_back(TableBlock{
      "Pareto front against device time: no other completed trial is both cheaper and better", table});
  return section;
}

// `of`: " of accuracy" where there are two objectives.
void add_importance(const ImportanceRows& importance, const std::string& of, Section& section) {
  if (!importance.objection.empty()) {
    section.blocks.push_back(Paragraph{"Importance" + of + " is not shown: " + importance.objection + "."});
  } else if (!importance.shares.empty()) {
    Shares shares{"Importance: the share of the variance" + of + " that each explains, in " +
                      plural_text(importance.trials, "completed trial") +
                      " (functional analysis of variance)",
                  importance.shares};
    shares.rows.emplace_back("(several together)", importance.interactions);
    section.blocks.push_back(std::move(shares));
  }
}

Section parameters_section(const StudyMaterial& material) {
  Section section{"hyperparameters", "Hyperparameters", {}};
  const store::StudyRow& study = material.rows.study;
  add_importance(material.importance, study.second ? " of " + study.objective.metric : "", section);
  if (study.second && material.second_importance)
    add_importance(*material.second_importance, " of " + study.second->metric, section);
  std::vector<Chart> slices = slice_charts(material);
  if (slices.empty()) return section;
  // The same for all of them, so it is said once.
  std::string note;
  for (Chart& slice : slices)
    if (!slice.note.empty()) note = std::exchange(slice.note, {});
  if (!note.empty()) section.blocks.push_back(Paragraph{note});
  section.blocks.push_back(Figures{std::move(slices)});
  return section;
}

Section failures_section(const StudyMaterial& material) {
  Table table;
  table.columns = {{"trials", Align::kRight}, {"reason", Align::kLeft, true}, {"which", Align::kLeft, true}};
  for (const FailureGroup& group : failure_groups(material.rows.trials)) {
    std::string which;
    for (const int trial : group.trials) which += (which.empty() ? "" : ", ") + std::to_string(trial);
    table.rows.push_back({std::to_string(group.trials.size()), group.reason, which});
  }
  Section section{"failures", "Failures", {}};
  if (table.rows.empty())
    section.blocks.push_back(Paragraph{"No trial has failed."});
  else
    section.blocks.push_back(TableBlock{"Failed trials by reason", table});
  return section;
}

Table time_table(const StudyMaterial& material) {
  const CostReport costs = costs_of(material.rows);
  const bool is_priced = usd_per_hour(material.rows.study).has_value();
  const TrialCounts counts = count_trials(material.rows.trials);
  Table table;
  table.columns = {
      {"what"}, {"trials", Align::kRight}, {"lease time", Align::kRight}, {"device time", Align::kRight}};
  if (is_priced) table.columns.push_back({"cost", Align::kRight});
  const auto line = [&](const std::string& name, const std::string& count, const Cost& cost) {
    auto& row = table.rows.emplace_back();
    row = {name, count, seconds_text(cost.lease_seconds), hours_text(cost.device_hours)};
    if (is_priced) row.push_back(usd_text(cost.usd));
  };
  for (const auto& [state, count] : counts.by_state)
    if (state != TrialState::kQueued || costs.of(state).lease_seconds > 0)
      line(to_string(state), std::to_string(count), costs.of(state));
  if (counts.deleted > 0) line("deleted", std::to_string(counts.deleted), costs.deleted());
  line("total", std::to_string(material.rows.trials.size()), costs.total());
  const StudyBill bill = study_bill(material.rows);
  const auto part = [&](const char* name, const Cost& cost) {
    if (cost.lease_seconds > 0) line(name, "", cost);
  };
  part("of it, attempts that were run again", bill.retried);
  part("of it, validating", bill.validating);
  part("beside it, probing", bill.probing);
  part("beside it, idle", bill.idle);
  return table;
}

Table rung_table(const std::vector<RungCount>& counts) {
  Table table;
  table.columns = {{"step", Align::kRight},
                   {"trials that came so far", Align::kRight},
                   {"stopped there", Align::kRight},
                   {"waiting there", Align::kRight}};
  for (const RungCount& count : counts)
    table.rows.push_back({std::to_string(count.step), std::to_string(count.reached),
                          std::to_string(count.stopped), std::to_string(count.waiting)});
  return table;
}

Section time_section(const StudyMaterial& material) {
  Section section{"time", "Time", {}};
  section.blocks.push_back(Paragraph{"The study took " + seconds_text(material.rows.study.elapsed_seconds) +
                                     " of wall time; its trials used " +
                                     cost_text(costs_of(material.rows).total()) + "."});
  section.blocks.push_back(TableBlock{"What the trials used", time_table(material)});
  if (const auto saved = savings(material.rows, costs_of(material.rows)))
    section.blocks.push_back(Paragraph{
        "Early stopping saved about " + cost_text(saved->cost) + ": an estimate, as if each of the " +
        plural_text(static_cast<std::size_t>(saved->trials), "trial") +
        " that a rule stopped, or that waits, had taken as long as the median of "
        "the completed ones of the search."});
  if (const auto counts = rung_counts(material.rows, material.curves); !counts.empty())
    section.blocks.push_back(TableBlock{"How far trials came", rung_table(counts)});
  return section;
}

Section trials_section(const StudyMaterial& material) {
  const std::size_t count = material.rows.trials.size();
  return {"trials",
          "Trials",
          {TableBlock{plural_text(count, "trial") + " in the order in which they were suggested",
                      trial_table(material.rows, TrialColumns::kPage), count > kUnfolded}}};
}

}  // namespace

Document study_document(const StudyMaterial& material) {
  Document document;
  document.title = material.rows.study.name;
  document.subtitle = subtitle(material);
  document.tiles = tiles(material);
  document.colophon = "Made by tune " + material.version + " at " + format_time(material.made) + ".";
  const bool has_trials = !material.rows.trials.empty();
  const std::optional<StudyFront> front = study_front(material.rows);
  document.sections.push_back(front ? front_section(material, *front) : best_section(material));
  if (!front && best_of(material)) document.sections.push_back(leaderboard_section(material));
  if (auto replicates = replicates_section(material)) document.sections.push_back(*std::move(replicates));
  if (!history_charts(material).empty()) document.sections.push_back(history_section(material));
  const bool has_results = front ? !front->trials.empty() : best_of(material).has_value();
  if (has_results && !cost_charts(material).empty()) document.sections.push_back(cost_section(material));
  if (!material.curves.empty())
    document.sections.push_back({"curves", "Learning curves", {Figures{curve_charts(material)}}});
  if (has_trials) {
    document.sections.push_back(parameters_section(material));
    document.sections.push_back(failures_section(material));
    document.sections.push_back(time_section(material));
  }
  document.sections.push_back(setup_section(material));
  if (has_trials) document.sections.push_back(trials_section(material));
  return document;
}

}  // namespace tune::report
