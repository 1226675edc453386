#include "tuner/os/crash_point.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace tune {
namespace {

struct Target {
  std::string name;
  int remaining = 0;
};

Target read_target() {
  const char* text = std::getenv("TUNE_CRASH_AT");
  if (text == nullptr) return {};
  const std::string_view whole(text);
  const std::size_t colon = whole.rfind(':');
  if (colon == std::string_view::npos) return {std::string(whole), 1};
  return {std::string(whole.substr(0, colon)), std::atoi(std::string(whole.substr(colon + 1)).c_str())};
}

}  // namespace

void crash_point(std::string_view name) {
  static Target target = read_target();
  if (target.remaining == 0 || target.name != name) return;
  if (--target.remaining == 0) _exit(137);
}

}  // namespace tune
