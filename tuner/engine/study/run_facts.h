#pragma once
// What is recorded about each run of a study: versions, the machine, the code's commit, and how fast the
// trainer is there. A study may be continued on another machine, or after its code has changed.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "store/study_store.h"
#include "tuner/engine/devices/device_pool.h"
#include "tuner/engine/devices/machine.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// The facts of a run that begins now, but for its time and what its trainer says. A git that does not answer
// is said in a notice.
store::RunFacts run_facts(const Machine& machine, const std::string& version, const Spec& spec,
                          const std::filesystem::path& store,
                          const std::function<void(const std::string&)>& notice);
// The state of the git working folder that holds `folder`; nullopt outside of one. What tune itself has put
// into `store` is no change of the code. Throws ProgramTimeout when git does not answer.
std::optional<store::CodeState> git_state(const std::filesystem::path& folder,
                                          const std::filesystem::path& store);
// The same of the folder that the spec's code lies in: that of the first argument of its command which names
// a file in a git folder that does not ignore it, else that of its program as it is named, else the spec's
// own.
std::optional<store::CodeState> code_state(const Spec& spec, const std::filesystem::path& store);

// Appends the run, unless the last one found the same.
void record_run(store::StudyFacts& facts, store::RunFacts run, WallTime began);

// What the trials of a study compute on, as far as speed is concerned: "host: cpu", "host: NVIDIA H200".
std::string probe_name(const Machine& machine, const Resources& resources);

struct ProbeRequest {
  const BuiltinTrainer& trainer;
  const Spec& spec;
  std::filesystem::path study_folder;  // gets a folder `probe`
  std::uint64_t seed = 0;
  std::function<int()> signals;                    // how many a person has sent
  std::function<void(const std::string&)> notice;  // a sentence for people
};
// A run of the trainer on a trial with these parameters, on a share of the machine that is held for it; its
// folder, of that name in the study's, is made. Throws Error(kEnvironment).
ProbeRun run_on_share(const ProbeRequest& request, const DeviceShare& share, const ParameterSet& parameters,
                      const std::string& name);
// Runs the built-in trainer's probe on devices that it holds as a trial does: by lease, and never on a GPU
// that somebody else uses; waits for one. nullopt when a signal came first. Throws Error(kEnvironment).
std::optional<store::Probe> probe_machine(const ProbeRequest& request);

}  // namespace tune::engine
