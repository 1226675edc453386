#include "tuner/engine/loop/database_file.h"

#include <utility>

#include <unistd.h>

#include <cerrno>
#include <set>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/held_locks.h"
#include "tuner/os/process.h"

namespace tune::engine {
namespace {
constexpr std::uintmax_t kLargeLog = 16 << 20;
constexpr std::uintmax_t kEndlessLog = 64 << 20;

std::uintmax_t log_size(const std::filesystem::path& database) {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(database.string() + "-wal", missing);
  return missing ? 0 : size;
}
}  // namespace

DatabaseFile::DatabaseFile(const std::filesystem::path& study_folder)
    : file_(study_database(study_folder)), at_begin_(look()) {}

std::optional<struct stat> DatabaseFile::look() const {
  struct stat status {};
  if (::stat(file_.c_str(), &status) != 0) return std::nullopt;
  return status;
}

void DatabaseFile::check_present() const {
  if (!at_begin_) return;
  const std::optional<struct stat> now = look();
  if (now && now->st_dev == at_begin_->st_dev && now->st_ino == at_begin_->st_ino) return;
  // Without the right to look, or while a network is away, nobody knows.
  if (!now && errno != ENOENT && errno != ENOTDIR) return;
  throw Error(ExitCode::kEnvironment,
              "the study's database was removed while it ran: " + file_.string() + " is " +
                  (now ? "another file now" : "gone"),
              "what was recorded is lost: run the spec again to start anew");
}

bool DatabaseFile::has_large_log() const { return log_size(file_) > kLargeLog; }

bool DatabaseFile::has_endless_log() const { return log_size(file_) > kEndlessLog; }

std::string DatabaseFile::readers() const {
  // https://sqlite.org/walformat.html, section 2.3: each of these bytes of the shared memory's file is locked
  // for reading while a transaction reads.
  constexpr std::uint64_t kFirstReader = 123, kLastReader = 127;
  std::vector<ProcessInfo> processes;
  std::set<pid_t> seen{::getpid()};
  for (const HeldLock& lock : locks_on(file_.string() + "-shm")) {
    if (lock.access != "READ" || lock.first < kFirstReader || lock.first > kLastReader) continue;
    if (lock.pid <= 0 || !seen.insert(lock.pid).second) continue;
    if (const auto process = process_info(lock.pid)) processes.push_back(*process);
  }
  return states_of(processes);
}

// Nothing depends on it: what cannot be moved now stays in the log, which is as durable.
void DatabaseFile::shrink_log(store::StudyStore& store,
                              const std::function<void(const std::string&)>& notice) {
  if (!has_large_log()) return;
  // A log that a burst has made is cut back by the next commit after it was moved; one that stays is held.
  const bool was_endless = std::exchange(log_is_endless_, has_endless_log());
  if (was_endless && log_is_endless_ && !std::exchange(said_endless_log_, true)) {
    const std::string who = readers();
    notice(
        "the write-ahead log of the study's database is over 64 MB and grows, since a program reads an old "
        "state of "
        "it" +
        (who.empty() ? std::string(" (fuser STUDY/study.db names those that have it open)") : ": " + who) +
        "; end that program or its transaction");
  }
  try {
    store.checkpoint_wal();
  } catch (const Error& error) {
    notice(std::string("the write-ahead log grows, since it cannot be moved into the database: ") +
           error.what());
  }
}

}  // namespace tune::engine
