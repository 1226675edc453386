#include "trainer/parallel/processes.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <ostream>

#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/environment.h"
#include "tuner/os/process.h"
#include "tuner/os/scratch_folder.h"

namespace tune::trainer::parallel {
namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

constexpr const char* kWords = "TUNE_LAST_WORDS";  // the folder for leave_word()
constexpr std::chrono::seconds kToFollow{2};       // what the others get to end by themselves and say why
constexpr timespec kLook{0, 200'000'000};

// Signals of this process while it lives, taken one by one.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~Signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  int next() const { return std::max(0, ::sigtimedwait(&set_, nullptr, &kLook)); }  // 0: none came
  const sigset_t& before() const { return before_; }

 private:
  sigset_t set_{}, before_{};
};

struct Process {
  int rank = 0;
  pid_t pid = 0;
  std::optional<int> status;  // of waitpid, once it has ended

  bool is_running() const { return pid > 0 && !status; }
  bool was_killed() const { return status && WIFSIGNALED(*status); }
  int code() const { return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1; }
  bool has_failed() const {
    return was_killed() || (status && code() != 0 && code() != static_cast<int>(ExitCode::kInterrupted));
  }
};

struct Word {
  Error error;
  bool is_of_another = false;  // it only tells that another one is gone
};

class Processes {
 public:
  Processes(int count, const Machines& machines, const std::vector<std::string>& arguments)
      : folder_("tune-team"), machines_(machines), arguments_(arguments) {
    program_ = fs::read_symlink("/proc/self/exe").string();
    for (int i = 0; i < count; ++i) all_.push_back({machines.index * count + i, 0, std::nullopt});
  }
  ~Processes() {
    signal(SIGKILL);
    for (Process& process : all_)
      while (process.is_running()) reap(process, 0);
  }
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  void start() {
    for (Process& process : all_) start(process);
  }

  // Until all have ended.
  void wait() {
    int interrupts = 0;
    std::optional<SteadyClock::time_point> end;
    while (std::any_of(all_.begin(), all_.end(), [](const Process& one) { return one.is_running(); })) {
      const int received = signals_.next();
      if (received == SIGINT && ++interrupts > 1) {
        is_killed_ = true;
        signal(SIGKILL);
      }
      if (received == SIGTERM || received == SIGINT || received == SIGHUP) signal(SIGTERM);
      for (Process& process : all_)
        if (process.is_running()) reap(process, WNOHANG);
      const bool has_failed =
          std::any_of(all_.begin(), all_.end(), [](const Process& one) { return one.has_failed(); });
      if (!has_failed) continue;
      if (!end) end = SteadyClock::now() + kToFollow;
      if (SteadyClock::now() < *end) continue;
      note_late_ones();
      signal(SIGKILL);
    }
  }

  // The signal that killed the one that failed first, which `notes` are told then; 0: none did.
  int fatal_signal(std::ostream& notes) const {
    const Process* culprit = is_killed_ ? nullptr : find_culprit();
    if (culprit == nullptr || !culprit->was_killed()) return 0;
    const int number = WTERMSIG(*culprit->status);
    notes << "error: " << name(*culprit) << " was killed by signal " << number << " (" << ::strsignal(number)
          << ')' << std::endl;
    return number;
  }

  // How they ended all together, where no signal was it.
  ExitCode result() const {
    if (is_killed_) return ExitCode::kInterrupted;
    const bool interrupted = std::any_of(all_.begin(), all_.end(), [](const Process& one) {
      return one.code() == static_cast<int>(ExitCode::kInterrupted);
    });
    const Process* culprit = find_culprit();
    // Who waited for an interrupted one is interrupted too.
    if (culprit != nullptr && !(interrupted && tells_of_another(*culprit))) blame(*culprit);
    return interrupted ? ExitCode::kInterrupted : ExitCode::kOk;
  }

 private:
  std::string name(const Process& process) const {
    return "process " + std::to_string(process.rank + 1) + " of " + std::to_string(size());
  }

  // On all machines.
  int size() const { return machines_.count * static_cast<int>(all_.size()); }
  const Process& of_rank(int rank) const { return all_[static_cast<std::size_t>(rank - all_.front().rank)]; }

  std::map<std::string, std::string> environment_of(const Process& process) const {
    return {{"TUNE_RANK", std::to_string(process.rank)},
            {"TUNE_LOCAL_RANK", std::to_string(process.rank - all_.front().rank)},
            {"TUNE_WORLD_SIZE", std::to_string(size())},
            {"TUNE_LOCAL_WORLD_SIZE", std::to_string(all_.size())},
            {"TUNE_RENDEZVOUS",
             machines_.count > 1 ? machines_.rendezvous : "file:" + (folder_.path() / "rendezvous").string()},
            {kWords, folder_.path().string()}};
  }

  void start(Process& process) {
    const Environment environment(environment_of(process));
    std::vector<char*> argv{program_.data()};
    for (std::string& argument : arguments_) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    process.pid = ::fork();
    if (process.pid < 0)
      throw LackOfResources("cannot start " + name(process) + ": " + std::strerror(errno),
                            "see `ulimit -u`, and how many processes there are");
    if (process.pid > 0) return;
    // Nothing may be allocated from here on.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    ::pthread_sigmask(SIG_SETMASK, &signals_.before(), nullptr);
    if (process.rank > 0) {  // the results are the first one's
      const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
      if (nowhere < 0 || ::dup2(nowhere, STDOUT_FILENO) < 0)
        ::_exit(static_cast<int>(ExitCode::kEnvironment));
    }
    ::execve(program_.c_str(), argv.data(), environment.pointers());
    ::_exit(static_cast<int>(ExitCode::kEnvironment));
  }

  void reap(Process& process, int options) {
    int status = 0;
    if (::waitpid(process.pid, &status, options) != process.pid) return;
    process.status = status;
    if (process.has_failed()) in_order_.push_back(process.rank);
  }

  void signal(int number) const {
    for (const Process& process : all_)
      if (process.is_running()) ::kill(process.pid, number);
  }

  // Those that the others have waited for, before they are killed.
  void note_late_ones() {
    if (!late_.empty()) return;
    for (const Process& process : all_)
      if (process.is_running())
        if (const auto info = process_info(process.pid)) late_.emplace_back(process.rank, states_of({*info}));
  }

  std::optional<Word> word_of(const Process& process) const {
    const fs::path file = folder_.path() / std::to_string(process.rank);
    if (!fs::exists(file)) return std::nullopt;
    const Json json = Json::parse(read_file(file));
    return Word{Error(static_cast<ExitCode>(json.at("code").get<int>()),
                      json.at("message").get<std::string>(), json.at("hint").get<std::string>()),
                json.at("is_of_another").get<bool>()};
  }

  bool tells_of_another(const Process& process) const {
    const auto word = word_of(process);
    return word && word->is_of_another;
  }

  // The first that failed by itself, else the first of all that failed.
  const Process* find_culprit() const {
    for (const int rank : in_order_) {
      const Process& process = of_rank(rank);
      const bool killed_here =
          std::any_of(late_.begin(), late_.end(), [&](const auto& late) { return late.first == rank; });
      if (!killed_here && !tells_of_another(process)) return &process;
    }
    return in_order_.empty() ? nullptr : &of_rank(in_order_.front());
  }

  [[noreturn]] void blame(const Process& process) const {
    const auto word = word_of(process);
    if (word && word->is_of_another && !late_.empty()) {
      std::string which;
      for (const auto& [rank, state] : late_)
        which += (which.empty() ? "" : "; ") + name(of_rank(rank)) + ": " + state;
      throw Error(ExitCode::kEnvironment,
                  "a process of the trial hangs: " + which + ". " + word->error.what(),
                  "see what it waits for; where it is only slow, raise TUNE_PEER_TIMEOUT");
    }
    if (word && word->is_of_another) throw word->error;  // that one is on another machine, and says so there
    if (word) throw Error(word->error.code(), name(process) + ": " + word->error.what(), word->error.hint());
    throw Error(ExitCode::kInternal,
                name(process) + " ended with exit code " + std::to_string(process.code()),
                "see what it printed");
  }

  const ScratchFolder folder_;
  const Machines machines_;
  std::string program_;
  std::vector<std::string> arguments_;
  const Signals signals_;
  std::vector<Process> all_;
  std::vector<int> in_order_;                      // ranks of those that failed, as they ended
  std::vector<std::pair<int, std::string>> late_;  // ranks and states
  bool is_killed_ = false;                         // as a person asked
};

}  // namespace

ExitCode run_processes(int count, const Machines& machines, const std::vector<std::string>& arguments,
                       std::ostream& notes) {
  int number = 0;
  {
    Processes processes(count, machines, arguments);
    processes.start();
    processes.wait();
    number = processes.fatal_signal(notes);
    if (number == 0) return processes.result();
  }
  ::signal(number, SIG_DFL);
  ::kill(::getpid(), number);
  throw Error(ExitCode::kInternal, "still alive after signal " + std::to_string(number));
}

bool leave_word(const Membership& membership, const Error& error, bool is_of_another) {
  const char* folder = std::getenv(kWords);
  if (folder == nullptr) return false;
  const Json json{{"code", static_cast<int>(error.code())},
                  {"message", error.what()},
                  {"hint", error.hint()},
                  {"is_of_another", is_of_another}};
  write_file_atomically(fs::path(folder) / std::to_string(membership.rank),
                        json.dump(-1, ' ', false, Json::error_handler_t::replace));
  return true;
}

}  // namespace tune::trainer::parallel
