#include "tuner/cli/steer.h"

#include <ostream>

#include "tuner/cli/command_line/output.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/visible_text.h"
#include "tuner/live/study_request.h"

namespace tune::cli {
namespace fs = std::filesystem;
namespace {

fs::path store_of(const Parsed& options) { return fs::absolute(store_folder(options)).lexically_normal(); }

}  // namespace

Spec steered_spec(const Parsed& options, const std::string& study, const std::string& command) {
  return live::requestable_spec(store_of(options), study, command);
}

int steer(const Parsed& options, const std::string& study, const std::string& command, Json arguments,
          Console& console) {
  const SignalsCaught signals;
  const std::string done = live::ask_study(store_of(options), study, command, std::move(arguments),
                                           [] { return interruption().count.load() > 0; });
  if (options.has("json"))
    print_json({{"schema", 1}, {"study", study}, {"done", done}}, console);
  else
    console.out << study << ": " << visible_text(done) << '\n';
  return 0;
}

}  // namespace tune::cli
