#include "tuner/os/user.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

namespace tune {

std::string asking_user() {
  const passwd* const entry = ::getpwuid(::getuid());
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return (entry != nullptr ? std::string(entry->pw_name) : "user " + std::to_string(::getuid())) + '@' +
         host.data();
}

}  // namespace tune
