#include "tuner/endpoint/supervisor/endpoint_supervisor.h"

#include <signal.h>

#include <set>

#include "support/without_rights.h"
#include "unit/endpoint/endpoint_fixture.h"

namespace tune::endpoint {
namespace {

bool has_said(const RunningEndpoint& running, const std::string& part) {
  for (const std::string& state : running.states())
    if (says(state, part)) return true;
  return false;
}

ExitCode code_of(const std::optional<Error>& error) { return error ? error->code() : ExitCode::kOk; }

}  // namespace

TEST_CASE("a version answers once it is deployed, and no more once it is undeployed") {
  EndpointStore store;
  store.point(store.add_version());
  RunningEndpoint running(store, store.asked());
  running.wait_until_deployed();
  const EndpointState state = store.state();
  CHECK(state.state == State::kDeployed);
  CHECK(state.version == 1);
  CHECK(state.reason.empty());
  CHECK(running.ask() == "m 1");
  CHECK(running.client().ask({}).status == 401);  // without the token
  const auto answer = running.client().ask(running.question());
  REQUIRE(answer.header("X-Tune-Model") != nullptr);
  CHECK(*answer.header("X-Tune-Model") == "e@1");
  tests::wait_until([&] { return store.state().requests >= 2; }, "the requests are counted");
  CHECK_FALSE(store.state().last_request.empty());
  CHECK(find_endpoint(store.path(), "e").asked->model.model == "m");

  CHECK_FALSE(running.end());
  const EndpointState after = store.state();
  CHECK(after.state == State::kNotDeployed);
  CHECK(says(after.reason, "undeployed by "));
  CHECK(after.worker_pid == 0);
  CHECK(after.url.empty());
  CHECK_FALSE(tests::is_running(state.worker_pid));
  CHECK_THROWS_AS(http::Client({http::parse_url(state.url).address}).ask({}), Error);
  const std::vector<std::string> states = running.states();
  REQUIRE(states.size() >= 4);
  CHECK(states.front() == "deploying: checking the files of m version 1");
  CHECK(says(states[states.size() - 2], "stopping"));
  const std::string log = read_file(endpoint_folder(store.path(), "e") / kLogFile);
  CHECK(says(log, "the worker begins"));
  CHECK(says(log, "this line is no message"));
}

TEST_CASE("a worker that is killed is started again, its port stays taken, and the state says so") {
  EndpointStore store;
  store.point(store.add_version());
  RunningEndpoint running(store, store.asked());
  running.wait_until_deployed();
  const EndpointState before = store.state();
  ::kill(before.worker_pid, SIGKILL);
  tests::wait_until([&] { return !tests::is_running(before.worker_pid); }, "the worker is gone");
  // Sent while nobody accepts: it waits in the queue of the socket that the supervisor holds.
  CHECK(running.ask() == "m 1");
  tests::wait_until([&] { return store.state().state == State::kDeployed && store.state().restarts == 1; },
                    "it is deployed again");
  const EndpointState after = store.state();
  CHECK(after.url == before.url);
  CHECK(after.worker_pid != before.worker_pid);
  CHECK(says(after.last_error, "was ended by signal 9"));
  CHECK(has_said(running, "deploying: restarting: its worker was ended by signal 9 (Killed)"));
}

TEST_CASE(
    "workers that end one after another are started with longer and longer pauses, which the state tells") {
  EndpointStore store;
  store.point(store.add_version());
  MovedClock clock;
  RunningEndpoint running(store, store.asked(), clock);
  running.wait_until_deployed();
  for (int death = 1; death <= 3; ++death) {
    tests::wait_until([&] { return store.state().state == State::kDeployed; }, "it is deployed");
    ::kill(store.state().worker_pid, SIGKILL);
    tests::wait_until([&] { return store.state().restarts == death; }, "its end is seen");
    clock.advance(Milliseconds(5'000));
  }
  tests::wait_until([&] { return store.state().state == State::kDeployed; }, "it is deployed");
  CHECK(has_said(running, "for the 2nd time in a row, so the next one starts in 1s"));
  CHECK(has_said(running, "for the 3rd time in a row, so the next one starts in 2s"));
  CHECK(running.ask() == "m 1");
}

TEST_CASE("an alias is followed: the next version is loaded beside, and a rollback likewise") {
  EndpointStore store;
  store.point(store.add_version());
  const int second = store.add_version();
  RunningEndpoint running(store, store.asked());
  running.wait_until_served(1);
  const pid_t worker = store.state().worker_pid;
  store.point(second);
  running.wait_until_served(2);
  CHECK(running.ask() == "m 2");
  CHECK(store.state().previous_version == 1);
  store.point(1);
  running.wait_until_served(1);
  CHECK(running.ask() == "m 1");
  CHECK(store.state().worker_pid == worker);
  CHECK(store.state().restarts == 0);
}

TEST_CASE("a version that is named by its number stays, whatever the aliases do") {
  EndpointStore store;
  store.point(store.add_version());
  RunningEndpoint running(store, store.asked("m@1"));
  running.wait_until_served(1);
  store.point(store.add_version());
  store.add_version();
  store.point(3, "m", "champion");
  RunningEndpoint other(store, store.asked("m@champion", "other"));
  other.wait_until_served(3);
  CHECK(running.ask() == "m 1");
  CHECK(running.last().version == 1);
}

TEST_CASE(
    "a version that cannot be loaded or is damaged leaves the one before in its place, and that is said") {
  EndpointStore store;
  store.point(store.add_version());
  const int failing = store.add_version({{"fails", "it has no tokenizer"}});
  const int damaged = store.add_version(), good = store.add_version();
  std::ofstream(store.version_of("m", damaged) / "weights") << "something else";
  RunningEndpoint running(store, store.asked());
  running.wait_until_served(1);
  store.point(failing);
  tests::wait_until([&] { return says(store.state().reason, "it has no tokenizer"); }, "the failure is told");
  CHECK(store.state().reason == "m version 2 is not served: it has no tokenizer; m version 1 goes on");
  CHECK(store.state().state == State::kDeployed);
  CHECK(running.ask() == "m 1");
  store.point(damaged);
  tests::wait_until([&] { return says(store.state().reason, "is not what was promoted"); },
                    "the damage is told");
  CHECK(running.ask() == "m 1");
  store.point(good);
  running.wait_until_served(good);
  CHECK(store.state().reason.empty());
  CHECK(running.ask() == "m 4");
}

TEST_CASE("a version that kills the worker is given up after the second time, and the one before is served") {
  EndpointStore store;
  store.point(store.add_version());
  const int deadly = store.add_version({{"kills", "yes"}});
  MovedClock clock;
  RunningEndpoint running(store, store.asked(), clock);
  running.wait_until_served(1);
  store.point(deadly);
  tests::wait_until([&] { return store.state().restarts >= 1; }, "its first death");
  tests::wait_until(
      [&] {
        clock.advance(Milliseconds(1'000));
        return store.state().restarts >= 2;
      },
      "its second death");
  tests::wait_until(
      [&] {
        clock.advance(Milliseconds(1'000));
        return store.state().state == State::kDeployed;
      },
      "it is deployed");
  CHECK(running.ask() == "m 1");
  CHECK(says(store.state().reason, "m version 2 is not served: the worker ended each time it loaded it"));
}

TEST_CASE("what was refused is not deployed at all: damaged files, a worker that cannot serve it") {
  EndpointStore store;
  store.point(store.add_version());
  std::ofstream(store.version_of("m", 1) / "weights") << "something else";
  RunningEndpoint damaged(store, store.asked());
  const std::optional<Error> refusal = damaged.wait();
  CHECK(code_of(refusal) == ExitCode::kEnvironment);
  CHECK(says(refusal->what(), "is not what was promoted"));
  CHECK(store.state().state == State::kNotDeployed);
  CHECK_FALSE(find_endpoint(store.path(), "e").asked);
  CHECK_FALSE(has_said(damaged, "loading"));

  store.point(store.add_version({{"fails", "its tokenizer.json is missing"}}));
  RunningEndpoint failing(store, store.asked());
  const std::optional<Error> failure = failing.wait();
  CHECK(code_of(failure) == ExitCode::kEnvironment);
  CHECK(failure->what() == std::string("m version 2 cannot be served: its tokenizer.json is missing"));
  CHECK(failure->hint() == "give it what it lacks");
  CHECK(store.state().reason == failure->what());
  CHECK(store.state().worker_pid == 0);
}

TEST_CASE("a port that somebody has is refused without a trace, and so is a name that is deployed") {
  EndpointStore store;
  store.point(store.add_version());
  RunningEndpoint first(store, store.asked());
  first.wait_until_deployed();
  Endpoint second = store.asked("m", "second");
  second.port = http::parse_address(std::string_view(first.last().url).substr(7), 0).port;
  const auto port = RunningEndpoint(store, second).wait();
  CHECK(code_of(port) == ExitCode::kEnvironment);
  CHECK(says(port->what(), std::to_string(second.port)));
  CHECK(list_endpoints(store.path()).size() == 1);
  const auto name = RunningEndpoint(store, store.asked()).wait();
  CHECK(code_of(name) == ExitCode::kConflict);
  CHECK(says(name->what(), "e is deployed already"));
  CHECK(first.ask() == "m 1");
}

TEST_CASE("a model, a version and an alias that are not there are not found, and nothing is written") {
  EndpointStore store;
  CHECK(code_of(RunningEndpoint(store, store.asked()).wait()) == ExitCode::kNotFound);
  store.point(store.add_version());
  for (const char* reference : {"n", "m@7", "m@champion"})
    CHECK(code_of(RunningEndpoint(store, store.asked(reference)).wait()) == ExitCode::kNotFound);
  CHECK(list_endpoints(store.path()).empty());
}

TEST_CASE("an endpoint is undeployed after its time, at its hour, and when nobody asks") {
  EndpointStore store;
  store.point(store.add_version());
  MovedClock clock;
  Endpoint asked = store.asked();
  asked.undeploy.after = Milliseconds(8 * 3'600'000);
  {
    RunningEndpoint running(store, asked, clock);
    running.wait_until_deployed();
    CHECK(store.state().undeploy_at);
    clock.advance(Milliseconds(7 * 3'600'000));
    CHECK(running.ask() == "m 1");
    clock.advance(Milliseconds(3'600'000));
    CHECK_FALSE(running.wait());
    CHECK(store.state().reason == "undeployed after 8h 00m, as scheduled");
  }
  asked.undeploy = {};
  const std::time_t later = std::chrono::system_clock::to_time_t(clock.wall_now()) + 7'200;
  std::tm local{};
  ::localtime_r(&later, &local);
  asked.undeploy.time_of_day = std::chrono::minutes(60 * local.tm_hour + local.tm_min);
  {
    RunningEndpoint running(store, asked, clock);
    running.wait_until_deployed();
    clock.advance(Milliseconds(7'201'000));
    CHECK_FALSE(running.wait());
    CHECK(says(store.state().reason, ", as scheduled"));
  }
  asked.undeploy = {};
  asked.undeploy.idle = Milliseconds(1'800'000);
  RunningEndpoint running(store, asked, clock);
  running.wait_until_deployed();
  clock.advance(Milliseconds(1'700'000));
  CHECK(running.ask() == "m 1");
  tests::wait_until([&] { return store.state().requests == 1; }, "the request is counted");
  clock.advance(Milliseconds(1'700'000));
  CHECK(running.ask() == "m 1");
  tests::wait_until([&] { return store.state().requests == 2; }, "the second one is counted");
  CHECK_FALSE(running.has_ended());
  clock.advance(Milliseconds(1'900'000));
  CHECK_FALSE(running.wait());
  CHECK(store.state().reason == "undeployed, since no request came for 30m 00s");
}

TEST_CASE("a request that runs when the endpoint is undeployed gets its answer") {
  EndpointStore store;
  store.point(store.add_version());
  RunningEndpoint running(store, store.asked());
  running.wait_until_deployed();
  std::string answer;
  std::thread asking([&] { answer = running.ask("slow"); });
  tests::wait_until([&] { return store.state().requests == 1; }, "it is asked");
  CHECK_FALSE(running.end());
  asking.join();
  CHECK(answer == "m 1");
}

TEST_CASE("adapters are chosen by name, checked like the model, and followed too") {
  EndpointStore store;
  store.point(store.add_version());
  store.point(store.add_version({}, "polite"), "polite");
  Endpoint asked = store.asked();
  asked.adapters["kind"] = parse_model_reference("polite");
  RunningEndpoint running(store, asked);
  running.wait_until_deployed();
  CHECK(running.ask("kind") == "polite 1");
  CHECK(running.ask() == "m 1");
  CHECK(store.state().adapters.at("kind").version == 1);
  // From the first state on, so that nobody deletes it meanwhile.
  CHECK(running.first().state == State::kDeploying);
  CHECK(running.first().adapters.at("kind") == ServedVersion{"polite", 1});
  store.point(store.add_version({}, "polite"), "polite");
  tests::wait_until([&] { return store.state().adapters.at("kind").version == 2; }, "the next one is loaded");
  CHECK(running.ask("kind") == "polite 2");
}

TEST_CASE("what a worker may hold of memory is bounded, and what goes beyond is refused by name") {
  EndpointStore store;
  store.point(store.add_version({{"hoards", "900"}}));
  Endpoint asked = store.asked();
  asked.memory_gib = 0.5;
  const auto refusal = RunningEndpoint(store, asked).wait();
  REQUIRE(refusal);
  CHECK(says(refusal->what(), "there is not enough memory"));
  CHECK(says(refusal->hint(), "--memory-gib 0.5"));
}

TEST_CASE("what a worker has started ends with it") {
  EndpointStore store;
  const std::string file = (store.path() / "child").string(), stray = (store.path() / "stray").string();
  store.point(store.add_version({{"starts", file}, {"strays", stray}}));
  RunningEndpoint running(store, store.asked());
  running.wait_until_deployed();
  const pid_t child = tests::pid_in(file), far = tests::pid_in(stray);
  CHECK(tests::is_running(child));
  CHECK(tests::is_running(far));
  running.end();
  tests::wait_until([&] { return !tests::is_running(child) && !tests::is_running(far); },
                    "the children have ended");
}

TEST_CASE(
    "fifty versions are switched under load without a failed request, and each answer is of one version") {
  EndpointStore store;
  store.point(store.add_version());
  store.add_version();
  RunningEndpoint running(store, store.asked());
  running.wait_until_served(1);
  std::atomic<bool> is_over{false};
  std::atomic<int> failed{0}, torn{0}, answered{0};
  std::set<std::string> seen;
  std::mutex mutex;
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i)
    clients.emplace_back([&] {
      http::Client client = running.client();
      const http::ClientRequest question = running.question();
      while (!is_over) {
        try {
          const http::ClientResponse answer = client.ask(question);
          const std::string* const by = answer.header("X-Tune-Model");
          ++answered;
          failed += answer.status != 200;
          torn += by == nullptr || "m " + by->substr(2) != answer.body;
          const std::lock_guard lock(mutex);
          seen.insert(answer.body);
        } catch (const Error&) {
          ++failed;
        }
        // A few hundred a second.
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
      }
    });
  for (int i = 1; i <= 50; ++i) {
    const int version = 1 + i % 2;
    store.point(version);
    running.wait_until_served(version);
  }
  is_over = true;
  for (std::thread& client : clients) client.join();
  CHECK(failed == 0);
  CHECK(torn == 0);
  CHECK(answered > 50);
  CHECK(seen == std::set<std::string>{"m 1", "m 2"});
  CHECK(running.last().restarts == 0);
}

TEST_CASE("a worker that answers no question any more is ended and started again") {
  EndpointStore store;
  store.point(store.add_version({{"deaf", "yes"}}));
  MovedClock clock;
  RunningEndpoint running(store, store.asked(), clock);
  running.wait_until_deployed();
  tests::wait_until(
      [&] {
        // A second at a time: a longer one is a time in which the supervisor itself was stopped.
        clock.advance(Milliseconds(1'000));
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        return store.state().restarts > 0;
      },
      "it is started again");
  CHECK(says(store.state().last_error, "it said nothing for 1m 00s"));
}

TEST_CASE("an alias that moves while the first files are checked is a conflict") {
  EndpointStore store;
  store.point(store.add_version());
  const Endpoint asked = store.asked();
  FollowedVersions versions(store.path(), asked);
  versions.begin();
  store.point(store.add_version());
  std::optional<Error> conflict;
  tests::wait_until(
      [&] {
        try {
          return versions.take_check();
        } catch (const Error& error) {
          conflict = error;
          return true;
        }
      },
      "the check is done");
  REQUIRE(conflict);
  CHECK(conflict->code() == ExitCode::kConflict);
  CHECK(conflict->what() ==
        std::string("m was m version 1 and is m version 2 since: it moved while the files were "
                    "checked"));
}

TEST_CASE("a store that cannot be written deploys nothing, and says what to do") {
  EndpointStore store;
  store.point(store.add_version());
  std::filesystem::permissions(store.path(), std::filesystem::perms(0555));
  std::filesystem::permissions(models_folder(store.path()), std::filesystem::perms::all);
  std::optional<Error> refusal;
  {
    const tests::WithoutRights rights;
    const SystemClock clock;
    try {
      EndpointSupervisor(store.asked(), {store.path(), clock}).run();
    } catch (const Error& error) {
      refusal = error;
    }
  }
  std::filesystem::permissions(store.path(), std::filesystem::perms::owner_all);
  REQUIRE(refusal);
  CHECK(refusal->code() == ExitCode::kEnvironment);
  CHECK(says(refusal->what(), "cannot create "));
  CHECK(list_endpoints(store.path()).empty());
}

}  // namespace tune::endpoint
