#include "tuner/os/held_locks.h"

#include <atomic>
#include <thread>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/os/file_lock.h"

using namespace tune;
using namespace tune::tests;

TEST_CASE("a file is locked while somebody holds its lock, and looking takes none") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "lock";
  CHECK_FALSE(is_locked(file));
  std::string holder;
  {
    const auto lock = FileLock::try_once(file, holder);
    REQUIRE(lock);
    CHECK(is_locked(file));
  }
  CHECK_FALSE(is_locked(file));
  CHECK(FileLock::try_once(file, holder));
}

TEST_CASE("a lock is seen while locks of other files come and go") {
  const TemporaryFolder folder;
  // One lock a folder.
  const auto lock = [&](const std::string& name) {
    std::string holder;
    std::filesystem::create_directory(folder.path() / name);
    return FileLock::try_once(folder.path() / name / "lock", holder);
  };
  const auto held = lock("held");
  REQUIRE(held);
  std::atomic<bool> over = false;
  std::atomic<bool> all_held = true;
  // More than the kernel shows in one page.
  std::thread others([&] {
    while (!over) {
      std::vector<std::optional<FileLock>> locks;
      for (int i = 0; i < 100; ++i) locks.push_back(lock(std::to_string(i)));
      for (const auto& each : locks) all_held = all_held && each.has_value();
    }
  });
  int unseen = 0;
  for (int i = 0; i < 10000; ++i) unseen += is_locked(folder.path() / "held/lock") ? 0 : 1;
  over = true;
  others.join();
  CHECK(unseen == 0);
  CHECK(all_held);
}
