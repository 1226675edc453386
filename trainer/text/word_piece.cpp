#include "trainer/text/word_piece.h"

#include <algorithm>

#include "trainer/text/utf8.h"

namespace tune::trainer::text {

WordPiece::WordPiece(const Vocabulary& vocabulary, Settings settings) : settings_(std::move(settings)) {
  for (std::uint32_t id = 0; id < vocabulary.end(); ++id) {
    const std::optional<std::string_view> token = vocabulary.token_of(id);
    if (!token) continue;
    beginnings_.add(*token, id);
    if (token->starts_with(settings_.prefix)) continuations_.add(token->substr(settings_.prefix.size()), id);
  }
}

void WordPiece::append_ids(std::string_view word, std::vector<std::int64_t>& ids) const {
  const std::size_t before = ids.size();
  const bool is_long =
      word.size() > settings_.most_characters && count_characters(word) > settings_.most_characters;
  for (std::size_t at = 0; at < word.size() && !is_long;) {
    const TokenTable& table = at == 0 ? beginnings_ : continuations_;
    std::size_t end = std::min(word.size(), at + table.longest());
    while (end < word.size() && end > at && (static_cast<unsigned char>(word[end]) & 0xC0U) == 0x80U) --end;
    std::optional<std::uint32_t> id;
    while (end > at && !(id = table.find(word.substr(at, end - at)))) end = previous_character(word, end);
    if (!id) break;
    ids.push_back(*id);
    at = end;
    if (at == word.size()) return;
  }
  ids.resize(before);
  ids.push_back(settings_.unknown);
}

}  // namespace tune::trainer::text
