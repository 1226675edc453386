#pragma once
// A lock on a file that other programs may take too.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "tuner/os/descriptor.h"

namespace tune {

// An exclusive lock on a file and the folder it lies in (flock), held as long as the object lives and given
// back by the kernel when the process dies. The file is made if needed, stays, and holds the owner's process
// id and machine as text; a process that removes it does not get the lock, since the folder is held. So there
// is one lock a folder. Not inherited by started programs.
class FileLock {
 public:
  // Waits for the lock; after a second of it `notice` is told a sentence, once. Throws Error(kEnvironment)
  // when the file cannot be made, Error(kInterrupted) once `is_interrupted` (empty: never), which is asked
  // some 20 times a second, says so.
  static FileLock wait_for(const std::filesystem::path& file,
                           const std::function<bool()>& is_interrupted = {},
                           const std::function<void(const std::string&)>& notice = {});
  // nullopt when another process holds it; `holder` is then the process that the file names, "4711",
  // on another machine "4711 on gpu7"; nothing when it was removed.
  static std::optional<FileLock> try_once(const std::filesystem::path& file, std::string& holder);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) = delete;

 private:
  FileLock(Descriptor file, Descriptor folder) : folder_(std::move(folder)), file_(std::move(file)) {}
  void write_owner() const;
  Descriptor folder_, file_;
};

}  // namespace tune
