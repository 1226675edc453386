#pragma once
// How fast a comparison's approaches train on this machine: one probe each of those that tune-train trains.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "store/comparison_facts.h"
#include "tuner/compare/comparison.h"
#include "tuner/engine/devices/machine.h"
#include "tuner/engine/study/builtin_trainer.h"

namespace tune::compare {

struct ProbesRequest {
  const Comparison& comparison;
  const engine::BuiltinTrainer& trainer;
  const engine::Machine& machine;
  std::filesystem::path folder;                    // gets a folder for each approach
  std::function<int()> signals;                    // how many a person has sent
  std::function<void(const std::string&)> notice;  // a sentence for people
};

// Fills in the answers that `probes` does not have yet, under probes[approach][engine::probe_name()], and
// calls `answered` after each. Approaches on one network get one precision, that of the first of them. Throws
// Error(kInterrupted), Error(kEnvironment).
void probe_approaches(const ProbesRequest& request, store::ComparisonProbes& probes,
                      const std::function<void(std::size_t approach)>& answered);

}  // namespace tune::compare
