#pragma once
// Values that people bring from other products, where numbers and truth values may be written as texts.
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::language_model {

// One value and where it stands ("lora_config.r"). All throw Error(kBadSpec) with that place for what is not
// of the kind, or out of the range.
class GivenValue {
 public:
  GivenValue(Json value, std::string place) : value_(std::move(value)), place_(std::move(place)) {}
  std::int64_t whole(std::int64_t least, std::int64_t most) const;
  double number(double least, double most) const;
  bool flag() const;  // true, false, "true", "False", 1, 0
  std::string one_of(const std::vector<std::string>& values) const;

 private:
  const Json value_;
  const std::string place_;
};

}  // namespace tune::trainer::language_model
