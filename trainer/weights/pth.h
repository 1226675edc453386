#pragma once
// Weights as Python's torch.save writes them: a zip archive since PyTorch 1.6, before that a row of pickles.
// The tensors are read, nothing is executed, and a file that asks for any Python object but tensors and dicts
// is refused with that object's name.
#include <string>
#include <string_view>

#include "trainer/weights/safetensors.h"

namespace tune::trainer::weights {

struct PthContent {
  // On the CPU. Tensors that shared memory when they were saved share it here, and strides are as they were.
  TensorMap tensors;
  std::string section;  // the key under which the tensors stood ("state_dict"), empty for the file itself
};

// Whether the bytes begin like one or the other.
bool is_pth_zip(std::string_view bytes);
bool is_pth_legacy(std::string_view bytes);

// The file's dict of tensors: the outermost, or that under the key state_dict, model_state_dict, model,
// weights or net, or the only one that there is. Everything else in the file is passed over. `place` names
// the file in errors. Throws Error(kBadData).
PthContent decode_pth(std::string_view bytes, const std::string& place);

}  // namespace tune::trainer::weights
