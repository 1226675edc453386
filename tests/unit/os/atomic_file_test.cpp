#include "tuner/os/atomic_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iterator>

#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"

using namespace tune;
namespace fs = std::filesystem;

namespace {

struct ScratchFolder {
  fs::path path = fs::temp_directory_path() / ("tune-atomic-" + random_token());
  ScratchFolder() { fs::create_directory(path); }
  ~ScratchFolder() { fs::remove_all(path); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(path), {}));
  }
};

ExitCode code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.code();
  }
  return ExitCode::kOk;
}

}  // namespace

TEST_CASE("a file is written, replaced and read back byte for byte", "[file]") {
  const ScratchFolder folder;
  const fs::path file = folder.path / "a.json";
  const auto durability = GENERATE(Durability::kProcess, Durability::kPower);
  std::string bytes("\0\xFF\r\n", 4);
  for (int i = 0; i < 18; ++i) bytes += bytes;
  write_file_atomically(file, bytes, durability);
  REQUIRE(read_file(file) == bytes);
  write_file_atomically(file, "", durability);
  REQUIRE(read_file(file).empty());
  REQUIRE(folder.entries() == 1);
}

TEST_CASE("a file in pieces replaces the old one at its commit, and leaves nothing behind without one",
          "[file]") {
  const ScratchFolder folder;
  const fs::path file = folder.path / "a.bin";
  write_file_atomically(file, "old");
  {
    AtomicFile left(file);
    left.add("new ");
  }
  REQUIRE(read_file(file) == "old");
  REQUIRE(folder.entries() == 1);
  AtomicFile whole(file, Durability::kPower);
  whole.add("new ");
  whole.add("content");
  REQUIRE(read_file(file) == "old");
  whole.commit();
  REQUIRE(read_file(file) == "new content");
  REQUIRE(folder.entries() == 1);
}

TEST_CASE("a relative path without a folder is written durably too", "[file]") {
  const ScratchFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  write_file_atomically("plain", "x", Durability::kPower);
  fs::current_path(before);
  REQUIRE(read_file(folder.path / "plain") == "x");
}

TEST_CASE("a missing file is not found, and a folder cannot be read as a file", "[file]") {
  const ScratchFolder folder;
  std::string message;
  REQUIRE(code_of([&] { read_file(folder.path / "none"); }, &message) == ExitCode::kNotFound);
  REQUIRE_THAT(message, Catch::Matchers::Contains((folder.path / "none").string()));
  write_file_atomically(folder.path / "file", "x");
  REQUIRE(code_of([&] { read_file(folder.path / "file" / "below"); }) == ExitCode::kNotFound);
  REQUIRE(code_of([&] { read_file(folder.path); }, &message) == ExitCode::kEnvironment);
  REQUIRE_THAT(message, Catch::Matchers::Contains("it is a folder"));
}

TEST_CASE("a write that cannot be renamed into place leaves no temporary file behind", "[file]") {
  const ScratchFolder folder;
  fs::create_directories(folder.path / "target" / "child");
  REQUIRE(code_of([&] { write_file_atomically(folder.path / "target", "x"); }) == ExitCode::kEnvironment);
  REQUIRE(folder.entries() == 1);
  REQUIRE(code_of([&] { write_file_atomically(folder.path / "no" / "where", "x"); }) ==
          ExitCode::kEnvironment);
}

TEST_CASE("when the disk is full the old content stays and the reason is named", "[file]") {
  const ScratchFolder folder;
  const fs::path file = folder.path / "a";
  write_file_atomically(file, "old");
  // A limit on the size of files fails in the middle of a write, as a full disk does; in a child, since it
  // cannot be raised.
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::string message;
    const ExitCode code = code_of([&] { write_file_atomically(file, std::string(100'000, 'x')); }, &message);
    _exit(code == ExitCode::kEnvironment && message.find("File too large") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(read_file(file) == "old");
  REQUIRE(folder.entries() == 1);
}

TEST_CASE("a new file gets the mode that the umask leaves", "[file]") {
  const ScratchFolder folder;
  const mode_t before = umask(027);
  write_file_atomically(folder.path / "a", "x");
  umask(before);
  REQUIRE(fs::status(folder.path / "a").permissions() == fs::perms(0640));
}
