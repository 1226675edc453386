#pragma once
// Claims on GPU slots and cores that all `tune` processes of a machine share: locks on files in one folder.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/os/descriptor.h"

namespace tune::engine {

// One claimed slot, or the claimed cores. It belongs to the DeviceShare of an attempt, or to the pool while a
// GPU is held back, on the pool's thread. It is free when every copy of the descriptor is closed, here and
// in the processes that inherited it: the end of this object does not free what a supervisor still holds.
class Lease {
 public:
  Lease(std::string gpu, Descriptor descriptor) : gpu_(std::move(gpu)), descriptor_(std::move(descriptor)) {}
  const std::string& gpu() const { return gpu_; }
  int descriptor() const { return descriptor_.get(); }  // close-on-exec; its heirs hold the lease too

 private:
  std::string gpu_;
  Descriptor descriptor_;
};

// How a GPU is divided: among a fixed number of trials, or among as many as its memory takes.
struct GpuSplit {
  GpuSplit(int trials) : slots(trials) {}  // a number says it
  static GpuSplit by_memory();
  std::string text() const;  // "4", "auto"
  bool operator==(const GpuSplit&) const = default;

  int slots = 1;  // at most
  bool is_by_memory = false;
};

// What is claimed of one GPU, by any process.
struct GpuClaims {
  int free = 0;                         // slots of this split that are free; 0 while another split is in use
  bool is_leased = false;               // anybody holds a slot
  std::optional<GpuSplit> other_split;  // somebody else runs this many trials on that GPU
  // By memory: bytes that the holders of slots have set aside, and whether one of them may take all there is.
  std::uint64_t set_aside = 0;
  bool is_whole = false;
};

// The folder: $TUNE_LEASE_DIR, else /run/lock/tune where /run/lock is open to all users, else
// /tmp/tune-leases: a choice that does not depend on the user, since leases in different folders do not see
// each other (containers that are to share GPUs mount one folder into each). It is made with mode 1777. Owned
// by the runner, on its thread.
class LeaseFolder {
 public:
  static std::filesystem::path default_path();
  // Throws Error(kEnvironment) when the folder cannot be made or is not a real folder.
  explicit LeaseFolder(std::filesystem::path path = default_path());
  const std::filesystem::path& path() const { return path_; }

  GpuClaims claims(const std::string& gpu, GpuSplit split) const;
  // A free slot of a GPU; nullopt when there is none.
  std::optional<Lease> take(const std::string& gpu, GpuSplit split) const;
  // The same of a GPU that is split by memory, if `fits` says so of what others claim there: nobody else
  // takes a slot before this one's `bytes` are set aside (nullopt: all there is).
  std::optional<Lease> take(const std::string& gpu, std::optional<std::uint64_t> bytes,
                            const std::function<bool(const GpuClaims&)>& fits) const;
  // Sets aside so much from now on for a slot that was taken so.
  static void set_aside(const Lease& lease, std::optional<std::uint64_t> bytes);
  // All of these cores of the CPU, or nullopt when somebody holds one of them, or where such locks are not to
  // be had.
  std::optional<Lease> take_cores(const std::vector<int>& cores) const;

 private:
  Descriptor open_file(const std::string& name) const;
  Descriptor open_for_writing(const std::string& name) const;
  std::optional<Lease> gate(const std::string& gpu) const;
  GpuClaims claims_behind_gate(const std::string& gpu, GpuSplit split) const;

  std::filesystem::path path_;
};

}  // namespace tune::engine
