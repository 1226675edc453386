#include "tuner/engine/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "tuner/core/closed_file.h"
#include "tuner/core/error.h"

namespace tune::engine {
namespace {

constexpr std::chrono::milliseconds kPause{50};  // between two tries

int open_lock(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw closed_file(file, "cannot open " + file.string() + ": " + std::strerror(errno));
  return descriptor;
}

}  // namespace

FileLock FileLock::wait_for(const std::filesystem::path& file, const std::function<bool()>& is_interrupted) {
  // Not by a call that blocks: the handlers of a study's signals restart it (SA_RESTART), so that a signal
  // would not be seen before the other process lets go.
  for (;;) {
    std::string holder;
    if (auto lock = try_once(file, holder)) return std::move(*lock);
    if (is_interrupted && is_interrupted())
      throw Error(ExitCode::kInterrupted, "interrupted while process " + holder + " held " + file.string());
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<FileLock> FileLock::try_once(const std::filesystem::path& file, std::string& holder) {
  FileLock lock(open_lock(file));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) {
    lock.write_owner();
    return lock;
  }
  if (errno != EWOULDBLOCK)
    throw Error(ExitCode::kEnvironment, "cannot lock " + file.string() + ": " + std::strerror(errno));
  std::array<char, 64> text{};
  const ssize_t length = pread(lock.descriptor_, text.data(), text.size(), 0);
  holder.assign(text.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return std::nullopt;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

void FileLock::write_owner() const {
  const std::string text = std::to_string(getpid()) + "\n";
  // Only for people: a full disk must not keep the lock from being taken.
  if (ftruncate(descriptor_, 0) == 0) [[maybe_unused]]
    const ssize_t written = pwrite(descriptor_, text.data(), text.size(), 0);
}

}  // namespace tune::engine
