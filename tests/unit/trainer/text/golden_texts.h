#pragma once
// The texts of tests/golden/text/make_golden.py.
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/text/utf8.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::tests {

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/text";
}

inline Json golden_json(const std::string& name) { return Json::parse(read_file(golden_folder() / name)); }

// Some are no UTF-8.
inline std::vector<std::string> golden_texts() {
  std::vector<std::string> texts;
  for (const Json& entry : golden_json("texts.json")) {
    const auto digits = entry.get<std::string>();
    std::string& text = texts.emplace_back();
    for (std::size_t i = 0; i < digits.size(); i += 2)
      text.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return texts;
}

// With U+FFFD for what is no UTF-8.
inline std::string replaced(const std::string& text) { return text::valid_utf8(text); }

}  // namespace tune::trainer::tests
