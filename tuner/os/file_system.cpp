#include "tuner/os/file_system.h"

#include <fcntl.h>
#include <sys/vfs.h>

#include "tuner/core/error.h"
#include "tuner/os/descriptor.h"

namespace tune {
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
  const std::optional<std::string> network = network_file_system(store);
  if (!network) return std::nullopt;
  return "the store " + store.string() + " may lie on a network (" + *network +
         "): its databases are safe on a local disk alone, so name one with --store, and never run tune on "
         "this store from two machines";
}

void make_private_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) {
    throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message(),
                "name a folder that you may write with --store, or in $TUNE_STORE");
  }
}

void look_anew(const std::filesystem::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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

}  // namespace tune
