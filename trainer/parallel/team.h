#pragma once
// Processes that train one model together, each on its part of every batch.
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "trainer/torch_compat.h"
#include "tuner/core/clock.h"
#include "tuner/core/error.h"

namespace tune::trainer::parallel {

// One process's place among those of its trial, as whoever started it says in its environment.
struct Membership {
  int rank = 0, size = 1;
  int local_rank = 0, local_size = 1;  // among those of its machine: its GPU of those that are visible
  std::string rendezvous;              // "file:PATH" on one machine, or "tcp:HOST:PORT", where rank 0 listens
};

// TUNE_RANK, TUNE_WORLD_SIZE, TUNE_LOCAL_RANK, TUNE_LOCAL_WORLD_SIZE (all of them where it is absent),
// TUNE_RENDEZVOUS; nullopt without the first. Throws Error(kUsage) where they make no sense together.
std::optional<Membership> membership_from_environment();

// The machines of a trial, each with as many of its processes.
struct Machines {
  int count = 1;
  int index = 0;                // of this one
  std::string rendezvous = {};  // of several: as Membership's
};

// Of so many: SLURM_NODEID says which one this is, MASTER_ADDR and MASTER_PORT where the first one listens.
// Throws Error(kEnvironment) where they do not, Error(kUsage) where they make no sense.
Machines machines_from_environment(int count);

// How long a process waits for the others: TUNE_PEER_TIMEOUT seconds, else ten minutes. Throws Error(kUsage).
Milliseconds patience_from_environment();

// Another process of the team has ended or hangs: the reason is that one's, not of who throws this.
class PeerLost : public Error {
 public:
  PeerLost(int rank, int size, const std::string& what, const std::string& hint);
};

// A sum over the team that is under way; empty where there is none to wait for.
struct PendingSum;
struct PendingSumDeleter {
  void operator()(PendingSum* sum) const;
};
using Sum = std::unique_ptr<PendingSum, PendingSumDeleter>;

// Owned by the process's Compute, shared by all who compute with it, on the thread that trains. What its
// functions return is the same in each process, which calls the same ones in the same order; they throw
// PeerLost. Numbers on the CPU are added up in memory that the processes of one machine share, and travel by
// Gloo between machines; tensors on GPUs travel by NCCL. A team without links has a place, and
// so a part of the work, but tells nobody anything: a process by itself, and one that only measures.
class Team {
 public:
  explicit Team(int rank = 0, int size = 1);
  // Blocks until all are there.
  Team(const Membership& membership, const torch::Device& device, Milliseconds patience);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_first() const { return rank_ == 0; }
  bool is_linked() const { return links_ != nullptr; }
  // This one's of the examples of a batch: from the first to before the second; neighbours, by rank.
  std::pair<std::int64_t, std::int64_t> part(std::int64_t count) const;
  // Likewise of `count` things whose results are put together again, below: all of them without links.
  std::pair<std::int64_t, std::int64_t> share(std::int64_t count) const;

  // Numbers of the host.
  std::vector<double> sums(std::vector<double> values) const;
  bool any(bool own) const;
  std::vector<std::string> gathered(const std::string& own) const;  // by rank
  // One after the other, by rank.
  template <typename Value>
  std::vector<Value> gathered(const std::vector<Value>& own) const {
    static_assert(std::is_trivially_copyable_v<Value>);
    if (!is_linked()) return own;
    std::vector<Value> all;
    for (const std::string& bytes :
         gathered(std::string(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(Value)))) {
      const std::size_t before = all.size();
      all.resize(before + bytes.size() / sizeof(Value));
      std::memcpy(all.data() + before, bytes.data(), bytes.size());
    }
    return all;
  }

  // Tensors of float or double on the device of the team, dense in memory. On a GPU what is begun on the
  // current stream comes before and after.
  void add(const torch::Tensor& tensor) const;          // in place
  Sum begin_to_add(const torch::Tensor& tensor) const;  // likewise, done after finish()
  void finish(Sum& sum) const;
  // Those of the first process take the place of all others'. Of any type.
  void take_from_first(const std::vector<torch::Tensor>& tensors) const;

 private:
  struct Links;
  static constexpr const char* kWhenLost =
      "see why that one ended, or raise TUNE_PEER_TIMEOUT where it was only slow";
  void share_memory(Milliseconds patience);
  template <typename Work>
  void with_peers(Work work, const char* when_lost = kWhenLost) const;

  int rank_, size_;
  std::unique_ptr<Links> links_;
};

// The team of a process by itself.
const std::shared_ptr<Team>& alone();

}  // namespace tune::trainer::parallel
