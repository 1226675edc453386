#pragma once
// Variables that a spec gives to a command.
#include <string>
#include <variant>

namespace tune {

struct FromEnvironment {
  std::string variable;  // read when it is needed, never stored
};
using EnvironmentValue = std::variant<std::string, FromEnvironment>;

// What the variable `name` of a command is to be. Throws Error(kEnvironment) where it comes from a variable
// that is not set; `who` takes it, "the spec".
std::string environment_text(const EnvironmentValue& value, const std::string& name, const std::string& who);

}  // namespace tune
