#include "trainer/parallel/machine_sums.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "tuner/core/error.h"

namespace tune::trainer::parallel {
namespace {

constexpr std::size_t kChunk = 1 << 20, kChunks = 16;  // bytes, and a lane's number of them
constexpr std::size_t kLine = 64;                      // of a processor's cache
constexpr timespec kPause{0, 50'000'000};              // between looks at whether the others live

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

template <typename Number>
void add_up(Number* sum, const std::vector<const std::byte*>& parts, std::size_t count) {
  std::memcpy(sum, parts[0], count * sizeof(Number));
  for (std::size_t part = 1; part < parts.size(); ++part) {
    const auto* added = reinterpret_cast<const Number*>(parts[part]);
    for (std::size_t i = 0; i < count; ++i) sum[i] += added[i];
  }
}

}  // namespace

// Of all processes.
struct alignas(kLine) MachineSums::Head {
  std::atomic<std::uint32_t> bell;     // counts what was done, for those that wait
  std::atomic<std::uint32_t> waiting;  // processes
};

// Chunks so far.
struct alignas(kLine) MachineSums::Lane {
  std::atomic<std::uint64_t> written;  // by the lane's process to its own ring
  std::atomic<std::uint64_t> taken;    // by the lane's process from all rings
  std::atomic<std::int32_t> pid;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<std::uint32_t>::is_always_lock_free);

MachineSums::MachineSums(int size, Milliseconds patience)
    : MachineSums(Descriptor(::memfd_create("tune-sums", MFD_CLOEXEC)), 0, size, patience) {}

MachineSums::MachineSums(const std::string& name, int rank, int size, Milliseconds patience)
    : MachineSums(Descriptor(open_retrying(name, O_RDWR)), rank, size, patience) {}

MachineSums::MachineSums(Descriptor memory, int rank, int size, Milliseconds patience)
    : memory_(std::move(memory)), rank_(rank), size_(size), patience_(patience), peers_(size) {
  if (memory_.get() < 0) fail("no memory to share with the other processes");
  const auto lanes = static_cast<std::size_t>(size);
  const std::size_t bytes = sizeof(Head) + lanes * (sizeof(Lane) + kChunks * kChunk);
  if (rank == 0 && ::ftruncate(memory_.get(), static_cast<off_t>(bytes)) != 0)
    fail("the memory to share with the other processes");
  void* mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory_.get(), 0);
  if (mapped == MAP_FAILED) fail("the memory that the processes share");
  begin_ = static_cast<std::byte*>(mapped);  // of zeros, which the atomics begin with
  lane(rank_).pid.store(::getpid());
}

MachineSums::~MachineSums() {
  const auto lanes = static_cast<std::size_t>(size_);
  ::munmap(begin_, sizeof(Head) + lanes * (sizeof(Lane) + kChunks * kChunk));
}

std::string MachineSums::name() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(memory_.get());
}

MachineSums::Lane& MachineSums::lane(int rank) const {
  return reinterpret_cast<Lane*>(begin_ + sizeof(Head))[rank];
}

std::byte* MachineSums::chunk(int rank, std::uint64_t number) const {
  const auto before = static_cast<std::size_t>(rank) * kChunks + number % kChunks;
  return begin_ + sizeof(Head) + static_cast<std::size_t>(size_) * sizeof(Lane) + before * kChunk;
}

std::uint64_t MachineSums::begin(float* values, std::size_t count) {
  return begin(Task{values, nullptr, count, 0, 0});
}

std::uint64_t MachineSums::begin(double* values, std::size_t count) {
  return begin(Task{nullptr, values, count, 0, 0});
}

std::uint64_t MachineSums::begin(Task task) {
  if (task.count > 0) {
    tasks_.push_back(task);
    ++begun_;
    while (advance()) {
    }
  }
  return begun_;
}

void MachineSums::finish(std::uint64_t number) {
  while (done_ < number)
    if (!advance()) wait();
}

bool MachineSums::advance() {
  const bool wrote = write_chunk(), took = take_chunk();
  if (wrote || took) ring();
  return wrote || took;
}

bool MachineSums::write_chunk() {
  if (next_to_write_ == tasks_.size()) return false;
  const std::uint64_t number = lane(rank_).written.load(std::memory_order_relaxed);
  for (int rank = 0; rank < size_; ++rank)
    if (number - lane(rank).taken.load() >= kChunks) return false;
  Task& task = tasks_[next_to_write_];
  const std::size_t each = task.bytes_each(), some = std::min(task.count - task.written, kChunk / each);
  if (task.floats != nullptr)
    std::memcpy(chunk(rank_, number), task.floats + task.written, some * each);
  else
    std::memcpy(chunk(rank_, number), task.doubles + task.written, some * each);
  task.written += some;
  if (task.written == task.count) ++next_to_write_;
  lane(rank_).written.store(number + 1);
  return true;
}

bool MachineSums::take_chunk() {
  if (tasks_.empty()) return false;
  const std::uint64_t number = lane(rank_).taken.load(std::memory_order_relaxed);
  std::vector<const std::byte*> parts;
  for (int rank = 0; rank < size_; ++rank) {
    if (lane(rank).written.load() <= number) return false;
    parts.push_back(chunk(rank, number));
  }
  Task& task = tasks_.front();
  const std::size_t some = std::min(task.count - task.taken, kChunk / task.bytes_each());
  if (task.floats != nullptr)
    add_up(task.floats + task.taken, parts, some);
  else
    add_up(task.doubles + task.taken, parts, some);
  task.taken += some;
  lane(rank_).taken.store(number + 1);
  if (task.taken == task.count) {
    tasks_.pop_front();
    --next_to_write_;
    ++done_;
  }
  return true;
}

void MachineSums::ring() {
  Head& head = *reinterpret_cast<Head*>(begin_);
  head.bell.fetch_add(1);
  if (head.waiting.load() > 0) ::syscall(SYS_futex, &head.bell, FUTEX_WAKE, size_, nullptr, nullptr, 0);
}

bool MachineSums::can_advance() const {
  const std::uint64_t written = lane(rank_).written.load(), taken = lane(rank_).taken.load();
  bool can_write = next_to_write_ < tasks_.size(), can_take = !tasks_.empty();
  for (int rank = 0; rank < size_; ++rank) {
    can_write = can_write && written - lane(rank).taken.load() < kChunks;
    can_take = can_take && lane(rank).written.load() > taken;
  }
  return can_write || can_take;
}

// Until another process did something. The bell is read before what it tells of, so that none is missed; and
// what a process did before it ended counts.
void MachineSums::wait() {
  struct Waiting {
    explicit Waiting(Head& one) : head(one) { head.waiting.fetch_add(1); }
    ~Waiting() { head.waiting.fetch_sub(1); }
    Head& head;
  };
  const Waiting waiting(*reinterpret_cast<Head*>(begin_));
  const auto end = std::chrono::steady_clock::now() + patience_;
  for (bool is_long = false;;) {
    const std::uint32_t seen = waiting.head.bell.load();
    const int gone = is_long ? ended_one() : -1;
    if (can_advance()) return;
    if (gone >= 0) throw std::runtime_error("process " + std::to_string(gone + 1) + " has ended");
    if (is_long && std::chrono::steady_clock::now() > end)
      throw std::runtime_error(late_ones() + " did not come for " + std::to_string(patience_.count() / 1000) +
                               " s");
    is_long = ::syscall(SYS_futex, &waiting.head.bell, FUTEX_WAIT, seen, &kPause, nullptr, 0) != 0 &&
              errno == ETIMEDOUT;
  }
}

// The rank of one; -1: all live.
int MachineSums::ended_one() {
  for (int rank = 0; rank < size_; ++rank) {
    Descriptor& peer = peers_[static_cast<std::size_t>(rank)];
    const pid_t pid = lane(rank).pid.load();
    if (rank == rank_ || pid == 0) continue;
    if (peer.get() < 0) peer = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (peer.get() < 0 && errno == ESRCH) return rank;
    pollfd ended{peer.get(), POLLIN, 0};
    if (peer.get() >= 0 && ::poll(&ended, 1, 0) > 0) return rank;
  }
  return -1;
}

std::string MachineSums::late_ones() const {
  std::string text;
  const std::uint64_t own = lane(rank_).taken.load();
  for (int rank = 0; rank < size_; ++rank)
    if (rank != rank_ && (lane(rank).written.load() <= own || lane(rank).taken.load() < own))
      text += (text.empty() ? "process " : ", ") + std::to_string(rank + 1);
  return text.empty() ? "another process" : text;
}

}  // namespace tune::trainer::parallel
