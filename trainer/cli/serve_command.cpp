// `tune-train serve`: a finished model behind HTTP.
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <ostream>
#include <thread>

#include "trainer/cli/commands.h"
#include "trainer/loop/device.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/serve/control.h"
#include "trainer/serve/served_endpoint.h"
#include "tuner/core/error.h"
#include "tuner/http/server.h"
#include "tuner/http/token_file.h"
#include "tuner/os/scratch_folder.h"

namespace tune::trainer::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostThreads = 4096, kMostMegabytes = 1024, kMostWaiting = 4096;
// For what runs when the program ends, and then for the last answers that say that it does: less than the
// fifteen seconds after which a supervisor kills it.
constexpr Milliseconds kGrace{10'000}, kLastAnswers{2'000};

// The folder's name; of a version of the registry (NAME/versions/3, NAME/current) the model's, and so it
// stays when another version takes its place.
std::string name_of(const fs::path& model) {
  const fs::path place = fs::absolute(model).lexically_normal();
  fs::path folder = place.filename().empty() ? place.parent_path() : place;
  if (folder.parent_path().filename() == "versions") return folder.parent_path().parent_path().filename();
  if (folder.filename() == "current") return folder.parent_path().filename();
  return folder.extension() == ".gguf" ? folder.stem() : folder.filename();
}

// "3" of NAME/versions/3, also where NAME/current leads there.
std::string version_of(const fs::path& model) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  const fs::path place = fs::weakly_canonical(model, ignored);
  return place.parent_path().filename() == "versions" ? place.filename().string() : "local";
}

void check_name(const std::string& name, const std::string& option) {
  const bool is_plain =
      !name.empty() && name.find_first_of("/\\ \t\r\n\"@") == std::string::npos && name.size() <= 256;
  if (!is_plain)
    throw Error(ExitCode::kUsage, option + " \"" + name + "\" is no name to ask for a model by",
                "letters, digits, points and dashes");
}

serve::VersionRequest first_model(const Parsed& given) {
  serve::VersionRequest request{given.text("model"), given.text("base"), {}, given.text("model-version")};
  if (request.version.empty()) request.version = version_of(request.model);
  for (const std::string& adapter : given.texts("adapter")) {
    const std::size_t at = adapter.find('=');
    const std::string name = adapter.substr(0, at);
    if (at == std::string::npos || at + 1 == adapter.size())
      throw Error(ExitCode::kUsage, "--adapter is \"" + adapter + "\"", "write NAME=FOLDER");
    check_name(name, "--adapter");
    if (!request.adapters.emplace(name, adapter.substr(at + 1)).second)
      throw Error(ExitCode::kUsage, "--adapter names " + name + " twice", "give each a name of its own");
  }
  return request;
}

serve::EndpointSettings settings_of(const Parsed& given, const serve::VersionRequest& model) {
  serve::EndpointSettings settings;
  settings.name = given.has("name") ? given.text("name") : name_of(model.model);
  check_name(settings.name, "--name");
  if (model.adapters.contains(settings.name))
    throw Error(ExitCode::kUsage, "--adapter and the model are both called " + settings.name,
                "give the adapter another name, or the model with --name");
  serve::ModelLimits& limits = settings.limits;
  limits.most_waiting = static_cast<std::size_t>(*given.integer("queue", 1, kMostWaiting));
  limits.largest_batch = static_cast<std::size_t>(*given.integer("batch", 1, kMostWaiting));
  limits.batch_wait = Milliseconds(*given.integer("batch-wait-ms", 0, 10'000));
  limits.threads =
      loop::threads_to_use(static_cast<int>(given.integer("threads", 0, kMostThreads).value_or(0)));
  settings.most_body_bytes = static_cast<std::uint64_t>(*given.integer("max-body-mb", 1, kMostMegabytes))
                             << 20;
  settings.patience = std::chrono::seconds(*given.integer("timeout", 1, 86'400));
  return settings;
}

http::Listener listener_of(const Parsed& given) {
  if (const auto descriptor = given.integer("listen-fd", 0, 1 << 20))
    return http::adopt_listener(static_cast<int>(*descriptor));
  http::Address address = http::parse_address(given.text("addr"), 0);
  if (given.has("port")) address.port = static_cast<int>(*given.integer("port", 0, 65'535));
  if (!address.is_loopback() && !given.has("token-file"))
    throw Error(ExitCode::kUsage, "--addr " + address.text() + " can be reached from other machines",
                "name the token that they have to show: --token-file FILE");
  return http::listen_on(address);
}

std::vector<std::string> hosts_of(const Parsed& given, const http::Address& address) {
  std::vector<std::string> extra = given.texts("host");
  if (!address.is_loopback()) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0)
      extra.push_back(std::string(name.data()) + ":" + std::to_string(address.port));
  }
  return http::hosts_of(address, extra);
}

// What has not ended after the grace is given up: handlers wait for it, and the server for them.
void stop(http::Server& server, serve::ServedEndpoint& endpoint) {
  std::promise<void> has_stopped;
  std::thread giving_up([&endpoint, stopped = has_stopped.get_future()] {
    if (stopped.wait_for(kGrace) == std::future_status::timeout) endpoint.give_up();
  });
  server.stop(kGrace + kLastAnswers, /*ends_streams=*/false);
  has_stopped.set_value();
  giving_up.join();
  endpoint.give_up();  // what nobody listens to any more
}

}  // namespace

int run_serve(const Arguments& arguments, Console& console) {
  const auto given =
      Options(command_line(), "serve")
          .add({"model", "MODEL", "folder of a model, or what else its task takes for one", true})
          .value("base", "BASE",
                 "what an adapter was trained on, where it does not lie where its folder says")
          .add({"adapter", "NAME=FOLDER",
                "an adapter that is asked for by that name; several share the model's base", false,
                /*repeated=*/true})
          .value("name", "NAME", "what the model is asked for by; its folder's name without it")
          .value("model-version", "LABEL",
                 "the version that answers name; without it that of the registry's folder")
          .add({"addr", "HOST", "the address to listen on", false, false, "127.0.0.1"})
          .value("port", "PORT", "and the port; one that is free without it, which is printed")
          .value("listen-fd", "N", "in place of those, a socket that listens already")
          .add({"host", "HOST:PORT", "also a name that clients may call this server by", false, true})
          .value("token-file", "FILE",
                 "the secret that requests have to show; it is drawn where the file is not there")
          .add({"max-body-mb", "MB", "the largest request", false, false, "16"})
          .add({"queue", "N", "examples, or prompts, that may wait; what is more gets 503", false, false,
                "64"})
          .add({"batch", "N", "examples that are computed together at most", false, false, "16"})
          .add({"batch-wait-ms", "MS", "how long a batch waits for requests that are being decoded", false,
                false, "2"})
          .add({"timeout", "SECONDS", "for one answer", false, false, "60"})
          .value("threads", "N", "of the CPU; all cores by default")
          .flag("control", "take lines of JSON from stdin, and end with it: for `tune deploy`")
          .json("")
          .parse(arguments, console);
  if (!given) return 0;
  const serve::VersionRequest model = first_model(*given);
  const serve::EndpointSettings settings = settings_of(*given, model);
  loop::catch_stop_signals();
  ::mallopt(M_ARENA_MAX, 4);  // each thread that decodes would keep an arena of its own
  // The port first: a model takes seconds to load.
  http::Listener listener = listener_of(*given);
  const http::Address address = listener.address;
  std::optional<ScratchFolder> own_place;
  fs::path token_file = given->text("token-file");
  if (token_file.empty()) {
    own_place.emplace("tune-train-serve");
    token_file = own_place->path() / "token";
  }
  const http::Access access(
      {.token = http::token_of(token_file, "name a file that can be written with --token-file"),
       .hosts = hosts_of(*given, address),
       .port = address.port});
  serve::ServedEndpoint endpoint(settings, console.err);
  endpoint.load(model);
  http::Server server(std::move(listener), endpoint.routes(), access, endpoint.server_settings());
  server.start();
  serve::Control control(endpoint, console.out);
  if (given->has("control")) {
    control.tell_ready(address.port, model.version);
    control.read_lines(STDIN_FILENO, loop::stop_requested);
  } else {
    console.out << settings.name << " answers at http://" << address.text() << "\n"
                << "the token that requests have to show is in " << token_file.string() << "\n"
                << "  curl -H \"Authorization: Bearer $(cat " << token_file.string() << ")\" http://"
                << address.text() << "/v2/models/" << settings.name << std::endl;
    while (!loop::stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  stop(server, endpoint);
  return 0;
}

}  // namespace tune::trainer::cli
