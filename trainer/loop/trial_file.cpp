#include "trainer/loop/trial_file.h"

#include <algorithm>

#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::loop {
namespace {

// Where a path or a message ends for the system: another file would be used than the one that is named.
void refuse_nul(const Json& value, const std::string& place) {
  if (value.is_string() && value.get_ref<const std::string&>().find('\0') != std::string::npos)
    throw Error(ExitCode::kBadSpec, place + " holds a NUL: " + value.dump(), "take it out");
}

// Reads keys of one object, with errors that name the file and the key.
class Keys {
 public:
  Keys(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) throw Error(ExitCode::kBadSpec, place_ + ": not a JSON object");
  }

  template <typename T>
  T get(const char* key, T fallback) const {
    if (!json_.contains(key) || json_[key].is_null()) return fallback;
    refuse_nul(json_[key], place_ + ": \"" + key + "\"");
    try {
      return json_[key].get<T>();
    } catch (const Json::exception&) {
      throw Error(ExitCode::kBadSpec, place_ + ": \"" + key + "\" has the wrong type: " + json_[key].dump());
    }
  }

  std::string required_text(const char* key) const {
    const std::string text = get<std::string>(key, "");
    if (text.empty()) throw Error(ExitCode::kBadSpec, place_ + ": \"" + key + "\" is missing");
    return text;
  }

  Json object(const char* key) const {
    Json value = json_.contains(key) && !json_[key].is_null() ? json_[key] : Json::object();
    if (!value.is_object()) throw Error(ExitCode::kBadSpec, place_ + ": \"" + key + "\" is not an object");
    return value;
  }

 private:
  const Json& json_;
  std::string place_;
};

Objective parse_objective(const Json& json, const std::string& place) {
  const Keys keys(json, place + ": objective");
  Objective objective;
  objective.metric = keys.get<std::string>("metric", "");
  const std::string goal = keys.get<std::string>("goal", "maximize");
  if (goal != "maximize" && goal != "minimize")
    throw Error(ExitCode::kBadSpec, place + ": objective.goal is \"" + goal + "\"", "maximize or minimize");
  objective.maximize = goal == "maximize";
  return objective;
}

void check_ranges(const TrialFile& trial, const std::string& place) {
  if (!(trial.budget > 0 && trial.budget <= 1))
    throw Error(ExitCode::kBadSpec, place + ": budget is " + shortest(trial.budget),
                "it is above 0 and at most 1");
  if (trial.threads < 1)
    throw Error(ExitCode::kBadSpec, place + ": threads is " + std::to_string(trial.threads), "at least 1");
  if (trial.processes < 1 || trial.processes > kMostProcesses)
    throw Error(ExitCode::kBadSpec, place + ": processes is " + std::to_string(trial.processes),
                "from 1 to " + std::to_string(kMostProcesses));
  if (trial.nodes < 1 || trial.nodes > kMostNodes)
    throw Error(ExitCode::kBadSpec, place + ": nodes is " + std::to_string(trial.nodes),
                "from 1 to " + std::to_string(kMostNodes));
  if (!trial.devices.empty() && static_cast<int>(trial.devices.size()) != trial.processes)
    throw Error(ExitCode::kBadSpec,
                place + ": processes is " + std::to_string(trial.processes) + ", yet devices are " +
                    std::to_string(trial.devices.size()),
                "one process for each device");
  if (trial.precision != "auto" && trial.precision != "fp32" && trial.precision != "bf16")
    throw Error(ExitCode::kBadSpec, place + ": precision is \"" + trial.precision + "\"",
                "auto, fp32 or bf16");
}

}  // namespace

TrialFile parse_trial(const Json& json, const std::string& place) {
  const Keys keys(json, place);
  TrialFile trial;
  if (const int schema = keys.get<int>("schema", 1); schema != 1)
    throw Error(ExitCode::kBadSpec,
                place + ": schema " + std::to_string(schema) + " is newer than this program",
                "use the tune-train that came with your tune");
  trial.seed = keys.get<std::uint64_t>("seed", 0);
  trial.parameters = keys.object("fixed");
  trial.parameters.update(keys.object("parameters"), /*merge_objects=*/true);
  trial.trainer = keys.object("trainer");
  trial.objective = parse_objective(keys.object("objective"), place);
  trial.budget = keys.get<double>("budget", 1.0);
  trial.threads = keys.get<int>("threads", 1);
  trial.devices = keys.get<std::vector<std::string>>("devices", {});
  trial.processes = keys.get<int>("processes", std::max(1, static_cast<int>(trial.devices.size())));
  trial.nodes = keys.get<int>("nodes", 1);
  trial.precision = keys.get<std::string>("precision", "auto");
  trial.checkpoint_dir = keys.required_text("checkpoint_dir");
  trial.output_dir = keys.required_text("output_dir");
  if (const std::string resume = keys.get<std::string>("resume_from", ""); !resume.empty())
    trial.resume_from = resume;
  check_ranges(trial, place);
  return trial;
}

TrialFile read_trial_file(const std::filesystem::path& path) {
  const StrictJson json = parse_strictly(read_file(path));
  if (!json.fault) return parse_trial(json.value, path.string());
  const Problem& problem = json.fault->problem;
  throw Error(ExitCode::kBadSpec,
              path.string() + (json.fault->is_syntax ? ": not JSON: line " : ": line ") +
                  std::to_string(problem.line) + ", column " + std::to_string(problem.column) + ": " +
                  problem.message,
              problem.hint);
}

std::string text_key(const Json& trainer, const char* key, const char* fallback) {
  if (!trainer.contains(key)) return fallback;
  if (!trainer[key].is_string())
    throw Error(ExitCode::kBadSpec, std::string("trainer.") + key + " is not text");
  refuse_nul(trainer[key], std::string("trainer.") + key);
  return trainer[key].get<std::string>();
}

}  // namespace tune::trainer::loop
