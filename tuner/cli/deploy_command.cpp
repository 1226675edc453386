// `tune deploy MODEL`: a promoted model answers requests at an address of this machine.
#include <iostream>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/number_options.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/shell_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/endpoint/endpoint.h"
#include "tuner/endpoint/supervisor/deployment.h"
#include "tuner/http/listener.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/run_program.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamplesOfTimes = "for example 90s, 20m, 8h or 1d";
constexpr int kMostPort = 65535;
constexpr double kMostMemoryGib = 1 << 20;  // no machine has more, and its bytes are a whole number

std::optional<Milliseconds> time_option(const Parsed& options, const std::string& name) {
  if (!options.has(name)) return std::nullopt;
  try {
    const Milliseconds time = parse_duration(options.text(name));
    if (time.count() == 0) throw std::invalid_argument("it must be longer than nothing");
    return time;
  } catch (const std::invalid_argument& error) {
    throw Error(ExitCode::kUsage, "--" + name + ": " + error.what(), kExamplesOfTimes);
  }
}

// "NAME=MODEL@3,OTHER=MODEL@champion"
void add_adapters(const std::string& text, std::map<std::string, ModelReference>& adapters) {
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    if (equals == std::string::npos || !is_model_name(name))
      throw Error(ExitCode::kUsage, "--adapters: " + in_quotes(part) + " is not NAME=MODEL",
                  "requests choose an adapter by its name: --adapters polite=steel-chat@3,short=steel-notes");
    if (!adapters.emplace(name, parse_model_reference(part.substr(equals + 1))).second)
      throw Error(ExitCode::kUsage, "--adapters: the name " + in_quotes(name) + " stands for two adapters");
  }
}

void set_address(const Parsed& options, endpoint::Endpoint& endpoint) {
  const std::optional<std::int64_t> port = options.integer("port", 0, kMostPort);
  endpoint.port = static_cast<int>(port.value_or(0));
  if (!options.has("addr")) return;
  const http::Address address = http::parse_address(options.text("addr"), endpoint.port);
  if (port && address.port != *port)
    throw Error(ExitCode::kUsage,
                "--addr names port " + std::to_string(address.port) + ", --port another one");
  endpoint.host = address.host;
  endpoint.port = address.port;
  if (!address.is_loopback() && endpoint.token_file.empty())
    throw Error(ExitCode::kUsage, "others than this machine could reach " + address.text(),
                "name the file of a token that you give them with --token-file, and keep in mind that it is "
                "sent as it is, without TLS");
}

std::string absolute_path(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

std::string worker_program(const std::string& name) {
  const bool is_path = name.find('/') != std::string::npos;
  if (is_path && fs::exists(name)) return absolute_path(name);
  if (!is_path)
    if (const auto found = find_program(name)) return found->string();
  throw Error(ExitCode::kNotFound, "there is no program " + in_quotes(name),
              "name the worker's file with --worker");
}

endpoint::Endpoint asked_endpoint(const Parsed& options) {
  endpoint::Endpoint endpoint;
  endpoint.model = parse_model_reference(options.text("MODEL"));
  endpoint.name = options.has("name") ? options.text("name") : endpoint.model.model;
  endpoint::require_endpoint_name(endpoint.name);
  if (options.has("token-file")) endpoint.token_file = absolute_path(options.text("token-file"));
  set_address(options, endpoint);
  endpoint.hosts = options.texts("host");
  endpoint.undeploy.after = time_option(options, "undeploy-after");
  endpoint.undeploy.idle = time_option(options, "idle");
  if (options.has("schedule"))
    endpoint.undeploy.time_of_day = endpoint::parse_time_of_day(options.text("schedule"));
  if (endpoint.undeploy.after && endpoint.undeploy.time_of_day)
    throw Error(ExitCode::kUsage, "--undeploy-after and --schedule both say when it is undeployed",
                "keep one of them");
  for (const std::string& text : options.texts("adapters")) add_adapters(text, endpoint.adapters);
  endpoint.memory_gib = amount_option(options, "memory-gib");
  if (endpoint.memory_gib && (*endpoint.memory_gib == 0 || *endpoint.memory_gib > kMostMemoryGib))
    throw Error(ExitCode::kUsage, "--memory-gib must be more than 0, and at most " + shortest(kMostMemoryGib),
                "without it the worker may hold what the machine has");
  for (const endpoint::WorkerLimit& limit : endpoint::kWorkerLimits)
    if (const auto most = options.integer(limit.option, 1, limit.most)) endpoint.limits[limit.option] = *most;
  if (options.has("worker")) endpoint.worker = worker_program(options.text("worker"));
  return endpoint;
}

// A first request that fits the model; "" where nothing says what it takes.
std::string first_request(const endpoint::EndpointState& state, const fs::path& store) {
  const fs::path folder = version_folder(models_folder(store) / state.asked.model, state.version);
  constexpr std::uint64_t kMostBytes = 16'000'000;
  const Json model = read_json_file(folder / "model.json", kMostBytes).value;
  const std::string task = model.is_object() && model.contains("task") && model["task"].is_string()
                               ? model["task"].get<std::string>()
                               : "";
  const std::string json = " -H 'Content-Type: application/json' -d ";
  if (task == "language_model")
    return json + R"('{"model": ")" + state.name +
           R"(", "messages": [{"role": "user", "content": "Hello"}]}' )" + state.url + "/v1/chat/completions";
  if (task == "text_classification") return json + R"('{"text": "a text"}' )" + state.url + "/invocations";
  if (task.empty()) return {};
  return " -H 'Content-Type: image/jpeg' --data-binary @image.jpg " + state.url + "/invocations";
}

void print_deployed(const endpoint::Endpoint& endpoint, const endpoint::EndpointState& state,
                    const fs::path& store, bool as_json, Console& console) {
  const fs::path folder = endpoint_folder(store, endpoint.name);
  const std::string token =
      endpoint.token_file.empty() ? (folder / endpoint::kTokenFile).string() : endpoint.token_file;
  std::string request = first_request(state, store);
  if (!request.empty())
    request = "curl -H " + shell_word("@" + (folder / endpoint::kAuthorizationFile).string()) + request;
  if (as_json) {
    Json json = endpoint::state_json(state);
    json["token_file"] = token;
    json["first_request"] = request.empty() ? Json(nullptr) : Json(request);
    print_json(json, console);
  } else {
    console.out << state.name << " is deployed: " << state.asked.model << " version " << state.version << '\n'
                << "  URL    " << state.url << '\n'
                << "  token  " << visible_text(token) << '\n'
                << "  log    " << visible_text((folder / endpoint::kLogFile).string()) << '\n';
    if (!request.empty()) console.out << "  try    " << visible_text(request) << '\n';
  }
  console.out.flush();
}

}  // namespace

int deploy_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "deploy");
  declared.positional("MODEL", "the model: MODEL, MODEL@VERSION or MODEL@ALIAS; an alias is followed")
      .value("name", "ENDPOINT", "the endpoint's name [the model's]")
      .value("addr", "ADDRESS", "the address that it listens at [127.0.0.1]")
      .value("port", "N", "the port [one that is free]")
      .add({"host", "NAME", "what clients may call this machine beside that address", false, true})
      .value("undeploy-after", "T", "undeploy it after a time (20m, 8h, 1d)")
      .value("schedule", "HH:MM", "undeploy it when this machine's clocks next show that time")
      .value("idle", "T", "undeploy it when no request has come for a time")
      .add(
          {"adapters", "NAME=MODEL[,...]", "low-rank adapters beside the model, chosen by name", false, true})
      .value("memory-gib", "X", "most data that the worker may hold, without a GPU's [no limit]");
  for (const endpoint::WorkerLimit& limit : endpoint::kWorkerLimits)
    declared.value(limit.option, limit.placeholder, limit.help);
  const auto options = declared
                           .value("token-file", "FILE",
                                  "the token that requests show; made where there is none\n"
                                  "                        [token in the endpoint's folder]")
                           .value("worker", "PROGRAM", "what serves the model [tune-train]")
                           .flag("foreground", "serve in this process, until Ctrl-C or SIGTERM")
                           .parse(arguments, console);
  if (!options) return 0;
  const endpoint::Endpoint endpoint = asked_endpoint(*options);
  const fs::path store = fs::absolute(store_folder(*options)).lexically_normal();
  const bool as_json = options->has("json");
  if (!http::Address{endpoint.host, endpoint.port}.is_loopback())
    console.err << "warning: others than this machine can reach it, and nothing on the way is encrypted\n";
  bool is_told = false;
  const auto tell = [&](const endpoint::EndpointState& state) {
    if (!as_json)
      console.err << state.name << ": " << to_text(state.state)
                  << (state.reason.empty() ? "" : ": " + visible_text(state.reason)) << std::endl;
  };
  if (options->has("foreground")) {
    endpoint::serve_here(endpoint, store, [&](const endpoint::EndpointState& state) {
      tell(state);
      if (!is_told && state.state == endpoint::State::kDeployed)
        print_deployed(endpoint, state, store, as_json, console);
      is_told = is_told || state.state == endpoint::State::kDeployed;
    });
    return 0;
  }
  console.out.flush();
  console.err.flush();
  const endpoint::EndpointState state = endpoint::deploy_detached(endpoint, store, tell);
  print_deployed(endpoint, state, store, as_json, console);
  return 0;
}

}  // namespace tune::cli
