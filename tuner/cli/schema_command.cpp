#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/commands.h"
#include "tuner/compare/comparison.h"

namespace tune::cli {

// A JSON Schema is JSON by itself, so --json changes nothing: editors and validators take the output as it
// is.
int schema_command(const Arguments& arguments, Console& console) {
  if (!Options(command_line(), "schema").parse(arguments, console)) return 0;
  console.out << compare::file_schema().dump(2) << '\n';
  return 0;
}

}  // namespace tune::cli
