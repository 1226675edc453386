#include "trainer/weights/model_tensors.h"

#include <algorithm>
#include <map>

#include "trainer/weights/initial_weights.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::weights {
namespace {

constexpr const char *kIndex = "model.safetensors.index.json", *kPickled = "pytorch_model.bin";

bool is_there(const fs::path& file) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  return fs::exists(file, ignored);
}

// Tensor to shard. Names of shards are those of files beside the index.
std::map<std::string, std::string> read_index(const fs::path& index) {
  std::map<std::string, std::string> shards;
  const Json json = read_model_json(index);
  const Json map = json.is_object() ? json.value("weight_map", Json()) : Json();
  if (!map.is_object() || map.empty())
    throw Error(ExitCode::kBadData, index.string() + ": no object \"weight_map\"", kRestoreModel);
  for (const auto& [tensor, shard] : map.items()) {
    const fs::path name = shard.is_string() ? shard.get<std::string>() : "";
    if (name.empty() || name != name.filename() || name == ".." || name == ".")
      throw Error(ExitCode::kBadData, index.string() + ": the shard of \"" + tensor + "\" is " + shard.dump(),
                  "shards lie beside the index and are called by their names");
    shards[tensor] = name;
  }
  return shards;
}

}  // namespace

std::vector<fs::path> model_tensor_files(const fs::path& folder) {
  if (is_there(folder / kModelFile)) return {folder / kModelFile};
  if (is_there(folder / kIndex)) {
    std::vector<fs::path> files;
    for (const auto& [tensor, shard] : read_index(folder / kIndex))
      if (std::find(files.begin(), files.end(), folder / shard) == files.end())
        files.push_back(folder / shard);
    return files;
  }
  if (is_there(folder / kPickled)) return {folder / kPickled};
  throw Error(ExitCode::kNotFound,
              "there are no weights in \"" + folder.string() + "\": no " + kModelFile + ", no " + kIndex,
              "name a Hugging Face folder with config.json and weights, or a .gguf file");
}

TensorMap read_model_tensors(const fs::path& folder) {
  const std::vector<fs::path> files = model_tensor_files(folder);
  TensorMap all;
  for (const fs::path& file : files) {
    if (!is_there(file))
      throw Error(ExitCode::kNotFound, "there is no shard \"" + file.string() + "\"", kRestoreModel);
    for (auto& [name, tensor] : read_weights(file).tensors)
      if (!all.emplace(name, tensor).second)
        throw Error(ExitCode::kBadData, file.string() + ": \"" + name + "\" is in another shard too",
                    kRestoreModel);
  }
  if (is_there(folder / kIndex) && !is_there(folder / kModelFile))
    for (const auto& [tensor, shard] : read_index(folder / kIndex))
      if (!all.contains(tensor))
        throw Error(ExitCode::kBadData,
                    (folder / shard).string() + ": no tensor \"" + tensor + "\", which the index says it has",
                    kRestoreModel);
  return all;
}

}  // namespace tune::trainer::weights
