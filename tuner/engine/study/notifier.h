#pragma once
// Runs the commands of a spec's `notify`, beside whatever has something to tell.
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/spec/notification.h"

namespace tune::engine {

// Something to tell.
struct Notice {
  NotifyOn on = NotifyOn::kFinished;
  std::string key;                // of this one: "best:17"
  std::string message;            // a sentence
  Json details = Json::object();  // for the file, beside what every one has
};

// What became of one command for one notice.
struct Delivery {
  std::string key;
  NotifyOn on = NotifyOn::kFinished;
  std::size_t number = 0;  // of the command in `notify`
  enum class End { kTold, kFailed, kPassedOver } end = End::kTold;
  std::string problem;  // of kFailed
};

// Owned by whoever runs a study or a comparison; a thread of its own runs one command at a time, and ends
// with it. It stores nothing, and prints nothing.
class Notifier {
 public:
  struct Parts {
    std::vector<Notification> notify;
    std::filesystem::path folder;                  // the commands start in it
    std::map<std::string, std::string> variables;  // that all of them get
    Json about = Json::object();                   // in every file
    std::function<int()> signals;                  // as Program's
  };
  // Throws Error(kEnvironment) where a variable of the environment is not set that a command is to get.
  explicit Notifier(Parts parts);
  // What waits is dropped; waits for the command that runs.
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // Whether a command is to be told of it.
  bool wants(NotifyOn on) const;
  // Never waits. A best that waits is passed over for a better one.
  void tell(const Notice& notice);
  // What has ended since the last call.
  std::vector<Delivery> take_told();
  // Until every command has ended.
  void wait();

 private:
  struct Task {
    Notice notice;
    std::size_t number = 0;
    std::string time;
  };
  void work();
  Delivery run(const Task& task) const;
  void pass_over_best(std::size_t number);

  const Parts parts_;
  std::vector<std::map<std::string, std::string>> environments_;  // of the commands
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> waiting_;
  std::vector<Delivery> told_;
  bool is_running_ = false, is_ending_ = false;
  std::thread thread_;  // last, since it uses all of the above
};

}  // namespace tune::engine
