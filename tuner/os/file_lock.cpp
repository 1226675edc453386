#include "tuner/os/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/os/closed_file.h"

namespace tune {
namespace {

constexpr std::chrono::milliseconds kPause{50};       // between two tries
constexpr std::chrono::milliseconds kPatience{1000};  // before a person is told what is waited for

Descriptor open_lock(const std::filesystem::path& file) {
  Descriptor descriptor(open_retrying(file, O_RDWR | O_CREAT, 0600));
  if (descriptor.get() < 0)
    throw closed_file(file, "cannot open " + file.string() + ": " + std::strerror(errno));
  return descriptor;
}

// The folder the lock lies in, for which no path may be removed while it is in use; none where it cannot
// be opened.
Descriptor open_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  return Descriptor(open_retrying(folder, O_RDONLY | O_DIRECTORY));
}

std::string host_name() {
  std::array<char, 256> host{};
  return gethostname(host.data(), host.size() - 1) == 0 ? host.data() : std::string();
}

// "4711", or "4711 on gpu7" where a process of another machine wrote it.
std::string owner_in(const std::string& text) {
  const std::size_t end = text.find('\n');
  std::string owner = text.substr(0, end);
  if (end == std::string::npos) return owner;
  const std::string host = text.substr(end + 1, text.find('\n', end + 1) - end - 1);
  if (!host.empty() && host != host_name()) owner += " on " + host;
  return owner;
}

bool is_still_at(const std::filesystem::path& file, int descriptor) {
  struct stat ours {
  }, there{};
  return fstat(descriptor, &ours) == 0 && stat(file.c_str(), &there) == 0 && ours.st_dev == there.st_dev &&
         ours.st_ino == there.st_ino;
}

}  // namespace

FileLock FileLock::wait_for(const std::filesystem::path& file, const std::function<bool()>& is_interrupted,
                            const std::function<void(const std::string&)>& notice) {
  // Not by a call that blocks: the handlers of a study's signals restart it (SA_RESTART), so that a signal
  // would not be seen before the other process lets go.
  const auto say_at = std::chrono::steady_clock::now() + kPatience;
  for (bool said = false;;) {
    std::string holder;
    if (auto lock = try_once(file, holder)) return std::move(*lock);
    if (!said && notice && std::chrono::steady_clock::now() >= say_at) {
      notice("waits for process " + (holder.empty() ? "(unknown)" : holder) + ", which holds " +
             file.string());
      said = true;
    }
    if (is_interrupted && is_interrupted())
      throw Error(ExitCode::kInterrupted, "interrupted while process " + holder + " held " + file.string());
    std::this_thread::sleep_for(kPause);
  }
}

std::optional<FileLock> FileLock::try_once(const std::filesystem::path& file, std::string& holder) {
  for (;;) {
    FileLock lock(open_lock(file), open_folder_of(file));
    // Some network file systems lock no folders: the file's lock is all there is then.
    const bool is_folder_taken =
        lock.folder_.get() >= 0 && flock(lock.folder_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!is_folder_taken && flock(lock.file_.get(), LOCK_EX | LOCK_NB) == 0) {
      // If somebody has removed it since it was opened, the next process would lock another file.
      if (!is_still_at(file, lock.file_.get())) continue;
      lock.write_owner();
      return lock;
    }
    if (!is_folder_taken && errno != EWOULDBLOCK)
      throw Error(ExitCode::kEnvironment, "cannot lock " + file.string() + ": " + std::strerror(errno));
    std::array<char, 320> text{};
    const ssize_t length = pread(lock.file_.get(), text.data(), text.size(), 0);
    holder = owner_in({text.data(), length > 0 ? static_cast<std::size_t>(length) : 0});
    return std::nullopt;
  }
}

void FileLock::write_owner() const {
  const std::string text = std::to_string(getpid()) + "\n" + host_name() + "\n";
  // Only for people: a full disk must not keep the lock from being taken.
  if (ftruncate(file_.get(), 0) == 0) [[maybe_unused]]
    const ssize_t written = pwrite(file_.get(), text.data(), text.size(), 0);
}

}  // namespace tune
