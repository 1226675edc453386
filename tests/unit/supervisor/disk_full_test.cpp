// A full disk: a small tmpfs in a mount namespace of its own.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "support/skip.h"

using namespace tune;
using namespace tune::tests;

namespace {

constexpr int kNotPermitted = 77, kFailed = 78;

void write_text(const char* file, const std::string& text) { std::ofstream(file) << text; }

// Runs `body` in a child process that sees a tmpfs of 1 MB at `folder`; its answer is a text. Empty when that
// may not be done here.
std::string on_small_disk(const std::filesystem::path& folder, const std::function<std::string()>& body,
                          const char* options = "size=1m") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const uid_t user = ::getuid();
  const gid_t group = ::getgid();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(kNotPermitted);
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) != 0) ::_exit(kNotPermitted);
    try {
      const std::string answer = body();
      static_cast<void>(::write(ends[1], answer.data(), answer.size()) == 0);
      ::_exit(0);
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "%s\n", problem.what());
      ::_exit(kFailed);
    }
  }
  ::close(ends[1]);
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotPermitted) {
    skip("this user may not mount a tmpfs in a namespace");
    return {};
  }
  REQUIRE((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  return answer;
}

}  // namespace

TEST_CASE("an attempt that is stopped while the disk is full ends, and the outcome is still recorded") {
  TemporaryFolder folder;
  const std::string answer = on_small_disk(folder.path(), [&] {
    SupervisorRun run(folder.path(), chaos({"print", "loss=0.5\\n", "flood", "5000000", "hang"}));
    wait_until([&] { return std::filesystem::space(folder.path()).available == 0; }, "the disk is full");
    run.command("stop 100 drain");
    return run.wait().dump();
  });
  if (answer.empty()) return;
  const Json exit = Json::parse(answer);
  CHECK(exit["stop"] == "drain");
  CHECK_THAT(exit["failure"].get<std::string>(), Catch::Matchers::Contains("log\": No space left on device"));
  CHECK(exit["metrics"] == 1);
}

TEST_CASE("when room returns on a full disk the attempt goes on and no metric is lost") {
  TemporaryFolder folder;
  const std::string answer = on_small_disk(folder.path(), [&] {
    const std::filesystem::path ballast = folder.path() / "ballast";
    std::ofstream(ballast) << std::string(700'000, 'x');
    // More than is free with the ballast, less than the disk.
    SupervisorRun run(folder.path(), chaos({"flood", "500000", "print", "loss=0.5\\n"}));
    wait_until([&] { return std::filesystem::space(folder.path()).available == 0; }, "the disk is full");
    std::filesystem::remove(ballast);
    Json result = run.wait();
    std::ifstream metrics(folder.path() / "metrics.jsonl");
    std::string line;
    std::getline(metrics, line);
    result["line"] = line;
    return result.dump();
  });
  if (answer.empty()) return;
  const Json exit = Json::parse(answer);
  CHECK(exit["failure"] == "");
  CHECK(exit["exit_code"] == 0);
  CHECK_THAT(exit["line"].get<std::string>(), Catch::Matchers::Contains("\"value\":0.5"));
}

TEST_CASE("an attempt that has ended by itself but is stopped before its output had room counts as stopped") {
  TemporaryFolder folder, elsewhere;
  const std::string main = elsewhere.path() / "main";
  const std::string answer = on_small_disk(folder.path(), [&] {
    // Room for launch.json and exit.json alone.
    for (const char* file : {"launch.json", "spare"})
      std::ofstream(folder.path() / file) << std::string(4000, ' ');
    std::ofstream(folder.path() / "ballast") << std::string(2'000'000, 'x');
    std::filesystem::remove(folder.path() / "spare");
    SupervisorRun run(folder.path(), chaos({"pid-file", main, "print", "loss=0.5\\n"}));
    const pid_t trainer = pid_in(main);
    wait_until([&] { return !is_running(trainer); }, "the trainer has ended");
    run.command("stop 0 drain");
    return run.wait().dump();
  });
  if (answer.empty()) return;
  CHECK(Json::parse(answer)["stop"] == "drain");
}

TEST_CASE("exit.json waits for room when there was none from the start") {
  TemporaryFolder folder, elsewhere;
  const std::string main = elsewhere.path() / "main", go = elsewhere.path() / "go";
  const std::string answer = on_small_disk(folder.path(), [&] {
    const std::filesystem::path ballast = folder.path() / "ballast";
    // The trainer leaves no room before the supervisor has started, and none when it ends.
    std::ofstream(folder.path() / "launch.json") << std::string(4000, ' ');  // the block that it will take
    std::ofstream(ballast) << std::string(2'000'000, 'x');
    SupervisorRun run(folder.path(), chaos({"pid-file", main, "wait-for", go, "exit", "3"}));
    const pid_t trainer = pid_in(main);
    std::ofstream(go) << "";
    wait_until([&] { return !is_running(trainer); }, "the trainer has ended");
    if (std::filesystem::exists(folder.path() / "exit.json")) throw std::runtime_error("there was room");
    std::filesystem::remove(ballast);
    return run.wait().dump();
  });
  if (answer.empty()) return;
  CHECK(Json::parse(answer)["exit_code"] == 3);
}

TEST_CASE("a full disk holds the trainer back by its pipe") {
  TemporaryFolder folder, elsewhere;
  const std::string main = elsewhere.path() / "main";
  const std::string answer = on_small_disk(folder.path(), [&] {
    SupervisorRun run(folder.path(), chaos({"pid-file", main, "flood", "300000000", "hang"}));
    const std::size_t written = written_when_blocked(pid_in(main));
    run.command("stop 0 rule");
    Json result = run.wait();
    result["written"] = written;
    return result.dump();
  });
  if (answer.empty()) return;
  const Json exit = Json::parse(answer);
  CHECK(exit["written"] < 5'000'000);
  CHECK(exit["stop"] == "rule");
}

TEST_CASE("a job that was begun a second time stays until it can say so, where nothing more can be written") {
  TemporaryFolder folder;
  const Json in_job = {
      {"control", -1},
      {"job", {{"program_bytes", std::filesystem::file_size(TUNE_BIN_DIR "/tune-supervisor")}}}};
  const std::string answer = on_small_disk(
      folder.path(),
      [&] {
        for (const char* file : {"launch.json", "claim", "ballast"})
          std::ofstream(folder.path() / file) << "x";
        int more = 0;
        while (std::ofstream(folder.path() / std::to_string(more))) ++more;
        const SupervisorRun second(folder.path(), chaos({}), in_job);
        bool stayed = true;
        // It looks each second.
        for (int i = 0; i < 150 && stayed; ++i) {
          ::usleep(10'000);
          stayed = is_running(second.pid());
        }
        std::filesystem::remove(folder.path() / "ballast");
        wait_until([&] { return !is_running(second.pid()); }, "the second supervisor's end");
        const bool is_said = std::filesystem::exists(folder.path() / "again");
        return std::string(stayed ? "stayed" : "went") + (is_said ? ", said" : ", silent");
      },
      "size=1m,nr_inodes=40");
  if (answer.empty()) return;
  CHECK(answer == "stayed, said");
}
