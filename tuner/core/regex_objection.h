#pragma once
// What is said of a regex that cannot be used. Who knows regexes and who knows specs share it.
#include <string>

namespace tune {

struct RegexObjection {
  std::string message, hint;  // what is wrong, and a cure
};

}  // namespace tune
