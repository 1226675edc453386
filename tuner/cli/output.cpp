#include "tuner/cli/output.h"

#include <cerrno>
#include <ostream>

namespace tune::cli {

void print_json(const Json& json, Console& console) {
  console.out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

void finish_output(std::ostream& out, ExitCode ending) {
  out.flush();
  if (!out && (errno == EPIPE || errno == EIO || ending == ExitCode::kInterrupted)) out.clear();
}

}  // namespace tune::cli
