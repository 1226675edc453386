#include "support/skip.h"

#include <iostream>

namespace tune::tests {
namespace {

bool skipped = false;

}  // namespace

void skip(const std::string& reason) {
  skipped = true;
  std::cerr << "SKIPPED: " << reason << "\n";
}

bool any_skipped() { return skipped; }

}  // namespace tune::tests
