#include "trainer/text/pattern.h"

#include <algorithm>
#include <stdexcept>

#include "trainer/text/unicode.h"
#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

using Alternative = Pattern::Alternative;
using Part = Pattern::Part;

constexpr std::size_t kNoMatch = std::string_view::npos;
constexpr std::size_t kAnyNumber = std::string_view::npos;
// Backtracking takes time that grows with a power of the text's length, the number of such parts.
constexpr std::size_t kMostOpenParts = 4;
constexpr std::size_t kDeepestGroup = 8;

std::size_t match_alternative(const Alternative& alternative, std::size_t part, std::string_view text,
                              std::size_t at);

std::size_t match_first(const std::vector<Alternative>& alternatives, std::string_view text, std::size_t at) {
  if (at == text.size()) return kNoMatch;
  const auto byte = static_cast<unsigned char>(text[at]);
  for (const Alternative& alternative : alternatives) {
    if (byte < 128 && !alternative.first[byte]) continue;
    if (const std::size_t end = match_alternative(alternative, 0, text, at); end != kNoMatch) return end;
  }
  return kNoMatch;
}

std::size_t match_alternative(const Alternative& alternative, std::size_t part, std::string_view text,
                              std::size_t at) {
  for (; part < alternative.parts.size(); ++part) {
    const Part& asked = alternative.parts[part];
    if (asked.kind == Part::Kind::kNotAhead) {
      if (at < text.size() && asked.set.contains(character_at(text, at).code)) return kNoMatch;
      continue;
    }
    if (asked.kind == Part::Kind::kGroup) {  // it is the last part
      const std::size_t end = match_first(asked.inside, text, at);
      return end == kNoMatch && asked.least == 0 ? at : end;
    }
    const std::size_t begin = at;
    std::size_t count = 0;
    while (count < asked.most && at < text.size()) {
      const Character character = character_at(text, at);
      if (!asked.set.contains(character.code)) break;
      at += character.bytes;
      ++count;
    }
    if (count < asked.least) return kNoMatch;
    if (part + 1 == alternative.parts.size()) return at;
    if (asked.is_possessive || count == asked.least) continue;
    // Fewer of them, where what follows asks for it.
    for (;; --count) {
      if (const std::size_t end = match_alternative(alternative, part + 1, text, at); end != kNoMatch)
        return end;
      if (count == asked.least || at == begin) return kNoMatch;
      at = previous_character(text, at);
    }
  }
  return at;
}

class Reader {
 public:
  explicit Reader(std::string_view expression) : text_(to_characters(valid_utf8(expression))) {}

  std::vector<Alternative> read() {
    std::vector<Alternative> alternatives = read_alternatives(false);
    if (at_ < text_.size()) refuse("a ) that closes nothing");
    return alternatives;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw std::invalid_argument(what); }
  bool is_at(char32_t code) const { return at_ < text_.size() && text_[at_] == code; }
  bool take(std::u32string_view token) {
    if (text_.compare(at_, token.size(), token) != 0) return false;
    at_ += token.size();
    return true;
  }
  char32_t next() {
    if (at_ == text_.size()) refuse("its end, where something is open");
    return text_[at_++];
  }

  std::vector<Alternative> read_alternatives(bool ignores_case) {
    std::vector<Alternative> alternatives;
    do alternatives.push_back(read_alternative(ignores_case));
    while (take(U"|"));
    return alternatives;
  }

  Alternative read_alternative(bool ignores_case) {
    Alternative alternative;
    std::size_t open = 0;
    while (at_ < text_.size() && text_[at_] != U'|' && text_[at_] != U')') {
      if (!alternative.parts.empty() && alternative.parts.back().kind != Part::Kind::kSet)
        refuse("something behind a group or a (?!...)");
      alternative.parts.push_back(read_part(ignores_case));
      const Part& part = alternative.parts.back();
      if (part.kind == Part::Kind::kSet && part.least != part.most && ++open > kMostOpenParts)
        refuse("more than " + std::to_string(kMostOpenParts) + " parts of open length in one alternative");
    }
    settle_first(alternative);
    return alternative;
  }

  Part read_part(bool ignores_case) {
    Part part;
    if (take(U"(?!")) {
      part.kind = Part::Kind::kNotAhead;
      part.set = read_set(ignores_case);
      if (!take(U")")) refuse("a (?! with more than one character");
      return part;
    }
    if (is_at(U'(')) {
      part.kind = Part::Kind::kGroup;
      const bool inside_ignores_case = take(U"(?i:");
      if (!inside_ignores_case && !take(U"(?:")) refuse("a group that is neither (?: nor (?i:");
      if (++depth_ > kDeepestGroup) refuse("groups that are nested too deep");
      part.inside = read_alternatives(ignores_case || inside_ignores_case);
      --depth_;
      if (!take(U")")) refuse("a group that is not closed");
      if (take(U"?")) part.least = 0;
      if (is_at(U'*') || is_at(U'+') || is_at(U'{') || is_at(U'?')) refuse("a repeated group");
      return part;
    }
    part.set = read_set(ignores_case);
    read_count(part);
    return part;
  }

  std::size_t read_number() {
    std::size_t number = 0;
    bool is_there = false;
    for (; at_ < text_.size() && text_[at_] >= U'0' && text_[at_] <= U'9' && number < 10000; ++at_) {
      number = 10 * number + (text_[at_] - U'0');
      is_there = true;
    }
    if (!is_there) refuse("a { } that is no count");
    return number;
  }

  void read_count(Part& part) {
    if (take(U"?")) {
      part.least = 0;
    } else if (take(U"*")) {
      part.least = 0;
      part.most = kAnyNumber;
    } else if (take(U"+")) {
      part.most = kAnyNumber;
    } else if (take(U"{")) {
      part.least = part.most = read_number();
      if (take(U",")) part.most = is_at(U'}') ? kAnyNumber : read_number();
      if (!take(U"}") || part.most < part.least || part.most == 0) refuse("a { } that is no count");
      return;  // Oniguruma knows no possessive form of it
    } else {
      return;
    }
    if (is_at(U'?')) refuse("a lazy ?? *? or +?");
    part.is_possessive = take(U"+");
  }

  // One character, a class of them or a [...].
  CharacterSet read_set(bool ignores_case) {
    CharacterSet set;
    if (take(U"[")) {
      set.is_negated = take(U"^");
      do {
        if (is_at(U'[') || take(U"&&")) refuse("a [ or && inside [ ]");
        const std::size_t begin = at_;
        const bool is_escaped = is_at(U'\\');
        const char32_t first = read_member(set);
        if (first == kClass) continue;
        char32_t last = first;
        if (is_at(U'-') && at_ + 1 < text_.size() && text_[at_ + 1] != U']') {
          ++at_;
          last = read_member(set);
          if (last == kClass || last < first) refuse("a range without an end");
        } else if (first == U'-' && !is_escaped && begin > 0 && text_[begin - 1] != U'[' &&
                   text_[begin - 1] != U'^' && !is_at(U']')) {
          refuse("a - inside [ ] that is no range");
        }
        add(set, first, last, ignores_case);
      } while (!take(U"]"));
    } else if (const char32_t code = text_[at_]; code == U'.' || code == U'^' || code == U'$' ||
                                                 code == U'*' || code == U'+' || code == U'?' ||
                                                 code == U'{') {
      refuse(to_utf8(std::u32string(1, code)));
    } else if (take(U"\\S")) {
      set.spaces = true;
      set.is_negated = true;
    } else if (const char32_t single = read_member(set); single != kClass) {
      add(set, single, single, ignores_case);
    }
    set.settle_ascii();
    return set;
  }

  // A character, or kClass once a class was added to the set.
  char32_t read_member(CharacterSet& set) {
    const char32_t code = next();
    if (code != U'\\') return code;
    const char32_t escaped = next();
    switch (escaped) {
      case U'n':
        return U'\n';
      case U'r':
        return U'\r';
      case U't':
        return U'\t';
      case U's':
        set.spaces = true;
        return kClass;
      case U'd':
        set.categories |= Unicode::category_bit("Nd");
        return kClass;
      case U'p':
        read_category(set);
        return kClass;
      default:
        if (escaped >= 128 || (escaped >= U'0' && escaped <= U'9') || (escaped >= U'A' && escaped <= U'Z') ||
            (escaped >= U'a' && escaped <= U'z'))
          refuse("\\" + to_utf8(std::u32string(1, escaped)));
        return escaped;
    }
  }

  void read_category(CharacterSet& set) {
    const std::size_t begin = at_;
    std::string name;
    if (take(U"{"))
      while (!take(U"}")) append_character(name, next());
    std::uint32_t bits = Unicode::category_bit(name);
    if (name.size() == 1)
      for (const char second : {'u', 'l', 't', 'm', 'o', 'n', 'c', 'e', 'd', 's', 'i', 'f', 'k', 'p'})
        bits |= Unicode::category_bit(name + second);
    if (bits == 0) refuse("\\p" + to_utf8(std::u32string_view(text_).substr(begin, at_ - begin)));
    set.categories |= bits;
  }

  void add(CharacterSet& set, char32_t first, char32_t last, bool ignores_case) const {
    set.ranges.emplace_back(first, last);
    if (!ignores_case) return;
    if (first != last || first >= 128) refuse("a range or a letter beyond ASCII inside (?i: )");
    const bool is_lower = first >= U'a' && first <= U'z', is_upper = first >= U'A' && first <= U'Z';
    if (!is_lower && !is_upper) return;
    const char32_t other = is_lower ? first - 32 : first + 32, lower = is_lower ? first : other;
    set.ranges.emplace_back(other, other);
    if (lower == U's') set.ranges.emplace_back(0x17F, 0x17F);    // long s
    if (lower == U'k') set.ranges.emplace_back(0x212A, 0x212A);  // the sign of kelvin
  }

  void settle_first(Alternative& alternative) const {
    for (const Part& part : alternative.parts) {
      if (part.kind == Part::Kind::kNotAhead) break;
      for (std::size_t code = 0; code < 128; ++code) {
        if (part.kind == Part::Kind::kSet)
          alternative.first[code] = alternative.first[code] || part.set.ascii[code];
        for (const Alternative& inside : part.inside)
          alternative.first[code] = alternative.first[code] || inside.first[code];
      }
      if (part.least > 0) return;
    }
    refuse("an alternative that matches nothing at all");
  }

  static constexpr char32_t kClass = 0xFFFFFFFF;
  std::u32string text_;
  std::size_t at_ = 0, depth_ = 0;
};

}  // namespace

void CharacterSet::settle_ascii() {
  for (char32_t code = 0; code < 128; ++code) ascii[code] = contains_far(code);
}

bool CharacterSet::contains_far(char32_t code) const {
  const Unicode& unicode = Unicode::tables();
  const bool is_in = (categories != 0 && (categories & unicode.category_of(code)) != 0) ||
                     (spaces && unicode.has(code, Trait::kPatternSpace)) ||
                     std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
                       return code >= range.first && code <= range.second;
                     });
  return is_in != is_negated;
}

Pattern::Pattern(std::string_view expression) : alternatives_(Reader(expression).read()) {}

std::size_t Pattern::match(std::string_view text, std::size_t at) const {
  const std::size_t end = match_first(alternatives_, text, at);
  return end == kNoMatch ? at : end;
}

std::vector<std::pair<std::size_t, std::size_t>> Pattern::matches(std::string_view text) const {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = match(text, at);
    if (end > at) found.emplace_back(at, end);
    at = end > at ? end : at + character_at(text, at).bytes;
  }
  return found;
}

}  // namespace tune::trainer::text
