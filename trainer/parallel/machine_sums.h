#pragma once
// Sums over the processes of one machine, through memory that they share.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/os/descriptor.h"

namespace tune::trainer::parallel {

// Each process has a lane: a ring of chunks that it alone writes and all read. What is to be added up goes
// through the lanes chunk by chunk, in the order in which it was begun, which is the same in each process. A
// process adds up the chunks of all lanes by itself, in the order of the ranks, so that all get the same
// bits. For a few processes that is quicker than to divide the work, which takes one more meeting; and a copy
// takes a fraction of what sending through the loopback device does.
//
// The memory is anonymous, so that nothing stays behind whichever way the processes end, and its size is not
// bounded by that of /dev/shm, which in a container is small. Owned by a Team, on the thread that trains.
// What waits throws std::runtime_error when another process has ended, or did nothing for `patience`.
class MachineSums {
 public:
  // The memory of a team of `size`. Throws std::system_error.
  explicit MachineSums(int size, Milliseconds patience);
  // That of another process's, by its name.
  MachineSums(const std::string& name, int rank, int size, Milliseconds patience);
  ~MachineSums();
  MachineSums(const MachineSums&) = delete;
  MachineSums& operator=(const MachineSums&) = delete;

  // By which the other processes of this user open it, as long as this one lives.
  std::string name() const;

  // In place, dense in memory. `values` must live until finish() of the number that is given back.
  std::uint64_t begin(float* values, std::size_t count);
  std::uint64_t begin(double* values, std::size_t count);
  // Waits until it, and all that was begun before it, is added up.
  void finish(std::uint64_t number);

 private:
  struct Head;
  struct Lane;
  struct Task {
    float* floats;  // or doubles
    double* doubles;
    std::size_t count, written, taken;  // numbers
    std::size_t bytes_each() const { return floats != nullptr ? sizeof(float) : sizeof(double); }
  };
  MachineSums(Descriptor memory, int rank, int size, Milliseconds patience);
  std::uint64_t begin(Task task);
  // Whether anything could be done without waiting.
  bool advance();
  bool write_chunk();
  bool take_chunk();
  bool can_advance() const;
  void wait();
  int ended_one();
  std::string late_ones() const;
  Lane& lane(int rank) const;
  std::byte* chunk(int rank, std::uint64_t number) const;
  void ring();

  const Descriptor memory_;
  const int rank_, size_;
  const Milliseconds patience_;
  std::byte* begin_ = nullptr;
  std::vector<Descriptor> peers_;       // pidfds, by rank, once they were needed
  std::deque<Task> tasks_;              // that are under way
  std::uint64_t begun_ = 0, done_ = 0;  // tasks
  std::size_t next_to_write_ = 0;       // in tasks_
};

}  // namespace tune::trainer::parallel
