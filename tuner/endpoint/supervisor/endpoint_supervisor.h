#pragma once
// The life of one endpoint, from `tune deploy` until it is undeployed.
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/core/error.h"
#include "tuner/endpoint/endpoint.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/endpoint/supervisor/endpoint_log.h"
#include "tuner/endpoint/supervisor/followed_versions.h"
#include "tuner/endpoint/supervisor/undeploy_time.h"
#include "tuner/endpoint/supervisor/worker.h"
#include "tuner/http/listener.h"
#include "tuner/os/file_lock.h"

namespace tune::endpoint {

struct SupervisorSettings {
  std::filesystem::path store;  // absolute
  const Clock& clock;           // used from the supervisor's thread
  // Descriptors that are polled; -1: none. `signals` gives what signalfd(2) gives, and each signal undeploys.
  // `audience` is the writing end of a pipe to whoever waits for the deployment: once nobody reads it, what
  // is not deployed yet is given up.
  int signals = -1, audience = -1;
  bool owns_output = false;  // its stdout and stderr become the log
  std::function<void(const EndpointState&)> on_state = {};
  Milliseconds look_interval{200};     // at the registry
  Milliseconds stats_interval{2'000};  // between two questions to the worker
};

// Holds an endpoint's lock and its listening socket, and on that socket keeps a worker that serves the
// version that the reference names: starts it again when it ends, has it load what an alias names from then
// on, and ends it when the endpoint is undeployed. Writes state.json at each change. Its worker dies with it,
// however it ends. Lives in a process that does nothing else, on one thread.
class EndpointSupervisor {
 public:
  EndpointSupervisor(Endpoint asked, SupervisorSettings settings);
  ~EndpointSupervisor();

  // Returns when a deployed endpoint was undeployed. Throws what kept it from being deployed:
  // Error(kNotFound) (no such version), Error(kConflict) (another supervisor has that name, the alias moved
  // meanwhile), Error(kEnvironment) (its port, files that are not as they were promoted, a worker that cannot
  // serve it, a store that cannot be written), Error(kInterrupted). Nothing of it is left running then.
  void run();

 private:
  void begin();  // what may refuse and leave no trace
  void take_port();
  void turn();
  int poll_timeout_ms() const;
  void keep_time();
  void fail(const Error& error);

  WorkerLaunch launch() const;
  void start_worker();
  void read_worker();
  void on_message(const Json& message);
  void on_ready();
  void on_worker_end(int status);
  void restart_later(const std::string& why);
  [[noreturn]] void give_up(const std::string& why);

  void follow();
  void load_next();
  void on_loaded();
  void take_adapters(const ChosenVersions& versions);
  void show_versions();
  void ask_stats();
  void on_stats(const Json& stats);

  void on_signals();
  void stop(const std::string& reason);
  void end();

  void set_state(State state, const std::string& reason);
  void write_state();
  void say(const std::string& sentence);

  const Endpoint asked_;
  const SupervisorSettings settings_;
  const std::filesystem::path folder_;
  std::optional<FileLock> lock_;
  std::optional<EndpointLog> log_;
  std::optional<http::Listener> listener_;
  std::string token_file_;
  EndpointState state_;
  bool is_unwritten_ = false;  // state.json is behind: the disk refused it
  bool has_ended_ = false;

  FollowedVersions versions_;
  bool is_load_sent_ = false;
  SteadyTime next_look_;

  std::unique_ptr<Worker> worker_;
  bool is_ready_ = false;
  SteadyTime started_, ready_since_, next_stats_, last_turn_;
  std::optional<SteadyTime> stats_asked_;
  std::string words_;         // the end of what the worker has printed
  std::string told_failure_;  // what it said of the model that it was started with
  int failures_ = 0;          // of workers, one after another
  std::optional<SteadyTime> restart_at_;
  std::int64_t earlier_requests_ = 0;  // of workers that have ended
  std::int64_t worker_requests_ = 0;

  std::optional<UndeployTime> undeploy_;  // once it is deployed
  std::optional<std::string> stop_reason_;
  SteadyTime kill_at_;
};

}  // namespace tune::endpoint
