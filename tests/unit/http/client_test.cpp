// The client, against the server and against worse ones.
#include "tuner/http/client.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "support/catch.h"
#include "tuner/core/error.h"
#include "unit/http/server_fixture.h"
#include "unit/store/store_fixture.h"

namespace tune::http {
namespace {

using store::message_of;

// Accepts one connection after another, and says the same to each.
class RudeServer {
 public:
  explicit RudeServer(std::string says)
      : listener_(listen_on({"127.0.0.1", 0})), says_(std::move(says)), thread_([this] { run(); }) {}
  ~RudeServer() {
    ::shutdown(listener_.socket.get(), SHUT_RDWR);
    thread_.join();
  }
  const Address& address() const { return listener_.address; }

 private:
  void run() {
    for (pollfd waited{listener_.socket.get(), POLLIN, 0}; ::poll(&waited, 1, -1) > 0;) {
      const Descriptor client(::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (client.get() < 0) return;
      char bytes[4096];
      static_cast<void>(::recv(client.get(), bytes, sizeof bytes, 0));
      static_cast<void>(::send(client.get(), says_.data(), says_.size(), MSG_NOSIGNAL));
    }
  }
  Listener listener_;
  std::string says_;
  std::thread thread_;
};

TEST_CASE("the client keeps its connection, and opens it again where the server has closed it") {
  ServerSettings settings;
  settings.limits.idle_patience = Milliseconds(50);
  TestServer server(test_routes(), settings);
  Client client(Client::Settings{{"127.0.0.1", server.port()}});
  const ClientRequest request{"GET", "/things/a", {{"Authorization", "Bearer " + kTestToken}}, ""};
  CHECK(client.ask(request).body == "a");
  CHECK(client.ask(request).body == "a");
  CHECK(server.server().open_connections() == 1);
  std::this_thread::sleep_for(Milliseconds(120));
  CHECK(client.ask(request).body == "a");
}

TEST_CASE("the client gets streams piece by piece, and may end them") {
  const TestServer server(test_routes());
  Client client(Client::Settings{{"127.0.0.1", server.port()}});
  const ClientRequest request{"GET", "/count", {{"Authorization", "Bearer " + kTestToken}}, ""};
  std::string all;
  const ClientResponse response = client.ask(request, [&all](std::string_view piece) {
    all += piece;
    return true;
  });
  CHECK(response.status == 200);
  CHECK(all == "0\n1\n2\n3\n4\n");
  CHECK(client.ask(request, [](std::string_view) { return false; }).status == 200);
  CHECK(client.begin(request).status == 200);  // and its body is not read
  CHECK(client.ask(request).body == all);
}

TEST_CASE("nobody there, no answer, nonsense and too much are errors that name the address") {
  const int port = listen_on({"127.0.0.1", 0}).address.port;
  CHECK(message_of([&] {
          Client(Client::Settings{{"127.0.0.1", port}}).ask({});
        }).find(std::to_string(port)) != std::string::npos);
  const Listener silent = listen_on({"127.0.0.1", 0});
  CHECK(message_of([&] {
          Client(Client::Settings{silent.address, Milliseconds(1000), Milliseconds(50)}).ask({});
        }).find("in time") != std::string::npos);
  for (const std::string& says :
       {std::string("SSH-2.0\r\n"), std::string("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x'),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), std::string()}) {
    CAPTURE(says.substr(0, 80));
    const RudeServer server(says);
    CHECK_THROWS_AS(Client(Client::Settings{server.address()}).ask({}), Error);
  }
  const RudeServer large("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'));
  CHECK_THROWS_AS(
      Client(Client::Settings{large.address(), Milliseconds(1000), Milliseconds(1000), 50}).ask({}), Error);
  CHECK(Client(Client::Settings{large.address(), Milliseconds(1000), Milliseconds(1000), 100})
            .ask({})
            .body.size() == 100);
}

TEST_CASE("an answer that nobody wants any more is not waited for") {
  const Listener silent = listen_on({"127.0.0.1", 0});
  std::atomic<bool> is_unwanted = false;
  Client client(
      Client::Settings{.address = silent.address, .is_unwanted = [&] { return is_unwanted.load(); }});
  std::thread loses_interest([&] {
    std::this_thread::sleep_for(Milliseconds(50));
    is_unwanted = true;
  });
  const SteadyTime begin = std::chrono::steady_clock::now();
  CHECK(store::code_of([&] { client.ask({}); }) == ExitCode::kInterrupted);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
  loses_interest.join();
}

TEST_CASE("addresses are read as people write them") {
  CHECK(parse_address("127.0.0.1:8787", 1).text() == "127.0.0.1:8787");
  CHECK(parse_address(":80", 1).text() == "127.0.0.1:80");
  CHECK(parse_address("80", 1).text() == "127.0.0.1:80");
  CHECK(parse_address("[::1]:80", 1).text() == "[::1]:80");
  CHECK(parse_address("gpu-box", 9).text() == "gpu-box:9");
  for (const char* text : {"", "a:b", "1.2.3.4:99999", "::1", "[::1", "a b:1", "a/b:1", "[]:1"}) {
    CAPTURE(text);
    CHECK(store::code_of([&] { parse_address(text, 1); }) == ExitCode::kUsage);
  }
  CHECK(parse_url("http://127.0.0.1:81/base/").path == "/base");
  CHECK(parse_url("HTTP://h").address.port == 80);
  for (const char* text : {"https://h", "h:80", "http://", "http://h/?a", "http://h/a\nb", "ftp://h"}) {
    CAPTURE(text);
    CHECK(store::code_of([&] { parse_url(text); }) == ExitCode::kUsage);
  }
}

TEST_CASE("a name that begins as loopback's addresses do is not this machine's alone") {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost", "::1"})
    CHECK((Address{host, 1}.is_loopback()));
  for (const char* host : {"127.example.org", "127.0.0.1.example.org", "127.", "0.0.0.0", "::", "gpu-box"})
    CHECK_FALSE((Address{host, 1}.is_loopback()));
}

TEST_CASE("a server at the port of its scheme goes by its name without it too, as browsers say it") {
  const auto has = [](const std::vector<std::string>& hosts, const char* name) {
    return std::find(hosts.begin(), hosts.end(), name) != hosts.end();
  };
  const std::vector<std::string> hosts = hosts_of({"127.0.0.1", 80}, {"gpu-box:9000"});
  for (const char* name : {"127.0.0.1", "127.0.0.1:80", "localhost", "[::1]", "gpu-box:9000"})
    CHECK(has(hosts, name));
  CHECK_FALSE(has(hosts, "gpu-box"));
  CHECK_FALSE(has(hosts_of({"127.0.0.1", 8080}, {}), "127.0.0.1"));
}

TEST_CASE("a port in use names its holder and another port") {
  const Listener taken = listen_on({"127.0.0.1", 0});
  const std::string message = message_of([&] { listen_on(taken.address); });
  CHECK(message.find("the port is in use by ") != std::string::npos);
  CHECK(message.find("(pid " + std::to_string(::getpid()) + ")") != std::string::npos);
  CHECK(message_of([] {
          listen_on({"192.0.2.1", 0});
        }).find("does not have that address") != std::string::npos);
}

TEST_CASE("a socket is handed down, and nothing else is taken for one") {
  Listener listener = listen_on({"127.0.0.1", 0});
  const int port = listener.address.port;
  const Listener adopted = adopt_listener(listener.socket.release());
  CHECK(adopted.address.text() == "127.0.0.1:" + std::to_string(port));
  CHECK(store::code_of([] { adopt_listener(0); }) == ExitCode::kUsage);
  CHECK(store::code_of([] { adopt_listener(12345); }) == ExitCode::kUsage);
}

}  // namespace
}  // namespace tune::http
