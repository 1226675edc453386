#pragma once
// Everything wrong with a data set in one message, so that a person repairs it in one go.
#include <string>
#include <vector>

namespace tune::trainer::detection {

// Owned by a reader, on its thread. Collects and throws; judges nothing.
class Problems {
 public:
  // A sentence that names file and object, the cause and, where it is not the same for all, the cure.
  void add(std::string problem);
  bool empty() const { return count_ == 0; }
  // Throws Error(kBadData) with `title`, the first 20 problems and the number of the others, if there are
  // any.
  void throw_if_any(const std::string& title, const std::string& hint) const;

 private:
  std::vector<std::string> first_;
  std::size_t count_ = 0;
};

}  // namespace tune::trainer::detection
