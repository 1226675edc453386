// Every SELECT of a study.
#include <algorithm>
#include <cmath>

#include "store/study_impl.h"
#include "store/study_store.h"
#include "store/value_list.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"

namespace tune::store {
namespace {

ParameterSet parameters_from(const std::string& text) { return Json::parse(text).get<ParameterSet>(); }
std::vector<double> values_from_text(const std::string& text) { return values_from(Json::parse(text)); }
std::optional<StopReason> stop_from(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(stop_reason_from_string(text));
}
StudyFacts facts_from(const std::string& text) { return Json::parse(text).get<StudyFacts>(); }
std::vector<std::string> names_from(const std::string& text) {
  return Json::parse(text).get<std::vector<std::string>>();
}

#define TRIAL_COLUMNS                                                                                  \
  "number, parameters, state, budget, note, reason, failure, objective_values, attempts, created_ms, " \
  "started_ms, "                                                                                       \
  "ended_ms, cut"

#define ATTEMPT_COLUMNS                                                                             \
  "trial, attempt, token, state, supervisor_pid, supervisor_start_time, boot_id, devices, threads," \
  " metrics_offset, exit_code, signal, stop, reason, lease_seconds, cpu_seconds, max_rss_bytes, "   \
  "created_ms, started_ms, ended_ms"

TrialRow read_trial(Query& query) {
  TrialRow row;
  row.number = query.count();
  row.parameters = query.cell(parameters_from);
  row.state = query.cell(trial_state_from_string);
  row.budget = query.fraction();
  row.note = query.text();
  row.reason = query.text();
  row.failure = query.text();
  row.values = query.cell(values_from_text);
  row.attempts = query.count();
  row.created = query.time();
  row.started = query.maybe_time();
  row.ended = query.maybe_time();
  row.cut = query.text();
  return row;
}

AttemptRow read_attempt(Query& query) {
  AttemptRow row;
  row.trial = query.count();
  row.attempt = query.count();
  row.token = query.text();
  row.state = query.cell(attempt_state_from_string);
  row.supervisor_pid = query.integer();
  row.supervisor_start_time = query.bits();
  row.boot_id = query.text();
  row.devices = query.cell(names_from);
  row.threads = query.count();
  row.metrics_offset = query.bytes();
  row.exit_code = query.maybe_small();
  row.signal = query.maybe_small();
  row.stop = query.cell(stop_from);
  row.reason = query.text();
  row.lease_seconds = query.seconds();
  row.cpu_seconds = query.seconds();
  row.max_rss_bytes = query.bytes();
  row.created = query.time();
  row.started = query.maybe_time();
  row.ended = query.maybe_time();
  return row;
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

}  // namespace

const std::string& StudyStore::file() const { return impl_->connection.name(); }

StudyRow StudyStore::study() const {
  Query query(
      impl_->connection,
      "SELECT name, spec, spec_text, folder, seed, metric, goal, reduce, limits, state, finish_reason,"
      " elapsed_seconds, facts, created_ms, updated_ms, id FROM study");
  if (!query.step()) throw DamagedFile(impl_->connection.name() + ": its table study is empty");
  StudyRow row;
  row.name = query.text();
  row.spec = query.object();
  row.spec_text = query.text();
  row.folder = query.text();
  row.seed = query.bits();
  row.objective.metric = query.text();
  row.objective.goal = query.cell(goal_from);
  row.objective.reduce = query.cell(reduce_from);
  row.limits = query.object();
  row.state = query.cell(study_state_from_string);
  row.finish_reason = query.text();
  row.elapsed_seconds = query.seconds();
  row.facts = query.cell(facts_from);
  row.created = query.time();
  row.updated = query.time();
  if (const std::int64_t id = query.integer(); id != 1)
    throw DamagedFile(impl_->connection.name() + ": the row of its table study has the id " +
                      std::to_string(id) + ", not 1");
  return row;
}

int StudyStore::trial_count() const {
  return static_cast<int>(impl_->connection.number("SELECT coalesce(max(number), 0) FROM trials"));
}

std::optional<TrialRow> StudyStore::trial(int number) const {
  Query query(impl_->connection, "SELECT " TRIAL_COLUMNS " FROM trials WHERE number = ?");
  if (!query.bind(number).step()) return std::nullopt;
  return read_trial(query);
}

std::vector<TrialRow> StudyStore::trials() const {
  Query query(impl_->connection, "SELECT " TRIAL_COLUMNS " FROM trials ORDER BY number");
  std::vector<TrialRow> rows;
  while (query.step()) rows.push_back(read_trial(query));
  return rows;
}

std::vector<AttemptRow> StudyStore::attempts(int trial) const {
  Query query(impl_->connection,
              "SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE trial BETWEEN ? AND ? ORDER BY trial, attempt");
  query.bind(trial).bind(trial == 0 ? std::int64_t{INT32_MAX} : std::int64_t{trial});
  std::vector<AttemptRow> rows;
  while (query.step()) rows.push_back(read_attempt(query));
  return rows;
}

std::vector<AttemptRow> StudyStore::attempts_on_devices(WallTime since) const {
  Query query(impl_->connection,
              "SELECT " ATTEMPT_COLUMNS
              " FROM attempts WHERE devices <> '[]' AND (ended_ms IS NULL OR ended_ms >= ?)"
              " ORDER BY trial, attempt");
  query.bind(since);
  std::vector<AttemptRow> rows;
  while (query.step()) rows.push_back(read_attempt(query));
  return rows;
}

std::vector<MetricRow> StudyStore::metrics(int trial, const std::string& name) const {
  Query query(impl_->connection,
              "SELECT n.name, m.step, m.value, m.attempt, m.time_ms FROM metric_names n"
              " JOIN metrics m ON m.metric = n.id AND m.trial = ?1 WHERE ?2 = '' OR n.name = ?2 ORDER BY "
              "n.name, m.step");
  query.bind(trial).bind(name);
  std::vector<MetricRow> rows;
  while (query.step()) {
    MetricRow row;
    row.trial = trial;
    row.name = query.text();
    row.point.step = query.integer();
    row.point.value = query.real();
    row.attempt = query.small();
    row.time = query.time();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<MetricPoint> StudyStore::curve(int trial, const std::string& name) const {
  Query query(impl_->connection,
              "SELECT step, value FROM metrics WHERE metric = (SELECT id FROM metric_names WHERE name = ?) "
              "AND trial = ?"
              " ORDER BY step");
  query.bind(name).bind(trial);
  std::vector<MetricPoint> points;
  while (query.step()) {
    const std::int64_t step = query.integer();
    points.push_back({step, query.real()});
  }
  return points;
}

std::map<int, MetricPoint> StudyStore::last_points(const std::string& name) const {
  // SQLite takes the other columns from the row that holds the maximum.
  Query query(impl_->connection,
              "SELECT trial, max(step), value FROM metrics WHERE metric = (SELECT id FROM metric_names WHERE "
              "name = ?) GROUP BY trial");
  query.bind(name);
  std::map<int, MetricPoint> points;
  while (query.step()) {
    const int trial = query.small();
    const std::int64_t step = query.integer();
    points[trial] = {step, query.real()};
  }
  return points;
}

std::map<std::pair<int, int>, double> StudyStore::metric_sums(const std::string& name) const {
  Query query(impl_->connection,
              "SELECT trial, attempt, sum(value) FROM metrics WHERE metric = (SELECT id FROM metric_names "
              "WHERE name = ?) AND typeof(value) = 'real' GROUP BY trial, attempt");
  query.bind(name);
  std::map<std::pair<int, int>, double> sums;
  while (query.step()) {
    const int trial = query.small(), attempt = query.small();
    sums[{trial, attempt}] = query.real();
  }
  Query removed(impl_->connection,
                "SELECT trial, attempt, json_extract(data, ?1) FROM events WHERE kind = ?2 AND"
                " json_type(data, ?1) IN ('real', 'integer')");
  removed.bind("$.sums.\"" + name + "\"").bind(kMetricsRemoved);
  while (removed.step()) {
    const int trial = removed.small(), attempt = removed.small();
    sums[{trial, attempt}] += removed.real();
  }
  return sums;
}

std::vector<EventRow> StudyStore::events(std::int64_t after_id, int limit) const {
  Query query(impl_->connection,
              "SELECT id, time_ms, kind, trial, attempt, data FROM events WHERE id > ? ORDER BY id LIMIT ?");
  query.bind(after_id).bind(limit);
  std::vector<EventRow> rows;
  while (query.step()) {
    EventRow row;
    row.id = query.integer();
    row.time = query.time();
    row.kind = query.text();
    row.trial = query.small();
    row.attempt = query.small();
    row.data = query.object();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<RunningTime> StudyStore::running_times() const {
  Query starts(impl_->connection, "SELECT id, time_ms FROM events WHERE kind = 'study_started' ORDER BY id");
  std::vector<std::pair<std::int64_t, WallTime>> runs;
  while (starts.step()) {
    const std::int64_t id = starts.integer();
    runs.emplace_back(id, starts.time());
  }
  std::vector<RunningTime> times;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::int64_t next = i + 1 < runs.size() ? runs[i + 1].first : INT64_MAX;
    Query last(impl_->connection, "SELECT max(time_ms) FROM events WHERE id >= ? AND id < ?");
    last.bind(runs[i].first).bind(next).step();
    times.push_back({runs[i].second, std::max(runs[i].second, last.time())});
  }
  return times;
}

std::vector<EarlierTrial> StudyStore::earlier_trials() const {
  Query query(impl_->connection,
              "SELECT study, kind, number, parameters, state, budget, failure, objective_values"
              " FROM earlier_trials ORDER BY id");
  std::vector<EarlierTrial> trials;
  while (query.step()) {
    EarlierTrial earlier;
    earlier.study = query.text();
    earlier.kind = query.cell(warm_start_from_string);
    auto view = std::make_shared<TrialView>();
    view->number = query.count();
    view->parameters = query.cell(parameters_from);
    view->state = query.cell(trial_state_from_string);
    view->budget = query.fraction();
    view->failure = query.text();
    view->values = query.cell(values_from_text);
    earlier.trial = std::move(view);
    trials.push_back(std::move(earlier));
  }
  return trials;
}

History StudyStore::load_history() const {
  const ReadTransaction transaction(impl_->connection, impl_->depth == 0);
  History history;
  history.objective = study().objective;
  std::vector<std::shared_ptr<TrialView>> views;
  Query rows(
      impl_->connection,
      "SELECT number, parameters, state, budget, objective_values, failure FROM trials ORDER BY number");
  while (rows.step()) {
    auto view = std::make_shared<TrialView>();
    view->number = rows.count();
    view->parameters = rows.cell(parameters_from);
    view->state = rows.cell(trial_state_from_string);
    view->budget = rows.fraction();
    view->values = rows.cell(values_from_text);
    if (!all_finite(view->values)) view->values.clear();
    view->failure = rows.text();
    if (view->number != static_cast<int>(views.size()) + 1)
      throw DamagedFile(impl_->connection.name() + ": trial " + std::to_string(views.size() + 1) +
                        " is missing, though there is a trial " + std::to_string(view->number));
    views.push_back(std::move(view));
  }
  Query points(
      impl_->connection,
      "SELECT trial, step, value FROM metrics WHERE metric = (SELECT id FROM metric_names WHERE name = ?)"
      " ORDER BY trial, step");
  points.bind(history.objective.metric);
  while (points.step()) {
    const auto index = static_cast<std::size_t>(points.count()) - 1;
    if (index >= views.size())
      throw DamagedFile(impl_->connection.name() + ": a value belongs to no trial that is there");
    auto& curve = views[index]->curve;
    const std::int64_t step = points.integer();
    curve.push_back({step, points.real()});
  }
  for (const auto& view : views) view->curve.shrink_to_fit();
  history.trials.assign(views.begin(), views.end());
  if (auto earlier = earlier_trials(); !earlier.empty())
    history.earlier = std::make_shared<const std::vector<EarlierTrial>>(std::move(earlier));
  return history;
}

}  // namespace tune::store
