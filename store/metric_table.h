#pragma once
// The points of a study's metrics: the tables metrics and metric_names. Internal to the store.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/connection.h"
#include "store/study_store.h"

namespace tune::store {

// Part of a StudyStore, on its connection and its thread. It opens no transaction: its owner does so around
// what writes. The reads answer what StudyStore's of the same names promise.
class MetricTable {
 public:
  explicit MetricTable(Connection& connection) : connection_(connection) {}

  void insert(const std::vector<MetricRow>& rows);
  void remove(int trial);
  // To be called where a transaction is undone: some of the ids may have been born in it.
  void forget_ids() { ids_.clear(); }

  std::vector<MetricRow> rows(int trial, const std::string& name) const;
  std::vector<MetricPoint> curve(int trial, const std::string& name) const;
  // Seconds a step took in the last attempt with points, from its start to its last point; by trial.
  std::map<int, double> step_seconds(const std::string& name) const;
  std::optional<MetricPoint> last_point(int trial, const std::string& name) const;
  std::map<int, MetricPoint> last_points(const std::string& name) const;
  std::map<std::pair<int, int>, double> sums(const std::string& name) const;
  // Adds a metric's points to the curves of all trials, which are given by number.
  void add_curves(const std::string& name, const std::vector<std::shared_ptr<TrialView>>& trials,
                  std::vector<MetricPoint> TrialView::*curve) const;

 private:
  std::int64_t id_of(const std::string& name);
  std::int64_t free_step(const MetricRow& row);
  void keep_bookkeeping(int trial);

  Connection& connection_;
  std::map<std::string, std::int64_t> ids_;  // committed or in the open transaction
};

}  // namespace tune::store
