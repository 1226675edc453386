#pragma once
// A study with outputs to promote.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "store/study_store.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/engine/promotion/promotion.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {

inline const Objective kPromotable{"mAP", Goal::kMaximize, Reduce::kBest};

inline std::string promoted_text(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// A study on disk whose trials have completed with the given values, each with a file in its output folder.
class PromotableStudy {
 public:
  PromotableStudy(const std::filesystem::path& store_folder, const std::string& name,
                  const std::vector<double>& values, const Objective& objective = kPromotable,
                  const std::string& token = "token")
      : folder_(store_folder / name), store_(make(folder_), store::OpenMode::kCreate), token_(token) {
    store::StudyRow row;
    row.name = name;
    row.spec = Json::object();
    row.folder = "/";
    row.objective = objective;
    row.state = store::StudyState::kFinished;
    store_.create_study(row);
    for (std::size_t i = 0; i < values.size(); ++i) add(static_cast<int>(i) + 1, values[i]);
  }
  store::StudyStore& store() { return store_; }
  void add_replicate(int of, double value) { add(store_.trial_count() + 1, value, of); }
  std::filesystem::path output(int trial) const { return attempt_folder(folder_, {trial, 1}) / "output"; }

 private:
  static std::filesystem::path make(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    return folder / "study.db";
  }
  void add(int number, double value, std::optional<int> replicate_of = std::nullopt) {
    store::TrialRow row;
    row.number = number;
    row.facts.replicate_of = replicate_of;
    row.parameters = {{"x", 0.5}};
    row.state = TrialState::kRunning;
    row.attempts = 1;
    store_.insert_trial(row);
    store::AttemptRow attempt;
    attempt.trial = number;
    attempt.attempt = 1;
    attempt.token = token_ + "-" + std::to_string(number);
    attempt.state = store::AttemptState::kExited;
    attempt.created = WallTime(Milliseconds(1000 * number));
    store_.insert_attempt(attempt);
    row.state = TrialState::kCompleted;
    row.reason = "completed";
    row.values = {value};
    store_.update_trial(row);
    std::filesystem::create_directories(output(number) / "deep");
    std::ofstream(output(number) / "weights") << "abc";
    std::ofstream(output(number) / "deep" / "labels") << "trial " << number;
    std::filesystem::create_directories(checkpoint_folder(folder_, number));
    std::ofstream(checkpoint_folder(folder_, number) / "last") << "12345678";
  }
  std::filesystem::path folder_;
  store::StudyStore store_;
  std::string token_;
};

}  // namespace tune::tests
