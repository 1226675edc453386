#pragma once
// A server with a few handlers, on a port of its own.
#include <memory>
#include <string>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/http/server.h"
#include "unit/http/raw_client.h"

namespace tune::http {

inline const std::string kTestToken(64, 'a');

class TestServer {
 public:
  explicit TestServer(std::vector<Route> routes, ServerSettings settings = {}, bool has_sessions = true)
      : listener_(listen_on({"127.0.0.1", 0})),
        port_(listener_.address.port),
        access_(access_settings(has_sessions)) {
    for (Route& route : access_.routes()) routes.push_back(std::move(route));
    server_ = std::make_unique<Server>(std::move(listener_), std::move(routes), access_, std::move(settings));
    server_->start();
  }
  int port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  Server& server() { return *server_; }
  Access& access() { return access_; }
  // A request with the right Host and token, and more header lines.
  std::string request(const std::string& method, const std::string& target, const std::string& lines = "",
                      const std::string& body = "") const {
    return method + ' ' + target + " HTTP/1.1\r\nHost: " + host() + "\r\nAuthorization: Bearer " +
           kTestToken + "\r\n" + lines +
           (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body;
  }
  // The answer to bytes on a connection of their own.
  std::string answer(const std::string& bytes) const {
    RawClient client(port_);
    client.send(bytes);
    client.end_sending();
    return client.read_until();
  }

 private:
  Access::Settings access_settings(bool has_sessions) const {
    Access::Settings settings;
    settings.token = kTestToken;
    settings.hosts = hosts_of({"127.0.0.1", port_}, {"gpu-box:80"});
    settings.has_sessions = has_sessions;
    settings.port = port_;
    return settings;
  }

  Listener listener_;
  int port_;
  Access access_;
  std::unique_ptr<Server> server_;
};

// Echoes, streams, and is open at /open.
inline std::vector<Route> test_routes() {
  return {
      {"GET", "/things/{name}", [](const Request& request) { return Response::text(request.part("name")); }},
      {"GET", "/open", [](const Request&) { return Response::text("open"); }, /*is_open=*/true},
      {"POST",
       "/echo",
       [](const Request& request) { return Response::text(request.body); },
       false,
       1000,
       {"application/json"}},
      {"PUT", "/any", [](const Request& request) { return Response::text(request.body); }, false, 1000},
      {"DELETE", "/things/{name}", [](const Request&) { return Response::text("deleted"); }},
      {"GET", "/fails",
       [](const Request&) -> Response { throw Error(ExitCode::kNotFound, "no such thing", "look"); }},
      {"GET", "/count",
       [](const Request&) {
         return Response::streamed("text/plain", [](const std::shared_ptr<ResponseStream>& stream) {
           for (int i = 0; i < 5; ++i) stream->send_waiting(std::to_string(i) + '\n', Milliseconds(10'000));
         });
       }},
  };
}

}  // namespace tune::http
