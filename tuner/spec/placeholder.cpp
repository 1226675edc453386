#include "tuner/spec/placeholder.h"

#include <algorithm>
#include <cctype>

namespace tune {

const std::vector<std::string>& built_in_placeholders() {
  static const std::vector<std::string> names{"trial_file", "output_dir", "checkpoint_dir", "seed"};
  return names;
}

std::vector<Placeholder> find_placeholders(std::string_view element) {
  std::vector<Placeholder> found;
  for (std::size_t at = element.find("{{"); at != std::string_view::npos; at = element.find("{{", at)) {
    const std::size_t close = element.find("}}", at + 2);
    if (close == std::string_view::npos) break;
    found.push_back({std::string(element.substr(at + 2, close - at - 2)), at, close + 2});
    at = close + 2;
  }
  return found;
}

bool is_one_placeholder(std::string_view element, const std::vector<Placeholder>& placeholders) {
  return placeholders.size() == 1 && placeholders[0].begin == 0 && placeholders[0].end == element.size();
}

bool is_bare_option(std::string_view element) {
  return is_option_text(element) && element != "--" && element.find('=') == std::string_view::npos &&
         find_placeholders(element).empty();
}

bool is_option_text(std::string_view text) {
  if (text.size() < 2 || text[0] != '-') return false;
  if (text[1] == '-') return true;
  std::string lower;
  for (const char c : text.substr(1)) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::isalpha(static_cast<unsigned char>(lower[0])) != 0 && lower != "inf" && lower != "infinity" &&
         lower != "nan";
}

bool is_switch(const std::vector<Json>& values) {
  const auto stands_alone = [](const Json& value) {
    return value.is_null() || (value.is_string() && is_option_text(value.get_ref<const std::string&>()));
  };
  const bool has_option =
      std::any_of(values.begin(), values.end(), [](const Json& value) { return !value.is_null(); });
  return has_option && std::all_of(values.begin(), values.end(), stands_alone);
}

}  // namespace tune
