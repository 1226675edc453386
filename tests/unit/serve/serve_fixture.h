#pragma once
// A store with a study of any size, and a dashboard over it.
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/http/client.h"
#include "tuner/http/token_file.h"
#include "tuner/os/file_lock.h"
#include "tuner/serve/dashboard.h"
#include "unit/store/store_fixture.h"

namespace tune::serve {

// Names that a page must show as they are.
inline const std::string kHostile = "<script>alert(1)</script>\"'&\xE2\x80\xAE\x1b[31m";

inline OrderedJson study_document(const std::string& study) {
  return {{"study", study},
          {"objective", {{"metric", "accuracy"}, {"goal", "maximize"}}},
          {"parameters",
           {{"lr", {{"type", "float"}, {"min", 1e-5}, {"max", 1}, {"scale", "log"}}},
            {"layers", {{"type", "int"}, {"min", 1}, {"max", 64}}},
            {"optimizer", {{"type", "categorical"}, {"values", {"sgd", "adam", kHostile}}}},
            {"nesterov",
             {{"type", "categorical"}, {"values", {true, false}}, {"when", {{"optimizer", "sgd"}}}}}}},
          {"command", {"python3", "train.py", "--lr={{lr}}"}},
          {"metrics",
           {{{"name", "accuracy"}, {"regex", "a=([0-9.]+)"}}, {{"name", "loss"}, {"regex", "l=([0-9.]+)"}}}},
          {"limits", {{"trials", 100}, {"parallel", 2}}}};
}

inline store::StudyRow served_study(const std::string& study) {
  store::StudyRow row;
  row.name = study;
  row.spec_text = study_document(study).dump();
  row.spec = Json::parse(row.spec_text);
  row.folder = "/data";
  row.seed = 7;
  row.objective = {"accuracy", Goal::kMaximize, Reduce::kBest};
  row.limits = row.spec["limits"];
  row.state = store::StudyState::kRunning;
  row.created = row.updated = store::at(0);
  return row;
}

// lr falls with the number, each third trial runs sgd, and the value grows to a peak and falls.
inline store::TrialRow served_trial(int number) {
  store::TrialRow row;
  row.number = number;
  row.parameters = {{"lr", 0.5 / number}, {"layers", number % 64 + 1}};
  row.parameters["optimizer"] = number % 3 == 0 ? "sgd" : number % 3 == 1 ? "adam" : kHostile;
  if (number % 3 == 0) row.parameters["nesterov"] = number % 2 == 0;
  row.note = kHostile;
  row.facts.explanation = {{"strategy", "random"}, {"much", "more"}};
  row.created = store::at(1000 * number);
  return row;
}

inline double served_value(int number) { return 0.9 - 0.0001 * (number % 100 - 37) * (number % 100 - 37); }

inline store::TrialRow served_end(int number) {
  store::TrialRow row = store::completed(served_trial(number), served_value(number));
  if (number % 10 == 9) {
    row.state = TrialState::kFailed;
    row.values.clear();
    row.failure = "crash";
    row.reason = "exit code 3: " + kHostile;
  }
  return row;
}

inline store::AttemptRow served_attempt(int number) {
  store::AttemptRow row = store::attempt_row(number, 1);
  row.state = store::AttemptState::kExited;
  row.started = row.created;
  row.ended = row.created + Milliseconds(4000);
  row.lease_seconds = 4;
  row.devices = {number % 2 == 0 ? "GPU-0" : "GPU-1"};
  return row;
}

// A finished trial with its attempt, points and events.
inline void add_trial(store::StudyStore& study, int number) {
  store::StudyStore::Transaction transaction(study);
  study.insert_trial(served_trial(number));
  study.insert_attempt(served_attempt(number));
  study.insert_metrics({store::metric_row(number, "accuracy", 1, served_value(number) / 2),
                        store::metric_row(number, "accuracy", 2, served_value(number)),
                        store::metric_row(number, "loss", 1, 1.0 / number)});
  study.update_trial(served_end(number));
  study.append_event(store::event_row("trial_finished", number));
  transaction.commit();
}

class ServedStore {
 public:
  explicit ServedStore(int trials = 30, const std::string& study = "steel") : study_(study) {
    std::filesystem::create_directories(path() / study);
    writer_.emplace(path() / study / "study.db", store::OpenMode::kCreate);
    writer_->create_study(served_study(study));
    writer_->append_event(store::event_row("study_started"));
    for (int number = 1; number <= trials; ++number) add_trial(*writer_, number);
  }
  std::filesystem::path path() const { return folder_ / "store"; }
  std::filesystem::path study_folder() const { return path() / study_; }
  store::StudyStore& writer() { return *writer_; }
  void finish() {
    store::StudyRow row = writer_->study();
    row.state = store::StudyState::kFinished;
    row.finish_reason = "trial limit";
    writer_->update_study(row);
  }
  // As an orchestrator that works on it does.
  FileLock hold() {
    std::string holder;
    return *FileLock::try_once(study_folder() / "lock", holder);
  }
  void close() { writer_.reset(); }

 private:
  store::TemporaryFolder folder_;
  std::string study_;
  std::optional<store::StudyStore> writer_;
};

class Served {
 public:
  explicit Served(const std::filesystem::path& store)
      : token_file_(store / ".serve-token"),
        dashboard_({store, {"127.0.0.1", 0}, token_file_, {}, std::nullopt, "1.2.3"}) {
    dashboard_.start();
    token_ = http::token_of(token_file_);
  }
  Dashboard& dashboard() { return dashboard_; }
  const std::string& token() const { return token_; }
  std::string host() const { return dashboard_.address().text(); }
  http::ClientResponse get(const std::string& target) const { return ask({"GET", target}); }
  http::ClientResponse post(const std::string& target, const std::string& body,
                            const std::string& type = "application/json") const {
    return ask({"POST", target, {{"Content-Type", type}}, body});
  }
  http::ClientResponse ask(http::ClientRequest request) const {
    request.headers.push_back({"Authorization", "Bearer " + token_});
    return http::Client(http::Client::Settings{dashboard_.address()}).ask(request);
  }
  // The JSON of an answer that must be 200.
  Json json(const std::string& target) const {
    const http::ClientResponse response = get(target);
    INFO(target << "\n" << response.body);
    REQUIRE(response.status == 200);
    REQUIRE(*response.header("Content-Type") == "application/json");
    return Json::parse(response.body);
  }
  // What is wrong, of an answer that is no 200.
  std::string error(const std::string& target, int status) const {
    const http::ClientResponse response = get(target);
    INFO(target << "\n" << response.body);
    REQUIRE(response.status == status);
    return Json::parse(response.body).at("error").at("message");
  }

 private:
  std::filesystem::path token_file_;
  Dashboard dashboard_;
  std::string token_;
};

}  // namespace tune::serve
