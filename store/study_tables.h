#pragma once
// The rows of a study's database as values, and the columns that they stand in: each function is one
// statement. What may be written when, and in which transaction, is for StudyStore to say. The points of
// metrics are MetricTable's. Internal to the store.
#include <memory>
#include <optional>
#include <vector>

#include "store/connection.h"
#include "store/study_store.h"

namespace tune::store {

// Whatever reads throws DamagedFile for what this program never writes. An update of a row that is not there
// is a broken invariant.

StudyRow study_row(Connection& connection);
void insert_row(Connection& connection, const StudyRow& row);
void update_spec_of(Connection& connection, const StudyRow& row);  // spec, spec_text, folder
void update_row(Connection& connection, const StudyRow& row);      // the others that may change

std::optional<TrialRow> trial_row(Connection& connection, int number);
std::vector<TrialRow> trial_rows(Connection& connection);  // by number
std::vector<TrialRow> trial_rows_in_short(Connection& connection, int first, int last);
void insert_row(Connection& connection, const TrialRow& row);
void update_row(Connection& connection, const TrialRow& row);

// By trial, attempt; 0: of all trials.
std::vector<AttemptRow> attempt_rows(Connection& connection, int trial);
std::vector<AttemptRow> attempt_rows_between(Connection& connection, int first, int last);
std::vector<AttemptRow> attempt_rows_on_devices(Connection& connection, WallTime since);
void insert_row(Connection& connection, const AttemptRow& row);
void update_row(Connection& connection, const AttemptRow& row);

std::vector<EventRow> event_rows(Connection& connection, std::int64_t after_id, int limit);  // by id
std::vector<EventRow> event_rows_of(Connection& connection, int trial);                      // by id
std::int64_t insert_row(Connection& connection, const EventRow& row);  // gives it its id, and returns that

// The trials as a strategy sees them, by number and without gaps; their curves are empty yet.
std::vector<std::shared_ptr<TrialView>> trial_views(Connection& connection);
// Adds what those took of a GPU's memory that fitted as they were suggested.
void add_device_memory(Connection& connection, const std::vector<std::shared_ptr<TrialView>>& views);
std::vector<EarlierTrial> earlier_trial_rows(Connection& connection);  // as they were inserted
void insert_row(Connection& connection, const EarlierTrial& earlier);

}  // namespace tune::store
