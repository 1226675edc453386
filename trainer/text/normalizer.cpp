#include "trainer/text/normalizer.h"

#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

// Without the characters of a trait.
std::string without(std::string_view text, Trait trait, bool& keeps_begin) {
  const Unicode& unicode = Unicode::tables();
  std::string kept;
  kept.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (!unicode.has(character.code, trait))
      kept.append(text, at, character.bytes);
    else if (at == 0)
      keeps_begin = false;
    at += character.bytes;
  }
  return kept;
}

std::string normalize_by(const BertNormalizer& step, std::string text, bool& keeps_begin) {
  const Unicode& unicode = Unicode::tables();
  std::string result;
  result.reserve(text.size() + 8);
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (step.cleans_text && unicode.has(character.code, Trait::kBertDropped)) {
      keeps_begin = keeps_begin && at != 0;
    } else if (step.cleans_text && unicode.has(character.code, Trait::kBertSpace)) {
      result.push_back(' ');
    } else if (step.spaces_ideographs && unicode.has(character.code, Trait::kBertIdeograph)) {
      result.push_back(' ');
      result.append(text, at, character.bytes);
      result.push_back(' ');
    } else {
      result.append(text, at, character.bytes);
    }
    at += character.bytes;
  }
  if (step.strips_accents) {
    result = unicode.normalized(result, Unicode::Form::kNfd);
    result = without(result, Trait::kBertAccent, keeps_begin);
  }
  return step.lowercases ? unicode.lower(result) : result;
}

std::string normalize_by(const NormalForm& step, std::string text, bool&) {
  return Unicode::tables().normalized(text, step.form);
}

std::string normalize_by(const Lowercase&, std::string text, bool&) { return Unicode::tables().lower(text); }

std::string normalize_by(const StripAccents&, std::string text, bool& keeps_begin) {
  return without(text, Trait::kAccent, keeps_begin);
}

std::string normalize_by(const Prepend& step, std::string text, bool&) {
  return text.empty() ? text : step.text + text;
}

std::string normalize_by(const Strip& step, std::string text, bool& keeps_begin) {
  const Unicode& unicode = Unicode::tables();
  std::size_t begin = 0, end = text.size();
  while (step.left && begin < end) {
    const Character character = character_at(text, begin);
    if (!unicode.has(character.code, Trait::kSpace)) break;
    begin += character.bytes;
  }
  while (step.right && end > begin) {
    const std::size_t last = previous_character(text, end);
    if (!unicode.has(character_at(text, last).code, Trait::kSpace)) break;
    end = last;
  }
  keeps_begin = keeps_begin && begin == 0;
  return text.substr(begin, end - begin);
}

std::string normalize_by(const Replace& step, std::string text, bool& keeps_begin) {
  std::string result = step.apply(text);
  // All that a replacement by nothing may drop at the beginning.
  if (step.by.empty() && !result.starts_with(text.substr(0, text.empty() ? 0 : character_at(text, 0).bytes)))
    keeps_begin = false;
  return result;
}

}  // namespace

std::string Replace::apply(std::string_view text) const {
  std::string result;
  std::size_t copied = 0;
  if (const auto* literal = std::get_if<std::string>(&what)) {
    for (std::size_t at = text.find(*literal); at != std::string_view::npos;
         at = text.find(*literal, copied)) {
      result.append(text, copied, at - copied).append(by);
      copied = at + literal->size();
    }
  } else {
    for (const auto& [begin, end] : std::get<Pattern>(what).matches(text)) {
      result.append(text, copied, begin - copied).append(by);
      copied = end;
    }
  }
  return result.append(text, copied);
}

std::string Normalizer::apply(std::string text, bool& keeps_begin) const {
  for (const NormalizerStep& step : steps_)
    text =
        std::visit([&](const auto& what) { return normalize_by(what, std::move(text), keeps_begin); }, step);
  return text;
}

}  // namespace tune::trainer::text
