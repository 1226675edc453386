#include "trainer/data/tally.h"

namespace tune::trainer::data {

void Tally::tell(const std::string& one, const std::string& many, std::vector<std::string>& warnings) const {
  if (count_ == 0) return;
  warnings.push_back(std::to_string(count_) + (count_ == 1 ? one : many) +
                     (count_ == 1 ? ": " : ", the first being ") + first_);
}

}  // namespace tune::trainer::data
