#include "tuner/endpoint/supervisor/endpoint_supervisor.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/http/token_file.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/closed_file.h"
#include "tuner/os/file_system.h"
#include "tuner/os/process.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/run_program.h"
#include "tuner/os/user.h"

namespace tune::endpoint {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kReadyLimit{600'000};   // for a worker to load its first model: tens of gigabytes
constexpr Milliseconds kSilenceLimit{60'000};  // for an answer of a worker that does nothing else meanwhile
constexpr Milliseconds kSteady{60'000};        // a worker that answered so long has not failed at once
constexpr Milliseconds kFirstPause{1'000};     // before the second worker in a row, doubled from then on
constexpr Milliseconds kLongestPause{30'000};
constexpr Milliseconds kStopGrace{15'000};  // a worker takes ten seconds at most for what runs
constexpr Milliseconds kLookAtCheck{10};
constexpr Milliseconds kLongTurn{2'000};
constexpr std::size_t kMostWords = 4'000;  // kept of what a worker printed last
constexpr double kGib = 1024.0 * 1024 * 1024;

std::string sender_text(const signalfd_siginfo& signal) {
  if (signal.ssi_signo == static_cast<std::uint32_t>(SIGINT)) return "interrupted (Ctrl-C)";
  if (signal.ssi_signo == static_cast<std::uint32_t>(SIGHUP)) return "its terminal was closed";
  return "undeployed by " + user_name(signal.ssi_uid);
}

// What a program says last: its error with the lines that belong to it, else its last line.
std::string last_words_in(std::string words) {
  while (!words.empty() && words.back() == '\n') words.pop_back();
  const std::size_t error = words.rfind("error: ");
  if (error != std::string::npos && (error == 0 || words[error - 1] == '\n'))
    return words.substr(error + std::string_view("error: ").size());
  words.erase(0, words.rfind('\n') + 1);
  words.erase(0, std::min(words.size(), words.find_first_not_of(' ')));
  return words;
}

// Only its owner may read it, as the token.
void write_authorization(const fs::path& file, const std::string& token) {
  const Descriptor opened(open_regular_file_anew(file));
  const std::string header = "Authorization: Bearer " + token + "\n";
  if (opened.get() < 0 ||
      ::write(opened.get(), header.data(), header.size()) != static_cast<ssize_t>(header.size()))
    throw closed_file(file, "cannot write " + file.string());
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t count_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string ordinal(int number) {
  const int last = number % 100;
  const char* const end = last >= 11 && last <= 13 ? "th"
                          : last % 10 == 1         ? "st"
                          : last % 10 == 2         ? "nd"
                          : last % 10 == 3         ? "rd"
                                                   : "th";
  return std::to_string(number) + end;
}

}  // namespace

EndpointSupervisor::EndpointSupervisor(Endpoint asked, SupervisorSettings settings)
    : asked_(std::move(asked)),
      settings_(std::move(settings)),
      folder_(endpoint_folder(settings_.store, asked_.name)),
      versions_(settings_.store, asked_) {
  state_.name = asked_.name;
  state_.asked = asked_.model;
  state_.pid = ::getpid();
  state_.boot_id = boot_id();
  if (const auto self = process_info(state_.pid)) state_.start_time = self->start_time;
}

EndpointSupervisor::~EndpointSupervisor() = default;

void EndpointSupervisor::run() {
  ::signal(SIGPIPE, SIG_IGN);  // a worker that has ended shows otherwise
  ::signal(SIGCHLD, SIG_DFL);  // where it is ignored nobody learns how a worker has ended
  begin();
  try {
    // Before it answers, too: what it is about to serve is not to be deleted.
    take_adapters(versions_.wanted());
    set_state(State::kDeploying, "checking the files of " + versions_.wanted().main.text());
    while (!has_ended_) turn();
  } catch (const Error& error) {
    fail(error);
    throw;
  }
  if (!undeploy_) throw Error(ExitCode::kInterrupted, asked_.name + " was not deployed: " + state_.reason);
}

void EndpointSupervisor::begin() {
  versions_.begin();
  std::error_code ignored;
  const bool is_new = !fs::exists(folder_, ignored);
  make_private_folder(folder_);
  std::string holder;
  std::optional<FileLock> lock = FileLock::try_once(folder_ / kLockFile, holder);
  if (!lock)
    throw Error(ExitCode::kConflict,
                asked_.name + " is deployed already, or about to be, by " +
                    (holder.empty() ? "another process" : "process " + holder),
                "`tune undeploy " + asked_.name + "` ends it; --name deploys the model a second time");
  lock_.emplace(std::move(*lock));
  end_remains(folder_);  // of a supervisor that was killed: they may hold the port
  try {
    take_port();
  } catch (const Error&) {
    if (is_new) fs::remove_all(folder_, ignored);
    throw;
  }
}

void EndpointSupervisor::take_port() {
  listener_ = http::listen_on({asked_.host, asked_.port});
  state_.url = "http://" + listener_->address.text();
  token_file_ = asked_.token_file.empty() ? (folder_ / kTokenFile).string() : asked_.token_file;
  write_authorization(folder_ / kAuthorizationFile,
                      http::token_of(token_file_, "name another file with --token-file"));
  log_.emplace(folder_ / kLogFile);
  if (settings_.owns_output)
    for (const int output : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(log_->descriptor(), output);
}

void EndpointSupervisor::fail(const Error& error) {
  worker_.reset();
  listener_.reset();
  state_.worker_pid = 0;
  state_.url.clear();
  state_.last_error = error.what();
  state_.undeploy_at.reset();
  try {
    set_state(State::kNotDeployed, error.what());
  } catch (const Error&) {
    // The error that is thrown says what matters.
  }
}

int EndpointSupervisor::poll_timeout_ms() const {
  Milliseconds wait = settings_.look_interval;
  const auto until = [&](SteadyTime then) {
    const auto left = std::chrono::ceil<Milliseconds>(then - settings_.clock.steady_now());
    wait = std::clamp(left, Milliseconds(0), wait);
  };
  if (versions_.is_checking()) wait = std::min(wait, kLookAtCheck);
  if (restart_at_) until(*restart_at_);
  if (undeploy_ && is_ready_ && !stats_asked_) until(next_stats_);
  return static_cast<int>(wait.count());
}

void EndpointSupervisor::turn() {
  std::array<pollfd, 5> watched{{{settings_.signals, POLLIN, 0},
                                 {undeploy_ || stop_reason_ ? -1 : settings_.audience, 0, 0},
                                 {worker_ ? worker_->lines() : -1, POLLIN, 0},
                                 {worker_ ? worker_->errors() : -1, POLLIN, 0},
                                 {worker_ ? worker_->end() : -1, POLLIN, 0}}};
  ::poll(watched.data(), watched.size(), poll_timeout_ms());
  if (watched[0].revents != 0) on_signals();
  if ((watched[1].revents & POLLERR) != 0 && !stop_reason_) stop("whoever waited for it was interrupted");
  if (worker_) read_worker();
  if (!has_ended_) keep_time();
}

void EndpointSupervisor::keep_time() {
  const SteadyTime now = settings_.clock.steady_now();
  // This process was stopped, or its machine slept: no worker is to blame for what it did not say meanwhile.
  const SteadyTime::duration turn = now - std::exchange(last_turn_, now);
  if (turn > kLongTurn) {
    started_ += turn;
    if (stats_asked_) *stats_asked_ += turn;
  }
  if (stop_reason_) {
    if (worker_ && now >= kill_at_) worker_->kill();
    return;
  }
  if (is_unwritten_) write_state();
  if (restart_at_ && now >= *restart_at_) start_worker();
  if (worker_ && !is_ready_ && now >= started_ + kReadyLimit) {
    told_failure_ = "it was not ready after " + format_duration(kReadyLimit);
    worker_->kill();
  }
  if (versions_.take_check()) {
    if (undeploy_)
      show_versions();
    else
      start_worker();
  }
  if (!undeploy_) return;
  follow();
  load_next();
  ask_stats();
  if (const auto reason = undeploy_->due()) stop(*reason);
}

// The worker.

WorkerLaunch EndpointSupervisor::launch() const {
  const auto program =
      asked_.worker.empty() ? find_program("tune-train") : std::optional<fs::path>(asked_.worker);
  if (!program)
    throw Error(ExitCode::kEnvironment, "there is no tune-train beside tune or on the path",
                "put it there, or name another program that serves models with --worker");
  const ChosenVersions& versions = versions_.serving();
  const int socket = listener_->socket.get();
  WorkerLaunch launch;
  launch.endpoint = folder_;
  launch.argv = {program->string(), "serve",
                 "--model",         versions.main.folder.string(),
                 "--name",          asked_.name,
                 "--model-version", std::to_string(versions.main.version),
                 "--listen-fd",     std::to_string(socket),
                 "--token-file",    token_file_,
                 "--control"};
  for (const auto& [name, adapter] : versions.adapters)
    launch.argv.insert(launch.argv.end(), {"--adapter", name + "=" + adapter.folder.string()});
  const std::string port = ":" + std::to_string(listener_->address.port);
  for (const std::string& host : asked_.hosts)
    launch.argv.insert(launch.argv.end(), {"--host", host.find(':') == host.npos ? host + port : host});
  for (const auto& [name, most] : asked_.limits)
    launch.argv.insert(launch.argv.end(), {"--" + name, std::to_string(most)});
  launch.working_directory = "/";
  launch.listening = socket;
  if (asked_.memory_gib) launch.memory_bytes = static_cast<std::uint64_t>(*asked_.memory_gib * kGib);
  return launch;
}

void EndpointSupervisor::start_worker() {
  restart_at_.reset();
  started_ = settings_.clock.steady_now();
  words_.clear();
  told_failure_.clear();
  try {
    worker_ = std::make_unique<Worker>(launch());
  } catch (const Error& error) {
    // What is lacking may come back; before anything was served it is told instead.
    if (!undeploy_) throw;
    return restart_later(error.what());
  }
  const std::string what = versions_.serving().main.text();
  say("worker " + std::to_string(worker_->pid()) + " starts with " + what);
  state_.worker_pid = worker_->pid();
  if (undeploy_)
    write_state();
  else
    set_state(State::kDeploying, "loading " + what);
}

void EndpointSupervisor::read_worker() {
  // Before it is asked whether it has ended: what it said before that is there by then.
  const std::optional<int> status = worker_->status();
  std::string printed = worker_->read_errors();
  const std::vector<Json> messages = worker_->read_messages(printed);
  log_->add(printed);
  words_ += printed;
  if (words_.size() > kMostWords) words_.erase(0, words_.size() - kMostWords);
  for (const Json& message : messages) on_message(message);
  if (status) on_worker_end(*status);
}

void EndpointSupervisor::on_message(const Json& message) {
  if (message.contains("ready") && !is_ready_) {
    on_ready();
  } else if (message.contains("loaded") && is_load_sent_) {
    on_loaded();
  } else if (message.contains("failed")) {
    const std::string why = text_at(message["failed"], "message");
    if (!is_ready_) told_failure_ = why;
    if (!std::exchange(is_load_sent_, false)) return;
    versions_.refuse(why);
    show_versions();
  } else if (message.contains("stats")) {
    on_stats(message["stats"]);
  }
}

void EndpointSupervisor::on_ready() {
  if (stop_reason_) return;
  const SteadyTime now = settings_.clock.steady_now();
  is_ready_ = true;
  ready_since_ = next_stats_ = now;
  stats_asked_.reset();
  if (!undeploy_) {
    undeploy_.emplace(asked_.undeploy, settings_.clock);
    if (const auto at = undeploy_->at()) state_.undeploy_at = format_time(*at);
    try {
      write_file_atomically(folder_ / kEndpointFile, endpoint_json(asked_).dump(2) + "\n");
    } catch (...) {
      undeploy_.reset();
      throw;
    }
  }
  state_.version = versions_.serving().main.version;
  show_versions();
}

void EndpointSupervisor::on_worker_end(int status) {
  say("worker " + std::to_string(worker_->pid()) + " " + ending_text(status));
  const bool was_ready = is_ready_;
  worker_.reset();
  end_remains(folder_);
  is_ready_ = false;
  state_.worker_pid = 0;
  earlier_requests_ += std::exchange(worker_requests_, 0);
  if (stop_reason_) return end();
  // What one that answered has printed last need not be about its end.
  const std::string printed = WIFSIGNALED(status) && was_ready ? std::string() : last_words_in(words_),
                    said = told_failure_.empty() ? printed : told_failure_;
  const std::string why = "its worker " + ending_text(status) + (said.empty() ? "" : ": " + said);
  if (!undeploy_) give_up(WIFEXITED(status) && !said.empty() ? said : why);
  if (std::exchange(is_load_sent_, false)) versions_.take_death();
  if (was_ready && settings_.clock.steady_now() - ready_since_ >= kSteady) failures_ = 0;
  restart_later(why);
}

void EndpointSupervisor::restart_later(const std::string& why) {
  ++failures_;
  ++state_.restarts;
  Milliseconds pause{0};
  if (failures_ > 1) pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_ - 2, 10)));
  restart_at_ = settings_.clock.steady_now() + pause;
  state_.last_error = why;
  set_state(State::kDeploying,
            "restarting: " + why +
                (pause.count() > 0 ? "; for the " + ordinal(failures_) +
                                         " time in a row, so the next one starts in " + format_duration(pause)
                                   : ""));
}

void EndpointSupervisor::give_up(const std::string& why) {
  // The first line is the error, what follows it its cure, as tune-train prints them.
  const std::size_t line = why.find('\n');
  std::string hint = line == std::string::npos ? "" : why.substr(line + 1);
  hint.erase(0, std::min(hint.size(), hint.find_first_not_of(' ')));
  if (hint.empty()) hint = "its log is " + (folder_ / kLogFile).string();
  if (asked_.memory_gib) hint += "; it may hold no more than --memory-gib " + shortest(*asked_.memory_gib);
  throw Error(ExitCode::kEnvironment,
              versions_.serving().main.text() + " cannot be served: " + why.substr(0, line), hint);
}

// Versions.

void EndpointSupervisor::follow() {
  const SteadyTime now = settings_.clock.steady_now();
  if (is_load_sent_ || now < next_look_) return;
  next_look_ = now + settings_.look_interval;
  std::error_code ignored;  // a disk that does not answer just now has removed nothing
  if (fs::status(folder_, ignored).type() == fs::file_type::not_found) return stop("its folder was removed");
  if (versions_.look()) show_versions();
}

void EndpointSupervisor::load_next() {
  if (is_load_sent_ || !is_ready_ || versions_.to_load() == nullptr) return;
  const ChosenVersions& next = *versions_.to_load();
  Json adapters = Json::object();
  for (const auto& [name, adapter] : next.adapters) adapters[name] = adapter.folder.string();
  is_load_sent_ = worker_->send({{"load",
                                  {{"model", next.main.folder.string()},
                                   {"version", std::to_string(next.main.version)},
                                   {"adapters", adapters}}}});
  if (!is_load_sent_) return worker_->kill();  // it reads nothing: the next one will
  show_versions();
}

void EndpointSupervisor::on_loaded() {
  is_load_sent_ = false;
  const int before = versions_.serving().main.version;
  versions_.take_loaded();
  state_.version = versions_.serving().main.version;
  if (state_.version != before) state_.previous_version = before;
  show_versions();
}

void EndpointSupervisor::take_adapters(const ChosenVersions& versions) {
  state_.adapters.clear();
  for (const auto& [name, adapter] : versions.adapters)
    state_.adapters[name] = {adapter.model, adapter.version};
}

// What is in progress beside what is served, and what went wrong with it.
void EndpointSupervisor::show_versions() {
  take_adapters(versions_.serving());
  if (!versions_.problem().empty()) state_.last_error = versions_.problem();
  if (!is_ready_) return write_state();  // the reason of the restart stands
  std::string reason = versions_.problem();
  if (versions_.is_checking()) reason = "checking the files of " + versions_.wanted().main.text();
  if (versions_.to_load() != nullptr) reason = "loading " + versions_.to_load()->main.text();
  if (versions_.wanted() != versions_.serving()) reason += " beside " + versions_.serving().main.text();
  set_state(State::kDeployed, reason);
}

void EndpointSupervisor::ask_stats() {
  const SteadyTime now = settings_.clock.steady_now();
  if (!is_ready_) return;
  if (stats_asked_ && is_load_sent_) stats_asked_ = now;  // it may load and answer one after the other
  if (stats_asked_ && now >= *stats_asked_ + kSilenceLimit) {
    told_failure_ = "it said nothing for " + format_duration(kSilenceLimit);
    stats_asked_.reset();
    return worker_->kill();
  }
  if (stats_asked_ || now < next_stats_) return;
  next_stats_ = now + settings_.stats_interval;
  // An idle endpoint is found out by an answer.
  if (const auto idle = asked_.undeploy.idle)
    next_stats_ = now + std::min(settings_.stats_interval, *idle / 4);
  stats_asked_ = now;
  static_cast<void>(worker_->send({{"stats", true}}));
}

void EndpointSupervisor::on_stats(const Json& stats) {
  stats_asked_.reset();
  if (!undeploy_ || stop_reason_ || !stats.is_object()) return;
  const std::int64_t requests = count_at(stats, "requests");
  const bool is_new = requests != worker_requests_;
  worker_requests_ = requests;
  if (is_new || count_at(stats, "running") > 0) undeploy_->take_request();
  if (is_new) {
    state_.requests = earlier_requests_ + requests;
    state_.last_request = format_time(settings_.clock.wall_now());
    write_state();
  }
  if (const auto reason = undeploy_->idle()) stop(*reason);
}

// Its end.

void EndpointSupervisor::on_signals() {
  signalfd_siginfo signal{};
  while (::read(settings_.signals, &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    if (!stop_reason_) {
      stop(sender_text(signal));
    } else if (worker_) {
      worker_->kill();  // a second wish
    }
  }
}

void EndpointSupervisor::stop(const std::string& reason) {
  stop_reason_ = reason;
  restart_at_.reset();
  listener_.reset();  // nothing new is to come in; the worker closes its own
  kill_at_ = settings_.clock.steady_now() + kStopGrace;
  if (!worker_) return end();
  set_state(State::kStopping, reason);
  worker_->ask_to_end();
}

void EndpointSupervisor::end() {
  has_ended_ = true;
  state_.url.clear();
  state_.undeploy_at.reset();
  set_state(State::kNotDeployed, *stop_reason_);
}

// Its files.

void EndpointSupervisor::set_state(State state, const std::string& reason) {
  const bool is_new = state_.since.empty() || state_.state != state,
             is_told = !is_new && state_.reason == reason;
  if (is_new) state_.since = format_time(settings_.clock.wall_now());
  state_.state = state;
  state_.reason = one_line(reason);
  write_state();
  if (is_told) return;
  say(std::string(to_text(state)) + (reason.empty() ? "" : ": " + reason));
  if (settings_.on_state) settings_.on_state(state_);
}

void EndpointSupervisor::write_state() {
  try {
    write_file_atomically(folder_ / kStateFile, state_json(state_).dump(2) + "\n");
    is_unwritten_ = false;
  } catch (const Error& error) {
    // What answers goes on answering; before anything does, there is no reason to begin.
    if (!undeploy_) throw;
    if (!is_unwritten_) say(error.what());
    is_unwritten_ = true;
  }
}

void EndpointSupervisor::say(const std::string& sentence) {
  if (log_) log_->say(settings_.clock.wall_now(), sentence);
}

}  // namespace tune::endpoint
