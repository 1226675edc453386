#pragma once
// `tune serve`: the server over one store.
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuner/http/access.h"
#include "tuner/http/listener.h"
#include "tuner/http/server.h"
#include "tuner/serve/event_hub.h"
#include "tuner/serve/importance_view.h"
#include "tuner/serve/overview.h"
#include "tuner/serve/study_book.h"

namespace tune::serve {

struct DashboardSettings {
  std::filesystem::path store;  // absolute
  http::Address address;
  std::filesystem::path token_file;             // absolute
  std::vector<std::string> more_hosts = {};     // "gpu-box:8787": what else Host may say
  std::optional<std::filesystem::path> assets;  // --assets-dir
  std::string version;                          // of the program
};

// Everything of one server: its studies, its rights, its port. It reads the store and writes nothing but its
// token file; what people ask of a study goes into the study's inbox, and is done as the same command does
// it. Owned by the command, on its thread.
class Dashboard {
 public:
  // Takes the port. Throws Error(kEnvironment) for a port in use and for a token file that cannot be written.
  explicit Dashboard(DashboardSettings settings);
  ~Dashboard();

  void start();
  // Within a few seconds, whatever is open; a promotion's programs get ten to end.
  void stop();
  const http::Address& address() const { return address_; }
  // "http://127.0.0.1:8787/login?once=...": opens the pages in one browser.
  std::string one_time_url();
  // For tests: every row, in its order.
  const std::vector<http::Route>& routes() const { return routes_; }

 private:
  std::vector<http::Route> make_routes();
  http::Response stream_events(const http::Request& request);
  http::Response take_request(const http::Request& request);
  http::Handler long_handler(http::Handler handler);

  const DashboardSettings settings_;
  http::Listener listener_;
  const http::Address address_;
  http::Access access_;
  StudyBook book_;
  Overview overview_;
  ImportanceView importance_;
  std::atomic<bool> is_stopping_ = false;
  std::atomic<std::size_t> long_answers_ = 0;
  EventHub hub_;
  std::vector<http::Route> routes_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace tune::serve
