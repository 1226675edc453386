// The loop while the disk is full, the store is locked, or somebody wants it to end.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <optional>
#include <thread>

#include "tuner/engine/attempt/attempt_files.h"
#include "tuner/engine/attempt/attempt_plan.h"
#include "tuner/os/atomic_file.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using engine::Outcome;

bool has_notice(const RecordingStatus& status, const std::string& part) {
  for (const auto& event : status.events) {
    if (event.kind == engine::StatusKind::kNotice && event.message.find(part) != std::string::npos)
      return true;
  }
  return false;
}

// Keeps every other connection from writing.
class Intruder {
 public:
  explicit Intruder(const std::filesystem::path& file)
      : store_(file, store::OpenMode::kWrite), transaction_(store_) {}

 private:
  store::StudyStore store_;
  store::StudyStore::Transaction transaction_;
};

TEST_CASE("a strategy that still thinks does not keep a study open whose trials all fail at once") {
  LoopFixture f(small_spec(100));
  f.spec.limits.time = std::chrono::hours(1);  // ends the test if the loop would not
  f.patience = Milliseconds(0);
  std::atomic<bool> over{false};
  f.status.hook = [&](const engine::StatusEvent& event) {
    if (event.message.starts_with("paused: ")) over = true;
  };
  f.strategy = std::make_unique<ScriptedStrategy>([&](const History& history, Rng& rng) {
    while (history.trials.size() >= 5 && !over) std::this_thread::yield();
    const std::vector<double> unit = {rng.uniform(), rng.uniform()};
    return strategies::Suggestion{f.spec.space.from_unit(unit), 1, std::nullopt, "drawn"};
  });
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.exit_code = 127;
    behaviour.lasts = Milliseconds(5);
    return behaviour;
  });
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kPaused);
  CHECK(result.reason.find("failed at once in the same way") != std::string::npos);
}

TEST_CASE("a strategy that waits for a trial is asked again when the trial has ended meanwhile") {
  LoopFixture f(small_spec(2));
  f.patience = Milliseconds(0);
  std::atomic<bool> ended{false};
  f.status.hook = [&](const engine::StatusEvent& event) {
    if (event.kind == engine::StatusKind::kTrialFinished) ended = true;
  };
  f.strategy = std::make_unique<ScriptedStrategy>([&](const History& history, Rng&) -> strategies::Answer {
    if (history.trials.size() == 1 && !is_finished(history.trials.front()->state)) {
      while (!ended) std::this_thread::yield();
      return strategies::Wait{};
    }
    const std::vector<double> middle = {0.5, 0.5};
    return strategies::Suggestion{f.spec.space.from_unit(middle), 1, std::nullopt, "drawn"};
  });
  f.use(2, [](const engine::Attempt&) { return prints(1); });
  const auto result = f.run();
  CHECK(result.reason == "trial limit");
  CHECK(result.completed == 2);
}

TEST_CASE("a GPU that is skipped from the beginning is named") {
  LoopFixture f(small_spec(1));
  f.use(2, [](const engine::Attempt&) { return prints(1); });
  f.runner->notices = {"GPU-1 is skipped"};
  f.run();
  CHECK(has_notice(f.status, "GPU-1 is skipped"));
  CHECK(std::count_if(f.status.events.begin(), f.status.events.end(),
                      [](const auto& event) { return event.message == "GPU-1 is skipped"; }) == 1);
}

TEST_CASE("what the only trial of a study runs on is said, though no other one starts") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  f.runner->start_notice = "trials are not pinned to cores";
  CHECK(f.run().completed == 1);
  CHECK(has_notice(f.status, "trials are not pinned to cores"));
}

TEST_CASE("an attempt that has ended but cannot be recorded is not waited for after an interruption") {
  LoopFixture f(small_spec(2), 7, LoopFixture::Place::kDisk);
  f.spec.limits.parallel = 1;
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  std::optional<Intruder> intruder;
  f.runner->before_wait = [&] {
    // Nothing is left to record but its end.
    if (!intruder && f.runner->live() == 1 && !f.store.metrics(1).empty()) intruder.emplace(f.file());
  };
  SteadyTime interrupted_at;
  f.status.hook = [&](const engine::StatusEvent& event) {
    if (event.message.find("paused") == std::string::npos) return;
    f.interruption.count = 1;
    interrupted_at = f.clock.steady_now();
  };
  CHECK(f.run().outcome == Outcome::kInterrupted);
  CHECK(f.clock.steady_now() == interrupted_at);
  intruder.reset();
  f.interruption.count = 0;
  f.status.hook = {};
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  CHECK(f.run().completed == 2);
  CHECK(f.store.trial(1)->attempts == 1);
}

TEST_CASE("a second interruption leaves at once when the store cannot be written, whatever still runs") {
  LoopFixture f(small_spec(2), 7, LoopFixture::Place::kDisk);
  f.use(2, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(1);
    behaviour.hangs = behaviour.is_stuck = attempt.id.trial == 2;
    return behaviour;
  });
  std::optional<Intruder> intruder;
  f.runner->before_wait = [&] {
    if (f.runner->live() == 2 && !intruder) intruder.emplace(f.file());
    if (!f.runner->stops.empty()) f.interruption.count = 2;
  };
  f.status.hook = [&](const engine::StatusEvent& event) {
    if (event.message.find("paused") != std::string::npos) f.interruption.count = 1;
  };
  const SteadyTime before = f.clock.steady_now();
  CHECK(f.run().outcome == Outcome::kInterrupted);
  CHECK(f.clock.steady_now() - before < std::chrono::seconds(5));
}

TEST_CASE("an attempt whose report cannot be read is lost, said once, and ends no study") {
  LoopFixture f(small_spec(2));
  f.use(1, [](const engine::Attempt&) { return prints(0.5); });
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  f.runner->on_exit = [&](AttemptId id) {
    if (id != AttemptId{1, 1}) return;
    const int lowest = ::dup(STDERR_FILENO);
    ::close(lowest);
    const rlimit none{static_cast<rlim_t>(lowest), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  };
  f.status.hook = [&](const engine::StatusEvent& event) {
    if (event.kind == engine::StatusKind::kNotice) ::setrlimit(RLIMIT_NOFILE, &before);
  };
  const auto result = f.run();
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(result.completed == 2);
  CHECK(has_notice(f.status, "cannot read"));
  const auto attempts = f.store.attempts(1);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].state == store::AttemptState::kLost);
  CHECK(attempts[0].reason.find("cannot read") != std::string::npos);
}

TEST_CASE("jobs that do not end are left to the next run when a person interrupts twice") {
  LoopFixture f(small_spec(2));
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour;
    behaviour.hangs = behaviour.is_stuck = true;
    return behaviour;
  });
  f.runner->lives_on = true;
  int waits = 0;
  f.runner->before_wait = [&] {
    if (++waits == 3) f.interruption.count = 1;
    if (waits == 6) f.interruption.count = 2;
    if (waits > 2'000) throw OrchestratorGone();
  };
  CHECK(f.run().outcome == engine::Outcome::kInterrupted);
  CHECK(has_notice(f.status,
                   "2 jobs on the cluster had not ended yet; the same command takes up what is left"));
  CHECK(f.store.study().state == store::StudyState::kInterrupted);
  for (int trial : {1, 2}) CHECK(f.store.attempts(trial).back().state == store::AttemptState::kRunning);
}

TEST_CASE("a write-ahead log that cannot be moved into the database is said and ends nothing") {
  LoopFixture f(small_spec(2), 7, LoopFixture::Place::kDisk);
  store::EventRow event;
  event.kind = "notice";
  event.data["message"] = std::string(8 << 20, 'x');
  f.store.append_event(event);
  f.store.checkpoint_wal();
  // The log begins anew, and holds pages of the database's far end, beyond what a file may have from now on.
  event.data["message"] = std::string(200'000, 'x');
  f.store.append_event(event);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{4 << 20, before.rlim_max};
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.lasts = std::chrono::seconds(12);
    return behaviour;
  });
  const std::filesystem::path wal = f.folder.path() / "study.db-wal";
  f.runner->before_wait = [&] {
    // Long enough, with a hole: the loop looks at its size alone.
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    if (std::filesystem::file_size(wal) < (17u << 20)) std::filesystem::resize_file(wal, 17u << 20);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  };
  const auto result = f.run();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(result.completed == 2);
  CHECK(has_notice(f.status, "write-ahead log"));
}

TEST_CASE("a reader that keeps the write-ahead log from ending is named, once, and ends nothing") {
  LoopFixture f(small_spec(2), 7, LoopFixture::Place::kDisk);
  store::EventRow event;
  event.kind = "notice";
  event.data["message"] = std::string(8 << 20, 'x');
  f.store.append_event(event);
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t reader = ::fork();
  if (reader == 0) {
    // Another program, which reads an old state for as long as it lives.
    const int file = ::open((f.folder.path() / "study.db-shm").c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 124;  // the first mark of a reader that is in use
    lock.l_len = 1;
    const bool locked = file >= 0 && ::fcntl(file, F_SETLK, &lock) == 0;
    static_cast<void>(::write(ends[1], locked ? "y" : "n", 1) == 1);
    for (;;) ::pause();
  }
  char is_locked = 0;
  REQUIRE(::read(ends[0], &is_locked, 1) == 1);
  CHECK(is_locked == 'y');
  f.use(2, [](const engine::Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.lasts = std::chrono::seconds(30);
    return behaviour;
  });
  const std::filesystem::path wal = f.folder.path() / "study.db-wal";
  f.runner->before_wait = [&] {
    // Long enough, with a hole: the loop looks at its size alone.
    if (std::filesystem::file_size(wal) < (65u << 20)) std::filesystem::resize_file(wal, 65u << 20);
  };
  const auto result = f.run();
  ::kill(reader, SIGKILL);
  ::waitpid(reader, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  CHECK(result.completed == 2);
  std::size_t said = 0;
  for (const auto& one : f.status.events)
    if (one.message.find("write-ahead log") != std::string::npos) {
      ++said;
      CHECK(one.message.find("over 64 MB") != std::string::npos);
      CHECK(one.message.find("(" + std::to_string(reader) + ")") != std::string::npos);
    }
  CHECK(said == 1);
}

TEST_CASE("a trial whose folder its trainer spoils fails alone, and the study goes on") {
  LoopFixture f(small_spec(3));
  f.spec.limits.parallel = 1;
  f.use(1, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(1);
    behaviour.without_report = attempt.id.trial == 2;
    return behaviour;
  });
  std::string spoilt_place;
  SECTION("metrics.jsonl") { spoilt_place = "attempts/1/metrics.jsonl"; }
  SECTION("exit.json") { spoilt_place = "attempts/1/exit.json"; }
  SECTION("the attempt's folder") { spoilt_place = "attempts/1"; }
  SECTION("the trial's folder") { spoilt_place = "."; }
  const bool is_file = spoilt_place.ends_with("1") || spoilt_place == ".";
  bool done = false;
  f.runner->before_wait = [&] {
    if (done || f.runner->started.size() != 2 || f.store.metrics(2).empty()) return;
    done = true;
    const auto place = (f.folder.path() / "trials" / "2" / spoilt_place).lexically_normal();
    const auto bare = place.has_filename() ? place : place.parent_path();
    std::filesystem::remove_all(bare);
    if (is_file) {
      std::ofstream(bare) << "spoilt";
    } else {
      std::filesystem::create_directory(bare);
    }
  };
  const auto result = f.run();
  CHECK(done);
  CHECK(result.outcome == Outcome::kFinished);
  CHECK(result.completed == 2);
  CHECK(result.failed == 1);
  CHECK_THAT(f.store.trial(2)->reason, Catch::Matchers::Contains("spoilt"));
  CHECK(f.store.trial(2)->attempts == 1);
}

TEST_CASE("a file in place of a trial's checkpoints is kept aside when the trial runs again") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const engine::Attempt& attempt) {
    Behaviour behaviour = prints(1);
    behaviour.without_report = attempt.id.attempt == 1;
    return behaviour;
  });
  const auto checkpoints = f.folder.path() / "trials" / "1" / "checkpoints";
  f.runner->before_wait = [&] {
    if (f.runner->started.size() != 1 || !std::filesystem::is_directory(checkpoints)) return;
    std::filesystem::remove(checkpoints);
    std::ofstream(checkpoints) << "not a folder";
  };
  CHECK(f.run().completed == 1);
  CHECK(std::filesystem::is_directory(checkpoints));
  CHECK(std::filesystem::is_regular_file(checkpoints.string() + ".spoilt"));
}

TEST_CASE("a database that is removed or replaced while the study runs ends it, and its trials") {
  LoopFixture f(small_spec(2), 7, LoopFixture::Place::kDisk);
  const bool hangs = GENERATE(true, false);
  const bool is_replaced = GENERATE(true, false);
  f.use(2, [&](const engine::Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.hangs = hangs;
    return behaviour;
  });
  bool is_removed = false;
  f.runner->before_wait = [&] {
    if (is_removed || f.runner->live() < 2) return;
    is_removed = std::filesystem::remove(f.file());
    if (is_replaced) std::ofstream(f.file()) << "";
  };
  try {
    f.run();
    FAIL("it has finished");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kEnvironment);
    CHECK_THAT(error.what(), Catch::Matchers::Contains("removed while it ran"));
  }
  CHECK(f.runner->live() == 0);
}

struct TimedOut : LoopFixture {
  TimedOut() : LoopFixture(small_spec(50)) {
    spec.limits.parallel = 1;
    spec.limits.time = Milliseconds(5000);
    use(1, [](const engine::Attempt&) {
      Behaviour behaviour = prints(0.5);
      behaviour.hangs = behaviour.ignores_term = true;
      return behaviour;
    });
  }
};

TEST_CASE("a first interruption after the time limit lets trials save their state, and promotes nothing") {
  TimedOut f;
  f.runner->before_wait = [&] {
    if (!f.runner->stops.empty()) f.interruption.count = 1;
  };
  const SteadyTime begin = f.clock.steady_now();
  const auto result = f.run();
  CHECK(result.outcome == Outcome::kInterrupted);
  CHECK(f.runner->stops.size() == 1);
  CHECK(f.clock.steady_now() - begin >= std::chrono::seconds(15));  // the limit and the whole grace
  CHECK(f.store.study().state == store::StudyState::kInterrupted);
  CHECK(f.store.trial(1)->state == TrialState::kStopped);
  f.interruption.count = 0;
  f.runner->before_wait = {};
  const auto again = f.run();
  CHECK(again.reason == "time limit");
  CHECK(again.stopped == 1);
}

TEST_CASE("a second interruption after the time limit kills") {
  TimedOut f;
  f.runner->before_wait = [&] {
    if (!f.runner->stops.empty()) f.interruption.count = 2;
  };
  const SteadyTime begin = f.clock.steady_now();
  CHECK(f.run().outcome == Outcome::kInterrupted);
  CHECK(f.clock.steady_now() - begin < std::chrono::seconds(6));
}

TEST_CASE("a rule's reason outlives a crash between its stop and the attempt's end") {
  LoopFixture f(small_spec(1));
  f.rule = std::make_unique<ScriptedRule>([](const TrialView&, const History&) {
    return strategies::Verdict{strategies::Action::kStop, "worse than most"};
  });
  const auto hanging = [](const engine::Attempt&) {
    Behaviour behaviour = prints(0.5);
    behaviour.hangs = true;
    return behaviour;
  };
  f.use(1, hanging);
  f.runner->before_wait = [&] {
    if (!f.runner->stops.empty()) throw OrchestratorGone{};
  };
  CHECK_THROWS_AS(f.run(), OrchestratorGone);
  f.runner->orchestrator_dies([](AttemptId) { return true; });
  REQUIRE(f.store.trial(1)->state == TrialState::kRunning);
  f.use(1, hanging);
  CHECK(f.run().stopped == 1);
  CHECK(f.store.trial(1)->reason == "worse than most");
}

TEST_CASE("a full disk pauses the start of an attempt until there is room") {
  LoopFixture f(small_spec(2));
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  int refusals = 20;
  f.runner->on_start = [&](const engine::Attempt&) {
    if (refusals-- > 0) throw DiskFull("cannot write \"trial.json\": No space left on device");
  };
  CHECK(f.run().completed == 2);
  CHECK(f.store.trial(1)->attempts == 1);
  CHECK(has_notice(f.status, "No space left on device"));
  CHECK(has_notice(f.status, "goes on by itself once it can be written: free some disk space"));
  CHECK_FALSE(has_notice(f.status, "run the same command again"));
  CHECK(has_notice(f.status, "going on"));
}

TEST_CASE("an interruption ends the wait for a full disk, and the trial runs later") {
  LoopFixture f(small_spec(2));
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  f.runner->on_start = [&](const engine::Attempt&) { throw DiskFull("No space left on device"); };
  f.runner->before_wait = [&] { f.interruption.count = 1; };
  CHECK(f.run().outcome == Outcome::kInterrupted);
  CHECK(f.store.trial(1)->state == TrialState::kQueued);
  f.interruption.count = 0;
  f.use(1, [](const engine::Attempt&) { return prints(1); });
  CHECK(f.run().completed == 2);
}

}  // namespace
}  // namespace tune::tests
