#include "tuner/cli/output.h"

#include <cerrno>
#include <ostream>

#include "tuner/core/visible_text.h"

namespace tune::cli {

void print_json(const Json& json, Console& console) {
  // JSON escapes the controls below 32 alone, and terminals obey others too.
  console.out << visible_text(json.dump(-1, ' ', false, Json::error_handler_t::replace)) << '\n';
}

void finish_output(std::ostream& out, ExitCode ending) {
  out.flush();
  if (!out && (errno == EPIPE || errno == EIO || ending == ExitCode::kInterrupted)) out.clear();
}

}  // namespace tune::cli
