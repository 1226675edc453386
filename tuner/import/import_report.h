#pragma once
// What became of each field of a foreign file, for a person and for `--json`.
#include <string>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::amt {

// A field that a key of the spec says.
struct Mapped {
  std::string study;     // which spec, where one file gives several
  std::string from, to;  // JSON pointers: in the file, in the spec
  OrderedJson value;     // as the spec has it
  std::string note;      // how it differs, "" where it does not
  int line = 0;          // of `from`; 0 where that is no place in the file
};

// A field that none says. It is kept as it stands.
struct LeftOut {
  std::string from;  // JSON pointer in the file
  OrderedJson value;
  std::string reason;
  int line = 0;
};

struct ImportReport {
  std::vector<Mapped> mapped;
  std::vector<LeftOut> ignored;   // what means nothing on a machine of one's own
  std::vector<LeftOut> unmapped;  // what no key of a spec says, and what is no known field
  std::vector<Problem> warnings;  // what was understood, and is likely not meant
};

}  // namespace tune::amt
