#pragma once
// A store with a study and a model, and a console that remembers what was printed.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "store/model_registry.h"
#include "tuner/cli/commands.h"
#include "unit/store/store_fixture.h"

namespace tune::cli {

struct Printed {
  int code = 0;
  std::string out, err;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline void write_text(const std::filesystem::path& file, const std::string& text,
                       std::ios::openmode mode = std::ios::out) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, mode) << text;
}

inline Printed run(const std::vector<std::string>& arguments, bool color = false, int width = 0) {
  std::ostringstream out, err;
  Console console{out, err};
  console.color = color;
  console.width = width;
  const int code = run_command_line(command_line(), arguments, console);
  return {code, out.str(), err.str()};
}

// steel-legacy: trial 1 completed, trial 2 failed after two attempts, trial 3 queued.
class SampleStore {
 public:
  SampleStore() {
    std::filesystem::create_directories(folder_ / "steel-legacy");
    store::StudyStore study(folder_ / "steel-legacy/study.db", store::OpenMode::kCreate);
    study.create_study(store::study_row());
    for (int number = 1; number <= 3; ++number) study.insert_trial(store::trial_row(number));
    study.insert_attempt(ended_attempt(1, 1));
    study.insert_metrics({store::metric_row(1, "validation:mAP", 1, 0.4125)});
    study.update_trial(store::completed(store::trial_row(1), 0.4125));
    study.insert_attempt(ended_attempt(2, 1));
    study.insert_attempt(ended_attempt(2, 2));
    store::TrialRow failed = store::completed(store::trial_row(2), 0);
    failed.state = TrialState::kFailed;
    failed.values.clear();
    failed.failure = "crash";
    failed.reason = "exit code 3";
    study.update_trial(failed);
  }
  std::string path() const { return (folder_ / "").string(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  Printed run(std::vector<std::string> arguments, bool color = false, int width = 0) const {
    arguments.insert(arguments.end(), {"--store", path()});
    return cli::run(arguments, color, width);
  }
  static store::AttemptRow ended_attempt(int trial, int attempt) {
    store::AttemptRow row = store::attempt_row(trial, attempt);
    row.state = store::AttemptState::kExited;
    row.lease_seconds = 10;
    return row;
  }

 private:
  store::TemporaryFolder folder_;
};

}  // namespace tune::cli
