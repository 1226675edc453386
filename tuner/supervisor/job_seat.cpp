#include "tuner/supervisor/job_seat.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/stop_reason.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/file_system.h"
#include "tuner/os/regular_file.h"

namespace tune::supervisor {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

// A person waits for a young attempt; later the file server's load counts.
constexpr Milliseconds kLook{1'000}, kLateLook{5'000};
constexpr Milliseconds kYouth{600'000};
constexpr std::uint64_t kMostBytes = 4096;  // of stop.json

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// "812", or "812_3" of a job array.
std::string job_id() {
  const std::string array = variable("SLURM_ARRAY_JOB_ID");
  return array.empty() ? variable("SLURM_JOB_ID") : array + "_" + variable("SLURM_ARRAY_TASK_ID");
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::int64_t wall_ms() { return SystemClock().wall_now().time_since_epoch().count(); }

// When the job's script began, by this node's clock.
std::int64_t job_began_ms() {
  const std::int64_t now = wall_ms();
  const std::int64_t said = std::strtoll(variable("TUNE_JOB_BEGAN").c_str(), nullptr, 10);
  return said > 0 && said <= now ? said : now;
}

bool is_there(const fs::path& file) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(file, ignored));
}

// 0, or the system's reason.
int touch(const fs::path& file) {
  const int made = ::open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made < 0) return errno;
  ::close(made);
  return 0;
}

}  // namespace

JobSeat::JobSeat(const Launch& launch)
    : folder_(launch.folder),
      token_(launch.token),
      nodes_(launch.job->nodes),
      began_ms_(job_began_ms()),
      began_(steady_clock::now()) {
  if (launch.job->time_left) {
    const Milliseconds passed(wall_ms() - began_ms_);
    end_ = began_ + *launch.job->time_left - passed;
  }
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size("/proc/self/exe", error);
  if (!error && bytes != launch.job->program_bytes)
    objection_ = "tune-supervisor on " + host_name() + " is another build (" + std::to_string(bytes) +
                 " bytes) than the one beside tune (" + std::to_string(launch.job->program_bytes) +
                 " bytes): install the same version on every node";
}

Claim JobSeat::take() {
  if (is_there(folder_ / kFenceFile)) return Claim::kGivenUp;
  const fs::path claim = folder_ / kClaimFile;
  const int made = ::open(claim.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (made < 0 && errno == EEXIST) return Claim::kAnothers;
  if (made < 0)
    throw Error(ExitCode::kEnvironment, "cannot write \"" + claim.string() + "\": " + std::strerror(errno),
                "the folder of the attempts must be writable on every node");
  ::close(made);
  write_alive();
  next_look_ = steady_clock::now();
  return Claim::kTaken;
}

int JobSeat::say_again() const {
  const int reason = touch(folder_ / kAgainFile);
  if (reason == 0) return 0;
  look_anew(folder_);
  return is_there(folder_ / kExitFile) || is_there(folder_ / kFenceFile) ? 0 : reason;
}

void JobSeat::write_alive() {
  next_beat_ = steady_clock::now() + kJobHeartbeat;
  const Json alive = {{"schema", 1},
                      {"token", token_},
                      {"job", job_id()},
                      {"node", variable("SLURMD_NODENAME")},
                      {"host", host_name()},
                      {"nodes", std::max(1, std::atoi(variable("SLURM_JOB_NUM_NODES").c_str()))},
                      {"gpus", variable("SLURM_JOB_GPUS")},
                      {"pid", ::getpid()},
                      {"began_ms", began_ms_},
                      {"time_ms", wall_ms()},
                      {"beat", beats_++}};
  try {
    write_file_atomically(folder_ / kAliveFile, alive.dump() + "\n");
  } catch (const Error&) {
    // A full disk: the next beat tries again, and the cluster knows the job meanwhile.
  }
}

void JobSeat::beat(SteadyTime now) {
  if (now >= next_beat_) write_alive();
}

std::optional<JobWord> JobSeat::look(SteadyTime now) {
  if (now < next_look_) return std::nullopt;
  next_look_ = now + (now - began_ < kYouth ? kLook : kLateLook);
  look_anew(folder_);
  if (is_there(folder_ / kFenceFile)) return JobWord{Milliseconds(0), to_string(StopReason::kLost)};
  if (!is_there(folder_ / kStopFile)) return std::nullopt;
  const JsonFile stop = read_json_file(folder_ / kStopFile, kMostBytes);
  if (!stop.is_there || !stop.value.is_object() || stop.value.value("token", "") != token_)
    return std::nullopt;
  return JobWord{Milliseconds(stop.value.value("grace_ms", std::int64_t{0})),
                 stop.value.value("reason", std::string())};
}

pid_t JobSeat::ask_nodes() const {
  std::string job = variable("SLURM_JOB_ID"), program = "scancel", signal = "--signal=TERM",
              quiet = "--quiet";
  if (nodes_ < 2 || job.empty()) return 0;
  const std::array<char*, 5> argv{program.data(), quiet.data(), signal.data(), job.data(), nullptr};
  const pid_t asker = ::fork();
  if (asker != 0) return std::max<pid_t>(asker, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(static_cast<int>(ExitCode::kEnvironment));
}

SteadyTime JobSeat::due() const { return std::min(next_beat_, next_look_); }

}  // namespace tune::supervisor
