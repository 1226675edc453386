#pragma once
// Rows to write, a folder to write them to, and the exit code of what goes wrong.
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <string>

#include "store/study_store.h"
#include "tuner/core/error.h"

namespace tune::store {

// A folder that goes away with its test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tune-store-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// kOk when nothing is thrown.
inline ExitCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::kOk;
}

// What the Error says; empty when nothing is thrown.
inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

inline WallTime at(std::int64_t ms) { return WallTime(Milliseconds(1'700'000'000'000 + ms)); }

inline StudyRow study_row() {
  StudyRow row;
  row.name = "steel-legacy";
  row.spec = {{"study", "steel-legacy"}, {"limits", {{"trials", 8}}}};
  row.spec_text = "{ \"study\": \"steel-legacy\",\n  \"limits\": {\"trials\": 8} }\n";
  row.folder = "/data/specs";
  row.seed = 0xFFFF'FFFF'FFFF'FFF7u;
  row.objective = {"validation:mAP", Goal::kMaximize, Reduce::kBest};
  row.limits = {{"trials", 8}};
  row.state = StudyState::kRunning;
  row.created = at(0);
  row.updated = at(1);
  row.facts.other = {{"version", "0.1.0"}};
  return row;
}

inline void make_study(const std::filesystem::path& file) {
  StudyStore(file, OpenMode::kCreate).create_study(study_row());
}

inline TrialRow trial_row(int number) {
  TrialRow row;
  row.number = number;
  row.parameters = {{"learning_rate", 0.001 * number}, {"optimizer", "sgd"}, {"batch_size", 8}};
  row.note = "Sobol point " + std::to_string(number);
  row.created = at(10 * number);
  return row;
}

inline TrialRow completed(TrialRow row, double value) {
  row.state = TrialState::kCompleted;
  row.values = {value};
  row.attempts = 1;
  row.started = row.created + Milliseconds(1);
  row.ended = row.created + Milliseconds(5);
  return row;
}

inline AttemptRow attempt_row(int trial, int attempt) {
  AttemptRow row;
  row.trial = trial;
  row.attempt = attempt;
  row.token = "0123456789abcdef";
  row.state = AttemptState::kStarting;
  row.created = at(10 * trial + attempt);
  return row;
}

inline MetricRow metric_row(int trial, const std::string& name, std::int64_t step, double value) {
  MetricRow row;
  row.trial = trial;
  row.attempt = 1;
  row.name = name;
  row.point = {step, value};
  row.time = at(1000 * trial + step);
  return row;
}

inline EventRow event_row(const std::string& kind, int trial = 0) {
  EventRow row;
  row.time = at(0);
  row.kind = kind;
  row.trial = trial;
  row.data = {{"message", kind}};
  return row;
}

}  // namespace tune::store
