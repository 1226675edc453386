// Supervisors that give no sign of life, and trainers that print nothing, on a manual clock.
#include "tuner/engine/attempt/outcome.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using namespace engine;
using std::chrono::minutes;

bool says(const RecordingStatus& status, const std::string& part) {
  for (const auto& event : status.events)
    if (event.kind == StatusKind::kNotice && event.message.find(part) != std::string::npos) return true;
  return false;
}

std::size_t times_said(const RecordingStatus& status, const std::string& part) {
  std::size_t count = 0;
  for (const auto& event : status.events)
    count += event.kind == StatusKind::kNotice && event.message.find(part) != std::string::npos;
  return count;
}

// One that is stopped: its trainer may go on, and nothing of it is heard.
Behaviour falls_silent(Milliseconds after) {
  Behaviour behaviour = prints(1);
  behaviour.hangs = true;
  behaviour.without_report = true;
  behaviour.supervisor_silent_after = after;
  return behaviour;
}

TEST_CASE(
    "a supervisor that gives no sign of life is ended without any time limit, and its trial runs again") {
  LoopFixture f(small_spec(2));
  f.spec.limits.parallel = 1;
  f.use(1, [](const Attempt& attempt) {
    return attempt.id == AttemptId{1, 1} ? falls_silent(std::chrono::seconds(10)) : prints(1);
  });
  f.runner->heartbeat = std::chrono::seconds(5);
  const SteadyTime began = f.clock.steady_now();
  CHECK(f.run().completed == 2);
  const auto lasted = f.clock.steady_now() - began;
  CHECK(lasted > std::chrono::seconds(60));
  CHECK(lasted < std::chrono::seconds(80));
  REQUIRE(f.runner->stops.size() == 1);
  CHECK(f.runner->stops[0].second == StopReason::kUnheard);
  CHECK(says(f.status, "it is ended, since its supervisor gave no sign of life for 1m"));
  const auto attempts = f.store.attempts(1);
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].reason.find("lost: its supervisor gave no sign of life") == 0);
}

TEST_CASE("a trial whose supervisor falls silent again and again fails with that reason") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const Attempt&) { return falls_silent(std::chrono::seconds(5)); });
  f.runner->heartbeat = std::chrono::seconds(5);
  CHECK(f.run().failed == 1);
  const auto trial = f.store.trial(1);
  CHECK(trial->failure == "lost");
  CHECK(trial->reason.find("lost 3 times: its supervisor gave no sign of life") == 0);
}

TEST_CASE("a supervisor that gives signs of life is left alone, however long its trial takes") {
  LoopFixture f(small_spec(2));
  f.use(2, [](const Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.lasts = minutes(90);
    return behaviour;
  });
  f.runner->heartbeat = std::chrono::seconds(5);
  CHECK(f.run().completed == 2);
  CHECK(f.runner->stops.empty());
}

TEST_CASE("metrics are signs of life too, and a runner that hears nothing of supervisors judges none") {
  LoopFixture f(small_spec(2));
  f.use(2, [](const Attempt& attempt) {
    Behaviour behaviour;
    for (int i = 1; i <= 20; ++i)
      behaviour.lines.push_back({std::chrono::seconds(50 * i), "loss", 1.0 / i, i, false});
    behaviour.lasts = std::chrono::seconds(1001);
    if (attempt.id.trial == 1) behaviour.supervisor_silent_after = Milliseconds(0);
    return behaviour;
  });
  SECTION("with heartbeats that stop") { f.runner->heartbeat = std::chrono::seconds(5); }
  SECTION("without heartbeats") {}
  CHECK(f.run().completed == 2);
  CHECK(f.runner->stops.empty());
}

TEST_CASE("a loop that was itself held up takes no supervisor for dead") {
  LoopFixture f(small_spec(1));
  f.use(1, [](const Attempt&) {
    Behaviour behaviour = prints(1);
    behaviour.lasts = minutes(30);
    return behaviour;
  });
  f.runner->heartbeat = std::chrono::seconds(5);
  int turns = 0;
  f.runner->before_wait = [&] {
    if (++turns == 40) f.clock.advance(minutes(20));  // stopped with Ctrl-Z, or a machine that slept
  };
  CHECK(f.run().completed == 1);
  CHECK(f.runner->stops.empty());
}

TEST_CASE("a silent trainer is said once an attempt, and no more once silence has proved to be usual") {
  LoopFixture f(small_spec(4));
  f.spec.limits.parallel = 1;
  f.use(1, [](const Attempt& attempt) {
    Behaviour behaviour = prints(1);
    behaviour.lasts = minutes(30);
    behaviour.quiet_at = minutes(10);
    if (attempt.id.trial == 1) behaviour.exit_code = 1;  // it did hang, as far as anybody knows
    return behaviour;
  });
  CHECK(f.run().completed == 3);
  CHECK(says(f.status, "nothing was printed for long; limits.no_output would end a trial that hangs"));
  CHECK(times_said(f.status, "nothing was printed for long") == 2);
}

}  // namespace
}  // namespace tune::tests
