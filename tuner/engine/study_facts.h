#pragma once
// What is recorded about a study once: versions, the machine, and how fast the trainer is on it.
#include <filesystem>
#include <string>

#include "store/study_store.h"
#include "tuner/core/spec.h"
#include "tuner/engine/builtin_trainer.h"

namespace tune::engine {

// {"tune":"0.1.0","sqlite":"3.53.2","machine":{"host","cores","gpus":[...],"driver"}}.
Json machine_facts(const std::string& version);

// Whether `facts` hold a probe of this machine.
bool is_probed(const Json& facts);
// Runs the built-in trainer's probe, unless `facts` hold that of this machine already, and puts its answer
// under "probe" and "precision". `study_folder` gets a folder `probe`.
void probe_once(Json& facts, const BuiltinTrainer& trainer, const Spec& spec,
                const std::filesystem::path& study_folder, std::uint64_t seed, int parallel);

}  // namespace tune::engine
