// What clients get, and what they cannot make the server do.
#include "tuner/http/server.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "support/catch.h"
#include "support/processes.h"
#include "support/sanitized.h"
#include "tuner/core/error.h"
#include "unit/http/server_fixture.h"

namespace tune::http {
namespace {

TEST_CASE("one connection takes several requests, also at once") {
  const TestServer server(test_routes());
  RawClient client(server.port());
  client.send(server.request("GET", "/things/first") + server.request("GET", "/things/second"));
  CHECK(client.read_until("first").starts_with("HTTP/1.1 200 OK\r\n"));
  client.read_until("second");
  client.send(server.request("HEAD", "/things/third") + server.request("GET", "/things/fourth"));
  const std::string answer = client.read_until("fourth");
  CHECK(answer.find("Content-Length: 5\r\n") != std::string::npos);
  CHECK(answer.find("third") == std::string::npos);
}

TEST_CASE("a wrong method says which ones there are, and no method gets round it") {
  const TestServer server(test_routes());
  const std::string answer = server.answer(server.request("PATCH", "/things/a"));
  CHECK(status_in(answer) == 405);
  CHECK(answer.find("Allow: GET, HEAD, DELETE\r\n") != std::string::npos);
  CHECK(status_in(server.answer(server.request("OPTIONS", "/echo"))) == 405);
  CHECK(status_in(server.answer(server.request("GET", "/echo"))) == 405);
  CHECK(status_in(server.answer(server.request("GET", "/nothing"))) == 404);
  CHECK(status_in(server.answer(server.request("GET", "/things/%2e%2e"))) == 400);
  CHECK(status_in(server.answer(server.request("GET", "http://127.0.0.1/things/a"))) == 400);
}

TEST_CASE("what a handler throws is an answer with its cause and cure") {
  const TestServer server(test_routes());
  const std::string answer = server.answer(server.request("GET", "/fails"));
  CHECK(status_in(answer) == 404);
  const Json error = Json::parse(body_in(answer)).at("error");
  CHECK(error.at("message") == "no such thing");
  CHECK(error.at("hint") == "look");
}

TEST_CASE("a body has the type and the size that its route takes, announced or not") {
  const TestServer server(test_routes());
  const std::string json = "Content-Type: application/json; charset=utf-8\r\n";
  CHECK(body_in(server.answer(server.request("POST", "/echo", json, "{}"))) == "{}");
  CHECK(status_in(server.answer(server.request("POST", "/echo", "", "{}"))) == 415);
  CHECK(status_in(server.answer(server.request("POST", "/echo", "Content-Type: text/plain\r\n", "{}"))) ==
        415);
  CHECK(status_in(server.answer(server.request("POST", "/echo", json, std::string(1001, 'x')))) == 413);
  CHECK(status_in(server.answer(server.request("GET", "/things/a", "", "x"))) == 413);
  const auto encoded = [&](const std::string& coding) {
    return status_in(
        server.answer(server.request("PUT", "/any", "Content-Encoding: " + coding + "\r\n", "x")));
  };
  CHECK(encoded("gzip") == 415);
  CHECK(encoded("identity") == 200);
  // Far more than there is memory for, of which nothing is taken.
  CHECK(status_in(server.answer(
            server.request("POST", "/echo", json + "Content-Length: 999999999999\r\n"))) == 413);
  CHECK(status_in(server.answer(server.request("POST", "/echo", json + "Content-Length: -1\r\n"))) == 400);
  const std::string chunked = json + "Transfer-Encoding: chunked\r\n";
  CHECK(body_in(server.answer(server.request("POST", "/echo", chunked) + "2\r\n{}\r\n0\r\n\r\n")) == "{}");
  CHECK(status_in(server.answer(server.request("POST", "/echo", chunked) + "3e9\r\n" +
                                std::string(1001, 'x') + "\r\n0\r\n\r\n")) == 413);
  CHECK(status_in(server.answer(server.request("POST", "/echo", chunked) + "ffffffffffffffff\r\n")) == 413);
  CHECK(status_in(server.answer(server.request("POST", "/echo", chunked + "Content-Length: 2\r\n") +
                                "2\r\n{}\r\n0\r\n\r\n")) == 400);
  CHECK(status_in(server.answer(server.request("POST", "/echo", json + "Transfer-Encoding: gzip\r\n"))) ==
        501);
  CHECK(status_in(server.answer(server.request("GET", "/things/a", "Transfer-Encoding: chunked\r\n"))) ==
        413);
}

TEST_CASE("what follows a body of unknown length is never taken for a request") {
  const TestServer server(test_routes());
  const std::string next = server.request("GET", "/things/smuggled");
  for (const std::string coding : {"identity", "gzip", "xchunked", "chunked, chunked", "chunked, gzip", ""})
    for (const auto& [method, target, status] : std::vector<std::tuple<std::string, std::string, int>>{
             {"PUT", "/any", 501}, {"PATCH", "/any", 405}, {"PUT", "/nothing", 404}, {"GET", "/%", 400}}) {
      CAPTURE(coding, target);
      RawClient client(server.port());
      client.send(server.request(method, target, "Transfer-Encoding: " + coding + "\r\n") + next);
      const std::string answer = client.read_until();
      CHECK(status_in(answer) == status);
      CHECK(answer.find("smuggled") == std::string::npos);
    }
}

TEST_CASE("a chunked body that is none is answered, whatever is wrong with it") {
  const TestServer server(test_routes());
  const std::string begin = server.request("PUT", "/any", "Transfer-Encoding: chunked\r\n");
  CHECK(body_in(server.answer(begin + "2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n")) == "ab");
  for (const std::string& body :
       {std::string("-1\r\n"), std::string("0x2\r\nab\r\n0\r\n\r\n"),
        "2;" + std::string(200'000, 'x') + "\r\nab\r\n0\r\n\r\n",
        std::string("2\r\nab\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n"), std::string("2\r\nabcd0\r\n\r\n")}) {
    CAPTURE(body.substr(0, 40));
    CHECK(status_in(server.answer(begin + body)) == 400);
  }
}

TEST_CASE("a client that asks first is told to go on, or that there is no need to") {
  const TestServer server(test_routes());
  const std::string lines = "Content-Type: application/json\r\nExpect: 100-continue\r\n";
  RawClient client(server.port());
  client.send(server.request("POST", "/echo", lines + "Content-Length: 2\r\n"));
  CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 100 Continue"));
  client.send("{}");
  CHECK(client.read_until("{}").starts_with("HTTP/1.1 200"));
  CHECK(status_in(server.answer(server.request("POST", "/echo", lines + "Content-Length: 2000\r\n"))) == 413);
}

TEST_CASE("headers that are too long are refused") {
  const TestServer server(test_routes());
  CHECK(status_in(server.answer(
            server.request("GET", "/things/a", "X: " + std::string(100'000, 'x') + "\r\n"))) == 431);
  CHECK(status_in(server.answer(server.request("GET", "/things/" + std::string(100'000, 'x')))) == 431);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  CHECK(status_in(server.answer(server.request("GET", "/things/a", many))) == 431);
}

TEST_CASE("a client that is slow in its headers or its body is cut off, and one that waits too") {
  ServerSettings settings;
  settings.limits.header_patience = settings.limits.body_patience = settings.limits.idle_patience =
      Milliseconds(200);
  TestServer server(test_routes(), settings);
  for (const std::string& begin :
       {std::string(), std::string("GET / HT"), server.request("GET", "/x").substr(0, 60),
        server.request("POST", "/echo", "Content-Type: application/json\r\nContent-Length: 9\r\n")}) {
    CAPTURE(begin);
    RawClient client(server.port());
    client.send(begin);
    // A byte now and then does not buy more time.
    std::atomic<bool> is_over = false;
    std::thread drip([&] {
      while (!is_over && client.send(begin.empty() ? "" : "x")) std::this_thread::sleep_for(Milliseconds(50));
    });
    CHECK(status_in(client.read_until()) == 0);
    is_over = true;
    drip.join();
  }
  RawClient kept(server.port());
  kept.send(server.request("GET", "/things/a"));
  CHECK(kept.read_until().ends_with("a"));
}

TEST_CASE(
    "as many connections and waiting requests as the limits say are served, and others told to come back") {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_released = false;
  std::atomic<int> inside = 0;
  std::vector<Route> routes = test_routes();
  routes.push_back({"GET", "/wait", [&](const Request&) {
                      ++inside;
                      std::unique_lock lock(mutex);
                      changed.wait(lock, [&] { return is_released; });
                      return Response::text("done");
                    }});
  ServerSettings settings;
  settings.limits.threads = 1;
  settings.limits.queued = 1;
  settings.limits.connections = 4;
  TestServer server(std::move(routes), settings);
  RawClient first(server.port()), second(server.port()), third(server.port());
  first.send(server.request("GET", "/wait"));
  tests::wait_until([&] { return inside == 1; }, "a handler to run");
  second.send(server.request("GET", "/wait"));
  tests::wait_until([&] { return server.server().waiting_requests() == 1; }, "a request to wait");
  third.send(server.request("GET", "/wait"));
  const std::string busy = third.read_until("}\n");
  CHECK(status_in(busy) == 503);
  CHECK(busy.find("Retry-After: 1\r\n") != std::string::npos);
  RawClient fourth(server.port());
  tests::wait_until([&] { return server.server().open_connections() == 4; }, "four connections");
  RawClient fifth(server.port());
  CHECK(status_in(fifth.read_until()) == 503);
  {
    const std::lock_guard lock(mutex);
    is_released = true;
  }
  changed.notify_all();
  CHECK(first.read_until("done").find("200 OK") != std::string::npos);
  CHECK(second.read_until("done").find("200 OK") != std::string::npos);
}

TEST_CASE("bodies take no more memory together than the limit") {
  ServerSettings settings;
  settings.limits.bodies_bytes = 1500;
  const TestServer server(test_routes(), settings);
  const std::string head =
      server.request("POST", "/echo", "Content-Type: application/json\r\nContent-Length: 1000\r\n");
  RawClient first(server.port());
  first.send(head);
  RawClient asks(server.port());  // a request later on the same thread has been read after the first one
  CHECK(status_in(server.answer(server.request("GET", "/things/a"))) == 200);
  CHECK(status_in(server.answer(head + std::string(1000, 'x'))) == 503);
  first.send(std::string(1000, 'x'));
  CHECK(status_in(first.read_until(std::string(1000, 'x'))) == 200);
  CHECK(status_in(server.answer(head + std::string(1000, 'x'))) == 200);
}

TEST_CASE("a handler learns that its client has gone, and answers one that has only stopped sending") {
  std::atomic<int> gone = 0;
  std::vector<Route> routes = test_routes();
  routes.push_back({"GET", "/slow", [&](const Request& request) {
                      for (int i = 0; i < 3000 && !request.is_client_gone(); ++i)
                        std::this_thread::sleep_for(Milliseconds(10));
                      gone += request.is_client_gone() ? 1 : 0;
                      return Response::text("late");
                    }});
  const TestServer server(std::move(routes));
  {
    RawClient client(server.port());
    client.send(server.request("GET", "/slow"));
  }
  tests::wait_until([&] { return gone == 1; }, "the handler knows that the client has gone");
  CHECK(body_in(server.answer(server.request("GET", "/slow"))) == "late");
  // What comes behind a request is the next one, and no sign of an end.
  RawClient client(server.port());
  client.send(server.request("GET", "/things/first") + server.request("GET", "/things/second"));
  CHECK(client.read_until("second").find("first") != std::string::npos);
}

TEST_CASE("a stream comes in chunks, and without them to an old client") {
  const TestServer server(test_routes());
  // A client that ends its side is taken to be gone, so this one waits.
  const auto whole = [&](const std::string& request) {
    RawClient client(server.port());
    client.send(request);
    return client.read_until();
  };
  const std::string answer = whole(server.request("GET", "/count"));
  CHECK(answer.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(answer.ends_with("0\r\n\r\n"));
  std::string old = server.request("GET", "/count");
  old.replace(old.find("HTTP/1.1"), 8, "HTTP/1.0");
  CHECK(body_in(whole(old)) == "0\n1\n2\n3\n4\n");
}

TEST_CASE(
    "who produces for a slow reader waits, or is told that there is no room, and learns when the reader is "
    "gone") {
  std::mutex mutex;
  std::shared_ptr<ResponseStream> held;
  std::vector<Route> routes{{"GET", "/stream", [&](const Request&) {
                               return Response::streamed("text/plain",
                                                         [&](std::shared_ptr<ResponseStream> stream) {
                                                           const std::lock_guard lock(mutex);
                                                           held = std::move(stream);
                                                         });
                             }}};
  ServerSettings settings;
  settings.limits.stream_bytes = 100'000;
  TestServer server(std::move(routes), settings);
  const auto stream = [&] {
    const std::lock_guard lock(mutex);
    return held;
  };
  {
    RawClient client(server.port());
    client.send(server.request("GET", "/stream"));
    tests::wait_until([&] { return stream() != nullptr; }, "the stream");
    // The system's own buffers take some megabytes before ours fill.
    int sent = 0;
    while (sent < 10'000 && stream()->send(std::string(50'000, 'x'))) ++sent;
    CHECK(sent < 10'000);
    CHECK(stream()->is_open());
    CHECK(stream()->waiting_bytes() <= 100'000);
    tests::wait_until([&] { return !stream()->send_waiting(std::string(50'000, 'x'), Milliseconds(20)); },
                      "all buffers to be full");
  }
  tests::wait_until([&] { return !stream()->is_open(); }, "the client's end to be noticed");
  CHECK_FALSE(stream()->send("x"));
}

TEST_CASE("a stream that is given up ends without its last chunk") {
  std::vector<Route> routes{{"GET", "/broken", [](const Request&) {
                               return Response::streamed("text/plain",
                                                         [](const std::shared_ptr<ResponseStream>& stream) {
                                                           stream->send("half");
                                                           throw std::runtime_error("no more");
                                                         });
                             }}};
  const TestServer server(std::move(routes));
  CHECK_FALSE(server.answer(server.request("GET", "/broken")).ends_with("0\r\n\r\n"));
}

TEST_CASE("a stop lets what runs finish, ends streams, and takes nothing new") {
  std::atomic<int> inside = 0;
  std::vector<Route> routes = test_routes();
  routes.push_back({"GET", "/slow", [&](const Request&) {
                      ++inside;
                      std::this_thread::sleep_for(Milliseconds(100));
                      return Response::text("finished");
                    }});
  std::mutex mutex;
  std::shared_ptr<ResponseStream> held;
  routes.push_back({"GET", "/stream", [&](const Request&) {
                      return Response::streamed("text/plain", [&](std::shared_ptr<ResponseStream> stream) {
                        const std::lock_guard lock(mutex);
                        held = std::move(stream);
                        ++inside;
                      });
                    }});
  TestServer server(std::move(routes));
  RawClient slow(server.port()), listener(server.port()), idle(server.port());
  slow.send(server.request("GET", "/slow"));
  listener.send(server.request("GET", "/stream"));
  tests::wait_until([&] { return inside == 2; }, "both handlers");
  server.server().stop(Milliseconds(20'000));
  CHECK(slow.read_until().ends_with("finished"));
  CHECK(listener.read_until().ends_with("0\r\n\r\n"));
  CHECK(idle.read_until().empty());
  CHECK_FALSE(held->is_open());
}

// What it answers is its own business, as long as it is HTTP and the next client is served.
TEST_CASE("no bytes of a client bring the server down, nor past its checks") {
  TestServer server(test_routes());
  const std::vector<std::string> seeds{
      server.request("GET", "/things/a?x=%20y"),
      server.request("POST", "/echo", "Content-Type: application/json\r\n", "{\"a\": [1, 2]}"),
      server.request("POST", "/echo", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n") +
          "3;x=y\r\n{} \r\n0\r\nT: 1\r\n\r\n",
      server.request("DELETE", "/things/%C3%A4",
                     "Cookie: a=b; c=d\r\nExpect: 100-continue\r\nRange: bytes=0-1\r\n"),
      "GET /open HTTP/1.0\r\nHost: " + server.host() + "\r\nConnection: keep-alive\r\nX: a\r\n b\r\n\r\n"};
  std::mt19937 random(7);
  const auto below = [&random](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most - 1)(random);
  };
  const std::vector<std::string> pieces{"\r\n",
                                        "\n",
                                        "\r",
                                        std::string(1, '\0'),
                                        ":",
                                        " ",
                                        "%",
                                        "%00",
                                        "%2e%2e/",
                                        "../",
                                        "HTTP/9.9",
                                        "Content-Length: 99\r\n",
                                        "Transfer-Encoding: chunked\r\n",
                                        "\xFF\xFE",
                                        "Host: evil\r\n",
                                        std::string(2000, 'A'),
                                        "\r\n\r\n",
                                        "0\r\n\r\n",
                                        "-1",
                                        "Upgrade: h2c\r\n"};
  for (int round = 0; round < (tests::kSanitized ? 400 : 1500); ++round) {
    std::string bytes = seeds[below(seeds.size())];
    for (std::size_t i = 0, changes = 1 + below(4); i < changes; ++i) {
      const std::size_t place = below(bytes.size() + 1);
      switch (below(4)) {
        case 0:
          bytes.insert(place, pieces[below(pieces.size())]);
          break;
        case 1:
          bytes.erase(place, 1 + below(20));
          break;
        case 2:
          if (place < bytes.size()) bytes[place] = static_cast<char>(below(256));
          break;
        default:
          bytes += seeds[below(seeds.size())].substr(0, below(200));
      }
      if (bytes.empty()) bytes = "x";
    }
    INFO("round " << round);
    const std::string answer = server.answer(bytes);
    if (!answer.empty()) REQUIRE(status_in(answer) >= 100);
  }
  CHECK(body_in(server.answer(server.request("GET", "/things/still-here"))) == "still-here");
}

}  // namespace
}  // namespace tune::http
