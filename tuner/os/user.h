#pragma once
// Whom this process works for.
#include <sys/types.h>

#include <string>

namespace tune {

std::string user_name(uid_t user);  // "ada", or "user 1000" where the system knows no name
std::string asking_user();          // the user and the machine: "ada@host"

}  // namespace tune
