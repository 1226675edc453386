#pragma once
// What makes tokens of a word.
#include <cstdint>
#include <string_view>
#include <vector>

namespace tune::trainer::text {

// Immutable; any number of threads may call it.
class TokenModel {
 public:
  TokenModel() = default;
  TokenModel(const TokenModel&) = delete;
  TokenModel& operator=(const TokenModel&) = delete;
  virtual ~TokenModel() = default;
  // Adds the ids of a word's tokens. The word is not empty, and valid UTF-8 (of a model of bytes, any bytes).
  virtual void append_ids(std::string_view word, std::vector<std::int64_t>& ids) const = 0;
};

}  // namespace tune::trainer::text
