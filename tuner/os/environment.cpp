#include "tuner/os/environment.h"

#include <unistd.h>

extern char** environ;

namespace tune {

Environment::Environment(const std::map<std::string, std::string>& changes,
                         const std::set<std::string>& left_out) {
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    if (!changes.contains(name) && !left_out.contains(name)) variables_.emplace_back(text);
  }
  for (const auto& [name, value] : changes) variables_.push_back(name + "=" + value);
  for (std::string& variable : variables_) pointers_.push_back(variable.data());
  pointers_.push_back(nullptr);
}

}  // namespace tune
