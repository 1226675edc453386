#include "tuner/engine/devices/leases.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "tuner/core/error.h"

namespace tune::engine {
namespace {

constexpr const char* kCoresFile = "cores";
constexpr std::string_view kByMemory = "auto";
constexpr int kMostByMemory = 16;  // trials on one GPU: more of them share too little of its time
// A process that holds the gate looks at a few files and lets go. One that takes longer than this is stopped
// or has gone astray.
constexpr int kGateTries = 200;
constexpr std::chrono::milliseconds kGatePause{1};

// A GPU's name as part of a file's: "MIG-GPU-1234/1/0", the older form of a MIG device's, holds slashes.
std::string file_name_of(const std::string& gpu) {
  std::string name;
  for (const char c : gpu) name += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
  return name;
}

// "GPU-1234.2of4" is the third slot of a GPU that four trials share, "GPU-1234.2ofauto" of one that is
// divided by memory.
std::string slot_name(const std::string& gpu, int slot, GpuSplit split) {
  return file_name_of(gpu) + "." + std::to_string(slot) + "of" + split.text();
}

// The "4" of "GPU-1234.2of4"; nullopt for files of other GPUs and for the gate.
std::optional<GpuSplit> split_of(std::string_view name, std::string_view gpu) {
  if (!name.starts_with(gpu) || name.substr(gpu.size(), 1) != ".") return std::nullopt;
  const std::size_t of = name.find("of", gpu.size());
  if (of == std::string_view::npos) return std::nullopt;
  if (name.substr(of + 2) == kByMemory) return GpuSplit::by_memory();
  int split = 0;
  if (std::from_chars(name.data() + of + 2, name.data() + name.size(), split).ec != std::errc())
    return std::nullopt;
  return GpuSplit(split);
}

// What the holder of a slot has set aside; nullopt: all there is, or nothing that can be read.
std::optional<std::uint64_t> bytes_in(int fd) {
  std::array<char, 24> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::uint64_t bytes = 0;
  if (got <= 0 || std::from_chars(text.data(), text.data() + got, bytes).ec != std::errc())
    return std::nullopt;
  return bytes;
}

bool try_lock(int fd) { return fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0; }

[[noreturn]] void fail_to_use(const std::filesystem::path& path, const std::string& reason) {
  throw Error(ExitCode::kEnvironment, "cannot use the folder of leases \"" + path.string() + "\": " + reason,
              "name another with TUNE_LEASE_DIR; all that share GPUs must use the same");
}

}  // namespace

GpuSplit GpuSplit::by_memory() {
  GpuSplit split(kMostByMemory);
  split.is_by_memory = true;
  return split;
}

std::string GpuSplit::text() const { return is_by_memory ? std::string(kByMemory) : std::to_string(slots); }

std::filesystem::path LeaseFolder::default_path() {
  if (const char* path = std::getenv("TUNE_LEASE_DIR"); path && *path) return path;
  struct stat info {};
  if (::stat("/run/lock", &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & S_IWOTH))
    return "/run/lock/tune";
  return "/tmp/tune-leases";
}

LeaseFolder::LeaseFolder(std::filesystem::path path) : path_(std::move(path)) {
  constexpr mode_t kOpenToAll = 01777;
  if (::mkdir(path_.c_str(), kOpenToAll) == 0) {
    // The umask would take the others' rights away.
    if (::chmod(path_.c_str(), kOpenToAll) != 0) fail_to_use(path_, std::strerror(errno));
  } else if (errno != EEXIST) {
    fail_to_use(path_, std::strerror(errno));
  }
  struct stat info {};
  if (::lstat(path_.c_str(), &info) != 0) fail_to_use(path_, std::strerror(errno));
  if (!S_ISDIR(info.st_mode)) fail_to_use(path_, "it is not a folder");
}

Descriptor LeaseFolder::open_file(const std::string& name) const {
  const std::filesystem::path file = path_ / name;
  // Without O_CREAT first: where fs.protected_regular is set, it refuses other users' files in such a folder.
  // Reading is enough for a flock.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW;
  int fd = open_retrying(file, kFlags);
  if (fd >= 0 || errno != ENOENT) return Descriptor(fd);
  fd = open_retrying(file, kFlags | O_CREAT | O_EXCL, 0644);
  if (fd >= 0) static_cast<void>(::fchmod(fd, 0644) == 0);
  return Descriptor(fd >= 0 || errno != EEXIST ? fd : open_retrying(file, kFlags));
}

// Looking and taking are one act among all processes; otherwise one's look would be another's conflict.
std::optional<Lease> LeaseFolder::gate(const std::string& gpu) const {
  Lease gate(gpu, open_file(file_name_of(gpu) + ".gate"));
  if (gate.descriptor() < 0) fail_to_use(path_, std::strerror(errno));
  for (int i = 0; i < kGateTries; ++i) {
    if (try_lock(gate.descriptor())) return gate;
    std::this_thread::sleep_for(kGatePause);
  }
  return std::nullopt;
}

GpuClaims LeaseFolder::claims_behind_gate(const std::string& gpu, GpuSplit split) const {
  GpuClaims claims;
  claims.free = split.slots;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    const auto found = split_of(name, file_name_of(gpu));
    if (!found) continue;
    const Lease probe(gpu, open_file(name));
    if (probe.descriptor() < 0 || try_lock(probe.descriptor())) continue;
    claims.is_leased = true;
    if (*found == split)
      --claims.free;
    else
      claims.other_split = *found;
    if (!found->is_by_memory) continue;
    if (const auto bytes = bytes_in(probe.descriptor()))
      claims.set_aside += *bytes;
    else
      claims.is_whole = true;
  }
  if (claims.other_split) claims.free = 0;
  return claims;
}

GpuClaims LeaseFolder::claims(const std::string& gpu, GpuSplit split) const {
  const auto held = gate(gpu);
  if (!held) return {.free = 0, .is_leased = true, .other_split = std::nullopt, .is_whole = true};
  return claims_behind_gate(gpu, split);
}

// Without O_CREAT first, as in open_file().
Descriptor LeaseFolder::open_for_writing(const std::string& name) const {
  const std::filesystem::path file = path_ / name;
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK;
  int fd = open_retrying(file, kFlags);
  if (fd >= 0 || errno != ENOENT) return Descriptor(fd);
  fd = open_retrying(file, kFlags | O_CREAT | O_EXCL, 0666);
  if (fd >= 0) static_cast<void>(::fchmod(fd, 0666) == 0);  // the umask would take the others' rights away
  return Descriptor(fd >= 0 || errno != EEXIST ? fd : open_retrying(file, kFlags));
}

std::optional<Lease> LeaseFolder::take_cores(const std::vector<int>& cores) const {
  // One descriptor for all: byte N stands for core N.
  Lease lease(kCoresFile, open_for_writing(kCoresFile));
  if (lease.descriptor() < 0) return std::nullopt;
  for (const int core : cores) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = core;
    range.l_len = 1;
    // The lock is the open file's, not the process's: a process that inherits the descriptor holds it too.
    if (::fcntl(lease.descriptor(), F_OFD_SETLK, &range) != 0) return std::nullopt;
  }
  return lease;
}

std::optional<Lease> LeaseFolder::take(const std::string& gpu, GpuSplit split) const {
  const auto held = gate(gpu);
  if (!held || claims_behind_gate(gpu, split).free == 0) return std::nullopt;
  for (int slot = 0; slot < split.slots; ++slot) {
    Lease lease(gpu, open_file(slot_name(gpu, slot, split)));
    if (lease.descriptor() < 0) fail_to_use(path_, std::strerror(errno));
    if (try_lock(lease.descriptor())) return lease;
  }
  return std::nullopt;
}

std::optional<Lease> LeaseFolder::take(const std::string& gpu, std::optional<std::uint64_t> bytes,
                                       const std::function<bool(const GpuClaims&)>& fits) const {
  const GpuSplit split = GpuSplit::by_memory();
  const auto held = gate(gpu);
  if (!held) return std::nullopt;
  const GpuClaims claims = claims_behind_gate(gpu, split);
  if (claims.free == 0 || !fits(claims)) return std::nullopt;
  for (int slot = 0; slot < split.slots; ++slot) {
    Lease lease(gpu, open_for_writing(slot_name(gpu, slot, split)));
    if (lease.descriptor() < 0) fail_to_use(path_, std::strerror(errno));
    if (!try_lock(lease.descriptor())) continue;
    set_aside(lease, bytes);
    return lease;
  }
  return std::nullopt;
}

void LeaseFolder::set_aside(const Lease& lease, std::optional<std::uint64_t> bytes) {
  // One write of a fixed length: a reader finds the old number or the new one. Where it fails, all is set
  // aside.
  std::array<char, 24> text;
  text.fill(' ');
  text.back() = '\n';
  const bool cut = ::ftruncate(lease.descriptor(), bytes ? static_cast<off_t>(text.size()) : 0) == 0;
  if (!bytes || !cut) return;
  std::to_chars(text.data(), text.data() + text.size() - 1, *bytes);
  static_cast<void>(::pwrite(lease.descriptor(), text.data(), text.size(), 0) > 0);
}

}  // namespace tune::engine
