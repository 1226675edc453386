#pragma once
// What Python's `tokenizers` takes each character for: unicode_tables.txt, which make_unicode_tables.py reads
// out of it.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tune::trainer::text {

// Sets of characters that parts of a tokenizer ask for.
enum class Trait : std::uint8_t {
  kPatternSpace,   // \s of a regular expression
  kSpace,          // white space of pre-tokenizers, of Strip and around added tokens
  kNumber,         // of the pre-tokenizer Digits
  kWord,           // \w of the pre-tokenizer Whitespace
  kPunctuation,    // of the pre-tokenizers Punctuation and BertPreTokenizer
  kAccent,         // what StripAccents drops
  kBertDropped,    // control characters, for BertNormalizer
  kBertSpace,      // what it makes a space
  kBertIdeograph,  // what it puts spaces around
  kBertAccent,     // what it drops after NFD
  kLowered,        // what has another lower case
  kDecomposed,     // what NFD decomposes
  kCompatible,     // what NFKD decomposes and NFD does not, or otherwise
  kMark,           // what has a canonical combining class but 0
  kComposing,  // what may change in NFC: marks, what is decomposed for good, what joins with one before it
};

// Immutable, one for the program. Its functions take any code point.
class Unicode {
 public:
  static const Unicode& tables();

  // Bit of a general category ("Lu", "Nd", ... "Cn"), as regular expressions see them; 0 for a name that is
  // none.
  static std::uint32_t category_bit(std::string_view name);
  // The bit of the character's.
  std::uint32_t category_of(char32_t code) const { return 1U << (facts_of(code) & 31U); }
  bool has(char32_t code, Trait trait) const {
    return (facts_of(code) >> (5U + static_cast<unsigned>(trait)) & 1U) != 0;
  }

  std::string lower(std::string_view text) const;
  enum class Form : std::uint8_t { kNfc, kNfd, kNfkc, kNfkd };  // normalization forms (Unicode annex 15)
  std::string normalized(std::string_view text, Form form) const;

 private:
  using Changes = std::unordered_map<char32_t, std::u32string>;
  Unicode();
  void find_compositions();
  std::uint32_t facts_of(char32_t code) const {
    return code < 0x110000 ? blocks_[block_of_[code >> 8]][code & 0xFFU] : 0U;
  }
  void decompose(char32_t code, bool compatible, std::u32string& into) const;
  void order_marks(std::u32string& characters) const;
  std::u32string composed(const std::u32string& characters) const;
  char32_t composite_of(char32_t first, char32_t second) const;  // 0: none
  unsigned combining_class(char32_t code) const;

  std::array<std::uint16_t, 0x1100> block_of_{};
  std::vector<std::array<std::uint32_t, 256>> blocks_;  // category in the low 5 bits, then one for each trait
  Changes lower_, decomposed_, decomposed_for_good_, compatible_;
  std::unordered_map<char32_t, unsigned> combining_;
  std::unordered_map<std::uint64_t, char32_t> compositions_;  // by the pair
};

}  // namespace tune::trainer::text
