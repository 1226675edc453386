#pragma once
// A store with versions of a model, and an endpoint of it whose supervisor runs on a thread of the test.
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store/model_registry.h"
#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/core/store_layout.h"
#include "tuner/endpoint/supervisor/endpoint_supervisor.h"
#include "tuner/http/client.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/sha256.h"

namespace tune::endpoint {

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A clock that a test moves while another thread reads it. Its wall clock is the steady one.
class MovedClock final : public Clock {
 public:
  SteadyTime steady_now() const override {
    return std::chrono::steady_clock::now() + Milliseconds(moved_.load());
  }
  WallTime wall_now() const override { return SystemClock().wall_now() + Milliseconds(moved_.load()); }
  void advance(Milliseconds by) { moved_ += by.count(); }

 private:
  std::atomic<std::int64_t> moved_{0};
};

class EndpointStore {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path version_of(const std::string& model, int version) const {
    return version_folder(models_folder(path()) / model, version);
  }
  // Files by name, as the fake worker reads them. `weights` says which version it is, unless it is given.
  int add_version(std::map<std::string, std::string> files = {}, const std::string& model = "m") {
    std::filesystem::create_directories(models_folder(path()));
    store::ModelRegistry registry(registry_file(models_folder(path())), store::OpenMode::kCreate);
    store::ModelVersion row;
    row.model = model;
    row.version = registry.next_version(model);
    row.study = "s";
    row.trial = row.version;
    row.objective = {"loss", Goal::kMinimize, Reduce::kBest};
    const std::filesystem::path folder = version_of(model, row.version);
    std::filesystem::create_directories(folder);
    files.emplace("weights", model + " " + std::to_string(row.version));
    for (const auto& [name, text] : files) {
      std::ofstream(folder / name) << text;
      row.files.push_back({name, text.size(), sha256_of_file(folder / name)});
    }
    registry.insert_version(row);
    return row.version;
  }
  void point(int to, const std::string& model = "m", const std::string& alias = std::string(kCurrentAlias)) {
    store::ModelRegistry registry(registry_file(models_folder(path())), store::OpenMode::kWrite);
    store::Promotion promotion{model, registry.alias(model, alias), to, "a test", Json::object(), {}};
    promotion.alias = alias;
    registry.promote(promotion);
  }
  Endpoint asked(const std::string& reference = "m", const std::string& name = "e") const {
    Endpoint endpoint;
    endpoint.name = name;
    endpoint.model = parse_model_reference(reference);
    endpoint.worker = TUNE_TEST_BIN_DIR "/fake_worker";
    return endpoint;
  }
  EndpointState state(const std::string& name = "e") const { return find_endpoint(path(), name).state; }

 private:
  tests::TemporaryFolder folder_;
};

// The supervisor of an endpoint on a thread of its own, until it ends or this does.
class RunningEndpoint {
 public:
  RunningEndpoint(const EndpointStore& store, Endpoint asked, const Clock& clock = system_clock())
      : store_(store), asked_(std::move(asked)) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    signals_ = Descriptor(ends[0]);
    signal_ = Descriptor(ends[1]);
    thread_ = std::thread([this, &clock] {
      try {
        SupervisorSettings settings{store_.path(), clock, signals_.get(), -1, false, {}};
        settings.look_interval = settings.stats_interval = Milliseconds(10);
        settings.on_state = [this](const EndpointState& state) {
          const std::lock_guard lock(mutex_);
          states_.push_back(std::string(to_text(state.state)) +
                            (state.reason.empty() ? "" : ": " + state.reason));
          if (states_.size() == 1) first_ = state;
          last_ = state;
        };
        EndpointSupervisor(asked_, std::move(settings)).run();
      } catch (const Error& error) {
        const std::lock_guard lock(mutex_);
        error_ = error;
      }
      has_ended_ = true;
    });
  }
  ~RunningEndpoint() { end(); }
  RunningEndpoint(const RunningEndpoint&) = delete;
  RunningEndpoint& operator=(const RunningEndpoint&) = delete;

  // As SIGTERM would; waits for its end, and gives what it threw.
  std::optional<Error> end() {
    signalfd_siginfo term{};
    term.ssi_signo = SIGTERM;
    term.ssi_uid = ::getuid();
    if (thread_.joinable()) [[maybe_unused]]
      const bool is_sent = ::write(signal_.get(), &term, sizeof term) == sizeof term;
    return wait();
  }
  std::optional<Error> wait() {
    if (thread_.joinable()) thread_.join();
    return error_;
  }
  bool has_ended() const { return has_ended_; }
  EndpointState first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }
  EndpointState last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  std::vector<std::string> states() const {
    const std::lock_guard lock(mutex_);
    return states_;
  }
  void wait_until_deployed() const {
    tests::wait_until([&] { return has_ended() || last().state == State::kDeployed; }, "it is deployed");
    const std::string error = error_text();
    INFO(error);
    REQUIRE(last().state == State::kDeployed);
  }
  void wait_until_served(int version) const {
    tests::wait_until([&] { return last().state == State::kDeployed && last().version == version; },
                      "version " + std::to_string(version) + " is served");
  }
  std::string error_text() const {
    const std::lock_guard lock(mutex_);
    return error_ ? error_->what() : "";
  }
  http::Client client() const {
    return http::Client({http::parse_address(std::string_view(last().url).substr(7), 0)});
  }
  http::ClientRequest question(const std::string& body = "x") const {
    const std::string token = read_file(endpoint_folder(store_.path(), asked_.name) / kTokenFile);
    http::ClientRequest request{"POST", "/invocations", {}, body};
    request.headers.push_back({"Authorization", "Bearer " + token.substr(0, token.find('\n'))});
    return request;
  }
  std::string ask(const std::string& body = "x") const { return client().ask(question(body)).body; }

 private:
  static const Clock& system_clock() {
    static const SystemClock clock;
    return clock;
  }

  const EndpointStore& store_;
  const Endpoint asked_;
  Descriptor signals_, signal_;
  mutable std::mutex mutex_;
  std::vector<std::string> states_;
  EndpointState first_, last_;
  std::optional<Error> error_;
  std::atomic<bool> has_ended_{false};
  std::thread thread_;
};

}  // namespace tune::endpoint
