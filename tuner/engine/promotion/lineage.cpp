#include "tuner/engine/promotion/lineage.h"

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/engine/promotion/preferred.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/run_program.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 16'000'000;  // it describes a model or a command; weights are elsewhere

// A JSON file's content; null when there is none, or it cannot be read, which is noted.
Json json_file(const fs::path& file, std::vector<std::string>& unread) {
  JsonFile content = read_json_file(file, kMostBytes);
  if (!content.spoilt.empty()) unread.push_back(std::move(content.spoilt));
  return std::move(content.value);
}

// A file of the output, which may be a link to another one there.
Json output_file(const fs::path& file, std::vector<std::string>& unread) {
  std::error_code error;
  const fs::path target = fs::is_symlink(file, error) ? fs::canonical(file, error) : file;
  return json_file(target, unread);
}

Json member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object[name] : Json(nullptr);
}

Json without(Json object, const char* name) {
  if (object.is_object()) object.erase(name);
  return object;
}

// What tune-train calls it, or a trainer of one's own may call it.
Json first_of(const Json& object, const char* name, const char* other) {
  const Json found = member(object, name);
  return found.is_null() ? member(object, other) : found;
}

// What its training began with: weights, or the base of a language model.
Json weights_of(const Json& model) {
  const Json weights = first_of(model, "initial_weights", "parent_weights");
  return weights.is_null() ? member(model, "base") : weights;
}

// The last attempt is the one that left the output.
std::optional<store::AttemptRow> last_attempt(const store::StudyStore& store, const store::TrialRow& trial) {
  for (store::AttemptRow& row : store.attempts(trial.number))
    if (row.attempt == trial.attempts) return std::move(row);
  return std::nullopt;
}

Json last_metrics(const store::StudyStore& store, int trial) {
  Json metrics = Json::object();
  for (const store::MetricRow& row : store.metrics(trial))
    metrics[row.name] = {{"value", number_to_json(row.point.value)}, {"step", row.point.step}};
  return metrics;
}

}  // namespace

const store::RunFacts* run_at(const store::StudyFacts& facts, WallTime time) {
  const store::RunFacts* found = nullptr;
  for (const store::RunFacts& run : facts.runs)
    if (run.since <= time) found = &run;
  return found;
}

Json token_of(const store::StudyStore& store, const store::TrialRow& trial) {
  const std::optional<store::AttemptRow> attempt = last_attempt(store, trial);
  return attempt ? Json(attempt->token) : Json(nullptr);
}

Lineage lineage_of(const store::StudyStore& store, const store::TrialRow& trial,
                   const fs::path& attempt_folder) {
  const store::StudyRow study = store.study();
  Lineage lineage;
  const Json launch = json_file(attempt_folder / kLaunchFile, lineage.unread),
             model = output_file(attempt_folder / kOutputFolder / "model.json", lineage.unread);
  // The promoted weights are the best checkpoint's, and only the trainer knows what else they reached.
  const Json metrics = member(model, "metrics");
  const std::optional<store::AttemptRow> attempt = last_attempt(store, trial);
  const store::RunFacts* recorded = attempt ? run_at(study.facts, attempt->created) : nullptr;
  const Json run = recorded ? Json(*recorded) : Json(nullptr);
  Json parameters = Json::object();
  for (const auto& [name, value] : trial.parameters) parameters[name] = value;
  lineage.document = {
      {"study", study.name},
      {"trial", trial.number},
      {"attempt", trial.attempts},
      {"token", attempt ? Json(attempt->token) : Json(nullptr)},
      {"study_seed", study.seed},
      {"trial_seed", trial_seed(study.seed, trial.number)},
      {"parameters", parameters},
      {"fixed", member(study.spec, "fixed")},
      // What the attempt had in place of some of these; argv and trial.json have it already.
      {"overrides", attempt ? attempt->facts.overrides : Json::object()},
      {"trainer", member(study.spec, "trainer")},
      {"metrics", metrics.is_null() ? last_metrics(store, trial.number) : metrics},
      {"argv", member(launch, "argv")},
      {"data_fingerprint", first_of(member(model, "data"), "fingerprint", "data_fingerprint")},
      {"parent_weights", weights_of(model)},
      {"libraries", member(model, "libraries")},
      {"code", member(run, "code")},
      {"run", without(run, "code")}};
  if (study.second) lineage.document["objectives"] = objective_values_json(study, trial.values);
  return lineage;
}

Lineage lineage_of_folder(const fs::path& folder) {
  Lineage lineage;
  const Json model = output_file(folder / "model.json", lineage.unread);
  if (!model.is_object()) return lineage;
  lineage.document = {
      {"metrics", member(model, "metrics")},
      {"data_fingerprint", first_of(member(model, "data"), "fingerprint", "data_fingerprint")},
      {"parent_weights", weights_of(model)},
      {"libraries", member(model, "libraries")}};
  return lineage;
}

}  // namespace tune::engine
