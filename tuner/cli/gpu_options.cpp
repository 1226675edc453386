#include "tuner/cli/gpu_options.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/engine/devices/gpu.h"

namespace tune::cli {
namespace {

// What --gpus lists, without blanks around it.
std::vector<std::string> listed_gpus(const std::string& list) {
  std::vector<std::string> entries;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    std::string entry = list.substr(begin, end - begin);
    entry.erase(0, entry.find_first_not_of(' '));
    entry.erase(entry.find_last_not_of(' ') + 1);
    const bool is_index = !entry.empty() && entry.find_first_not_of("0123456789") == std::string::npos;
    if (!is_index && !entry.starts_with("GPU-") && !entry.starts_with("MIG-"))
      throw Error(ExitCode::kUsage, "--gpus takes a list of GPUs, not \"" + list + "\"",
                  "indices or UUIDs as in CUDA_VISIBLE_DEVICES (0,2 or GPU-8a3f), or none");
    entries.push_back(std::move(entry));
    begin = end + 1;
  }
  return entries;
}

// CUDA would stop in silence at the first GPU that is not there.
void require_gpus(const std::string& list) {
  const std::vector<std::string> entries = listed_gpus(list);
  std::string problem;
  const auto nvml = engine::Nvml::load(&problem);
  const std::vector<engine::Gpu> gpus = nvml ? nvml->gpus() : std::vector<engine::Gpu>();
  const std::size_t found = nvml ? engine::visible_gpus(gpus, list.c_str()).size() : 0;
  if (found == entries.size()) return;
  const std::string& first = entries[found];
  if (nvml && !engine::visible_gpus(gpus, first.c_str()).empty())
    throw Error(ExitCode::kUsage, "--gpus names the GPU " + first + " twice", "name each once");
  throw Error(ExitCode::kEnvironment,
              "--gpus names the GPU " + first + ", which is not there: this machine has " +
                  (gpus.empty() ? "no GPU" : plural_text(gpus.size(), "GPU")) +
                  (nvml ? "" : " (" + problem + ")"),
              "`tune doctor` lists the GPUs; --gpus none uses none");
}

}  // namespace

Options& declare_gpus(Options& options) {
  return options.value("gpus", "LIST", "GPUs to use: indices or UUIDs as in CUDA_VISIBLE_DEVICES, or none");
}

void choose_gpus(const Parsed& options) {
  if (!options.has("gpus")) return;
  const std::string list = options.text("gpus");
  if (list != "none") require_gpus(list);
  setenv("CUDA_VISIBLE_DEVICES", list == "none" ? "" : list.c_str(), 1);
}

}  // namespace tune::cli
