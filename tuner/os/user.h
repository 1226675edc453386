#pragma once
// Whom this process works for.
#include <string>

namespace tune {

std::string asking_user();  // the user and the machine: "ada@host"

}  // namespace tune
