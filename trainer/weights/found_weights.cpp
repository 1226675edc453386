#include "trainer/weights/found_weights.h"

#include <algorithm>
#include <cstdlib>

#include "trainer/weights/weight_file.h"
#include "tuner/core/characters.h"
#include "tuner/core/json.h"
#include "tuner/os/regular_file.h"

namespace tune::trainer::weights {
namespace {

namespace fs = std::filesystem;

bool is_weights_name(const fs::path& file) {
  const std::string extension = lower_case(file.extension().string());
  return extension == ".safetensors" || extension == ".pth" || extension == ".pt";
}

// "resnet18-f37072fd", and of "mobilenet_v2" "mobilenet-v2".
std::string plain(const std::string& name) {
  std::string text;
  for (const char c : name) text += is_letter_or_digit(c) ? lower_case(c) : '-';
  return text;
}

std::string model_of(const fs::path& folder) {
  constexpr std::uint64_t kMostBytes = 64 << 20;
  const Json model = read_json_file(folder / "model.json", kMostBytes, Links::kFollow).value;
  const Json name = model.is_object() ? model.value("model", Json()) : Json();
  return name.is_string() ? name.get<std::string>() : "";
}

}  // namespace

std::vector<fs::path> weight_folders() {
  std::vector<fs::path> folders;
  const char* variable = std::getenv("TUNE_WEIGHTS");
  const std::string named = variable != nullptr ? variable : "";
  for (std::size_t from = 0; from <= named.size();) {
    const std::size_t to = std::min(named.find(':', from), named.size());
    if (to > from) folders.emplace_back(named.substr(from, to - from));
    from = to + 1;
  }
  folders.emplace_back("weights");
  return folders;
}

std::vector<FoundWeights> find_weights(const std::vector<fs::path>& folders) {
  std::vector<FoundWeights> all;
  for (const fs::path& folder : folders) {
    std::vector<FoundWeights> here;
    std::error_code error, ignored;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      const fs::path file = weights_file(at->path());
      const std::uintmax_t bytes = fs::file_size(file, ignored);
      if (ignored || !is_weights_name(file)) continue;
      here.push_back({at->path(), bytes, file == at->path() ? "" : model_of(at->path())});
    }
    std::sort(here.begin(), here.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    all.insert(all.end(), here.begin(), here.end());
  }
  return all;
}

bool are_called(const FoundWeights& weights, const std::string& name) {
  if (!weights.model.empty()) return weights.model == name;
  const std::string stem = plain(weights.path.stem().string()), wanted = plain(name);
  for (std::size_t at = stem.find(wanted); at != std::string::npos; at = stem.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if ((at == 0 || stem[at - 1] == '-') && (end == stem.size() || stem[end] == '-')) return true;
  }
  return false;
}

}  // namespace tune::trainer::weights
