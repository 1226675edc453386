#include "trainer/text/character_rules.h"

#include "trainer/text/sentence_piece_file.h"
#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

// A longer replacement is nobody's (the longest of Unicode's NFKC has 33 bytes), and would let a short text
// become one without end.
constexpr std::size_t kLongestReplacement = 1024;

// The parts of a unit of the double array (darts.h, DoubleArrayUnit).
std::uint32_t label_of(std::uint32_t unit) { return unit & (1U << 31U | 0xFFU); }
std::uint32_t offset_of(std::uint32_t unit) { return unit >> 10U << ((unit & 1U << 9U) >> 6U); }
bool has_leaf(std::uint32_t unit) { return (unit >> 8U & 1U) != 0; }
std::uint32_t value_of(std::uint32_t unit) { return unit & ~(1U << 31U); }

// Numbers lie there with their lowest byte first.
std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i > 0; --i) number = number << 8U | static_cast<unsigned char>(bytes[at + i - 1]);
  return number;
}

}  // namespace

CharacterRules::CharacterRules(std::string_view bytes, const std::string& file) : file_(file) {
  if (bytes.empty()) return;
  const std::size_t size = bytes.size() < 4 ? 0 : number_at(bytes, 0);
  if (size == 0 || size % 4 != 0 || size >= bytes.size() - 4)
    throw bad_sentence_piece(file_, "the rules of its normalizer are cut short");
  for (std::size_t at = 4; at < 4 + size; at += 4) units_.push_back(number_at(bytes, at));
  replacements_ = bytes.substr(4 + size);
  if (replacements_.back() != 0 || valid_utf8(replacements_) != replacements_)
    throw bad_sentence_piece(file_, "the replacements of its normalizer are not UTF-8 that ends with 0");
  for (std::size_t begin = 0; begin < replacements_.size();) {
    const std::size_t end = replacements_.find('\0', begin);
    if (end - begin > kLongestReplacement)
      throw bad_sentence_piece(file_, "a replacement of its normalizer is longer than " +
                                          std::to_string(kLongestReplacement) + " bytes");
    begin = end + 1;
  }
}

bool CharacterRules::has_first(unsigned char byte) const {
  if (units_.empty()) return false;
  const std::size_t at = offset_of(units_[0]) ^ byte;
  return at < units_.size() && label_of(units_[at]) == byte;
}

CharacterRules::Match CharacterRules::longest(std::string_view text) const {
  std::size_t length = 0, value = 0;
  std::size_t at = units_.empty() ? 0 : offset_of(units_[0]);
  for (std::size_t i = 0; i < text.size() && !units_.empty(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size() || label_of(units_[at]) != byte) break;
    const std::uint32_t unit = units_[at];
    at ^= offset_of(unit);
    if (!has_leaf(unit)) continue;
    if (at >= units_.size()) throw bad_sentence_piece(file_, "a rule of its normalizer leads outside");
    length = i + 1;
    value = value_of(units_[at]);
  }
  if (length == 0) return {};
  const auto is_inside = [](std::string_view whole, std::size_t place) {
    return place < whole.size() && (static_cast<unsigned char>(whole[place]) & 0xC0U) == 0x80U;
  };
  if (value >= replacements_.size() || is_inside(replacements_, value) || is_inside(text, length))
    throw bad_sentence_piece(file_, "a rule of its normalizer is of no whole characters");
  return {length, std::string_view(replacements_).substr(value, replacements_.find('\0', value) - value)};
}

}  // namespace tune::trainer::text
