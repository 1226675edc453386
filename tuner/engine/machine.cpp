#include "tuner/engine/machine.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "tuner/core/error.h"
#include "tuner/core/process.h"
#include "tuner/engine/cpu.h"
#include "tuner/engine/leases.h"

namespace tune::engine {

Machine inspect_machine() {
  Machine machine;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) machine.host = host.data();
  machine.boot_id = boot_id();
  machine.cores = usable_cores();
  if (const auto nvml = Nvml::load(&machine.nvml_problem)) {
    machine.driver = nvml->driver_version();
    machine.gpus = visible_gpus(nvml->gpus(), std::getenv("CUDA_VISIBLE_DEVICES"));
  }
  machine.lease_folder = LeaseFolder::default_path();
  return machine;
}

std::uint64_t free_disk_bytes(const std::filesystem::path& path) {
  std::filesystem::path place = std::filesystem::absolute(path);
  std::error_code error;
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  const std::filesystem::space_info space = std::filesystem::space(place, error);
  if (error)
    throw Error(ExitCode::kEnvironment,
                "cannot measure the disk of " + place.string() + ": " + error.message(),
                "check the rights of the folders above it, or name another store with --store");
  return space.available;
}

std::filesystem::path find_supervisor() {
  constexpr const char* kName = "tune-supervisor";
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const std::filesystem::path& candidate : {folder / kName, folder / ".." / "libexec" / "tune" / kName})
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.lexically_normal();
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable ? variable : "";
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
    const std::filesystem::path candidate = std::filesystem::path(entry) / kName;
    if (!entry.empty() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  throw Error(ExitCode::kEnvironment,
              "tune-supervisor was not found beside \"" + folder.string() + "/\" or on the PATH",
              "install it in the same folder as tune");
}

}  // namespace tune::engine
