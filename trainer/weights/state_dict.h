#pragma once
// Between a module and named tensors: torchvision's names, aliases, and a report of what did not fit.
#include <string>
#include <utility>
#include <vector>

#include "trainer/torch_compat.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::weights {

// Every parameter and buffer under its dotted name, sharing the module's memory.
TensorMap state_dict(const torch::nn::Module& module);

// The same in Python's order: a module's parameters, its buffers, then its parts, each as it was registered.
std::vector<std::pair<std::string, torch::Tensor>> ordered_state(const torch::nn::Module& module);

struct Mismatch {
  std::string name;
  std::vector<std::int64_t> in_file, in_model;
};

// What became of each name. `num_batches_tracked`, which old files lack, is never reported as missing.
struct LoadReport {
  std::vector<std::string> loaded, missing, unexpected;
  std::vector<Mismatch> mismatched;
};

// With what a person wants to know before a training that starts from the file.
struct FitReport : LoadReport {
  std::string prefix;                // that was taken off the file's names
  double share = 0;                  // of the network that the model is built on: 0 to 1
  std::string refusal;               // why a training would not start from the file; empty where it would
  std::vector<std::string> remarks;  // sentences on what a person should know besides
};

// Copies `tensors` into `module` where name and shape agree, whatever the dtype. A name that the module does
// not have is tried again with `prefix` in front ("backbone." for a plain torchvision file). What does not
// fit is left as it was.
LoadReport load_state_dict(torch::nn::Module& module, const TensorMap& tensors,
                           const std::string& prefix = {});

// "[64, 3, 7, 7]".
std::string shape_text(at::IntArrayRef sizes);
// "a, b, c and 5 more", for a line of text.
std::string first_names(const std::vector<std::string>& names);

}  // namespace tune::trainer::weights
