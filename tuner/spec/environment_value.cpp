#include "tuner/spec/environment_value.h"

#include <cstdlib>

#include "tuner/core/error.h"

namespace tune {

std::string environment_text(const EnvironmentValue& value, const std::string& name, const std::string& who) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const std::string& variable = std::get<FromEnvironment>(value).variable;
  if (const char* found = std::getenv(variable.c_str())) return found;
  throw Error(ExitCode::kEnvironment,
              who + " takes " + name + " from the environment variable " + variable + ", which is not set",
              "export " + variable + " before you start tune");
}

}  // namespace tune
