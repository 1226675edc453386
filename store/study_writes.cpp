// Every INSERT and UPDATE of a study.
#include "store/study_impl.h"
#include "store/study_store.h"
#include "store/value_list.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"

namespace tune::store {

void StudyStore::create_study(const StudyRow& row) {
  Transaction transaction(*this);
  Query(impl_->connection,
        "INSERT INTO study (id, name, spec, spec_text, folder, seed, metric, goal, reduce, limits, state, "
        "finish_reason,"
        " elapsed_seconds, facts, created_ms, updated_ms) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?)")
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
  transaction.commit();
}

void StudyStore::replace_study(const StudyRow& row) {
  Transaction transaction(*this);
  TUNE_CHECK(trial_count() == 0, impl_->connection.name());
  Query(impl_->connection, "DELETE FROM study").run();
  create_study(row);
  transaction.commit();
}

void StudyStore::update_spec(const StudyRow& row) {
  Transaction transaction(*this);
  Query(impl_->connection, "UPDATE study SET spec = ?, spec_text = ?, folder = ?")
      .bind(row.spec)
      .bind(row.spec_text)
      .bind(row.folder)
      .run();
  TUNE_CHECK(impl_->connection.changes() == 1, impl_->connection.name());
  transaction.commit();
}

void StudyStore::update_study(const StudyRow& row) {
  Transaction transaction(*this);
  Query(impl_->connection,
        "UPDATE study SET limits = ?, state = ?, finish_reason = ?, elapsed_seconds = ?, facts = ?, "
        "updated_ms = ?")
      .bind(row.limits)
      .bind(to_string(row.state))
      .bind(row.finish_reason)
      .bind(row.elapsed_seconds)
      .bind(Json(row.facts))
      .bind(row.updated)
      .run();
  TUNE_CHECK(impl_->connection.changes() == 1, impl_->connection.name());
  transaction.commit();
}

void StudyStore::insert_trial(const TrialRow& row) {
  Transaction transaction(*this);
  const std::int64_t last = impl_->connection.number("SELECT coalesce(max(number), 0) FROM trials");
  TUNE_CHECK(row.number == last + 1,
             "trial " + std::to_string(row.number) + " after " + std::to_string(last));
  Query(impl_->connection,
        "INSERT INTO trials (number, parameters, state, budget, note, reason, failure, objective_values, "
        "attempts,"
        " created_ms, started_ms, ended_ms, cut) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(row.number)
      .bind(Json(row.parameters))
      .bind(to_string(row.state))
      .bind(row.budget)
      .bind(row.note)
      .bind(row.reason)
      .bind(row.failure)
      .bind(values_json(row.values))
      .bind(row.attempts)
      .bind(row.created)
      .bind(row.started)
      .bind(row.ended)
      .bind(row.cut)
      .run();
  transaction.commit();
}

void StudyStore::update_trial(const TrialRow& row) {
  Transaction transaction(*this);
  Query(impl_->connection,
        "UPDATE trials SET state = ?, budget = ?, note = ?, reason = ?, failure = ?, objective_values = ?, "
        "attempts = ?,"
        " started_ms = ?, ended_ms = ?, cut = ? WHERE number = ?")
      .bind(to_string(row.state))
      .bind(row.budget)
      .bind(row.note)
      .bind(row.reason)
      .bind(row.failure)
      .bind(values_json(row.values))
      .bind(row.attempts)
      .bind(row.started)
      .bind(row.ended)
      .bind(row.cut)
      .bind(row.number)
      .run();
  TUNE_CHECK(impl_->connection.changes() == 1, "trial " + std::to_string(row.number));
  transaction.commit();
}

std::int64_t StudyStore::change_finished_trial(const TrialRow& row, EventRow event) {
  Transaction transaction(*this);
  const std::optional<TrialRow> before = trial(row.number);
  TUNE_CHECK(before && is_finished(before->state), "trial " + std::to_string(row.number));
  event.trial = row.number;
  event.data["before"] = {{"state", to_string(before->state)},
                          {"reason", before->reason},
                          {"failure", before->failure},
                          {"values", values_json(before->values)}};
  const std::int64_t id = append_event(event);
  update_trial(row);
  transaction.commit();
  return id;
}

void StudyStore::insert_attempt(const AttemptRow& row) {
  Transaction transaction(*this);
  Query(
      impl_->connection,
      "INSERT INTO attempts (trial, attempt, token, state, supervisor_pid, supervisor_start_time, boot_id, "
      "devices,"
      " threads, metrics_offset, exit_code, signal, stop, reason, lease_seconds, cpu_seconds, max_rss_bytes,"
      " created_ms, started_ms, ended_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?)")
      .bind(row.trial)
      .bind(row.attempt)
      .bind(row.token)
      .bind(to_string(row.state))
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
      .bind(row.created)
      .bind(row.started)
      .bind(row.ended)
      .run();
  transaction.commit();
}

void StudyStore::update_attempt(const AttemptRow& row) {
  Transaction transaction(*this);
  Query(
      impl_->connection,
      "UPDATE attempts SET state = ?, supervisor_pid = ?, supervisor_start_time = ?, boot_id = ?, devices = "
      "?,"
      " threads = ?, metrics_offset = ?, exit_code = ?, signal = ?, stop = ?, reason = ?, lease_seconds = ?,"
      " cpu_seconds = ?, max_rss_bytes = ?, started_ms = ?, ended_ms = ? WHERE trial = ? AND attempt = ?")
      .bind(to_string(row.state))
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
      .bind(row.trial)
      .bind(row.attempt)
      .run();
  TUNE_CHECK(impl_->connection.changes() == 1,
             "trial " + std::to_string(row.trial) + ", attempt " + std::to_string(row.attempt));
  transaction.commit();
}

std::int64_t StudyStore::Impl::metric_id(const std::string& name) {
  const auto known = metric_ids.find(name);
  if (known != metric_ids.end()) return known->second;
  Query(connection, "INSERT INTO metric_names (name) VALUES (?) ON CONFLICT (name) DO NOTHING")
      .bind(name)
      .run();
  Query query(connection, "SELECT id FROM metric_names WHERE name = ?");
  TUNE_CHECK(query.bind(name).step(), name);
  return metric_ids[name] = query.integer();
}

// The step of a point of bookkeeping. Where that is taken it becomes the one after the last, so that both
// points are summed.
std::int64_t StudyStore::Impl::free_step(const MetricRow& row) {
  const std::int64_t metric = metric_id(row.name);
  Query taken(connection, "SELECT 1 FROM metrics WHERE metric = ? AND trial = ? AND step = ?");
  if (!taken.bind(metric).bind(row.trial).bind(row.point.step).step()) return row.point.step;
  Query last(connection, "SELECT max(step) FROM metrics WHERE metric = ? AND trial = ?");
  last.bind(metric).bind(row.trial).step();
  return last.integer() + 1;
}

void StudyStore::insert_metrics(const std::vector<MetricRow>& rows) {
  if (rows.empty()) return;
  Transaction transaction(*this);
  Query query(
      impl_->connection,
      "INSERT INTO metrics (metric, trial, step, value, attempt, time_ms) VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (metric, trial, step) DO UPDATE SET value = excluded.value, attempt = excluded.attempt,"
      " time_ms = excluded.time_ms");
  for (const MetricRow& row : rows)
    query.bind(impl_->metric_id(row.name))
        .bind(row.trial)
        .bind(row.name.starts_with(kBookkeeping) ? impl_->free_step(row) : row.point.step)
        .bind(row.point.value)
        .bind(row.attempt)
        .bind(row.time)
        .run();
  transaction.commit();
}

void StudyStore::keep_bookkeeping(int trial) {
  Query query(impl_->connection,
              "SELECT n.name, m.attempt, sum(m.value), max(m.time_ms) FROM metric_names n JOIN metrics m ON"
              " m.metric = n.id AND m.trial = ?1 WHERE substr(n.name, 1, length(?2)) = ?2 AND typeof(m.value)"
              " = 'real' GROUP BY n.name, m.attempt");
  query.bind(trial).bind(kBookkeeping);
  std::map<int, EventRow> by_attempt;
  while (query.step()) {
    const std::string name = query.text();
    const int attempt = query.small();
    EventRow& event = by_attempt[attempt];
    event.data["sums"][name] = query.real();
    event.time = std::max(event.time, query.time());
  }
  for (auto& [attempt, event] : by_attempt) {
    event.kind = kMetricsRemoved;
    event.trial = trial;
    event.attempt = attempt;
    append_event(event);
  }
}

void StudyStore::remove_metrics(int trial) {
  Transaction transaction(*this);
  keep_bookkeeping(trial);
  // By metric, as the key begins: the table may be large.
  Query(impl_->connection, "DELETE FROM metrics WHERE metric IN (SELECT id FROM metric_names) AND trial = ?")
      .bind(trial)
      .run();
  transaction.commit();
}

std::int64_t StudyStore::append_event(const EventRow& row) {
  Transaction transaction(*this);
  Query query(impl_->connection,
              "INSERT INTO events (id, time_ms, kind, trial, attempt, data)"
              " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM events), ?, ?, ?, ?, ?) RETURNING id");
  query.bind(row.time).bind(row.kind).bind(row.trial).bind(row.attempt).bind(row.data);
  TUNE_CHECK(query.step());
  const std::int64_t id = query.integer();
  // Ends the statement before the commit: an INSERT ... RETURNING that is still being stepped keeps COMMIT
  // from running.
  TUNE_CHECK(!query.step());
  transaction.commit();
  return id;
}

void StudyStore::replace_earlier_trials(const std::vector<EarlierTrial>& trials) {
  Transaction transaction(*this);
  Query(impl_->connection, "DELETE FROM earlier_trials").run();
  Query query(impl_->connection,
              "INSERT INTO earlier_trials (study, kind, number, parameters, state, budget, failure, "
              "objective_values) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const EarlierTrial& earlier : trials)
    query.bind(earlier.study)
        .bind(to_string(earlier.kind))
        .bind(earlier.trial->number)
        .bind(Json(earlier.trial->parameters))
        .bind(to_string(earlier.trial->state))
        .bind(earlier.trial->budget)
        .bind(earlier.trial->failure)
        .bind(values_json(earlier.trial->values))
        .run();
  transaction.commit();
}

}  // namespace tune::store
