// Whether a study runs, seen from another process.
#include "tuner/live/live_study.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <new>
#include <optional>

#include "support/catch.h"
#include "tuner/os/file_lock.h"
#include "unit/store/store_fixture.h"

namespace tune::live {
namespace {

// What a process that runs the study again and again shares with its reader.
struct Shared {
  std::atomic<int> reads{0};  // that have begun
  std::atomic<bool> ready{false};
};

[[noreturn]] void run_again_and_again(const std::filesystem::path& folder, Shared& shared) {
  store::StudyStore study(folder / "study.db", store::OpenMode::kWrite);
  store::StudyRow row = study.study();
  const auto set = [&](store::StudyState state) {
    row.state = state;
    study.update_study(row);
  };
  // No read sees more than one change: one study does not begin and end in the blink of an eye.
  const auto wait_for_reads = [&] {
    for (const int before = shared.reads; shared.reads < before + 2;) ::sched_yield();
  };
  for (;;) {
    std::string holder;
    std::optional<FileLock> lock = FileLock::try_once(folder / "lock", holder);
    set(store::StudyState::kRunning);
    shared.ready = true;
    wait_for_reads();
    set(store::StudyState::kFinished);
    lock.reset();
    wait_for_reads();
  }
}

TEST_CASE("a study that ends or begins while it is looked at never seems to have died") {
  const store::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "steel-legacy");
  store::StudyStore(folder / "steel-legacy/study.db", store::OpenMode::kCreate)
      .create_study(store::study_row());
  void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  Shared& shared = *new (memory) Shared;
  const pid_t runner = ::fork();
  if (runner == 0) run_again_and_again(folder / "steel-legacy", shared);
  while (!shared.ready) ::sched_yield();
  int died = 0, ended = 0, running = 0;
  for (int i = 0; i < 4000; ++i) {
    ++shared.reads;
    const store::StudyState state = read_live_study(folder / "", "steel-legacy").study.state;
    died += state == store::StudyState::kInterrupted;
    ended += state == store::StudyState::kFinished;
    running += state == store::StudyState::kRunning;
  }
  CHECK(died == 0);
  CHECK(ended > 0);
  CHECK(running > 0);
  ::kill(runner, SIGKILL);
  ::waitpid(runner, nullptr, 0);
  ::munmap(memory, sizeof(Shared));
}

TEST_CASE("a study whose process was killed is interrupted, and says how to go on") {
  const store::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "steel-legacy");
  store::StudyRow row = store::study_row();
  row.state = store::StudyState::kRunning;
  store::StudyStore(folder / "steel-legacy/study.db", store::OpenMode::kCreate).create_study(row);
  const report::StudyRows rows = read_live_study(folder / "", "steel-legacy");
  CHECK(rows.study.state == store::StudyState::kInterrupted);
  CHECK(rows.study.finish_reason.find("tune resume steel-legacy") != std::string::npos);
}

}  // namespace
}  // namespace tune::live
