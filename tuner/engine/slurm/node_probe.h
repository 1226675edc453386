#pragma once
// A short job that looks whether a node sees what the trials need.
#include <filesystem>
#include <functional>
#include <string>

#include "tuner/spec/spec.h"

namespace tune::engine {

struct NodeProbe {
  const Spec& spec;
  std::filesystem::path work;                      // of the study
  std::filesystem::path supervisor;                // as the nodes are to find it; empty: find_supervisor()
  std::function<int()> signals;                    // how many a person has sent
  std::function<void(const std::string&)> notice;  // a sentence for people
};

// Submits it, and waits until it has ended: for its turn too, which is said. A node like it is not asked
// again as long as the settings and the programs stay as they are. False when a signal came first. Throws
// Error(kEnvironment) with what the node does not see, which program there is another one, or how far its
// clock is away.
bool probe_node(const NodeProbe& probe);

}  // namespace tune::engine
