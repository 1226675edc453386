#include "tuner/compare/comparison_report.h"

#include <algorithm>
#include <map>
#include <set>

#include "tuner/billing/device_shares.h"
#include "tuner/compare/test_program.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/report/numbers/bill.h"
#include "tuner/report/numbers/study_rows.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

std::vector<double> number_list(const Json& list) {
  std::vector<double> numbers;
  for (const Json& number : list) numbers.push_back(number.get<double>());
  return numbers;
}

// What one scoring says of each model, by its number.
struct TestScores {
  std::map<int, double> score, second;
  std::map<int, std::vector<double>> resampled;
  std::map<int, Json> facts;  // what predicting said of it
};

// Gathers a comparison out of the store. Lives for one call.
class Gatherer {
 public:
  Gatherer(const fs::path& store, const Comparison& comparison, const store::ComparisonStore& record)
      : store_(store), comparison_(comparison), record_(record), models_(record.models()) {
    if (const auto row = record.comparison()) facts_ = store::comparison_facts(row->facts);
  }

  ComparisonReport gather(std::optional<int> scoring) {
    report_.name = comparison_.name;
    report_.usd_per_hour = comparison_.usd_per_hour;
    report_.price_date = comparison_.price_date;
    report_.test_leaks = comparison_.test.leaks;
    report_.validation_leaks = comparison_.test.validation_leaks;
    report_.budget = comparison_.budget;
    report_.test = test_number();
    const store::ComparisonAudit audit = facts_.audit.value_or(store::ComparisonAudit());
    report_.crossing_overlaps = audit.crossing_overlaps;
    report_.test_is_cut = comparison_.test.split.has_value();
    report_.warnings = audit.warnings;
    read_scoring(scoring);
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i) add_approach(i);
    share_latency();
    add_costs();
    ask();
    return std::move(report_);
  }

 private:
  TestNumber test_number() const {
    TestNumber test;
    if (comparison_.own_test) {
      test.name = comparison_.own_test->metric;
      test.goal = comparison_.own_test->goal;
      test.is_own = true;
      test.is_resampled = false;
      test.second = test.of_class = "";
      test.range = std::nullopt;
      test.own_test = test_text(*comparison_.own_test);
      return test;
    }
    const ComparedTask task = task_from_json(facts_.task);
    test.name = task.number;
    test.goal = task.goal;
    test.unit = task.unit;
    test.second = task.second;
    test.of_class = task.of_class;
    test.range = task.range;
    if (facts_.audit) test.no_audit = facts_.audit->none;
    return test;
  }

  void read_scoring(std::optional<int> wanted) {
    std::optional<store::Scoring> shown;
    report_.scorings = facts_.looks_before.value_or(0);
    for (store::Scoring& scoring : record_.scorings()) {
      if (!scoring.ended) continue;
      ++report_.scorings;
      if (!wanted || scoring.number == *wanted) shown = std::move(scoring);
    }
    if (!shown) return;
    report_.scoring_number = shown->number;
    for (store::Prediction& prediction : record_.predictions(shown->number))
      scores_.facts[prediction.model] = std::move(prediction.facts);
    take_scores(shown->result);
  }

  void take_scores(const Json& result) {
    const Json& results = result.at("results");
    TUNE_CHECK(results.size() == models_.size(), comparison_.name);
    if (comparison_.own_test) {
      for (std::size_t i = 0; i < models_.size(); ++i)
        scores_.score[models_[i].number] = results[i].at("score").get<double>();
      return;
    }
    const std::string& number = report_.test.name;
    // A task of another number may have none.
    const Json resamples = report_.test.is_average_precision() ? result.at("resamples")
                                                               : result.value("resamples", Json::object());
    report_.test.is_resampled = resamples.contains(number);
    report_.images = result.value(report_.test.unit, result.value("images", 0));
    report_.groups = resamples.value("groups", 0);
    for (const Json& warning : result.value("warnings", Json::array()))
      if (std::string text = warning.is_string() ? warning.get<std::string>() : warning.dump();
          std::find(report_.warnings.begin(), report_.warnings.end(), text) == report_.warnings.end())
        report_.warnings.push_back(std::move(text));
    report_.resamples = resamples.value("count", 0);
    for (std::size_t i = 0; i < models_.size(); ++i) {
      const int model = models_[i].number;
      scores_.score[model] = results[i].at(number).get<double>();
      if (const Json second = results[i].value(report_.test.second, Json()); second.is_number())
        scores_.second[model] = second.get<double>();
      if (report_.test.is_resampled) scores_.resampled[model] = number_list(resamples[number].at(i));
    }
  }

  std::vector<RunRow> runs_of(std::size_t approach, StudyRole role) const {
    std::vector<RunRow> runs;
    for (const store::FrozenModel& model : models_) {
      if (model.approach != comparison_.approaches[approach].name || model.role != to_string(role)) continue;
      RunRow run{model.number, model.study, model.trial, model.validation, {}, {}};
      if (const auto score = scores_.score.find(model.number); score != scores_.score.end()) {
        run.score = score->second;
        if (const auto second = scores_.second.find(model.number); second != scores_.second.end())
          run.second = second->second;
      }
      runs.push_back(std::move(run));
    }
    return runs;
  }

  // The rows of the study, once read; nullptr where there is none yet.
  const report::StudyRows* study_rows(const std::string& study) {
    const auto known = studies_.find(study);
    if (known != studies_.end()) return &known->second;
    const fs::path file = study_database(store_ / study);
    if (!fs::exists(file)) return nullptr;
    report::StudyRows rows = report::read_study(store::StudyStore(file, store::OpenMode::kRead));
    report::share_with_neighbours(rows, store_);
    return &studies_.emplace(study, std::move(rows)).first->second;
  }

  // What the first `most` trials of a study have cost, or all of them.
  report::Cost cost_of(const std::string& study, std::optional<int> most = {}) {
    report::Cost cost;
    if (report_.usd_per_hour) cost.usd = 0;
    const report::StudyRows* rows = study_rows(study);
    if (rows == nullptr) return cost;
    const report::CostReport costs(rows->trials, rows->attempts, report_.usd_per_hour, rows->neighbours);
    for (const store::TrialRow& trial : rows->trials)
      if (!most || trial.number <= *most) cost += costs.of(trial.number).total;
    return cost;
  }

  // Adds what was predicted for the study's first `most` trials, or for all of them.
  void add_prediction(ComparisonRow& row, const std::string& study, std::optional<int> most = {}) const {
    const store::CostForecast forecast = facts_.forecast_of(study);
    if (!forecast.device_hours || !forecast.trials) return;
    const double hours = *forecast.device_hours, trials = *forecast.trials;
    row.predicted_hours =
        row.predicted_hours.value_or(0) + (most ? hours / trials * std::min<double>(*most, trials) : hours);
    row.predicted_at_most |= forecast.at_most;
  }

  ComparisonRow begin_row(std::size_t approach, RowKind kind) const {
    ComparisonRow row;
    row.approach = comparison_.approaches[approach].name;
    row.kind = kind;
    row.table = comparison_.approaches[approach].table;
    const Objective objective = approach_objective(comparison_, approach);
    row.validation_metric = objective.metric;
    row.lower_validation_is_better = objective.goal == Goal::kMinimize;
    for (const auto& [machine, probe] : facts_.probes_of(row.approach)) {
      row.precision = probe.precision;
      for (const store::ProbeCandidate& candidate : probe.candidates)
        if (candidate.precision == probe.precision && candidate.peak_memory_bytes.value_or(0) > 0)
          row.training_memory_bytes = static_cast<double>(*candidate.peak_memory_bytes);
    }
    return row;
  }

  // The best validation first.
  static void rank(ComparisonRow& row) {
    std::stable_sort(row.runs.begin(), row.runs.end(), [&](const RunRow& a, const RunRow& b) {
      return row.lower_validation_is_better ? a.validation < b.validation : a.validation > b.validation;
    });
  }

  ScoredRuns scored(const ComparisonRow& row) const {
    ScoredRuns runs;
    for (const RunRow& run : row.runs) {
      if (!run.score) continue;
      if (row.kind == RowKind::kBestOfSeeds) runs.ranked.push_back(runs.scores.size());
      runs.scores.push_back(*run.score);
      if (report_.test.is_resampled) runs.resampled.push_back(scores_.resampled.at(run.model));
    }
    return runs;
  }

  // What is largest among the row's models, but for the latency, which is the least.
  void measure(ComparisonRow& row) const {
    const auto take = [&](const RunRow& run) {
      const auto found = scores_.facts.find(run.model);
      if (found == scores_.facts.end()) return;
      const auto number = [&](const char* key) {
        const Json value = found->second.value(key, Json());
        return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
      };
      const auto raise = [&](const char* key, std::optional<double>& most) {
        if (const auto value = number(key)) most = std::max(most.value_or(0), *value);
      };
      raise("parameters", row.parameters);
      raise("multiply_adds", row.multiply_adds);
      if (const auto latency = number("latency_ms"))
        row.latency_ms = std::min(row.latency_ms.value_or(*latency), *latency);
      raise("peak_memory_bytes", row.peak_memory_bytes);
    };
    for (const RunRow& run : row.runs) take(run);
    if (row.winner) take(*row.winner);
  }

  // Rows of one network are as fast as each other: what made one slower was the machine's other work.
  void share_latency() {
    std::map<std::pair<double, double>, double> least;
    for (const bool take : {true, false})
      for (ComparisonRow& row : report_.rows) {
        if (!row.latency_ms || !row.parameters || !row.multiply_adds) continue;
        double& latency =
            least.emplace(std::pair(*row.parameters, *row.multiply_adds), *row.latency_ms).first->second;
        if (take)
          latency = std::min(latency, *row.latency_ms);
        else
          row.latency_ms = latency;
      }
  }

  void finish_row(ComparisonRow row) {
    measure(row);
    const ScoredRuns runs = scored(row);
    row.score = row_score(runs);
    const bool is_best = row.kind == RowKind::kBestOfSeeds;
    double validation = 0, second = 0;
    for (const RunRow& run : row.runs) {
      validation += run.validation / static_cast<double>(row.runs.size());
      second += run.second.value_or(0) / static_cast<double>(row.runs.size());
    }
    if (!row.runs.empty()) {
      if (is_best)
        row.selection = row.runs.front().validation;
      else
        row.fresh_validation = validation;
      if (row.score && row.runs.front().second)
        row.second = is_best ? row.runs.front().second : std::optional(second);
    }
    if (row.winner) {
      row.selection = row.winner->validation;
      row.winner_score = row.winner->score;
    }
    row.score_spread = spread(runs.scores);
    scored_.push_back(runs);
    report_.rows.push_back(std::move(row));
  }

  void add_tuned(std::size_t approach, RowKind kind, StudyRole search, StudyRole tuned) {
    ComparisonRow row = begin_row(approach, kind);
    row.runs = runs_of(approach, tuned);
    const std::vector<RunRow> winners = runs_of(approach, search);
    if (!winners.empty()) {
      row.winner = winners.front();
      if (const report::StudyRows* rows = study_rows(row.winner->study))
        for (const store::TrialRow& trial : rows->trials)
          if (trial.number == row.winner->trial) row.chosen = trial.parameters;
    }
    for (const StudyRole role : {search, tuned}) {
      const std::string study = study_name(comparison_, approach, role);
      row.cost += cost_of(study);
      add_prediction(row, study);
    }
    finish_row(std::move(row));
  }

  void add_approach(std::size_t approach) {
    const Approach& one = comparison_.approaches[approach];
    if (!one.note.empty()) report_.notes.push_back(one.name + ": " + one.note);
    if (!one.deviations.empty()) report_.deviations.push_back({one.name, one.deviations});
    const std::string study = study_name(comparison_, approach, StudyRole::kDefaults);
    ComparisonRow defaults = begin_row(approach, RowKind::kDefaults);
    const std::vector<RunRow> all = runs_of(approach, StudyRole::kDefaults);
    for (const RunRow& run : all)
      if (run.trial <= comparison_.seeds) defaults.runs.push_back(run);
    defaults.cost = cost_of(study, comparison_.seeds);
    add_prediction(defaults, study, comparison_.seeds);
    finish_row(std::move(defaults));
    if (!one.has_search) return;
    if (comparison_.best_of_seeds) {
      ComparisonRow best = begin_row(approach, RowKind::kBestOfSeeds);
      best.runs = all;
      rank(best);
      best.cost = cost_of(study);
      add_prediction(best, study);
      finish_row(std::move(best));
    }
    add_tuned(approach, RowKind::kTuned, StudyRole::kSearch, StudyRole::kTuned);
    if (comparison_.random_search)
      add_tuned(approach, RowKind::kRandom, StudyRole::kRandom, StudyRole::kRandomTuned);
  }

  void add_costs() {
    const auto priced_seconds = [&](double seconds) {
      return report::priced(seconds, seconds, report_.usd_per_hour);
    };
    const double probing = billing::probing_seconds(facts_.probes);
    double scoring = facts_.scoring_seconds_before.value_or(0);
    for (const store::Scoring& one : record_.scorings())
      for (const store::Prediction& prediction : record_.predictions(one.number))
        scoring += prediction.seconds;
    report_.probing = priced_seconds(probing);
    report_.scoring = priced_seconds(scoring);
    if (facts_.forecast_predicting)
      report_.predicted_scoring_hours = facts_.forecast_predicting->device_hours;
    report_.validating = report_.idle = priced_seconds(0);
    report_.total = report_.probing;
    report_.total += report_.scoring;
    for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
      for (const StudyRole role : kStudyRoles) {
        add_study_cost(study_name(comparison_, i, role));
        add_cut(study_name(comparison_, i, role));
      }
    add_costs_of_studies_set_aside();
  }

  void add_costs_of_studies_set_aside() {
    const fs::path aside = studies_set_aside(comparison_folder({}, comparison_.name));
    std::set<std::string> names;
    std::error_code none;
    for (fs::directory_iterator at(store_ / aside, none), end; !none && at != end; at.increment(none))
      names.insert(at->path().filename().string());
    for (const std::string& name : names) {
      const std::size_t before = report_.studies.size();
      add_study_cost((aside / name).string());
      if (report_.studies.size() == before) continue;
      report_.studies.back().study = name + " (set aside)";
      report_.studies.back().predicted_hours = 0;
    }
  }

  void add_cut(const std::string& study) {
    for (const auto* cut : {&facts_.not_begun, &facts_.cut_by_budget})
      if (const auto what = cut->find(study); what != cut->end())
        report_.cut.push_back({study, what->second});
  }

  void add_study_cost(const std::string& study) {
    const report::StudyRows* rows = study_rows(study);
    if (rows == nullptr) return;
    const report::StudyBill bill = report::study_bill(*rows);
    StudyCost row;
    row.study = study;
    row.completed = bill.completed;
    row.stopped = bill.stopped;
    row.failed = bill.failed;
    row.retried = bill.retried;
    row.validating = bill.validating;
    row.idle = bill.idle;
    row.total = bill.total;
    const store::CostForecast forecast = facts_.forecast_of(study);
    row.predicted_hours = forecast.device_hours;
    row.predicted_at_most = forecast.at_most;
    row.no_prediction = forecast.reason;
    report_.total += row.total;
    report_.validating += row.validating;
    report_.idle += row.idle;
    report_.studies.push_back(std::move(row));
  }

  // The row of that kind; nullopt where there is none.
  std::optional<std::size_t> find_row(std::size_t approach, RowKind kind) const {
    for (std::size_t i = 0; i < report_.rows.size(); ++i)
      if (report_.rows[i].approach == comparison_.approaches[approach].name && report_.rows[i].kind == kind)
        return i;
    return std::nullopt;
  }

  // Weights that differ while other things do too: nobody can tell what made the difference. Where they are
  // all that differs, they are what is asked about.
  bool is_confounded(std::size_t a, std::size_t b) const {
    const auto of = [&](std::size_t i) {
      const auto weights = facts_.weights.find(comparison_.approaches[i].name);
      return weights == facts_.weights.end() ? std::string() : weights->second;
    };
    if (of(a) == of(b)) return false;
    const std::vector<std::string> different = approach_difference(comparison_, a, b);
    return std::any_of(different.begin(), different.end(),
                       [](const std::string& key) { return key != "weights"; });
  }

  void add_question(std::optional<std::size_t> row, std::optional<std::size_t> against,
                    const std::string& text, bool confounded, std::vector<Question>& questions) {
    if (!row || !against) return;
    questions.push_back({*row, *against, confounded});
    report_.answers.push_back({*row, *against, text, {}});
  }

  ScoreScale scale() const {
    return {report_.test.is_resampled, report_.test.range, report_.test.goal == Goal::kMaximize};
  }

  void ask() {
    std::vector<Question> questions;
    const std::size_t count = comparison_.approaches.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto tuned = find_row(i, RowKind::kTuned);
      add_question(tuned, find_row(i, RowKind::kBestOfSeeds), "tuning helped", false, questions);
      add_question(tuned, find_row(i, RowKind::kRandom), "better than random search", false, questions);
    }
    for (const RowKind kind : {RowKind::kDefaults, RowKind::kTuned})
      for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = a + 1; b < count; ++b)
          add_question(find_row(b, kind), find_row(a, kind),
                       kind == RowKind::kTuned ? "tuned, each its own way" : "at default hyperparameters",
                       is_confounded(a, b), questions);
    const auto groups = static_cast<std::size_t>(report_.groups);
    const auto intervals = score_intervals(scored_, groups, scale());
    for (std::size_t i = 0; i < intervals.size(); ++i) report_.rows[i].score_interval = intervals[i];
    const std::vector<Answer> answers = answer_questions(scored_, questions, groups, scale());
    for (std::size_t i = 0; i < answers.size(); ++i) report_.answers[i].answer = answers[i];
  }

  const fs::path store_;
  const Comparison& comparison_;
  const store::ComparisonStore& record_;
  const std::vector<store::FrozenModel> models_;
  store::ComparisonFacts facts_;
  TestScores scores_;
  std::map<std::string, report::StudyRows> studies_;
  std::vector<ScoredRuns> scored_;  // as report_.rows
  ComparisonReport report_;
};

}  // namespace

ComparisonReport read_comparison_report(const fs::path& store, const Comparison& comparison,
                                        const store::ComparisonStore& record, std::optional<int> scoring) {
  return Gatherer(store, comparison, record).gather(scoring);
}

PredictedTime predicted_in_all(const ComparisonReport& report) {
  PredictedTime sum{0.0, false};
  for (const StudyCost& study : report.studies) {
    if (!study.predicted_hours) return {};
    *sum.hours += *study.predicted_hours;
    sum.at_most |= study.predicted_at_most;
  }
  return sum;
}

}  // namespace tune::compare
