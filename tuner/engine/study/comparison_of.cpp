#include "tuner/engine/study/comparison_of.h"

#include <system_error>

namespace tune::engine {

std::optional<std::string> comparison_of(const std::filesystem::path& store, const std::string& study) {
  // Names may have dots of their own.
  for (std::size_t end = study.rfind('.'); end != std::string::npos && end > 0;
       end = study.rfind('.', end - 1)) {
    std::string name = study.substr(0, end);
    std::error_code ignored;
    if (std::filesystem::exists(store / "comparisons" / name / "comparison.db", ignored)) return name;
  }
  return std::nullopt;
}

}  // namespace tune::engine
