#include "trainer/weights/model_tensors.h"

#include <algorithm>
#include <map>

#include "trainer/weights/file_reader.h"
#include "trainer/weights/gguf.h"
#include "trainer/weights/initial_weights.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::weights {
namespace {

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

bool is_gguf_file(const fs::path& path) {
  FileReader file(path, Links::kFollow);  // a person may name it
  std::string first(std::min<std::uint64_t>(file.size(), 4), '\0');
  file.read(first.data(), first.size());
  return is_gguf(first);
}

}  // namespace

std::vector<fs::path> model_tensor_files(const fs::path& folder) {
  if (is_there(folder / kHuggingFaceFile)) return {folder / kHuggingFaceFile};
  if (is_there(folder / kShardIndex)) {
    std::vector<fs::path> files;
    for (const auto& [tensor, shard] : read_index(folder / kShardIndex))
      if (std::find(files.begin(), files.end(), folder / shard) == files.end())
        files.push_back(folder / shard);
    return files;
  }
  if (is_there(folder / kOldHuggingFaceFile)) return {folder / kOldHuggingFaceFile};
  throw Error(
      ExitCode::kNotFound,
      "there are no weights in \"" + folder.string() + "\": no " + kHuggingFaceFile + ", no " + kShardIndex,
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
  if (is_there(folder / kShardIndex) && !is_there(folder / kHuggingFaceFile))
    for (const auto& [tensor, shard] : read_index(folder / kShardIndex))
      if (!all.contains(tensor))
        throw Error(ExitCode::kBadData,
                    (folder / shard).string() + ": no tensor \"" + tensor + "\", which the index says it has",
                    kRestoreModel);
  return all;
}

WeightFile list_weights(const fs::path& path) {
  WeightFile listed;
  if (path.filename() == kShardIndex) {
    listed.tensors = read_model_tensors(path.parent_path());
    listed.format =
        "safetensors in " + std::to_string(model_tensor_files(path.parent_path()).size()) + " files";
    return listed;
  }
  if (!is_gguf_file(path)) return read_weights(path);
  listed.format = "GGUF";
  for (const auto& [name, tensor] : read_gguf(path, GgufPart::kHeader).tensors) {
    const at::ScalarType dtype = tensor.type == GgufType::kF16    ? at::kHalf
                                 : tensor.type == GgufType::kBF16 ? at::kBFloat16
                                                                  : at::kFloat;
    listed.tensors[name] = torch::empty(tensor.shape, at::device(at::kMeta).dtype(dtype));
  }
  return listed;
}

std::map<std::string, std::string> packed_types(const fs::path& path) {
  std::map<std::string, std::string> types;
  if (path.filename() == kShardIndex || !is_gguf_file(path)) return types;
  for (const auto& [name, tensor] : read_gguf(path, GgufPart::kHeader).tensors)
    if (is_quantised(tensor.type)) types[name] = gguf_type_name(static_cast<std::uint32_t>(tensor.type));
  return types;
}

}  // namespace tune::trainer::weights
