#pragma once
// Where the weights that a training starts from come from.
#include <filesystem>

#include "tuner/core/json.h"

namespace tune::trainer::classification {

// What model.json says under "initial_weights": {"path", "sha256", "parent"}. `weights` is trainer.weights, a
// file or a folder as promoted. The parent is what that folder's model.json says of its model (task, model,
// recipe, the data's fingerprint, and its own "initial_weights"), null without one; so each model names all
// that it descends from, of which the latest sixteen are kept. Throws Error(kNotFound), Error(kBadData).
OrderedJson initial_weights_json(const std::filesystem::path& weights);

}  // namespace tune::trainer::classification
