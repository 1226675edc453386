#pragma once
// Weights as Python's torch.save writes them: a zip archive since PyTorch 1.6, before that a row of pickles.
// The tensors are read, nothing is executed, and a file that asks for any Python object but tensors, dicts
// and plain values is refused with that object's name.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/weights/safetensors.h"

namespace tune::trainer::weights {

struct PthContent {
  // On the CPU. Tensors that shared memory when they were saved share it here, and strides are as they were.
  TensorMap tensors;
  std::string section;  // the key under which the tensors stood ("state_dict"), empty for the file itself
  std::vector<std::string> order;   // the tensors' names, as they were saved one after the other
  std::vector<std::string> others;  // keys of further dicts of tensors, which fit less, or come later
};

// How many of a dict's numbers somebody would take.
using Fit = std::function<std::int64_t(const TensorMap&)>;

// Whether the bytes begin like one or the other.
bool is_pth_zip(std::string_view bytes);
bool is_pth_legacy(std::string_view bytes);

// The dict of tensors that fits best; without `fit` the one with the most tensors. Between equals those under
// state_dict, model_state_dict, model and the like come first, and two that nothing tells apart are refused.
// Everything else in the file is passed over. `place` names the file in errors. Throws Error(kBadData).
PthContent decode_pth(std::string_view bytes, const std::string& place, const Fit& fit = {});

}  // namespace tune::trainer::weights
