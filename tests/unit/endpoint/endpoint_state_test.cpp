#include "tuner/endpoint/endpoint_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "tuner/endpoint/supervisor/deployment.h"
#include "tuner/endpoint/supervisor/endpoint_log.h"
#include "tuner/endpoint/supervisor/undeploy_time.h"
#include "tuner/os/process.h"
#include "unit/endpoint/endpoint_fixture.h"

namespace tune::endpoint {
namespace {

// A state as this very process would write it.
EndpointState state_of_this_process() {
  EndpointState state;
  state.name = "e";
  state.state = State::kDeployed;
  state.since = "2026-12-01T12:00:00.000Z";
  state.asked = parse_model_reference("m@champion");
  state.version = 3;
  state.previous_version = 2;
  state.adapters["kind"] = {"polite", 4};
  state.pid = ::getpid();
  state.start_time = process_info(state.pid)->start_time;
  state.boot_id = boot_id();
  state.worker_pid = 12;
  state.url = "http://127.0.0.1:8123";
  state.undeploy_at = "2026-12-01T19:00:00.000Z";
  return state;
}

void write_state(const std::filesystem::path& store, const Json& state) {
  const std::filesystem::path folder = endpoint_folder(store, "e");
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / kStateFile, state.dump());
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what() + std::string("|") + error.hint();
  }
  return {};
}

// The time zone of this process, as long as it lives.
class TimeZone {
 public:
  explicit TimeZone(const char* zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~TimeZone() {
    if (before_)
      ::setenv("TZ", before_->c_str(), 1);
    else
      ::unsetenv("TZ");
    ::tzset();
  }
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

 private:
  std::optional<std::string> before_;
};

WallTime wall(std::chrono::sys_days day, int minutes) {
  return WallTime(day) + std::chrono::minutes(minutes);
}

}  // namespace

TEST_CASE("what was asked of an endpoint is read back as it was, and as arguments it asks for the same") {
  Endpoint asked;
  asked.name = "steel";
  asked.model = parse_model_reference("steel-detector@champion");
  asked.port = 8123;
  asked.undeploy.after = Milliseconds(5'425'000);
  asked.undeploy.idle = Milliseconds(1'800'000);
  asked.adapters["kind"] = parse_model_reference("polite@2");
  asked.memory_gib = 2.5;
  asked.limits = {{"queue", 8}, {"timeout", 5}};
  CHECK(asked_again(asked) ==
        "steel-detector@champion --name steel --port 8123 --undeploy-after 1h30m25s --idle 30m --adapters "
        "kind=polite@2 --memory-gib 2.5 --queue 8 --timeout 5");
  asked.token_file = "/my tokens/steel";
  CHECK(says(asked_again(asked), " --token-file '/my tokens/steel'"));
  const Endpoint read = endpoint_from_json(endpoint_json(asked), "endpoint.json");
  CHECK(endpoint_json(read) == endpoint_json(asked));
  Json older = endpoint_json(asked);
  older.erase("limits");
  CHECK(endpoint_from_json(older, "endpoint.json").limits.empty());
  Json wrong = endpoint_json(asked);
  wrong["port"] = "eight";
  CHECK(says(message_of([&] { endpoint_from_json(wrong, "endpoint.json"); }), "endpoint.json is not what"));
}

TEST_CASE("a time of day is read as clocks show it, and nothing else is") {
  CHECK(parse_time_of_day("19:05") == std::chrono::minutes(19 * 60 + 5));
  CHECK(time_of_day_text(std::chrono::minutes(65)) == "01:05");
  for (const char* text : {"", "7:00", "24:00", "19:60", "19h00", "19:000", "aa:bb"})
    CHECK(says(message_of([&] { parse_time_of_day(text); }), "is not a time of day"));
}

TEST_CASE("the next time of day is today's or tomorrow's, also where clocks are turned") {
  using namespace std::chrono_literals;
  const TimeZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const auto day = std::chrono::sys_days(std::chrono::year(2026) / 6 / 10);
  CHECK(next_time_of_day(wall(day, 12 * 60), 19h) == wall(day, 17 * 60));  // CEST is two hours ahead
  CHECK(next_time_of_day(wall(day, 17 * 60), 19h) == wall(day, 41 * 60));  // of exactly now it is tomorrow's
  const auto turned = std::chrono::sys_days(std::chrono::year(2026) / 10 / 24);
  CHECK(next_time_of_day(wall(turned, 18 * 60), 19h) == wall(turned, 42 * 60));  // from +2 to +1 in between
}

TEST_CASE("a state is read back as it was written, and one whose supervisor is gone is not deployed") {
  EndpointStore store;
  const EndpointState state = state_of_this_process();
  write_state(store.path(), state_json(state));
  const ListedEndpoint alive = find_endpoint(store.path(), "e");
  CHECK(state_json(alive.state) == state_json(state));
  CHECK_FALSE(alive.has_died);

  EndpointState dead = state;
  ++dead.start_time;  // the number belongs to another process by now
  write_state(store.path(), state_json(dead));
  const ListedEndpoint died = find_endpoint(store.path(), "e");
  CHECK(died.has_died);
  CHECK(died.state.state == State::kNotDeployed);
  CHECK(died.state.reason == "its supervisor (process " + std::to_string(dead.pid) + ") died");
  dead.boot_id = "another";
  write_state(store.path(), state_json(dead));
  CHECK(find_endpoint(store.path(), "e").state.reason == "the machine was started again since");
}

TEST_CASE("files that no supervisor wrote are named and do no harm to the other endpoints") {
  EndpointStore store;
  write_state(store.path(), {{"schema", 1}, {"state", "flying"}});
  std::filesystem::create_directories(endpoint_folder(store.path(), "empty"));
  std::filesystem::create_directories(endpoint_folder(store.path(), "fifo"));
  REQUIRE(::mkfifo((endpoint_folder(store.path(), "fifo") / kStateFile).c_str(), 0600) == 0);
  const std::vector<ListedEndpoint> endpoints = list_endpoints(store.path());
  REQUIRE(endpoints.size() == 3);
  CHECK(says(endpoints[0].problem, "state.json is not what the endpoint's supervisor wrote"));
  CHECK(endpoints[1].problem.empty());
  CHECK(endpoints[1].state.state == State::kNotDeployed);
  CHECK(says(endpoints[2].problem, "FIFO"));
  CHECK(listed_json(endpoints[0]).at("problem") == endpoints[0].problem);
}

TEST_CASE("an endpoint that is not there is not found, with the nearest name") {
  EndpointStore store;
  CHECK(says(message_of([&] { find_endpoint(store.path(), "steel"); }), "|`tune endpoints` lists them"));
  std::filesystem::create_directories(endpoint_folder(store.path(), "steel"));
  CHECK(says(message_of([&] { find_endpoint(store.path(), "steal"); }), "|did you mean \"steel\"?"));
  CHECK(says(message_of([&] { undeploy(store.path(), "steal", {}); }), "there is no endpoint \"steal\""));
  CHECK_FALSE(undeploy(store.path(), "steel", {}));
  remove_endpoint(store.path(), "steel");
  CHECK(list_endpoints(store.path()).empty());
}

TEST_CASE("a log that has grown large is kept once, and another one is begun") {
  EndpointStore store;
  const std::filesystem::path file = store.path() / "log";
  EndpointLog log(file, 1'000);
  const std::string line(200, 'x');
  for (int i = 0; i < 20; ++i) log.add(line);
  log.say(WallTime{}, "a sentence");
  CHECK(std::filesystem::file_size(file) <= 1'300);
  CHECK(std::filesystem::file_size(store.path() / "log.1") <= 1'300);
  CHECK(says(read_file(file), "x\n1970-01-01T00:00:00.000Z a sentence\n"));
}

}  // namespace tune::endpoint
