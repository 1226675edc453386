#pragma once
// Something that happens often and is said once: "3 boxes ..., the first being ...".
#include <cstddef>
#include <string>
#include <vector>

namespace tune::trainer::data {

// Owned by a reader, on its thread. Counts; keeps the first place alone.
class Tally {
 public:
  void add(const std::string& where) {
    if (count_++ == 0) first_ = where;
  }
  // Nothing where nothing was counted. `one` and `many` go on after the number: " box has no area".
  void tell(const std::string& one, const std::string& many, std::vector<std::string>& warnings) const;

 private:
  std::size_t count_ = 0;
  std::string first_;
};

}  // namespace tune::trainer::data
