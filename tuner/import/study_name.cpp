#include "tuner/import/study_name.h"

#include "tuner/core/characters.h"
#include "tuner/core/store_layout.h"

namespace tune::amt {

std::string study_name_of(const std::filesystem::path& path, const std::string& otherwise) {
  constexpr std::size_t kLongest = 40;
  std::filesystem::path whole = std::filesystem::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  std::string name;
  for (const char c : whole.stem().string()) {
    if (is_letter_or_digit(c) || (c == '_' && !name.empty()))
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  name = name.substr(0, kLongest);
  while (!name.empty() && name.back() == '-') name.pop_back();
  return name.empty() || is_folder_of_store(name) ? otherwise : name;
}

}  // namespace tune::amt
