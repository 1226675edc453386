#include "trainer/text/unicode.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "trainer/text/unicode_tables.h"
#include "trainer/text/utf8.h"
#include "tuner/core/error.h"

namespace tune::trainer::text {
namespace {

// By their bits; unassigned characters are in no line of the file and so 0.
constexpr std::array<std::string_view, 30> kCategories = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs"};

// The traits that are read from lines of these names.
constexpr std::array<std::string_view, 10> kTraits = {
    "pattern_space", "space",        "number",     "word",           "punctuation",
    "accent",        "bert_dropped", "bert_space", "bert_ideograph", "bert_accent"};

// Syllables of Hangul are composed by arithmetic (section 3.12 of the Unicode standard).
constexpr char32_t kSyllables = 0xAC00, kLeads = 0x1100, kVowels = 0x1161, kTrails = 0x11A7;
constexpr char32_t kLeadCount = 19, kVowelCount = 21, kTrailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTrailCount;
bool is_syllable(char32_t code) { return code >= kSyllables && code < kSyllables + kSyllableCount; }

constexpr char32_t kEnd = 0x110000;  // of code points

std::uint32_t trait_bit(Trait trait) { return 1U << (5U + static_cast<unsigned>(trait)); }

// Words of a line of the file, one by one.
std::string_view next_word(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

char32_t hexadecimal(std::string_view word) {
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code, 16);
  TUNE_CHECK(error == std::errc() && end == word.data() + word.size() && code < kEnd, std::string(word));
  return code;
}

// "41-5A 61": calls `found` with each of them.
template <typename Found>
void each_member(std::string_view words, const Found& found) {
  while (!words.empty()) {
    const std::string_view word = next_word(words);
    const std::size_t dash = word.find('-');
    const char32_t last = hexadecimal(dash == std::string_view::npos ? word : word.substr(dash + 1));
    for (char32_t code = hexadecimal(word.substr(0, dash)); code <= last; ++code) found(code);
  }
}

// "C0=41+300": into the map.
void read_changes(std::string_view words, std::unordered_map<char32_t, std::u32string>& changes) {
  while (!words.empty()) {
    std::string_view word = next_word(words);
    const std::size_t equals = word.find('=');
    std::u32string& text = changes[hexadecimal(word.substr(0, equals))];
    for (std::size_t at = equals; at != std::string_view::npos;) {
      const std::size_t plus = word.find('+', at + 1);
      text.push_back(hexadecimal(word.substr(at + 1, plus - at - 1)));
      at = plus;
    }
  }
}

std::uint64_t pair_key(char32_t first, char32_t second) { return std::uint64_t{first} << 32U | second; }

}  // namespace

const Unicode& Unicode::tables() {
  static const Unicode unicode;
  return unicode;
}

std::uint32_t Unicode::category_bit(std::string_view name) {
  const auto* const found = std::find(kCategories.begin(), kCategories.end(), name);
  return found == kCategories.end() ? 0U : 1U << static_cast<unsigned>(found - kCategories.begin());
}

Unicode::Unicode() {
  std::vector<std::uint32_t> facts(kEnd, 0);
  std::string_view file = unicode_tables_text();
  while (!file.empty()) {
    const std::size_t end = file.find('\n');
    std::string_view line = file.substr(0, end);
    file.remove_prefix(end + 1);
    const std::string_view name = next_word(line);
    const std::size_t dot = name.find('.');
    const std::string_view subject = name.substr(0, dot);
    const std::string_view detail = dot == std::string_view::npos ? "" : name.substr(dot + 1);
    const auto* const trait = std::find(kTraits.begin(), kTraits.end(), subject);
    if (subject == "category") {
      const auto* const category = std::find(kCategories.begin(), kCategories.end(), detail);
      const auto bits = static_cast<std::uint32_t>(category - kCategories.begin());
      each_member(line, [&](char32_t code) { facts[code] |= bits; });
    } else if (trait != kTraits.end()) {
      const std::uint32_t bit = trait_bit(static_cast<Trait>(trait - kTraits.begin()));
      if (detail == "of") {
        std::uint32_t categories = 0;
        while (!line.empty()) categories |= category_bit(next_word(line));
        for (std::uint32_t& fact : facts)
          if ((categories >> (fact & 31U) & 1U) != 0) fact ^= bit;
      } else {
        each_member(line, [&](char32_t code) { facts[code] ^= bit; });
      }
    } else if (subject == "combining") {
      unsigned value = 0;
      std::from_chars(detail.data(), detail.data() + detail.size(), value);
      each_member(line, [&](char32_t code) { combining_[code] = value; });
    } else if (subject == "lower") {
      read_changes(line, lower_);
    } else if (subject == "decomposed") {
      read_changes(line, decomposed_);
    } else if (subject == "decomposed_for_good") {
      read_changes(line, decomposed_for_good_);
    } else if (subject == "compatible") {
      read_changes(line, compatible_);
    } else {
      TUNE_CHECK(subject == "#", std::string(subject));
    }
  }
  find_compositions();

  const auto mark = [&](char32_t code, Trait trait) { facts[code] |= trait_bit(trait); };
  for (const auto& [code, text] : lower_) mark(code, Trait::kLowered);
  for (const auto& [code, text] : decomposed_for_good_) mark(code, Trait::kComposing);
  decomposed_.merge(decomposed_for_good_);
  for (const auto& [code, text] : decomposed_) mark(code, Trait::kDecomposed);
  for (char32_t code = kSyllables; code < kSyllables + kSyllableCount; ++code) mark(code, Trait::kDecomposed);
  for (const auto& [code, text] : compatible_) mark(code, Trait::kCompatible);
  for (const auto& [code, value] : combining_) {
    mark(code, Trait::kMark);
    mark(code, Trait::kComposing);
  }
  for (const auto& [pair, composite] : compositions_) mark(static_cast<char32_t>(pair), Trait::kComposing);
  for (char32_t i = 0; i < kVowelCount; ++i) mark(kVowels + i, Trait::kComposing);
  for (char32_t i = 1; i < kTrailCount; ++i) mark(kTrails + i, Trait::kComposing);

  // Most blocks are like another.
  std::map<std::array<std::uint32_t, 256>, std::uint16_t> seen;
  for (std::size_t block = 0; block < block_of_.size(); ++block) {
    std::array<std::uint32_t, 256> values{};
    std::copy_n(facts.begin() + static_cast<std::ptrdiff_t>(block * 256), 256, values.begin());
    const auto [place, is_new] = seen.emplace(values, static_cast<std::uint16_t>(blocks_.size()));
    if (is_new) blocks_.push_back(values);
    block_of_[block] = place->second;
  }
}

// What NFC composes again, each out of two: a composite of all but the last character, and that.
void Unicode::find_compositions() {
  std::vector<std::pair<std::u32string, char32_t>> whole;
  for (const auto& [code, text] : decomposed_) whole.emplace_back(text, code);
  std::sort(whole.begin(), whole.end(),
            [](const auto& left, const auto& right) { return left.first.size() < right.first.size(); });
  std::map<std::u32string, char32_t> composites;
  for (const auto& [text, code] : whole) {
    composites[text] = code;
    const std::u32string before = text.substr(0, text.size() - 1);
    const char32_t first = before.size() == 1 ? before[0] : composites.at(before);
    compositions_[pair_key(first, text.back())] = code;
  }
}

std::string Unicode::lower(std::string_view text) const {
  std::string lowered;
  lowered.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const unsigned char byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      lowered.push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
      ++at;
      continue;
    }
    const Character character = character_at(text, at);
    if (has(character.code, Trait::kLowered))
      for (const char32_t code : lower_.at(character.code)) append_character(lowered, code);
    else
      lowered.append(text, at, character.bytes);
    at += character.bytes;
  }
  return lowered;
}

std::string Unicode::normalized(std::string_view text, Form form) const {
  const bool compatible = form == Form::kNfkc || form == Form::kNfkd;
  const bool composes = form == Form::kNfc || form == Form::kNfkc;
  const bool changes = [&] {
    for (std::size_t at = 0; at < text.size();) {
      const Character character = character_at(text, at);
      at += character.bytes;
      if (character.code < 0x80) continue;
      if (composes ? has(character.code, Trait::kComposing)
                   : has(character.code, Trait::kDecomposed) || has(character.code, Trait::kMark))
        return true;
      if (compatible && has(character.code, Trait::kCompatible)) return true;
    }
    return false;
  }();
  if (!changes) return std::string(text);
  std::u32string characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    decompose(character.code, compatible, characters);
    at += character.bytes;
  }
  order_marks(characters);
  return to_utf8(composes ? composed(characters) : characters);
}

void Unicode::decompose(char32_t code, bool compatible, std::u32string& into) const {
  if (code < 0x80) {
    into.push_back(code);
  } else if (compatible && has(code, Trait::kCompatible)) {
    into += compatible_.at(code);
  } else if (is_syllable(code)) {
    const char32_t index = code - kSyllables;
    into.push_back(kLeads + index / (kVowelCount * kTrailCount));
    into.push_back(kVowels + index / kTrailCount % kVowelCount);
    if (index % kTrailCount != 0) into.push_back(kTrails + index % kTrailCount);
  } else if (has(code, Trait::kDecomposed)) {
    into += decomposed_.at(code);
  } else {
    into.push_back(code);
  }
}

unsigned Unicode::combining_class(char32_t code) const {
  return has(code, Trait::kMark) ? combining_.at(code) : 0;
}

void Unicode::order_marks(std::u32string& characters) const {
  for (auto begin = characters.begin(); begin != characters.end();) {
    if (!has(*begin, Trait::kMark)) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, characters.end(), [&](char32_t c) { return !has(c, Trait::kMark); });
    std::stable_sort(begin, end, [&](char32_t left, char32_t right) {
      return combining_class(left) < combining_class(right);
    });
    begin = end;
  }
}

char32_t Unicode::composite_of(char32_t first, char32_t second) const {
  if (first >= kLeads && first < kLeads + kLeadCount && second >= kVowels && second < kVowels + kVowelCount)
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTrailCount;
  if (is_syllable(first) && (first - kSyllables) % kTrailCount == 0 && second > kTrails &&
      second < kTrails + kTrailCount)
    return first + (second - kTrails);
  const auto found = compositions_.find(pair_key(first, second));
  return found == compositions_.end() ? 0 : found->second;
}

// The canonical composition algorithm (section 3.11 of the Unicode standard).
std::u32string Unicode::composed(const std::u32string& characters) const {
  std::u32string result;
  result.reserve(characters.size());
  std::size_t starter = std::u32string::npos;  // in the result
  unsigned before = 0;                         // class of what stands last behind the starter
  for (const char32_t code : characters) {
    const unsigned mark = combining_class(code);
    if (starter != std::u32string::npos && (starter + 1 == result.size() || before < mark)) {
      if (const char32_t composite = composite_of(result[starter], code); composite != 0) {
        result[starter] = composite;
        continue;
      }
    }
    if (mark == 0) starter = result.size();
    before = mark;
    result.push_back(code);
  }
  return result;
}

}  // namespace tune::trainer::text
