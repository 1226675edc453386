#include "tuner/cli/agreement.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {

std::string bytes_text(std::uintmax_t bytes) {
  constexpr std::array kUnits{"kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
  return text.data();
}

bool is_agreed(const std::string& what, Console& console) {
  if (::isatty(STDIN_FILENO) == 0)
    throw Error(ExitCode::kUsage, "nobody is there to ask whether " + what + " is to be deleted",
                "--yes deletes it without asking");
  console.err << "Delete " << visible_text(what) << "? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace tune::cli
