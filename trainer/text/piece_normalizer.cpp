#include "trainer/text/piece_normalizer.h"

#include "trainer/text/utf8.h"

namespace tune::trainer::text {

PieceNormalizer::PieceNormalizer(const SentencePieceFile::Normalizer& settings, bool space_is_suffix,
                                 const PrefixTree& kept, const std::string& file)
    : rules_(settings.rules, file),
      adds_prefix_(settings.adds_prefix),
      removes_extra_spaces_(settings.removes_extra_spaces),
      space_is_suffix_(space_is_suffix),
      space_(settings.escapes_spaces ? kSpaceMark : " "),
      kept_(kept) {}

std::pair<std::string_view, std::size_t> PieceNormalizer::first_of(std::string_view text) const {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (kept_.has_first(byte))
    if (const std::size_t length = kept_.longest_prefix(text).first; length > 0)
      return {text.substr(0, length), length};
  if (rules_.has_first(byte))
    if (const CharacterRules::Match match = rules_.longest(text); match.bytes > 0)
      return {match.replacement, match.bytes};
  const std::size_t length = character_at(text, 0).bytes;
  return {text.substr(0, length), length};
}

std::string PieceNormalizer::apply(std::string_view text) const {
  if (removes_extra_spaces_)
    while (!text.empty()) {
      const auto [first, length] = first_of(text);
      if (first != " ") break;
      text.remove_prefix(length);
    }
  if (text.empty()) return {};
  std::string result;
  result.reserve(text.size() + text.size() / 2 + space_.size());
  if (adds_prefix_ && !space_is_suffix_) result += space_;
  bool is_after_space = removes_extra_spaces_;
  while (!text.empty()) {
    auto [first, length] = first_of(text);
    text.remove_prefix(length);
    while (is_after_space && first.starts_with(' ')) first.remove_prefix(1);
    if (first.empty()) continue;
    for (const char c : first)
      if (c == ' ')
        result += space_;
      else
        result.push_back(c);
    is_after_space = removes_extra_spaces_ && first.ends_with(' ');
  }
  if (removes_extra_spaces_)
    while (result.ends_with(space_)) result.resize(result.size() - space_.size());
  if (adds_prefix_ && space_is_suffix_) result += space_;
  return result;
}

}  // namespace tune::trainer::text
