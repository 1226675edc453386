#include "tuner/engine/machine.h"

#include <sys/vfs.h>
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

namespace {

std::filesystem::path nearest_existing(const std::filesystem::path& path) {
  std::filesystem::path place = std::filesystem::absolute(path);
  std::error_code error;
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) place = place.parent_path();
  return place;
}

}  // namespace

std::optional<std::string> network_file_system(const std::filesystem::path& path) {
  // f_type of statfs(2), as linux/magic.h and the file systems' own sources name it.
  struct Kind {
    unsigned long type;
    const char* name;
  };
  static constexpr Kind kNetwork[] = {{0x6969, "NFS"},      {0xff534d42, "CIFS"},   {0xfe534d42, "SMB"},
                                      {0x517b, "SMB"},      {0x65735546, "FUSE"},   {0x0bd00bd0, "Lustre"},
                                      {0x00c36400, "Ceph"}, {0x01021997, "9P"},     {0x5346414f, "AFS"},
                                      {0x47504653, "GPFS"}, {0x19830326, "BeeGFS"}, {0x73757245, "Coda"},
                                      {0x01161970, "GFS2"}, {0x7461636f, "OCFS2"}};
  struct statfs facts {};
  if (::statfs(nearest_existing(path).c_str(), &facts) != 0) return std::nullopt;
  // The kernel's field is signed on some machines and 32 bits wide on others.
  const auto type = static_cast<unsigned long>(facts.f_type) & 0xffffffffUL;
  for (const Kind& kind : kNetwork)
    if (kind.type == type) return kind.name;
  return std::nullopt;
}

std::optional<std::string> network_warning(const std::filesystem::path& store) {
  const auto network = network_file_system(store);
  if (!network) return std::nullopt;
  return "the store " + store.string() + " may lie on a network (" + *network +
         "): its databases are safe on a local disk alone, so name one with --store, and never run tune on "
         "this store from two machines";
}

std::uint64_t free_disk_bytes(const std::filesystem::path& path) {
  const std::filesystem::path place = nearest_existing(path);
  std::error_code error;
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
