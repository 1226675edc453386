#include "tuner/cli/command_line/output.h"

#include <cerrno>
#include <ostream>

#include "tuner/core/visible_text.h"

namespace tune::cli {

// JSON escapes the controls below 32 alone, and terminals obey others too.
std::string json_line(const Json& json) {
  return visible_text(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void print_json(const Json& json, Console& console) { console.out << json_line(json) << '\n'; }

void print_ordered(const OrderedJson& json, Console& console, int indent) {
  console.out << visible_text(json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace),
                              LineBreaks::kKeep)
              << std::endl;
}

void finish_output(std::ostream& out, ExitCode ending) {
  out.flush();
  if (!out && (errno == EPIPE || errno == EIO || ending == ExitCode::kInterrupted)) out.clear();
}

}  // namespace tune::cli
