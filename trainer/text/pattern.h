#pragma once
// The regular expressions of tokenizers.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tune::trainer::text {

// A set of characters: categories, spaces and ranges, or all others.
struct CharacterSet {
  std::uint32_t categories = 0;  // bits of Unicode::category_bit()
  bool spaces = false;           // \s
  std::vector<std::pair<char32_t, char32_t>> ranges;
  bool is_negated = false;
  std::array<bool, 128> ascii{};  // the answer for these, once the rest is known

  void settle_ascii();
  bool contains(char32_t code) const { return code < 128 ? ascii[code] : contains_far(code); }

 private:
  bool contains_far(char32_t code) const;
};

// A regular expression of the kind that splits texts for byte-level BPE (GPT-2's, cl100k's, o200k's, Qwen's,
// DeepSeek's): alternatives of characters, sets (`[^\s\p{L}]`, `\p{Lu}`, `\s`, ranges), groups `(?:...)` and
// `(?i:...)` at the end of an alternative, `(?!\S)` there too, and ? * + {m,n} with their possessive forms.
// It matches as Oniguruma does: the leftmost match, of the first alternative that matches, each part as long
// as can be. Immutable.
class Pattern {
 public:
  // Throws std::invalid_argument, whose text names what is not understood.
  explicit Pattern(std::string_view expression);

  // The end of the match that begins at `at`, or `at` where none does. The text is valid UTF-8.
  std::size_t match(std::string_view text, std::size_t at) const;
  // All matches from left to right, as begin and end in bytes.
  std::vector<std::pair<std::size_t, std::size_t>> matches(std::string_view text) const;

  // Inside pattern.cpp only.
  struct Alternative;
  struct Part {
    enum class Kind : std::uint8_t { kSet, kGroup, kNotAhead } kind = Kind::kSet;
    CharacterSet set;                 // of kSet and kNotAhead
    std::vector<Alternative> inside;  // of kGroup
    std::size_t least = 1, most = 1;
    bool is_possessive = false;
  };
  struct Alternative {
    std::vector<Part> parts;
    std::array<bool, 128> first{};  // the ASCII characters that it may begin with; any other may
  };

 private:
  std::vector<Alternative> alternatives_;
};

}  // namespace tune::trainer::text
