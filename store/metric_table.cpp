#include "store/metric_table.h"

#include <algorithm>

#include "store/study_tables.h"
#include "tuner/core/error.h"
#include "tuner/core/metric_names.h"

// What joins names and points names CROSS JOIN, so that SQLite takes the names first: there are a few, and
// the points of each are in order of the trials.
namespace tune::store {
namespace {

// Event: {"sums": {"seconds:validation": 12.5}} of an attempt whose points are gone.
constexpr const char* kMetricsRemoved = "metrics_removed";

}  // namespace

std::int64_t MetricTable::id_of(const std::string& name) {
  const auto known = ids_.find(name);
  if (known != ids_.end()) return known->second;
  Query(connection_, "INSERT INTO metric_names (name) VALUES (?) ON CONFLICT (name) DO NOTHING")
      .bind(name)
      .run();
  Query query(connection_, "SELECT id FROM metric_names WHERE name = ?");
  TUNE_CHECK(query.bind(name).step(), name);
  return ids_[name] = query.integer();
}

// The step of a point of bookkeeping. Where that is taken it becomes the one after the last, so that both
// points are summed.
std::int64_t MetricTable::free_step(const MetricRow& row) {
  const std::int64_t metric = id_of(row.name);
  Query taken(connection_, "SELECT 1 FROM metrics WHERE metric = ? AND trial = ? AND step = ?");
  if (!taken.bind(metric).bind(row.trial).bind(row.point.step).step()) return row.point.step;
  Query last(connection_, "SELECT max(step) FROM metrics WHERE metric = ? AND trial = ?");
  last.bind(metric).bind(row.trial).step();
  return last.integer() + 1;
}

void MetricTable::insert(const std::vector<MetricRow>& rows) {
  if (rows.empty()) return;
  Query query(
      connection_,
      "INSERT INTO metrics (metric, trial, step, value, attempt, time_ms) VALUES (?, ?, ?, ?, ?, ?)"
      " ON CONFLICT (metric, trial, step) DO UPDATE SET value = excluded.value, attempt = excluded.attempt,"
      " time_ms = excluded.time_ms");
  for (const MetricRow& row : rows)
    query.bind(id_of(row.name))
        .bind(row.trial)
        .bind(row.name.starts_with(kBookkeeping) ? free_step(row) : row.point.step)
        .bind(row.point.value)
        .bind(row.attempt)
        .bind(row.time)
        .run();
}

void MetricTable::keep_bookkeeping(int trial) {
  Query query(
      connection_,
      "SELECT n.name, m.attempt, sum(m.value), max(m.time_ms) FROM metric_names n CROSS JOIN metrics m ON"
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
    insert_row(connection_, event);
  }
}

void MetricTable::remove(int trial) {
  keep_bookkeeping(trial);
  // By metric, as the key begins: the table may be large.
  Query(connection_, "DELETE FROM metrics WHERE metric IN (SELECT id FROM metric_names) AND trial = ?")
      .bind(trial)
      .run();
}

std::vector<MetricRow> MetricTable::rows(int trial, const std::string& name) const {
  Query query(
      connection_,
      "SELECT n.name, m.step, m.value, m.attempt, m.time_ms FROM metric_names n"
      " CROSS JOIN metrics m ON m.metric = n.id AND m.trial = ?1 WHERE ?2 = '' OR n.name = ?2 ORDER BY "
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

std::vector<MetricPoint> MetricTable::curve(int trial, const std::string& name) const {
  Query query(connection_,
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

std::optional<MetricPoint> MetricTable::last_point(int trial, const std::string& name) const {
  Query query(
      connection_,
      "SELECT step, value FROM metrics WHERE metric = (SELECT id FROM metric_names WHERE name = ?) AND "
      "trial = ? ORDER BY step DESC LIMIT 1");
  if (!query.bind(name).bind(trial).step()) return std::nullopt;
  const std::int64_t step = query.integer();
  return MetricPoint{step, query.real()};
}

std::map<int, MetricPoint> MetricTable::last_points(const std::string& name) const {
  // SQLite takes the other columns from the row that holds the maximum.
  Query query(connection_,
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

std::map<std::pair<int, int>, double> MetricTable::sums(const std::string& name) const {
  Query query(connection_,
              "SELECT trial, attempt, sum(value) FROM metrics WHERE metric = (SELECT id FROM metric_names "
              "WHERE name = ?) AND typeof(value) = 'real' GROUP BY trial, attempt");
  query.bind(name);
  std::map<std::pair<int, int>, double> sums;
  while (query.step()) {
    const int trial = query.small(), attempt = query.small();
    sums[{trial, attempt}] = query.real();
  }
  Query removed(connection_,
                "SELECT trial, attempt, json_extract(data, ?1) FROM events WHERE kind = ?2 AND"
                " json_type(data, ?1) IN ('real', 'integer')");
  removed.bind("$.sums.\"" + name + "\"").bind(kMetricsRemoved);
  while (removed.step()) {
    const int trial = removed.small(), attempt = removed.small();
    sums[{trial, attempt}] += removed.real();
  }
  return sums;
}

std::map<int, double> MetricTable::step_seconds(const std::string& name) const {
  Query query(connection_,
              "SELECT m.trial, (max(m.time_ms) - a.started_ms) / 1000.0 / (max(m.step) - min(m.step) + 1)"
              " FROM metrics m JOIN attempts a ON a.trial = m.trial AND a.attempt = m.attempt"
              " WHERE m.metric = (SELECT id FROM metric_names WHERE name = ?) AND a.started_ms IS NOT NULL"
              " GROUP BY m.trial, m.attempt ORDER BY m.trial, m.attempt");
  query.bind(name);
  std::map<int, double> seconds;
  while (query.step()) {
    const int trial = query.count();
    if (const double found = query.real(); found > 0) seconds[trial] = found;
  }
  return seconds;
}

void MetricTable::add_curves(const std::string& name, const std::vector<std::shared_ptr<TrialView>>& trials,
                             std::vector<MetricPoint> TrialView::*curve) const {
  Query points(
      connection_,
      "SELECT trial, step, value FROM metrics WHERE metric = (SELECT id FROM metric_names WHERE name = ?)"
      " ORDER BY trial, step");
  points.bind(name);
  while (points.step()) {
    const auto index = static_cast<std::size_t>(points.count()) - 1;
    if (index >= trials.size())
      throw DamagedFile(connection_.name() + ": a value belongs to no trial that is there");
    const std::int64_t step = points.integer();
    (*trials[index].*curve).push_back({step, points.real()});
  }
  for (const auto& trial : trials) (*trial.*curve).shrink_to_fit();
}

}  // namespace tune::store
