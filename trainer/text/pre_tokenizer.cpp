#include "trainer/text/pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "trainer/text/unicode.h"
#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

using Word = Words::Word;

// A stretch of a word that was found, or one between.
struct Stretch {
  std::size_t begin = 0, end = 0;
  bool is_match = false;
};

// Each character for which `is_match(code)` holds by itself, and what lies between.
template <typename IsMatch>
std::vector<Stretch> characters_where(std::string_view text, const IsMatch& is_match) {
  std::vector<Stretch> stretches;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const std::size_t next = at + character.bytes;
    if (is_match(character.code)) {
      if (begin < at) stretches.push_back({begin, at, false});
      stretches.push_back({at, next, true});
      begin = next;
    }
    at = next;
  }
  if (begin < text.size()) stretches.push_back({begin, text.size(), false});
  return stretches;
}

std::vector<Stretch> stretches_of(std::string_view text, const std::variant<std::string, Pattern>& what) {
  std::vector<Stretch> stretches;
  std::size_t done = 0;
  const auto add = [&](std::size_t begin, std::size_t end) {
    if (done < begin) stretches.push_back({done, begin, false});
    stretches.push_back({begin, end, true});
    done = end;
  };
  if (const auto* literal = std::get_if<std::string>(&what)) {
    for (std::size_t at = text.find(*literal); at != std::string_view::npos; at = text.find(*literal, done))
      add(at, at + literal->size());
  } else {
    for (const auto& [begin, end] : std::get<Pattern>(what).matches(text)) add(begin, end);
  }
  if (done < text.size()) stretches.push_back({done, text.size(), false});
  return stretches;
}

// Stretches joined as the behaviour says; those that go are left out.
std::vector<Stretch> settle(const std::vector<Stretch>& stretches, SplitBehavior behavior) {
  std::vector<Stretch> settled;
  bool was_match = false;
  const auto take = [&](const Stretch& stretch) {
    bool joins = false;
    switch (behavior) {
      case SplitBehavior::kRemoved:
        if (stretch.is_match) return;
        break;
      case SplitBehavior::kIsolated:
        break;
      case SplitBehavior::kContiguous:
        joins = stretch.is_match == was_match;
        break;
      case SplitBehavior::kMergedWithPrevious:
      case SplitBehavior::kMergedWithNext:
        joins = stretch.is_match && !was_match;
        break;
    }
    was_match = stretch.is_match;
    if (!joins || settled.empty()) {
      settled.push_back(stretch);
      return;
    }
    settled.back().begin = std::min(settled.back().begin, stretch.begin);
    settled.back().end = std::max(settled.back().end, stretch.end);
  };
  if (behavior == SplitBehavior::kMergedWithNext) {
    std::for_each(stretches.rbegin(), stretches.rend(), take);
    std::reverse(settled.begin(), settled.end());
  } else {
    std::for_each(stretches.begin(), stretches.end(), take);
  }
  return settled;
}

void cut(Words& words, const Word& word, const std::vector<Stretch>& stretches, SplitBehavior behavior) {
  for (const Stretch& stretch : settle(stretches, behavior))
    if (stretch.begin < stretch.end)
      words.words.push_back({word.text.substr(stretch.begin, stretch.end - stretch.begin),
                             word.begins_input && stretch.begin == 0});
}

// Words at the matches of a pattern that leaves nothing between.
void cut_at_matches(Words& words, const Word& word, const Pattern& pattern) {
  std::size_t between = 0;
  const auto add = [&](std::size_t begin, std::size_t end) {
    words.words.push_back({word.text.substr(begin, end - begin), word.begins_input && begin == 0});
  };
  for (std::size_t at = 0; at < word.text.size();) {
    const std::size_t end = pattern.match(word.text, at);
    if (end == at) {
      at += character_at(word.text, at).bytes;
      continue;
    }
    if (between < at) add(between, at);
    add(at, end);
    between = at = end;
  }
  if (between < word.text.size()) add(between, word.text.size());
}

void cut_by(const BertWords&, Words& words, const Word& word) {
  const Unicode& unicode = Unicode::tables();
  std::size_t begin = 0;
  const auto close = [&](std::size_t end) {
    if (begin < end)
      words.words.push_back({word.text.substr(begin, end - begin), word.begins_input && begin == 0});
  };
  for (std::size_t at = 0; at < word.text.size();) {
    const Character character = character_at(word.text, at);
    const std::size_t next = at + character.bytes;
    const bool is_space = unicode.has(character.code, Trait::kSpace);
    if (is_space || unicode.has(character.code, Trait::kPunctuation)) {
      close(at);
      begin = is_space ? next : at;
      if (!is_space) close(next);
      begin = next;
    }
    at = next;
  }
  close(word.text.size());
}

const Pattern& gpt2_pattern() {
  static const Pattern pattern(kGpt2Pattern);
  return pattern;
}

void cut_by(const ByteLevelWords& step, Words& words, const Word& word) {
  Word whole = word;
  if (step.adds_prefix_space && !word.text.starts_with(' '))
    whole.text = words.keep(" " + std::string(word.text));
  const std::size_t begin = words.words.size();
  if (step.splits)
    cut_at_matches(words, whole, gpt2_pattern());
  else
    words.words.push_back(whole);
  if (!step.maps_bytes) return;
  for (std::size_t i = begin; i < words.words.size(); ++i)
    words.words[i].text = words.keep(byte_letters(words.words[i].text));
}

void cut_by(const Digits& step, Words& words, const Word& word) {
  const Unicode& unicode = Unicode::tables();
  cut(words, word,
      characters_where(word.text, [&](char32_t code) { return unicode.has(code, Trait::kNumber); }),
      step.one_by_one ? SplitBehavior::kIsolated : SplitBehavior::kContiguous);
}

void cut_by(const Split& step, Words& words, const Word& word) {
  if (const auto* pattern = std::get_if<Pattern>(&step.at);
      pattern != nullptr && step.behavior == SplitBehavior::kIsolated) {
    cut_at_matches(words, word, *pattern);
    return;
  }
  std::vector<Stretch> stretches = stretches_of(word.text, step.at);
  if (step.is_inverted)
    for (Stretch& stretch : stretches) stretch.is_match = !stretch.is_match;
  cut(words, word, stretches, step.behavior);
}

void cut_by(const WhitespaceWords&, Words& words, const Word& word) {
  const Unicode& unicode = Unicode::tables();
  const auto kind_of = [&](char32_t code) {
    return unicode.has(code, Trait::kWord) ? 1 : unicode.has(code, Trait::kSpace) ? 0 : 2;
  };
  for (std::size_t at = 0; at < word.text.size();) {
    const std::size_t begin = at;
    const int kind = kind_of(character_at(word.text, at).code);
    while (at < word.text.size()) {
      const Character character = character_at(word.text, at);
      if (kind_of(character.code) != kind) break;
      at += character.bytes;
    }
    if (kind != 0)
      words.words.push_back({word.text.substr(begin, at - begin), word.begins_input && begin == 0});
  }
}

void cut_by(const WhitespaceSplit&, Words& words, const Word& word) {
  const Unicode& unicode = Unicode::tables();
  cut(words, word,
      characters_where(word.text, [&](char32_t code) { return unicode.has(code, Trait::kSpace); }),
      SplitBehavior::kRemoved);
}

void cut_by(const Metaspace& step, Words& words, const Word& word) {
  const Replace spaces{std::string(" "), step.replacement};
  std::string text = spaces.apply(word.text);
  const bool prepends = step.prepend == Metaspace::Prepend::kAlways ||
                        (step.prepend == Metaspace::Prepend::kFirst && word.begins_input);
  if (prepends && !text.starts_with(step.replacement)) text.insert(0, step.replacement);
  const Word whole{words.keep(std::move(text)), word.begins_input};
  if (step.splits)
    cut(words, whole, stretches_of(whole.text, step.replacement), SplitBehavior::kMergedWithNext);
  else
    words.words.push_back(whole);
}

void cut_by(const Punctuation& step, Words& words, const Word& word) {
  const Unicode& unicode = Unicode::tables();
  cut(words, word,
      characters_where(word.text, [&](char32_t code) { return unicode.has(code, Trait::kPunctuation); }),
      step.behavior);
}

// The characters of GPT-2's byte_encoder: a printable byte of Latin-1 stands for itself, the others for
// U+0100 and on.
const std::array<char32_t, 256>& letters() {
  static const std::array<char32_t, 256> letters = [] {
    std::array<char32_t, 256> all{};
    char32_t next = 0x100;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const bool is_printable =
          (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      all[byte] = is_printable ? static_cast<char32_t>(byte) : next++;
    }
    return all;
  }();
  return letters;
}

}  // namespace

std::string byte_letters(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) append_character(text, letters()[static_cast<unsigned char>(byte)]);
  return text;
}

std::optional<std::string> bytes_of_letters(std::string_view text) {
  static const std::unordered_map<char32_t, char> bytes = [] {
    std::unordered_map<char32_t, char> all;
    for (std::size_t byte = 0; byte < 256; ++byte) all[letters()[byte]] = static_cast<char>(byte);
    return all;
  }();
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const auto found = bytes.find(character.code);
    if (found == bytes.end()) return std::nullopt;
    result.push_back(found->second);
    at += character.bytes;
  }
  return result;
}

void PreTokenizer::apply(Words& words) const {
  for (const PreTokenizerStep& step : steps_) {
    const std::vector<Word> before = std::move(words.words);
    words.words.clear();
    words.words.reserve(before.size());
    for (const Word& word : before) std::visit([&](const auto& what) { cut_by(what, words, word); }, step);
  }
}

}  // namespace tune::trainer::text
