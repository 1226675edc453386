// Locks between real processes.
#include "tuner/os/file_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/core/error.h"

using namespace tune;
using namespace tune;
using namespace tune::tests;

namespace {

// A process that holds the lock until it is killed.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& file) : pid_(::fork()) {
    if (pid_ == 0) {
      const FileLock lock = FileLock::wait_for(file);
      for (;;) ::pause();
    }
    std::string holder;
    wait_until([&] { return !FileLock::try_once(file, holder) && holder == std::to_string(pid_); },
               "the other process holds the lock");
  }
  ~Holder() { kill(); }
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("a lock that another process holds names it, and is free when that process is killed") {
  TemporaryFolder folder;
  Holder other(folder.path() / "lock");
  std::string holder;
  CHECK_FALSE(FileLock::try_once(folder.path() / "lock", holder));
  CHECK(holder == std::to_string(other.pid()));
  other.kill();
  CHECK(FileLock::try_once(folder.path() / "lock", holder));
}

TEST_CASE("a lock of another machine names it") {
  const TemporaryFolder folder;
  Holder other(folder.path() / "lock");
  std::ofstream(folder.path() / "lock") << "4711\ngpu7\n";  // as a process there writes it
  std::string holder;
  CHECK_FALSE(FileLock::try_once(folder.path() / "lock", holder));
  CHECK(holder == "4711 on gpu7");
  std::ofstream(folder.path() / "lock") << "4711\n";  // as an older tune does
  CHECK_FALSE(FileLock::try_once(folder.path() / "lock", holder));
  CHECK(holder == "4711");
}

TEST_CASE("a process that removes the file of a lock does not get the lock") {
  TemporaryFolder folder;
  Holder other(folder.path() / "lock");
  std::filesystem::remove(folder.path() / "lock");
  std::string holder;
  CHECK_FALSE(FileLock::try_once(folder.path() / "lock", holder));
  CHECK(holder.empty());
  other.kill();
  CHECK(FileLock::try_once(folder.path() / "lock", holder));
}

TEST_CASE("waiting for a lock ends when the other process lets go") {
  TemporaryFolder folder;
  Holder other(folder.path() / "lock");
  int asked = 0;
  const FileLock lock = FileLock::wait_for(folder.path() / "lock", [&] {
    if (++asked == 2) other.kill();
    return false;
  });
  CHECK(asked >= 2);
}

TEST_CASE("waiting for a lock ends at an interruption") {
  TemporaryFolder folder;
  const Holder other(folder.path() / "lock");
  int asked = 0;
  try {
    FileLock::wait_for(folder.path() / "lock", [&] { return ++asked == 3; });
    FAIL("the lock was taken from its holder");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
    CHECK_THAT(error.what(), Catch::Matchers::Contains("process " + std::to_string(other.pid())));
  }
}

TEST_CASE("waiting for a lock says so after a second, once, and whom it waits for") {
  TemporaryFolder folder;
  Holder other(folder.path() / "lock");
  const std::string holder = std::to_string(other.pid());
  std::vector<std::string> said;
  int asked_since = 0;
  FileLock::wait_for(
      folder.path() / "lock",
      [&] {
        if (!said.empty() && ++asked_since == 3) other.kill();
        return false;
      },
      [&](const std::string& sentence) { said.push_back(sentence); });
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0], Catch::Matchers::Contains("waits for process " + holder + ", which holds"));
}
