#pragma once
// Claims on GPU slots and cores that all `tune` processes of a machine share: locks on files in one folder.
#include <filesystem>
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

// What is claimed of one GPU, by any process.
struct GpuClaims {
  int free = 0;                    // slots of this split that are free; 0 while another split is in use
  bool is_leased = false;          // anybody holds a slot
  std::optional<int> other_split;  // somebody else runs this many trials on that GPU
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

  GpuClaims claims(const std::string& gpu, int trials_per_gpu) const;
  // A free slot of a GPU that is split into `trials_per_gpu`; nullopt when there is none.
  std::optional<Lease> take(const std::string& gpu, int trials_per_gpu) const;
  // All of these cores of the CPU, or nullopt when somebody holds one of them, or where such locks are not to
  // be had.
  std::optional<Lease> take_cores(const std::vector<int>& cores) const;

 private:
  Descriptor open_file(const std::string& name) const;
  std::optional<Lease> gate(const std::string& gpu) const;
  GpuClaims claims_behind_gate(const std::string& gpu, int trials_per_gpu) const;

  std::filesystem::path path_;
};

}  // namespace tune::engine
