#include "tuner/core/model_reference.h"

#include <algorithm>
#include <charconv>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"

namespace tune {
namespace {

constexpr std::size_t kLongestModel = 64, kLongestAlias = 63;
constexpr const char* kForms = "a model is named as steel, steel@3 or steel@champion";

// A whole number from 1 on that an int holds; 0 for any other text.
int version_in(std::string_view text) {
  int version = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), version);
  const bool is_number = problem == std::errc() && end == text.data() + text.size() && version > 0;
  return is_number && is_digit(text[0]) ? version : 0;
}

}  // namespace

bool is_model_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestModel && is_letter_or_digit(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; }) &&
         !is_taken_in_models(text);
}

bool is_alias_name(std::string_view text) {
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !text.empty() && text.size() <= kLongestAlias && is_lower(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

ModelReference parse_model_reference(const std::string& text) {
  const std::size_t at = text.find('@');
  ModelReference reference{text.substr(0, at), 0, {}};
  if (!is_model_name(reference.model))
    throw Error(ExitCode::kUsage, in_quotes(reference.model) + " cannot be a model's name", kForms);
  if (at == std::string::npos) {
    reference.alias = kCurrentAlias;
    return reference;
  }
  const std::string which = text.substr(at + 1);
  reference.version = version_in(which);
  if (reference.version > 0) return reference;
  if (!is_alias_name(which))
    throw Error(ExitCode::kUsage,
                in_quotes(which) + " is neither the number of a version, from 1 on, nor an alias", kForms);
  reference.alias = which;
  return reference;
}

std::string reference_text(const ModelReference& reference) {
  if (reference.version > 0) return reference.model + '@' + std::to_string(reference.version);
  return reference.alias == kCurrentAlias ? reference.model : reference.model + '@' + reference.alias;
}

void require_alias_name(const std::string& text) {
  if (is_alias_name(text)) return;
  throw Error(ExitCode::kUsage, in_quotes(text) + " cannot be an alias",
              "an alias starts with a lower-case letter, goes on with lower-case letters, digits and \"-\", "
              "and has at most 63 characters: champion, production");
}

}  // namespace tune
