#pragma once
// The study's database as a file in the file system, beside the connection to it.
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "store/study_store.h"

namespace tune::engine {

// Owned by the loop, on its thread. Remembers which file was there when the loop began: SQLite goes on
// writing to a file that was removed, and all of it would be lost. Knows of no file for a database in memory.
class DatabaseFile {
 public:
  explicit DatabaseFile(const std::filesystem::path& study_folder);
  // Throws Error(kEnvironment) when the file was removed or replaced.
  void check_present() const;
  // Moves the write-ahead log into the database once it is large. What keeps it from that is told to
  // `notice`, in a sentence: the same while it stays the same.
  void shrink_log(store::StudyStore& store, const std::function<void(const std::string&)>& notice);

 private:
  // Whether the write-ahead log should be moved into the database.
  bool has_large_log() const;
  // Whether it has grown beyond all that one study needs: somebody keeps it from being moved.
  bool has_endless_log() const;
  // The other processes that read the database at this moment, "python3 (812) S poll"; empty when there are
  // none, or nobody knows.
  std::string readers() const;
  std::optional<struct stat> look() const;
  std::filesystem::path file_;
  std::optional<struct stat> at_begin_;
  bool log_is_endless_ = false, said_endless_log_ = false;
};

}  // namespace tune::engine
