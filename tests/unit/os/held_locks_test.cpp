#include "tuner/os/held_locks.h"

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
