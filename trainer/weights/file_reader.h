#pragma once
// Large files, piece by piece.
#include <cstdint>
#include <filesystem>

#include "tuner/os/descriptor.h"
#include "tuner/os/regular_file.h"

namespace tune::trainer::weights {

// A file with weights that is read once, from its first byte on. Owned by one function.
class FileReader {
 public:
  // Throws Error(kNotFound), and Error(kBadData) for what is no regular file.
  FileReader(std::filesystem::path path, Links links);
  std::uint64_t size() const { return size_; }  // when it was opened
  // The next bytes. Throws Error(kBadData) where the file has fewer by now, Error(kEnvironment) where the
  // machine cannot read it.
  void read(char* to, std::size_t count);

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace tune::trainer::weights
