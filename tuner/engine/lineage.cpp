#include "tuner/engine/lineage.h"

#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"
#include "tuner/engine/run_program.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// A JSON file's content; null when there is none, or it is not JSON.
Json json_file(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return nullptr;
  const Json content = Json::parse(read_file(file), nullptr, false);
  return content.is_discarded() ? Json(nullptr) : content;
}

Json member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object[name] : Json(nullptr);
}

// What tune-train calls it, or a trainer of one's own may call it.
Json first_of(const Json& object, const char* name, const char* other) {
  const Json found = member(object, name);
  return found.is_null() ? member(object, other) : found;
}

Json last_metrics(const store::StudyStore& store, int trial) {
  Json metrics = Json::object();
  for (const store::MetricRow& row : store.metrics(trial))
    metrics[row.name] = {{"value", number_to_json(row.point.value)}, {"step", row.point.step}};
  return metrics;
}

}  // namespace

Json git_state(const fs::path& folder) {
  try {
    const ProgramOutput commit = run_program({"git", "rev-parse", "HEAD"}, folder);
    if (commit.exit_code != 0) return nullptr;
    const ProgramOutput changes = run_program({"git", "status", "--porcelain"}, folder);
    return {{"commit", commit.out.substr(0, commit.out.find('\n'))},
            {"clean", changes.exit_code == 0 && changes.out.empty()}};
  } catch (const Error&) {
    return nullptr;  // no git on this machine
  }
}

Json lineage_of(const store::StudyStore& store, const store::TrialRow& trial,
                const fs::path& attempt_folder) {
  const store::StudyRow study = store.study();
  const Json launch = json_file(attempt_folder / "launch.json"),
             model = json_file(attempt_folder / "output" / "model.json");
  // The promoted weights are the best checkpoint's, and only the trainer knows what else they reached.
  const Json metrics = member(model, "metrics");
  Json parameters = Json::object();
  for (const auto& [name, value] : trial.parameters) parameters[name] = value;
  return {{"study", study.name},
          {"trial", trial.number},
          {"seed", study.seed},
          {"parameters", parameters},
          {"fixed", member(study.spec, "fixed")},
          {"trainer", member(study.spec, "trainer")},
          {"metrics", metrics.is_null() ? last_metrics(store, trial.number) : metrics},
          {"argv", member(launch, "argv")},
          {"data_fingerprint", first_of(member(model, "data"), "fingerprint", "data_fingerprint")},
          {"parent_weights", first_of(model, "initial_weights", "parent_weights")},
          {"libraries", member(model, "libraries")},
          {"code", git_state(study.folder)},
          {"facts", study.facts}};
}

}  // namespace tune::engine
