#include "tuner/cli/output.h"

#include <ostream>

namespace tune::cli {

void print_json(const Json& json, Console& console) {
  console.out << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace tune::cli
