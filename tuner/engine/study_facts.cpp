#include "tuner/engine/study_facts.h"

#include <algorithm>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/engine/attempt_plan.h"
#include "tuner/engine/machine.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// The middle of the space: a probe measures speed, which hardly depends on the values.
ParameterSet middle_of(const SearchSpace& space) {
  return space.from_unit(std::vector<double>(space.size(), 0.5));
}

Json probe_document(const Spec& spec, const fs::path& study_folder, std::uint64_t seed, int parallel) {
  const Machine machine = inspect_machine();
  const ParameterSet parameters = middle_of(spec.space);
  const fs::path folder = study_folder / "probe";
  Json document =
      plan_attempt({spec, study_folder, seed}, {{1, 1}, "probe", parameters, 1, false, {}}).trial_json;
  document["checkpoint_dir"] = (folder / "checkpoints").string();
  document["output_dir"] = (folder / "output").string();
  const bool on_gpu = !machine.gpus.empty() && spec.resources.gpus_per_trial.value_or(1) > 0;
  document["devices"] = on_gpu ? Json{machine.gpus.front().uuid} : Json::array();
  document["threads"] = std::max<int>(1, static_cast<int>(machine.cores.size()) / std::max(1, parallel));
  std::error_code error;
  fs::create_directories(folder / "checkpoints", error);
  if (!error) fs::create_directories(folder / "output", error);
  if (error) throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message());
  return document;
}

}  // namespace

Json machine_facts(const std::string& version) {
  const Machine machine = inspect_machine();
  Json gpus = Json::array();
  for (const Gpu& gpu : machine.gpus)
    gpus.push_back({{"uuid", gpu.uuid}, {"name", gpu.name}, {"memory", gpu.memory_total}});
  return {{"tune", version},
          {"sqlite", store::sqlite_facts().version},
          {"machine",
           {{"host", machine.host},
            {"cores", machine.cores.size()},
            {"gpus", gpus},
            {"driver", machine.driver}}}};
}

bool is_probed(const Json& facts) {
  return facts.contains("probe") &&
         facts["probe"].value("host", "") == facts.at("machine").at("host").get<std::string>();
}

void probe_once(Json& facts, const BuiltinTrainer& trainer, const Spec& spec, const fs::path& study_folder,
                std::uint64_t seed, int parallel) {
  if (is_probed(facts)) return;
  Json answer = probe_trainer(trainer, spec, probe_document(spec, study_folder, seed, parallel),
                              study_folder / "probe");
  facts["precision"] = answer.at("precision");
  answer["host"] = facts.at("machine").at("host");
  facts["probe"] = std::move(answer);
  facts["trainer"] = {{"version", trainer.description.value("version", "")},
                      {"libtorch", trainer.description.value("libtorch", "")}};
}

}  // namespace tune::engine
