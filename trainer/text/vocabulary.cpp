#include "trainer/text/vocabulary.h"

#include <charconv>

namespace tune::trainer::text {

std::string byte_token(std::size_t byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
}

std::optional<char> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  unsigned byte = 0;
  const char* const end = token.data() + 5;
  const auto result = std::from_chars(token.data() + 3, end, byte, 16);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return static_cast<char>(byte);
}

Vocabulary::Added Vocabulary::add(std::string_view token, std::uint32_t id) {
  if (id < index_of_id_.size() && index_of_id_[id] != 0) return Added::kIdIsThere;
  if (!table_.add(token, id)) return Added::kTokenIsThere;
  if (id >= index_of_id_.size()) index_of_id_.resize(id + std::size_t{1});
  index_of_id_[id] = static_cast<std::uint32_t>(table_.size());
  return Added::kYes;
}

std::optional<std::string_view> Vocabulary::token_of(std::uint64_t id) const {
  if (id >= index_of_id_.size() || index_of_id_[id] == 0) return std::nullopt;
  return table_.token_at(index_of_id_[id] - 1);
}

}  // namespace tune::trainer::text
