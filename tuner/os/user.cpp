#include "tuner/os/user.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace tune {

std::string user_name(uid_t user) {
  const passwd* const entry = ::getpwuid(user);
  return entry != nullptr ? entry->pw_name : "user " + std::to_string(user);
}

std::string asking_user() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return user_name(::getuid()) + '@' + host.data();
}

}  // namespace tune
