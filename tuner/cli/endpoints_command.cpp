// `tune endpoints [ENDPOINT]`: what is deployed.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/report/text/table.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using endpoint::EndpointState;
using endpoint::ListedEndpoint;

std::string minute_of(const std::string& time) {  // of an RFC 3339 time
  if (time.size() < 16) return time;
  std::string text = time.substr(0, 16);
  text[10] = ' ';
  return text;
}

std::string version_text(const EndpointState& state) {
  if (state.version == 0) return reference_text(state.asked);
  std::string text = state.asked.model + " version " + std::to_string(state.version);
  if (state.asked.version == 0) text += " (" + state.asked.alias + ")";
  return text;
}

// `zone` stands behind the time.
std::string undeploy_text(const ListedEndpoint& endpoint, const std::string& zone) {
  std::string text = endpoint.state.undeploy_at ? minute_of(*endpoint.state.undeploy_at) + zone : "";
  if (endpoint.asked && endpoint.asked->undeploy.idle)
    text += (text.empty() ? "" : ", or ") +
            ("after " + format_duration(*endpoint.asked->undeploy.idle) + " without a request");
  return text;
}

std::string list_text(const std::vector<ListedEndpoint>& endpoints, int width) {
  report::Table table;
  table.columns = {{"endpoint"},
                   {"state"},
                   {"serves"},
                   {"URL"},
                   {"requests", report::Align::kRight},
                   {"since (UTC)"},
                   {"undeployed (UTC)"},
                   {"reason", report::Align::kLeft, true}};
  for (const ListedEndpoint& endpoint : endpoints) {
    const EndpointState& state = endpoint.state;
    const bool answers =
        state.state == endpoint::State::kDeployed || state.state == endpoint::State::kDeploying;
    table.rows.push_back({state.name, to_text(state.state), version_text(state), answers ? state.url : "",
                          std::to_string(state.requests), minute_of(state.since), undeploy_text(endpoint, ""),
                          state.reason});
  }
  return report::text_table(table, width);
}

std::string one_text(const ListedEndpoint& endpoint) {
  const EndpointState& state = endpoint.state;
  std::string text = state.name + ": " + to_text(state.state) +
                     (state.reason.empty() ? "" : ": " + visible_text(state.reason)) + '\n';
  const auto line = [&](const std::string& title, const std::string& value) {
    if (!value.empty())
      text += "  " + title + std::string(17 - title.size(), ' ') + visible_text(value) + '\n';
  };
  line("since", state.since.empty() ? "" : minute_of(state.since) + " UTC");
  line("serves", version_text(state));
  if (state.previous_version > 0) line("before", "version " + std::to_string(state.previous_version));
  for (const auto& [name, adapter] : state.adapters)
    line("adapter", name + ": " + adapter.model + " version " + std::to_string(adapter.version));
  line("URL", state.url);
  line("requests",
       std::to_string(state.requests) +
           (state.last_request.empty() ? "" : ", the last one at " + minute_of(state.last_request) + " UTC"));
  line("restarts", std::to_string(state.restarts));
  line("last error", state.last_error);
  line("undeployed", undeploy_text(endpoint, " UTC"));
  const bool lives = state.state != endpoint::State::kNotDeployed;
  if (lives) line("supervisor", "process " + std::to_string(state.pid));
  if (lives && state.worker_pid > 0) line("worker", "process " + std::to_string(state.worker_pid));
  line("log", (endpoint.folder / endpoint::kLogFile).string());
  if (!lives && endpoint.asked) line("deploy it again", "`tune deploy " + asked_again(*endpoint.asked) + "`");
  return text;
}

}  // namespace

int endpoints_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "endpoints")
                           .positional("ENDPOINT", "one of them, with all that is known of it [all]", false)
                           .parse(arguments, console);
  if (!options) return 0;
  const fs::path store = store_folder(*options);
  const bool as_json = options->has("json");
  if (options->has("ENDPOINT")) {
    const ListedEndpoint endpoint = endpoint::find_endpoint(store, options->text("ENDPOINT"));
    if (as_json) {
      Json json = endpoint::listed_json(endpoint);
      json["schema"] = 1;
      print_json(json, console);
    } else {
      console.out << one_text(endpoint);
    }
    return 0;
  }
  const std::vector<ListedEndpoint> endpoints = endpoint::list_endpoints(store);
  if (as_json) {
    Json list = Json::array();
    for (const ListedEndpoint& endpoint : endpoints) list.push_back(endpoint::listed_json(endpoint));
    print_json({{"schema", 1}, {"endpoints", list}}, console);
  } else if (endpoints.empty()) {
    console.out << "no endpoints in " << visible_text(endpoints_folder(store).string())
                << "; `tune deploy MODEL` makes the first one\n";
  } else {
    console.out << list_text(endpoints, console.width);
  }
  return 0;
}

}  // namespace tune::cli
