#pragma once
// What is recorded about each run of a study: versions, the machine, the code's commit, and how fast the
// trainer is there. A study may be continued on another machine, or after its code has changed.
#include <filesystem>
#include <functional>
#include <string>

#include "store/study_store.h"
#include "tuner/engine/devices/machine.h"
#include "tuner/engine/loop/builtin_trainer.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// {"tune":"0.1.0","sqlite":"3.53.2","machine":{"host","cores","gpus":[...],"driver"},"code":{"commit",
// "clean"}}, as they are now; `code` is the state of the git folder that the spec's code lies in, but for
// what tune has put into `store`.
Json run_facts(const Machine& machine, const std::string& version, const Spec& spec,
               const std::filesystem::path& store);
// {"commit": "...", "clean": true} of the git working folder that holds `folder`; null outside of one. What
// tune itself has put into `store` is no change of the code.
Json git_state(const std::filesystem::path& folder, const std::filesystem::path& store);
// The same of the folder that the spec's code lies in: that of the first element of its command which names a
// file in a git folder, else the spec's own.
Json code_state(const Spec& spec, const std::filesystem::path& store);

// Appends a run to facts["runs"], unless the last one was the same. `began` is kept under "since_ms".
void record_run(Json& facts, Json run, WallTime began);

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
// Runs the built-in trainer's probe on devices that it holds as a trial does: by lease, and never on a GPU
// that somebody else uses; waits for one. Null when a signal came first. Throws Error(kEnvironment).
Json probe_machine(const ProbeRequest& request);

}  // namespace tune::engine
