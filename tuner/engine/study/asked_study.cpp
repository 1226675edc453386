#include "tuner/engine/study/asked_study.h"

#include "store/study_store.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"

namespace tune::engine {

bool is_asked_study(const std::filesystem::path& study_folder) {
  std::error_code ignored;
  if (!std::filesystem::exists(study_database(study_folder), ignored)) return false;
  try {
    return store::StudyStore(study_database(study_folder), store::OpenMode::kRead)
        .study()
        .facts.driver.has_value();
  } catch (const Error&) {
    return false;  // said where it is read for what is in it
  }
}

std::string cure_in_session(const std::string& command, int trial) {
  const std::string to_session = " to `tune ask-tell`";
  if (command == "stop" && trial > 0)
    return "its program ends the trial with the line {\"tell\": {\"trial\": " + std::to_string(trial) +
           ", \"state\": \"stopped\"}}" + to_session;
  if (command == "stop") return "the end of its stdin ends `tune ask-tell`";
  if (command == "enqueue" || command == "rerun")
    return "its program adds a trial of its own with the line {\"add\": {\"parameters\": {...}}}" +
           to_session;
  if (command == "set")
    return "its limits are those of the spec that `tune ask-tell` is begun with; --trials N there raises the "
           "number of trials";
  return "its program says when another trial begins, by asking for it";
}

}  // namespace tune::engine
