#pragma once
// The environment of a program that is to be started.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tune {

// This process's environment with `changes` in it, each in the place of a variable of its name, and without
// the variables that are `left_out`. Made before the program is started, since nothing may be allocated
// between fork and exec; never changes.
class Environment {
 public:
  explicit Environment(const std::map<std::string, std::string>& changes = {},
                       const std::set<std::string>& left_out = {});
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // "NAME=VALUE" each, and a null pointer behind the last, as execve(2) takes them; ours.
  char* const* pointers() const { return pointers_.data(); }

 private:
  std::vector<std::string> variables_;
  std::vector<char*> pointers_;
};

}  // namespace tune
