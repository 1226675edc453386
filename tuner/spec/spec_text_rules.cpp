#include "tuner/spec/spec_text_rules.h"

#include <algorithm>
#include <stdexcept>

#include "tuner/core/characters.h"
#include "tuner/core/clock.h"
#include "tuner/core/model_reference.h"
#include "tuner/core/store_layout.h"

namespace tune {
namespace {

constexpr std::size_t kLongestName = 64, kLongestApproach = 32;

bool is_made_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_letter_or_digit(c) || others.find(c) != std::string_view::npos;
  });
}

bool is_name(std::string_view text, std::string_view others) {
  return !text.empty() && text.size() <= kLongestName && (is_letter(text[0]) || text[0] == '_') &&
         is_made_of(text, others);
}

bool is_folder_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_letter_or_digit(text[0]) &&
         is_made_of(text, "_.-");
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && (is_letter(text[0]) || text[0] == '_') && is_made_of(text, "_");
}

bool is_day(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00";
  return text.size() == kShape.size() &&
         std::equal(text.begin(), text.end(), kShape.begin(),
                    [](char c, char shape) { return shape == '0' ? is_digit(c) : c == shape; });
}

bool is_positive_duration(std::string_view text) {
  try {
    return parse_duration(std::string(text)).count() > 0;
  } catch (const std::invalid_argument&) {
    return false;
  }
}

}  // namespace

const TextRule kStudyName{
    "^(?!(models|comparisons)$)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
    [](std::string_view text) { return is_folder_name(text) && !is_folder_of_store(text); },
    "a study's name starts with a letter or digit, goes on with letters, digits, \"_\", \".\" and "
    "\"-\", has at most 64 characters, and is neither \"models\" nor \"comparisons\""};
const TextRule kApproachName{
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$",
    [](std::string_view text) {
      return is_folder_name(text) && text.size() <= kLongestApproach && is_made_of(text, "_-");
    },
    "an approach's name starts with a letter or digit, goes on with letters, digits, \"_\" and \"-\", "
    "and has at most 32 characters"};
const TextRule kDayText{"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", is_day, "a day looks like \"2026-11-21\""};
const TextRule kModelName{
    "^(?!staging$|lock$|registry\\.db)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", is_model_name,
    "a model's name starts with a letter or digit, goes on with letters, digits, \"_\", \".\" and "
    "\"-\", has at most 64 characters, is neither \"staging\" nor \"lock\", and does not start with "
    "\"registry.db\""};
const TextRule kAliasName{
    "^[a-z][a-z0-9-]{0,62}$", is_alias_name,
    "an alias starts with a lower-case letter, goes on with lower-case letters, digits and \"-\", and has at "
    "most 63 characters"};
const TextRule kParameterName{
    "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$", [](std::string_view text) { return is_name(text, "_.-"); },
    "a name starts with a letter or \"_\", goes on with letters, digits, \"_\", \".\" and \"-\", and "
    "has at most 64 characters"};
const TextRule kMetricName{
    "^[A-Za-z_][A-Za-z0-9_.:/@-]{0,63}$", [](std::string_view text) { return is_name(text, "_.:/@-"); },
    "a metric's name starts with a letter or \"_\", goes on with letters, digits, \"_\", \".\", \":\", "
    "\"/\", \"@\" and \"-\", and has at most 64 characters"};
const TextRule kVariableName{
    "^[A-Za-z_][A-Za-z0-9_]*$", is_variable_name,
    "a variable's name starts with a letter or \"_\" and goes on with letters, digits and \"_\""};
const TextRule kNonEmpty{"[\\s\\S]", [](std::string_view text) { return !text.empty(); },
                         "it must not be empty"};
const TextRule kDurationText{
    "^(?=.*[1-9])([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$", is_positive_duration,
    "a duration is longer than nothing and looks like \"90s\", \"20m\", \"2h\", \"1d\" or \"1h30m\""};

}  // namespace tune
