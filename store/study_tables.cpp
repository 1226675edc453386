#include "store/study_tables.h"

#include <algorithm>
#include <cmath>

#include "store/value_list.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/plural_text.h"

namespace tune::store {
namespace {

ParameterSet parameters_from(const std::string& text) { return json_of_cell(text).get<ParameterSet>(); }
std::vector<double> values_from_text(const std::string& text) { return values_from(json_of_cell(text)); }
std::optional<StopReason> stop_from(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(stop_reason_from_string(text));
}
StudyFacts facts_from(const std::string& text) { return json_of_cell(text).get<StudyFacts>(); }
TrialFacts trial_facts_from(const std::string& text) { return json_of_cell(text).get<TrialFacts>(); }
AttemptFacts attempt_facts_from(const std::string& text) { return json_of_cell(text).get<AttemptFacts>(); }
std::vector<std::string> names_from(const std::string& text) {
  return json_of_cell(text).get<std::vector<std::string>>();
}

// One of the objectives that a spec names, from 0; nullptr where it has fewer.
const Json* objective_in(const Json& spec, std::size_t index) {
  if (const auto one = spec.find("objective"); one != spec.end()) return index == 0 ? &*one : nullptr;
  const auto list = spec.find("objectives");
  return list != spec.end() && list->is_array() && index < list->size() ? &(*list)[index] : nullptr;
}

std::optional<Objective> second_objective(const Connection& connection, const Json& spec) {
  const Json* second = objective_in(spec, 1);
  if (second == nullptr) return std::nullopt;
  try {
    return Objective{second->at("metric").get<std::string>(),
                     goal_from(second->at("goal").get<std::string>()),
                     reduce_from(second->value("reduce", std::string("best")))};
  } catch (const std::exception& problem) {
    throw DamagedFile(connection.name() +
                      ": the second objective of its study's spec is damaged: " + problem.what());
  }
}

// How many the study has.
std::size_t objective_count(Connection& connection) {
  Query query(connection,
              "SELECT CASE json_valid(spec) WHEN 1 THEN coalesce(json_array_length(spec, '$.objectives'), 1) "
              "ELSE 1 END FROM study");
  return query.step() ? static_cast<std::size_t>(query.count()) : 1;
}

// The columns repeat what the spec says: where the two differ, the best trial may be the worst one.
void check_against_spec(const Connection& connection, const StudyRow& row) {
  const auto refuse = [&](const char* column) {
    throw DamagedFile(connection.name() + ": the column " + column +
                      " of its table study is not what the study's spec says");
  };
  if (!row.folder.starts_with('/'))
    throw DamagedFile(connection.name() + ": the folder of its study, \"" + row.folder +
                      "\", is not a full path");
  const Json* objective = objective_in(row.spec, 0);
  if (objective == nullptr) return;
  if (!objective->is_object()) refuse("spec");
  const auto is_said = [&](const char* key, const std::string& value) {
    const auto place = objective->find(key);
    return place == objective->end() || *place == value;
  };
  if (!is_said("metric", row.objective.metric)) refuse("metric");
  if (!is_said("goal", goal_text(row.objective.goal))) refuse("goal");
  const bool is_best = objective->contains("reduce") || row.objective.reduce == Reduce::kBest;
  if (!is_best || !is_said("reduce", reduce_text(row.objective.reduce))) refuse("reduce");
}

// A completed trial has a value for each objective, others may have some.
void check_values(const Connection& connection, int number, TrialState state,
                  const std::vector<double>& values, std::size_t objectives) {
  if (values.size() == objectives || (values.size() < objectives && state != TrialState::kCompleted)) return;
  throw DamagedFile(connection.name() + ": trial " + std::to_string(number) + " is " + to_string(state) +
                    ", and has " + plural_text(values.size(), "value") + " of its " +
                    (objectives == 1 ? "objective" : std::to_string(objectives) + " objectives"));
}

// Trials are numbered as they come.
void check_number(const Connection& connection, int number, std::size_t before) {
  if (number == static_cast<int>(before) + 1) return;
  throw DamagedFile(connection.name() +
                    (number < 1 ? ": there is a trial " + std::to_string(number)
                                : ": trial " + std::to_string(before + 1) +
                                      " is missing, though there is a trial " + std::to_string(number)));
}

// Columns of a row that its later states write again, in the order in which their values are bound.
#define TRIAL_STATE_COLUMNS                                            \
  "state, budget, note, reason, failure, objective_values, attempts, " \
  "started_ms, ended_ms, cut, facts"
#define TRIAL_COLUMNS "number, parameters, created_ms, " TRIAL_STATE_COLUMNS

#define ATTEMPT_STATE_COLUMNS                                                                 \
  "state, supervisor_pid, supervisor_start_time, boot_id, devices, threads, metrics_offset, " \
  "exit_code, signal, stop, reason, lease_seconds, cpu_seconds, max_rss_bytes, started_ms, ended_ms, facts"
#define EVENT_COLUMNS "id, time_ms, kind, trial, attempt, data"
#define ATTEMPT_COLUMNS "trial, attempt, token, created_ms, " ATTEMPT_STATE_COLUMNS

TrialRow read_trial(const Connection& connection, Query& query, std::size_t objectives) {
  TrialRow row;
  row.number = query.count();
  row.parameters = query.cell(parameters_from);
  row.created = query.time();
  row.state = query.cell(trial_state_from_string);
  row.budget = query.fraction();
  row.note = query.text();
  row.reason = query.text();
  row.failure = query.text();
  row.values = query.cell(values_from_text);
  row.attempts = query.count();
  row.started = query.maybe_time();
  row.ended = query.maybe_time();
  row.cut = query.text();
  row.facts = query.cell(trial_facts_from);
  check_values(connection, row.number, row.state, row.values, objectives);
  return row;
}

AttemptRow read_attempt(Query& query) {
  AttemptRow row;
  row.trial = query.count();
  row.attempt = query.count();
  row.token = query.text();
  row.created = query.time();
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
  row.started = query.maybe_time();
  row.ended = query.maybe_time();
  row.facts = query.cell(attempt_facts_from);
  return row;
}

Query& bind_state(Query& query, const TrialRow& row) {
  return query.bind(to_string(row.state))
      .bind(row.budget)
      .bind(row.note)
      .bind(row.reason)
      .bind(row.failure)
      .bind(values_json(row.values))
      .bind(row.attempts)
      .bind(row.started)
      .bind(row.ended)
      .bind(row.cut)
      .bind(Json(row.facts));
}

Query& bind_state(Query& query, const AttemptRow& row) {
  return query.bind(to_string(row.state))
      .bind(row.supervisor_pid)
      .bind(row.supervisor_start_time)
      .bind(row.boot_id)
      .bind(Json(row.devices))
      .bind(row.threads)
      .bind(row.metrics_offset)
      .bind(row.exit_code)
      .bind(row.signal)
      .bind(row.stop ? to_string(*row.stop) : "")
      .bind(row.reason)
      .bind(row.lease_seconds)
      .bind(row.cpu_seconds)
      .bind(row.max_rss_bytes)
      .bind(row.started)
      .bind(row.ended)
      .bind(Json(row.facts));
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

std::vector<EventRow> event_rows_from(Query& query) {
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

}  // namespace

StudyRow study_row(Connection& connection) {
  Query query(
      connection,
      "SELECT name, spec, spec_text, folder, seed, metric, goal, reduce, limits, state, finish_reason,"
      " elapsed_seconds, facts, created_ms, updated_ms, id FROM study");
  if (!query.step()) throw DamagedFile(connection.name() + ": its table study is empty");
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
    throw DamagedFile(connection.name() + ": the row of its table study has the id " + std::to_string(id) +
                      ", not 1");
  check_against_spec(connection, row);
  row.second = second_objective(connection, row.spec);
  return row;
}

void insert_row(Connection& connection, const StudyRow& row) {
  Query(connection,
        "INSERT INTO study (id, name, spec, spec_text, folder, seed, metric, goal, reduce, limits, state,"
        " finish_reason, elapsed_seconds, facts, created_ms, updated_ms)"
        " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(row.name)
      .bind(row.spec)
      .bind(row.spec_text)
      .bind(row.folder)
      .bind(row.seed)
      .bind(row.objective.metric)
      .bind(goal_text(row.objective.goal))
      .bind(reduce_text(row.objective.reduce))
      .bind(row.limits)
      .bind(to_string(row.state))
      .bind(row.finish_reason)
      .bind(row.elapsed_seconds)
      .bind(Json(row.facts))
      .bind(row.created)
      .bind(row.updated)
      .run();
}

void update_spec_of(Connection& connection, const StudyRow& row) {
  Query(connection, "UPDATE study SET spec = ?, spec_text = ?, folder = ?")
      .bind(row.spec)
      .bind(row.spec_text)
      .bind(row.folder)
      .run();
  TUNE_CHECK(connection.changes() == 1, connection.name());
}

void update_row(Connection& connection, const StudyRow& row) {
  Query(connection,
        "UPDATE study SET limits = ?, state = ?, finish_reason = ?, elapsed_seconds = ?, facts = ?,"
        " updated_ms = ?")
      .bind(row.limits)
      .bind(to_string(row.state))
      .bind(row.finish_reason)
      .bind(row.elapsed_seconds)
      .bind(Json(row.facts))
      .bind(row.updated)
      .run();
  TUNE_CHECK(connection.changes() == 1, connection.name());
}

std::optional<TrialRow> trial_row(Connection& connection, int number) {
  Query query(connection, "SELECT " TRIAL_COLUMNS " FROM trials WHERE number = ?");
  if (!query.bind(number).step()) return std::nullopt;
  return read_trial(connection, query, objective_count(connection));
}

std::vector<TrialRow> trial_rows(Connection& connection) {
  Query query(connection, "SELECT " TRIAL_COLUMNS " FROM trials ORDER BY number");
  const std::size_t objectives = objective_count(connection);
  std::vector<TrialRow> rows;
  while (query.step()) {
    TrialRow row = read_trial(connection, query, objectives);
    check_number(connection, row.number, rows.size());
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<TrialRow> trial_rows_in_short(Connection& connection, int first, int last) {
  // The explanation is most of what is stored about a trial.
  Query query(connection,
              "SELECT number, parameters, created_ms, state, budget, '', reason, failure, objective_values,"
              " attempts, started_ms, ended_ms, cut,"
              " CASE WHEN json_extract(facts, '$.explanation.strategy') = 'enqueue' THEN"
              " json_set(facts, '$.explanation', json_object('strategy', 'enqueue'))"
              " ELSE json_remove(facts, '$.explanation') END"
              " FROM trials WHERE number BETWEEN ? AND ? ORDER BY number");
  query.bind(first).bind(last);
  const std::size_t objectives = objective_count(connection);
  std::vector<TrialRow> rows;
  while (query.step()) {
    TrialRow row = read_trial(connection, query, objectives);
    check_number(connection, row.number, static_cast<std::size_t>(first) - 1 + rows.size());
    rows.push_back(std::move(row));
  }
  return rows;
}

void insert_row(Connection& connection, const TrialRow& row) {
  Query query(connection,
              "INSERT INTO trials (" TRIAL_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query.bind(row.number).bind(Json(row.parameters)).bind(row.created);
  bind_state(query, row).run();
}

void update_row(Connection& connection, const TrialRow& row) {
  Query query(connection, "UPDATE trials SET (" TRIAL_STATE_COLUMNS
                          ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE number = ?");
  bind_state(query, row).bind(row.number).run();
  TUNE_CHECK(connection.changes() == 1, "trial " + std::to_string(row.number));
}

std::vector<AttemptRow> attempt_rows(Connection& connection, int trial) {
  return attempt_rows_between(connection, trial, trial == 0 ? INT32_MAX : trial);
}

std::vector<AttemptRow> attempt_rows_between(Connection& connection, int first, int last) {
  Query query(connection,
              "SELECT " ATTEMPT_COLUMNS " FROM attempts WHERE trial BETWEEN ? AND ? ORDER BY trial, attempt");
  query.bind(first).bind(last);
  std::vector<AttemptRow> rows;
  while (query.step()) rows.push_back(read_attempt(query));
  return rows;
}

std::vector<AttemptRow> attempt_rows_on_devices(Connection& connection, WallTime since) {
  Query query(connection, "SELECT " ATTEMPT_COLUMNS
                          " FROM attempts WHERE devices <> '[]' AND (ended_ms IS NULL OR ended_ms >= ?)"
                          " ORDER BY trial, attempt");
  query.bind(since);
  std::vector<AttemptRow> rows;
  while (query.step()) rows.push_back(read_attempt(query));
  return rows;
}

void insert_row(Connection& connection, const AttemptRow& row) {
  Query query(connection, "INSERT INTO attempts (" ATTEMPT_COLUMNS
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  query.bind(row.trial).bind(row.attempt).bind(row.token).bind(row.created);
  bind_state(query, row).run();
}

void update_row(Connection& connection, const AttemptRow& row) {
  Query query(connection,
              "UPDATE attempts SET (" ATTEMPT_STATE_COLUMNS
              ") = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE trial = ? AND attempt = ?");
  bind_state(query, row).bind(row.trial).bind(row.attempt).run();
  TUNE_CHECK(connection.changes() == 1,
             "trial " + std::to_string(row.trial) + ", attempt " + std::to_string(row.attempt));
}

std::vector<EventRow> event_rows(Connection& connection, std::int64_t after_id, int limit) {
  Query query(connection, "SELECT " EVENT_COLUMNS " FROM events WHERE id > ? ORDER BY id LIMIT ?");
  query.bind(after_id).bind(limit);
  return event_rows_from(query);
}

std::vector<EventRow> event_rows_of(Connection& connection, int trial) {
  Query query(connection, "SELECT " EVENT_COLUMNS " FROM events WHERE trial = ? ORDER BY id");
  query.bind(trial);
  return event_rows_from(query);
}

std::int64_t insert_row(Connection& connection, const EventRow& row) {
  Query query(connection,
              "INSERT INTO events (id, time_ms, kind, trial, attempt, data)"
              " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM events), ?, ?, ?, ?, ?) RETURNING id");
  query.bind(row.time).bind(row.kind).bind(row.trial).bind(row.attempt).bind(row.data);
  TUNE_CHECK(query.step());
  const std::int64_t id = query.integer();
  // Ends the statement before the commit: an INSERT ... RETURNING that is still being stepped keeps COMMIT
  // from running.
  TUNE_CHECK(!query.step());
  return id;
}

std::vector<std::shared_ptr<TrialView>> trial_views(Connection& connection) {
  Query rows(connection,
             "SELECT number, parameters, state, budget, objective_values, failure, facts FROM trials ORDER "
             "BY number");
  const std::size_t objectives = objective_count(connection);
  std::vector<std::shared_ptr<TrialView>> views;
  int apart = 0;
  while (rows.step()) {
    auto view = std::make_shared<TrialView>();
    view->number = rows.count();
    view->parameters = rows.cell(parameters_from);
    view->state = rows.cell(trial_state_from_string);
    view->budget = rows.fraction();
    view->values = rows.cell(values_from_text);
    check_values(connection, view->number, view->state, view->values, objectives);
    if (!all_finite(view->values)) view->values.clear();
    view->failure = rows.text();
    const TrialFacts facts = rows.cell(trial_facts_from);
    if (facts.rerun_of) view->role = SearchRole::kRepeat;
    if (facts.deleted && !facts.rerun_of) view->role = SearchRole::kNothing;
    view->step_seconds = facts.step_seconds.value_or(0);
    view->did_not_fit = !facts.overrides.empty();
    view->replicate_of = facts.replicate_of;
    view->apart_before = apart;
    apart += view->replicate_of || view->role == SearchRole::kRepeat;
    check_number(connection, view->number, views.size());
    views.push_back(std::move(view));
  }
  return views;
}

void add_device_memory(Connection& connection, const std::vector<std::shared_ptr<TrialView>>& views) {
  Query query(connection,
              "SELECT trial, facts FROM attempts WHERE facts LIKE '%\"peak_device_memory\"%' ORDER BY trial, "
              "attempt");
  while (query.step()) {
    const auto trial = static_cast<std::size_t>(query.count());
    const AttemptFacts facts = query.cell(attempt_facts_from);
    if (trial <= views.size() && facts.overrides.empty() && is_finished(views[trial - 1]->state))
      views[trial - 1]->device_memory = facts.peak_device_memory;
  }
}

std::vector<EarlierTrial> earlier_trial_rows(Connection& connection) {
  Query query(connection,
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

void insert_row(Connection& connection, const EarlierTrial& earlier) {
  Query(connection,
        "INSERT INTO earlier_trials (study, kind, number, parameters, state, budget, failure, "
        "objective_values) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(earlier.study)
      .bind(to_string(earlier.kind))
      .bind(earlier.trial->number)
      .bind(Json(earlier.trial->parameters))
      .bind(to_string(earlier.trial->state))
      .bind(earlier.trial->budget)
      .bind(earlier.trial->failure)
      .bind(values_json(earlier.trial->values))
      .run();
}

}  // namespace tune::store
