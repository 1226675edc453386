#pragma once
// Whether a study that has begun may go on in another space.
#include <map>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune {

// What an amended spec asks of a study, by the documents alone. Ranges, choices, conditions and
// strategy.try_first may change as one likes, and a parameter may be added, fixed, or searched where it was
// fixed; `command` may hand over the parameters that come, and leave out those that go. All else, but for
// what is harmless anyway (SpecChange), would make the values of earlier trials another search's.
struct SpecAmendment {
  std::vector<std::string> lines;          // every change, as SpecChange says it
  std::vector<std::string> added;          // parameters that the study has not searched before
  std::map<std::string, Json> were_fixed;  // those of them that were fixed, and at what
  std::vector<std::string> objections;     // what no amendment may change, a line each, and why
};
SpecAmendment spec_amendment(const Json& old_document, const Json& new_document);

}  // namespace tune
