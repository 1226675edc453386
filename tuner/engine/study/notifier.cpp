#include "tuner/engine/study/notifier.h"

#include <algorithm>
#include <utility>

#include "tuner/core/clock.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/run_program.h"
#include "tuner/os/scratch_folder.h"

namespace tune::engine {
namespace {

std::map<std::string, std::string> environment_of(const Notification& notification) {
  std::map<std::string, std::string> environment;
  for (const auto& [name, value] : notification.environment)
    environment[name] = environment_text(value, name, "a command of \"notify\"");
  return environment;
}

// As a person would name the command.
std::string name_of(const std::vector<std::string>& command) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, command.size()); ++i)
    text += (text.empty() ? "" : " ") + command[i];
  return text + (command.size() > kShown ? " ..." : "");
}

}  // namespace

Notifier::Notifier(Parts parts) : parts_(std::move(parts)) {
  for (const Notification& notification : parts_.notify)
    environments_.push_back(environment_of(notification));
  if (!parts_.notify.empty()) thread_ = std::thread([this] { work(); });
}

Notifier::~Notifier() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
  thread_.join();
}

bool Notifier::wants(NotifyOn on) const {
  return std::any_of(parts_.notify.begin(), parts_.notify.end(), [on](const Notification& notification) {
    return std::find(notification.on.begin(), notification.on.end(), on) != notification.on.end();
  });
}

// The newest best is the one that a person wants to know.
void Notifier::pass_over_best(std::size_t number) {
  std::erase_if(waiting_, [&](const Task& task) {
    if (task.number != number || task.notice.on != NotifyOn::kBest) return false;
    told_.push_back({task.notice.key, task.notice.on, number, Delivery::End::kPassedOver, {}});
    return true;
  });
}

void Notifier::tell(const Notice& notice) {
  const std::string now = format_time(SystemClock().wall_now());
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < parts_.notify.size(); ++i) {
      const std::vector<NotifyOn>& on = parts_.notify[i].on;
      if (std::find(on.begin(), on.end(), notice.on) == on.end()) continue;
      if (notice.on == NotifyOn::kBest) pass_over_best(i);
      waiting_.push_back({notice, i, now});
    }
  }
  changed_.notify_all();
}

std::vector<Delivery> Notifier::take_told() {
  const std::lock_guard lock(mutex_);
  return std::exchange(told_, {});
}

void Notifier::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !is_running_; });
}

void Notifier::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_ending_ || !waiting_.empty(); });
    if (is_ending_) return;
    const Task task = std::move(waiting_.front());
    waiting_.pop_front();
    is_running_ = true;
    lock.unlock();
    Delivery told = run(task);
    lock.lock();
    is_running_ = false;
    told_.push_back(std::move(told));
    changed_.notify_all();
  }
}

Delivery Notifier::run(const Task& task) const {
  const Notification& notification = parts_.notify[task.number];
  Delivery told{task.notice.key, task.notice.on, task.number, Delivery::End::kTold, {}};
  std::string last_line;
  try {
    const ScratchFolder folder("tune-event");
    const std::filesystem::path file = folder.path() / "event.json";
    Json json = parts_.about;
    json.update({{"schema", 1},
                 {"event", to_string(task.notice.on)},
                 {"time", task.time},
                 {"message", task.notice.message}});
    json.update(task.notice.details);
    write_file_atomically(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
    Program program;
    program.argv = notification.command;
    program.working_directory = parts_.folder;
    program.environment = parts_.variables;
    for (const auto& [name, value] : environments_[task.number]) program.environment[name] = value;
    program.environment[kEventVariable] = to_string(task.notice.on);
    program.environment[kEventFileVariable] = file.string();
    program.environment[kMessageVariable] = task.notice.message;
    program.time_limit = notification.time_limit;
    program.ends_as_group = true;
    program.signals = parts_.signals;
    program.on_line = [&last_line](const std::string& line) {
      if (line.find_first_not_of(" \t\r") != std::string::npos) last_line = line;
    };
    const ProgramOutput output = run_program(program);
    if (output.exit_code == 0) return told;
    told.problem = "exit code " + std::to_string(output.exit_code);
  } catch (const std::exception& error) {
    told.problem = error.what();
  }
  told.end = Delivery::End::kFailed;
  constexpr std::size_t kEnough = 500;
  if (!last_line.empty()) told.problem += ": " + last_line.substr(0, kEnough);
  told.problem = "the command `" + name_of(notification.command) + "` of \"notify\" failed for \"" +
                 to_string(task.notice.on) + "\": " + told.problem;
  return told;
}

}  // namespace tune::engine
