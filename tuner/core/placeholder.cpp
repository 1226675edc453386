#include "tuner/core/placeholder.h"

namespace tune {

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

}  // namespace tune
