// `tune undeploy ENDPOINT`: ends what `tune deploy` began.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/visible_text.h"
#include "tuner/endpoint/supervisor/deployment.h"

namespace tune::cli {

int undeploy_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "undeploy")
                           .positional("ENDPOINT", "the endpoint, as `tune endpoints` lists it")
                           .flag("delete", "take it out of the store too, with its token and log")
                           .parse(arguments, console);
  if (!options) return 0;
  const std::filesystem::path store = store_folder(*options);
  const std::string name = options->text("ENDPOINT");
  const bool as_json = options->has("json");
  const bool was_deployed = endpoint::undeploy(store, name, [&](const endpoint::EndpointState& state) {
    if (!as_json) console.err << state.name << ": " << to_text(state.state) << std::endl;
  });
  const endpoint::ListedEndpoint now = endpoint::find_endpoint(store, name);
  const bool is_deleted = options->has("delete");
  if (is_deleted) endpoint::remove_endpoint(store, name);
  if (as_json) {
    Json json = endpoint::listed_json(now);
    json["schema"] = 1;
    json["was_deployed"] = was_deployed;
    json["deleted"] = is_deleted;
    print_json(json, console);
  } else {
    console.out << name << (was_deployed ? " is not deployed any more" : " was not deployed")
                << (now.state.reason.empty() ? "" : ": " + visible_text(now.state.reason))
                << (is_deleted ? "; its folder is deleted" : "") << '\n';
  }
  return 0;
}

}  // namespace tune::cli
