#pragma once
// What the LibTorch that this process runs with is, and whether it can use this machine's GPUs.
#include <string>

#include "tuner/core/json.h"

namespace tune::trainer::cli {

struct LibTorchFacts {
  std::string version;  // that this program was built with
  std::string folder;   // that it was loaded from
  std::string cuda;     // "13.0", of its CUDA runtime; empty where it was built without
  int gpus = 0;         // that it can use
  std::string problem;  // why it can use none, as CUDA says it; empty where it does not say
};

// Asks CUDA's driver where there is any, which may take a second.
LibTorchFacts libtorch_facts();

Json to_json(const LibTorchFacts& facts);

}  // namespace tune::trainer::cli
