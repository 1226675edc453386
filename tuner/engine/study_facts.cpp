#include "tuner/engine/study_facts.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/engine/attempt_launch.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/device_wait.h"
#include "tuner/engine/lineage.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// The middle of the space: a probe measures speed, which hardly depends on the values.
ParameterSet middle_of(const SearchSpace& space) {
  return space.from_unit(std::vector<double>(space.size(), 0.5));
}

bool computes_on_gpus(const Machine& machine, const Resources& resources) {
  return !machine.gpus.empty() && resources.gpus_per_trial.value_or(1) > 0;
}

Json run_probe(const ProbeRequest& request, const DeviceShare& share) {
  const fs::path folder = request.study_folder / "probe";
  Attempt attempt = plan_attempt({request.spec, request.study_folder, request.seed},
                                 {{1, 1}, "probe", middle_of(request.spec.space), 1, false, {}});
  attempt.trial_json["checkpoint_dir"] = (folder / "checkpoints").string();
  attempt.trial_json["output_dir"] = (folder / "output").string();
  attempt.trial_json["devices"] = share.devices;
  attempt.trial_json["threads"] = share.threads;
  std::error_code error;
  fs::create_directories(folder / "checkpoints", error);
  if (!error) fs::create_directories(folder / "output", error);
  if (error) throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message());

  ProbeRun run{attempt.trial_json, folder, device_environment(share), {}, request.signals};
  run.environment.insert(attempt.secret_environment.begin(), attempt.secret_environment.end());
  for (const auto& [name, value] : request.spec.environment)
    if (const auto* text = std::get_if<std::string>(&value)) run.environment.emplace(name, *text);
  for (const Lease& lease : share.leases) run.inherited.push_back(lease.descriptor());
  return probe_trainer(request.trainer, request.spec, run);
}

}  // namespace

Json run_facts(const Machine& machine, const std::string& version, const Spec& spec, const fs::path& store) {
  Json gpus = Json::array();
  for (const Gpu& gpu : machine.gpus)
    gpus.push_back({{"uuid", gpu.uuid}, {"name", gpu.name}, {"memory", gpu.memory_total}});
  return {
      {"tune", version},
      {"sqlite", store::sqlite_facts().version},
      {"machine",
       {{"host", machine.host}, {"cores", machine.cores.size()}, {"gpus", gpus}, {"driver", machine.driver}}},
      {"code", code_state(spec, store)}};
}

void record_run(Json& facts, Json run, WallTime began) {
  Json& runs = facts["runs"];
  if (!runs.is_array()) runs = Json::array();
  if (!runs.empty()) {
    Json last = runs.back();
    last.erase("since_ms");
    if (last == run) return;
  }
  run["since_ms"] = began.time_since_epoch().count();
  runs.push_back(std::move(run));
}

Json run_at(const Json& facts, WallTime time) {
  Json found;
  if (!facts.contains("runs")) return found;
  for (const Json& run : facts["runs"])
    if (run.at("since_ms").get<std::int64_t>() <= time.time_since_epoch().count()) found = run;
  return found;
}

std::string probe_name(const Machine& machine, const Resources& resources) {
  if (!computes_on_gpus(machine, resources)) return machine.host + ": cpu";
  std::set<std::string> names;
  for (const Gpu& gpu : machine.gpus) names.insert(gpu.name);
  std::string text = machine.host + ":";
  for (const std::string& name : names) text += (text.back() == ':' ? " " : ", ") + name;
  return text;
}

Json probe_machine(const ProbeRequest& request) {
  DevicePool pool(request.spec.limits.parallel, request.spec.resources);
  const std::optional<DeviceShare> share =
      wait_for_share(pool, {request.signals, request.notice, "tune-train is measured"});
  if (!share) return nullptr;
  const auto begin = std::chrono::steady_clock::now();
  Json answer = run_probe(request, *share);
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
  if (answer.is_object()) {
    answer["lease_seconds"] = lasted.count();
    answer["leased_devices"] = std::max<std::size_t>(1, share->devices.size());
  }
  return answer;
}

}  // namespace tune::engine
