#pragma once
// The tokens of a model and their ids.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/text/token_table.h"

namespace tune::trainer::text {

// Larger ids are nobody's: no model has an embedding of that many rows.
inline constexpr std::uint64_t kMostIds = 1U << 22U;

// The token of a byte by itself: "<0x0A>".
std::string byte_token(std::size_t byte);
// The byte that a token stands for; digits are capital or small.
std::optional<char> byte_of_token(std::string_view token);

// Each token has one id and each id at most one token. Filled by one thread, read by any number.
class Vocabulary {
 public:
  enum class Added { kYes, kTokenIsThere, kIdIsThere };
  Added add(std::string_view token, std::uint32_t id);  // id < kMostIds
  std::optional<std::uint32_t> id_of(std::string_view token) const { return table_.find(token); }
  std::optional<std::string_view> token_of(std::uint64_t id) const;
  std::size_t end() const { return index_of_id_.size(); }  // the highest id and one

 private:
  TokenTable table_;
  std::vector<std::uint32_t> index_of_id_;  // in the table, and one; 0 for the id of no token
};

}  // namespace tune::trainer::text
