// `tune serve`: the pages of a store in a browser.
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <ostream>
#include <thread>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/serve/dashboard.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServerAddress = "127.0.0.1:8787";
constexpr int kServerPort = 8787;
constexpr std::chrono::milliseconds kLookForSignal{100};
// Whoever looks waits for the trainings, not the other way round.
constexpr int kServerNiceness = 10;

void require_served_store(const fs::path& store) {
  std::error_code ignored;
  if (fs::is_directory(store, ignored)) return;
  throw Error(ExitCode::kNotFound, "there is no store at " + store.string(),
              "--store or $TUNE_STORE names the folder in which `tune --spec` keeps its studies");
}

serve::DashboardSettings dashboard_settings(const Parsed& options) {
  serve::DashboardSettings settings;
  settings.store = fs::absolute(store_folder(options)).lexically_normal();
  settings.address =
      http::parse_address(options.has("addr") ? options.text("addr") : kServerAddress, kServerPort);
  const bool has_token_file = options.has("token-file");
  if (!settings.address.is_loopback() && !has_token_file)
    throw Error(
        ExitCode::kUsage,
        settings.address.text() + " can be reached from other machines, so it needs a token file of yours",
        "--token-file FILE: it is made where there is none; or stay on 127.0.0.1 and come through `ssh -L`");
  settings.token_file =
      has_token_file ? fs::absolute(options.text("token-file")) : settings.store / ".serve-token";
  settings.more_hosts = options.texts("allow-host");
  if (options.has("assets-dir")) settings.assets = options.text("assets-dir");
  settings.version = TUNE_VERSION;
  return settings;
}

}  // namespace

int serve_command(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "serve");
  declared.value("addr", "ADDRESS", "where to listen [127.0.0.1:8787]; port 0 takes one that is free")
      .value("token-file", "FILE", "the token, made where there is none [STORE/.serve-token]")
      .add({.name = "allow-host",
            .placeholder = "HOST:PORT",
            .help = "another name by which browsers reach it, for example localhost:9000 through `ssh -L`",
            .repeated = true})
      .value("assets-dir", "FOLDER", "pages from there instead of the built-in ones, for work on them")
      .json("the address as JSON, once it can be opened");
  const auto options = declared.parse(arguments, console);
  if (!options) return 0;
  const serve::DashboardSettings settings = dashboard_settings(*options);
  require_served_store(settings.store);
  // Tables of large studies come and go: what one took is given back, and not kept for each thread.
  ::mallopt(M_ARENA_MAX, 2);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
  ::setpriority(PRIO_PROCESS, 0, kServerNiceness);
  const SignalsCaught signals;
  serve::Dashboard dashboard(settings);
  dashboard.start();
  const std::string url = dashboard.one_time_url();
  if (options->has("json")) {
    print_json({{"schema", 1},
                {"url", url},
                {"address", "http://" + dashboard.address().text()},
                {"token_file", settings.token_file.string()},
                {"pid", ::getpid()}},
               console);
  } else {
    console.out << "Open in a browser (good for one use):\n  " << url << "\n"
                << "Programs, and further browsers, show the token in "
                << visible_text(settings.token_file.string()) << '\n';
    if (!dashboard.address().is_loopback())
      console.err
          << "warning: " << dashboard.address().text()
          << " can be reached from other machines, without encryption: whoever reads the traffic reads the "
             "token; `ssh -L` is safer\n";
    console.err << "Ctrl-C ends it.\n";
  }
  console.out.flush();
  console.err.flush();
  while (interruption().count.load() == 0) std::this_thread::sleep_for(kLookForSignal);
  dashboard.stop();
  return 0;
}

}  // namespace tune::cli
