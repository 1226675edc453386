#include "trainer/data/part_names.h"

#include <map>

#include "tuner/core/characters.h"

namespace tune::trainer::data {
namespace {

std::string part_of_word(const std::string& word) {
  static const std::map<std::string, std::string> known{
      {"train", "train"},           {"training", "train"}, {"val", "validation"}, {"valid", "validation"},
      {"validation", "validation"}, {"dev", "validation"}, {"test", "test"},      {"testing", "test"}};
  const auto found = known.find(word);
  return found == known.end() ? "" : found->second;
}

}  // namespace

std::string part_of_name(const std::string& name) {
  std::string word;
  for (const char c : lower_case(name) + "_") {
    if (c >= 'a' && c <= 'z') {
      word += c;
      continue;
    }
    if (const std::string part = part_of_word(word); !part.empty()) return part;
    word.clear();
  }
  return "";
}

std::string part_of_folder(const std::string& name) {
  std::string word = lower_case(name);
  while (!word.empty() && is_digit(word.back())) word.pop_back();
  return part_of_word(word);
}

std::string shown_path(const std::filesystem::path& path, const std::filesystem::path& base) {
  const std::string inside =
      path.lexically_normal().lexically_relative(base.lexically_normal()).generic_string();
  if (inside == ".") return "the folder itself";
  return inside.empty() || inside.starts_with("..") ? path.generic_string() : inside;
}

std::string listed_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace tune::trainer::data
