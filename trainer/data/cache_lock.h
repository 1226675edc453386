#pragma once
// One process at a time makes a thing that several want, and the others find it made.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>

#include "tuner/os/descriptor.h"

namespace tune::trainer::data {

// A lock on a file of a cache folder (flock), which stays, held as long as the object lives and given back by
// the kernel when the process dies. Not a FileLock, of which a folder has one alone: here lies one for each
// thing, or for each of some groups of them. Where the file system has no locks it is held by all at once,
// and things are made twice.
class CacheLock {
 public:
  // Waits for another process that holds it, of which `told` is printed to `notes` once, unless `interrupted`
  // says stop. Both may be empty.
  CacheLock(const std::filesystem::path& file, std::ostream* notes, const std::string& told,
            const std::function<bool()>& interrupted);
  // False where the file cannot be written.
  bool is_there() const { return lock_.get() >= 0; }

 private:
  Descriptor lock_;
};

}  // namespace tune::trainer::data
