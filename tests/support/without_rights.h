#pragma once
// A user whom folders withstand.
#include <unistd.h>

#include <cstdlib>

#include "support/catch.h"

namespace tune::tests {

// Nobody's rights as long as it lives, where the test runs with those of root, which no folder withstands.
struct WithoutRights {
  WithoutRights() { REQUIRE((::geteuid() != 0 || ::seteuid(65534) == 0)); }
  ~WithoutRights() {
    if (::getuid() == 0 && ::seteuid(0) != 0) std::abort();
  }
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;
};

}  // namespace tune::tests
