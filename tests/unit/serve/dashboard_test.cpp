// The API of `tune serve`, as pages and programs use it.
#include "tuner/serve/dashboard.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "support/catch.h"
#include "support/processes.h"
#include "tuner/core/error.h"
#include "tuner/core/model_reference.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/os/process.h"
#include "tuner/serve/request_body.h"
#include "unit/http/raw_client.h"
#include "unit/http/server_fixture.h"
#include "unit/serve/serve_fixture.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

TEST_CASE("every row of the route table but the log-in is closed to who has no token, with every method") {
  ServedStore store(3);
  Served served(store.path());
  int open = 0;
  for (const http::Route& route : served.dashboard().routes()) {
    if (route.is_open) {
      CHECK(route.pattern == "/login");
      ++open;
      continue;
    }
    std::string path = route.pattern;
    for (std::size_t begin = path.find('{'); begin != std::string::npos; begin = path.find('{'))
      path.replace(begin, path.find('}') - begin + 1, "steel");
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
      CAPTURE(method, path);
      http::RawClient client(served.dashboard().address().port);
      client.send(std::string(method) + ' ' + path + " HTTP/1.1\r\nHost: " + served.host() +
                  "\r\nConnection: close\r\n\r\n");
      CHECK(http::status_in(client.read_until()) == 401);
    }
  }
  CHECK(open == 2);
  CHECK(served.dashboard().routes().size() > 15);
}

TEST_CASE("the overview names every study, and says which one cannot be read") {
  ServedStore store(20);
  fs::create_directories(store.path() / "broken");
  std::ofstream(store.path() / "broken/study.db")
      << "no database at all, but long enough to be looked at as one";
  const Served served(store.path());
  const Json overview = served.json("/api/overview");
  REQUIRE(overview.at("studies").size() == 1);
  const Json& study = overview["studies"][0];
  CHECK(study.at("study") == "steel");
  CHECK(study.at("state") == "interrupted");  // nobody holds it
  CHECK(study.at("counts").at("completed") == 18);
  CHECK(study.at("counts").at("failed") == 2);
  CHECK(study.at("best").at("trial") == 20);
  CHECK(study.at("limit_trials") == 100);
  CHECK(overview.at("warnings")[0].at("study") == "broken");
  CHECK(overview.at("version") == "1.2.3");
  CHECK(overview.at("models") == Json::array());
}

TEST_CASE("a study says what tune status says, with its space, limits and devices") {
  ServedStore store(30);
  store.finish();
  const Served served(store.path());
  const Json study = served.json("/api/studies/steel");
  CHECK(study.at("state") == "finished");
  CHECK(study.at("standing") == "finished (trial limit)");
  CHECK(study.at("counts").at("completed") == 27);
  CHECK(study.at("best").at("parameters").at("lr") == 0.5 / 30);
  CHECK(study.at("space")[0].at("name") == "lr");
  CHECK(study.at("space")[2].at("values")[2] == kHostile);
  CHECK(study.at("space")[3].at("when").at("optimizer") == Json::array({"sgd"}));
  CHECK(study.at("failures")[0].at("trials") == Json::array({9, 19, 29}));
  CHECK(study.at("cost").at("total").at("device_hours").get<double>() == Approx(30 / 3600.0));
  CHECK(study.at("accepts_requests") == true);
  CHECK(study.at("progress").at("searched") == 30);
  CHECK(served.error("/api/studies/stel", 404) == "there is no study \"stel\" in " + store.path().string());
}

TEST_CASE("trials are sorted, filtered and cut by the server") {
  ServedStore store(60);
  const Served served(store.path());
  const auto page = [&](const std::string& query) {
    return served.json("/api/studies/steel/trials?" + query);
  };
  const auto numbers = [](const Json& answer) {
    std::vector<int> list;
    for (const Json& row : answer.at("rows")) list.push_back(row.at("trial"));
    return list;
  };
  CHECK(numbers(page("limit=3")) == std::vector<int>{1, 2, 3});
  CHECK(numbers(page("limit=3&offset=57&sort=lr&descending=1")) == std::vector<int>{58, 59, 60});
  CHECK(numbers(page("limit=2&sort=value&descending=1")) == std::vector<int>{37, 36});
  const Json failed = page("state=failed&sort=lr&limit=500");
  CHECK(numbers(failed) == std::vector<int>{59, 49, 39, 29, 19, 9});
  CHECK(failed.at("matching") == 6);
  CHECK(failed.at("total") == 60);
  CHECK(failed.at("by_state").at("completed") == 54);
  // Without a value they come last, both ways.
  CHECK(numbers(page("sort=value&limit=1&offset=59"))[0] == 59);
  CHECK(numbers(page("sort=value&descending=1&limit=1&offset=59"))[0] == 59);
  CHECK(numbers(page("filter=optimizer%3Dsgd,lr%3C1e-2")) == std::vector<int>{51, 54, 57, 60});
  CHECK(numbers(page("filter=optimizer~SCRIPT&limit=2")) == std::vector<int>{2, 5});
  CHECK(numbers(page("filter=layers%3E%3D60&limit=9")) == std::vector<int>{59, 60});
  CHECK(numbers(page("filter=nesterov%3Dtrue&limit=2")) == std::vector<int>{6, 12});
  CHECK(numbers(page("filter=failure%3Dcrash,trial%3E40")) == std::vector<int>{49, 59});
  CHECK(numbers(page("filter=loss%3C0.02")) == std::vector<int>{51, 52, 53, 54, 55, 56, 57, 58, 59, 60});
  CHECK(numbers(page("filter=parameters.layers%3D2")) == std::vector<int>{1});
  CHECK(numbers(page("filter=optimizer%3Dsgd%5C,adam")).empty());  // a comma of the value
  CHECK(page("limit=1").at("rows")[0].at("parameters").at("optimizer") == "adam");
  CHECK(served.error("/api/studies/steel/trials?sort=lrr", 400) == "the trials have no column \"lrr\"");
  CHECK(served.error("/api/studies/steel/trials?filter=lr", 400) == "\"lr\" is no condition");
  CHECK(served.error("/api/studies/steel/trials?filter=lr%3Cabc", 400).find("\"abc\" is none") !=
        std::string::npos);
  CHECK(served.error("/api/studies/steel/trials?limit=501", 400).find("from 1 to 500") != std::string::npos);
  CHECK(served.error("/api/studies/steel/trials?state=good", 400) == "\"good\" is no state of a trial");
}

TEST_CASE("all points come in columns of one length, and only the later ones where asked") {
  ServedStore store(40);
  const Served served(store.path());
  const Json points = served.json("/api/studies/steel/points");
  const Json& columns = points.at("columns");
  CHECK(columns.at("number").size() == 40);
  CHECK(columns.at("state") == "ccccccccfcccccccccfcccccccccfcccccccccfc");
  CHECK(columns.at("value").size() == 40);
  CHECK(columns.at("value")[8] == nullptr);
  CHECK(columns.at("value")[0] == served_value(1));
  CHECK(columns.at("start")[0] == 1.001);
  CHECK(columns.at("device_hours")[0].get<double>() == Approx(1 / 3600.0));
  const Json& optimizer = points.at("parameters")[2];
  CHECK(optimizer.at("labels") == Json::array({"adam", kHostile, "sgd"}));
  CHECK(optimizer.at("values")[2] == 2);
  CHECK(points.at("parameters")[1].at("values")[0] == 2);
  CHECK(points.at("parameters")[3].at("values")[0] == nullptr);
  CHECK(points.at("best").back() == Json::array({37, served_value(37)}));
  CHECK(served.json("/api/studies/steel/points?after=38").at("columns").at("number") ==
        Json::array({39, 40}));
  CHECK(served.json("/api/studies/steel/points?after=99").at("columns").at("number").empty());
}

TEST_CASE("curves, importance and the timeline come from the same rows") {
  ServedStore store(30);
  const Served served(store.path());
  const Json curves = served.json("/api/studies/steel/curves?trials=3,4,99&metric=accuracy");
  REQUIRE(curves.at("curves").size() == 2);
  CHECK(curves["curves"][0].at("steps") == Json::array({1, 2}));
  CHECK(curves["curves"][0].at("values")[1] == served_value(3));
  CHECK(served.json("/api/studies/steel/curves?trials=best:2").at("curves")[0].at("trial") == 30);
  CHECK(served.error("/api/studies/steel/curves?trials=x", 400) == "\"x\" is no trial");
  CHECK(served.error("/api/studies/steel/curves?points=9", 400).find("from 10 to") != std::string::npos);
  const Json importance = served.json("/api/studies/steel/importance").at("importance");
  CHECK(importance.at("trials") == 27);
  CHECK(importance.at("parameters").size() == 4);
  const Json timeline = served.json("/api/studies/steel/timeline");
  REQUIRE(timeline.at("devices").size() == 2);
  CHECK(timeline["devices"][0].at("device") == "GPU-0");
  CHECK(timeline["devices"][0].at("spans").size() == 15);
  CHECK(timeline["devices"][0]["spans"][0].at("trial") == 2);
}

TEST_CASE("a trial's page has its text, its reasons, its command and its difference to the best") {
  ServedStore store(30);
  const fs::path attempt = attempt_folder(store.study_folder(), {7, 1});
  fs::create_directories(attempt / "output/deep");
  std::ofstream(attempt / "launch.json") << Json{{"argv", {"python3", "train.py", "--lr=0.1", "it's"}},
                                                 {"working_directory", "/a b"},
                                                 {"environment", {"SECRET"}}};
  std::ofstream(attempt / "output/deep/weights") << "12345";
  fs::create_symlink("/etc/passwd", attempt / "output/link");
  const Served served(store.path());
  const http::ClientResponse response = served.get("/api/studies/steel/trials/7");
  REQUIRE(response.status == 200);
  const Json page = Json::parse(response.body);
  CHECK(page.at("trial").at("value") == served_value(7));
  CHECK(page.at("trial").at("note") == kHostile);
  CHECK(page.at("best_trial") == 30);
  CHECK(page.at("compared_to_best")[1].at("name") == "lr");
  CHECK(page.at("command_text") == "cd '/a b' && python3 train.py --lr=0.1 'it'\\''s'");
  CHECK(page.at("artifacts") == Json::array({{{"attempt", 1}, {"path", "deep/weights"}, {"bytes", 5}}}));
  CHECK(page.at("explanation").at("suggestion").at("explanation").at("much") == "more");
  CHECK(page.at("text").get<std::string>().find("steel/7") != std::string::npos);
  CHECK(page.at("metrics")[0].at("name") == "accuracy");
  CHECK(response.body.find("SECRET") == std::string::npos);
  for (const char* trial : {"0", "31", "-1", "x", "1e1", "99999999999999"}) {
    CAPTURE(trial);
    served.error(std::string("/api/studies/steel/trials/") + trial, 404);
  }
}

TEST_CASE("a log comes in pieces of whole lines, without what a terminal would obey") {
  ServedStore store(3);
  const fs::path attempt = attempt_folder(store.study_folder(), {1, 1});
  fs::create_directories(attempt);
  const auto append = [&](const std::string& text) { std::ofstream(attempt / "log", std::ios::app) << text; };
  append("first " + kHostile + "\n\x1b]0;title\x07second\xFF\n10 %\r20 %\rhalf");
  const Served served(store.path());
  const Json log = served.json("/api/studies/steel/trials/1/log");
  const std::string text = log.at("text");
  CHECK(text.starts_with("first <script>"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.ends_with("10 %\n20 %\nhalf\n"));
  CHECK(log.at("live") == false);
  append(" done\n");
  CHECK(served.json("/api/studies/steel/trials/1/log?offset=" + log.at("next").dump()).at("text") ==
        " done\n");
  CHECK(served.json("/api/studies/steel/trials/1/log?offset=-6").at("text") == " done\n");
  CHECK(served.error("/api/studies/steel/trials/1/log?attempt=2", 404) ==
        "steel/1 has no attempt 2; it has 1");
  CHECK(served.error("/api/studies/steel/trials/1/log?offset=x", 400).starts_with("offset must be a whole"));
  CHECK(served.error("/api/studies/steel/points?after=x", 400).starts_with("after must be a whole number"));
  append(std::string(600'000, 'x') + "\nlast\n");
  const Json piece = served.json("/api/studies/steel/trials/1/log");
  CHECK(piece.at("next").get<int>() < 300'000);
}

TEST_CASE("names are looked up and never joined: no path leads out of the store") {
  ServedStore store(3);
  fs::create_directories(store.path() / "models/versions");
  fs::create_directories(store.path().parent_path() / "outside");
  fs::copy(store.study_folder() / "study.db", store.path().parent_path() / "outside/study.db");
  const Served served(store.path());
  for (const char* name :
       {"..%2Foutside", "%2e%2e", "..", ".", "steel%2F..%2F..%2Foutside", "steel%00", "models", "comparisons",
        "steel%2Fstudy.db", "%2Fetc", "%252e%252e%252foutside", "..%5Coutside"}) {
    for (const char* pattern :
         {"/api/studies/", "/api/comparisons/", "/api/models/", "/api/endpoints/", "/assets/"}) {
      CAPTURE(name, pattern);
      const int status = served.get(std::string(pattern) + name).status;
      CHECK((status == 400 || status == 404));
    }
  }
}

TEST_CASE("requests need JSON that says something, and are obeyed as the command does it") {
  ServedStore store(3);
  store.close();
  const Served served(store.path());
  const std::string to = "/api/studies/steel/requests";
  CHECK(served.post(to, "{\"command\": \"pause\"}", "text/plain").status == 415);
  CHECK(served.post(to, "{\"command\": \"pause\"}", "application/x-www-form-urlencoded").status == 415);
  for (const char* body :
       {"", "[]", "{", "{\"command\": \"delete\"}", "{\"command\": 1}",
        "{\"command\": \"pause\", \"arguments\": {\"x\": 1}}", "{\"command\": \"pause\", \"more\": 1}",
        "{\"command\": \"set\"}", "{\"command\": \"set\", \"arguments\": {\"limits\": {}}}",
        "{\"command\": \"set\", \"arguments\": {\"limits\": {\"trials\": 0}}}",
        "{\"command\": \"set\", \"arguments\": {\"limits\": {\"trials\": 1.5}}}",
        "{\"command\": \"set\", \"arguments\": {\"limits\": {\"time\": \"soon\"}}}",
        "{\"command\": \"set\", \"arguments\": {\"limits\": {\"seed\": 1}}}",
        "{\"command\": \"stop\", \"arguments\": {\"trial\": \"1\"}}",
        "{\"command\": \"rerun\", \"arguments\": {}}",
        "{\"command\": \"enqueue\", \"arguments\": {\"parameters\": [1]}}"}) {
    CAPTURE(body);
    CHECK(served.post(to, body).status == 400);
  }
  CHECK(served.post(to, std::string(10'000, '[')).status == 400);
  CHECK(
      served
          .post(to, "{\"command\": \"pause\", \"arguments\": {\"x\": \"" + std::string(2 << 20, 'x') + "\"}}")
          .status == 413);
  CHECK(served.post("/api/studies/none/requests", "{\"command\": \"pause\"}").status == 404);
  const http::ClientResponse set = served.post(
      to, "{\"command\": \"set\", \"arguments\": {\"limits\": {\"trials\": 200, \"time\": \"2h\"}}}");
  INFO(set.body);
  REQUIRE(set.status == 200);
  CHECK(Json::parse(set.body).at("done").get<std::string>().find("limits.trials: 100 -> 200") !=
        std::string::npos);
  CHECK(served.json("/api/studies/steel").at("limits").at("trials") == 200);
  CHECK(served.post(to, "{\"command\": \"enqueue\", \"arguments\": {\"parameters\": {\"lr\": 7}}}").status ==
        400);
  CHECK(served.post(to, "{\"command\": \"pause\"}").status == 200);
  CHECK(served.json("/api/studies/steel").at("held").is_string());
}

TEST_CASE("an alias is moved by a name, a version and what the page has shown, or not at all") {
  ServedStore store(1);
  const Served served(store.path());
  CHECK(served.post("/api/models/none/aliases", "{\"alias\": \"champion\", \"version\": 1}").status == 404);
  CHECK(alias_move_of("{\"alias\": \"champion\", \"version\": 3, \"expected\": null}").expected == 0);
  CHECK(alias_move_of("{\"alias\": \"champion\", \"version\": 3, \"expected\": 2}").expected == 2);
  CHECK_FALSE(alias_move_of("{\"alias\": \"champion\", \"version\": 3}").expected.has_value());
  for (const char* body :
       {"{\"alias\": \"--store\", \"version\": 1}", "{\"alias\": \"1\", \"version\": 1}",
        "{\"alias\": \"champion\", \"version\": \"1\"}", "{\"alias\": \"champion\", \"version\": 0}",
        "{\"alias\": \"champion\", \"version\": 1, \"expected\": -1}",
        "{\"alias\": \"champion\", \"version\": 1, \"x\": 1}"}) {
    CAPTURE(body);
    CHECK_THROWS_AS(alias_move_of(body), http::HttpError);
  }
}

TEST_CASE("a study that is deleted is gone, and one that is begun anew under its name is another") {
  ServedStore store(5);
  const Served served(store.path());
  CHECK(served.json("/api/studies/steel").at("counts").at("completed") == 5);
  store.close();
  fs::remove_all(store.study_folder());
  std::this_thread::sleep_for(Milliseconds(60));
  served.error("/api/studies/steel", 404);
  CHECK(served.json("/api/overview").at("studies").empty());
  fs::create_directories(store.study_folder());
  store::StudyStore(store.study_folder() / "study.db", store::OpenMode::kCreate)
      .create_study(served_study("steel"));
  std::this_thread::sleep_for(Milliseconds(60));
  CHECK(served.json("/api/studies/steel").at("counts").at("completed") == 0);
}

TEST_CASE("pages come compressed where the browser takes it, and for every address that is a page's") {
  ServedStore store(1);
  const Served served(store.path());
  for (const char* path : {"/", "/studies/steel", "/studies/steel/trials/3", "/endpoints/x"}) {
    CAPTURE(path);
    const http::ClientResponse page = served.get(path);
    CHECK(page.status == 200);
    CHECK(*page.header("Content-Type") == "text/html; charset=utf-8");
    CHECK(*page.header("Cache-Control") == "no-store");
    CHECK(page.body.starts_with("<!doctype html>"));
  }
  const http::ClientResponse packed = served.ask({"GET", "/", {{"Accept-Encoding", "br, gzip"}}});
  CHECK(*packed.header("Content-Encoding") == "gzip");
  CHECK(packed.body.starts_with("\x1f\x8b"));
  CHECK(served.get("/api/nothing").status == 404);
  CHECK(served.get("/assets/nothing.js").status == 404);
}

// The endpoint "steel" of the store, as its supervisor writes it.
void add_endpoint(const ServedStore& store, const std::string& host, endpoint::State word) {
  const fs::path folder = store.path() / "endpoints/steel";
  fs::create_directories(folder);
  std::ofstream(folder / endpoint::kAuthorizationFile)
      << "Authorization: Bearer " << http::kTestToken << '\n';
  endpoint::EndpointState state;
  state.name = "steel";
  state.asked = parse_model_reference("steel@champion");
  state.pid = ::getpid();
  state.start_time = process_info(::getpid())->start_time;
  state.boot_id = boot_id();
  state.version = 3;
  state.url = "http://" + host;
  state.state = word;
  std::ofstream(folder / endpoint::kStateFile) << endpoint::state_json(state);
}

TEST_CASE("the sandbox reaches an endpoint's own paths with its token, and nothing else") {
  ServedStore store(1);
  std::vector<http::Route> routes{
      {"POST", "/invocations",
       [](const http::Request& request) {
         return http::Response::text(request.media_type() + ' ' + request.body)
             .with("X-Tune-Model", "steel@3");
       },
       false, 1000},
      {"GET", "/v2/models/{model}",
       [](const http::Request& request) { return http::Response::text(request.part("model")); }},
      {"POST", "/v1/completions",
       [](const http::Request&) {
         return http::Response::streamed(
             "text/event-stream", [](const std::shared_ptr<http::ResponseStream>& stream) {
               for (int i = 0; i < 3; ++i)
                 stream->send_waiting("data: " + std::to_string(i) + "\n\n", Milliseconds(9000));
             });
       },
       false, 1000}};
  std::optional<http::TestServer> worker(std::in_place, std::move(routes));
  const auto write_state = [&](endpoint::State word) { add_endpoint(store, worker->host(), word); };
  write_state(endpoint::State::kNotDeployed);
  const Served served(store.path());
  const std::string to = "/api/endpoints/steel/invoke";
  CHECK(served.post(to, "x").status == 409);
  write_state(endpoint::State::kDeployed);
  CHECK(served.json("/api/endpoints/steel").at("console_state") == "deployed");
  CHECK(served.json("/api/overview").at("endpoints")[0].at("version") == 3);
  const http::ClientResponse answer = served.post(to, "\x89PNG", "image/png");
  CHECK(answer.status == 200);
  CHECK(answer.body == "image/png \x89PNG");
  CHECK(*answer.header("X-Tune-Model") == "steel@3");
  CHECK(served.post(to + "?path=/v2/models/steel", "").body == "steel");
  CHECK(served.post(to + "?path=/v1/completions", "{}").body == "data: 0\n\ndata: 1\n\ndata: 2\n\n");
  CHECK(served.post(to, std::string(1001, 'x')).status == 413);  // the endpoint's own answer
  for (const char* path : {"/metrics", "//evil.example/", "http://evil.example/", "/invocations?x",
                           "/v2/models/../x", "", "/v2/models//infer", "@evil.example"}) {
    CAPTURE(path);
    CHECK(served.post(to + "?path=" + http::percent_encoded(path), "x").status == 400);
  }
  CHECK(served.post("/api/endpoints/none/invoke", "x").status == 404);
  worker.reset();
  CHECK(served.post(to, "x").status == 502);
}

TEST_CASE("answers that take long leave threads to the pages, and end with the server") {
  ServedStore store(1);
  // It takes a connection, and says nothing.
  const http::Listener silent = http::listen_on({"127.0.0.1", 0});
  add_endpoint(store, silent.address.text(), endpoint::State::kDeployed);
  std::optional<Served> served(std::in_place, store.path());
  std::vector<std::thread> asking;
  std::atomic<int> waiting = 0, busy = 0;
  for (int i = 0; i < 8; ++i)
    asking.emplace_back([&] {
      http::ClientRequest request{"POST", "/api/endpoints/steel/invoke", {}, "x"};
      request.headers.push_back({"Authorization", "Bearer " + served->token()});
      http::Client client(http::Client::Settings{served->dashboard().address()});
      ++waiting;
      try {
        const http::ClientResponse answer = client.ask(request);
        if (answer.status == 503 && answer.header("Retry-After") != nullptr) ++busy;
      } catch (const Error&) {
        // The server has ended.
      }
    });
  tests::wait_until([&] { return waiting == 8 && busy == 3; }, "three of eight are told to come back");
  CHECK(served->get("/api/studies/steel").status == 200);
  const SteadyTime begin = std::chrono::steady_clock::now();
  served->dashboard().stop();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  for (std::thread& thread : asking) thread.join();
  CHECK(busy == 3);
}

}  // namespace
}  // namespace tune::serve
