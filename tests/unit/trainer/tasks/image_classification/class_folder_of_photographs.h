#pragma once
// Photographs of made surfaces in folders of their classes.
#include "unit/trainer/photographs.h"

namespace tune::trainer::tests {

class ClassFolder {
 public:
  explicit ClassFolder(const TestFolder& folder, const std::string& name) : path_(folder.path() / name) {}
  // A photograph of the surface's part at (x, y), with noise of its own.
  fs::path add(const std::string& place, const Surface& surface, int x = 0, int y = 0) {
    ++count_;
    const fs::path file = path_ / place / ("i" + std::to_string(100 + count_) + ".jpg");
    photograph(surface, x, y, 96, 96, static_cast<std::uint64_t>(count_), file);
    return file;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  int count_ = 0;
};

}  // namespace tune::trainer::tests
