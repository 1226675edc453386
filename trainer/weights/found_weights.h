#pragma once
// Weights that lie on this machine, in the folders where people keep them.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tune::trainer::weights {

// Those that $TUNE_WEIGHTS names, with colons between them, and ./weights; whether they are there or not.
std::vector<std::filesystem::path> weight_folders();

struct FoundWeights {
  std::filesystem::path path;  // a .safetensors, .pth or .pt file, or a folder as promoted
  std::uintmax_t bytes = 0;    // of the weights
  std::string model;           // that the folder's model.json names; "" for a file
};

// What lies directly in the folders, sorted by path within each; what cannot be looked at is passed over.
std::vector<FoundWeights> find_weights(const std::vector<std::filesystem::path>& folders);

// Whether these weights are called so: their model, or a part of the file's name that no letter or digit goes
// on with ("resnet18-f37072fd.pth" for resnet18, not for resnet1). `-`, `_` and `.` are alike.
bool are_called(const FoundWeights& weights, const std::string& name);

}  // namespace tune::trainer::weights
