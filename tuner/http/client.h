#pragma once
// A small client for servers of this machine: HTTP/1.1 without TLS, one request at a time, with time-outs.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/http/listener.h"
#include "tuner/http/message.h"

namespace tune::http {

struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";          // path and query, encoded
  std::vector<Header> headers = {};  // Host, Content-Length and Connection are the client's own
  std::string body = {};
};

struct ClientResponse {
  int status = 0;
  std::vector<Header> headers;
  std::string body;  // empty where a callback took it
  const std::string* header(std::string_view name) const { return find_header(headers, name); }
};

// "http://127.0.0.1:8080/base": what a person writes as --endpoint. Throws Error(kUsage) for https and for
// what is no such address.
struct Url {
  Address address;
  std::string path;  // "" or "/base", without a slash at its end
};
Url parse_url(std::string_view text);

// One connection, kept between requests where the server keeps it, and opened again where it was closed. One
// thread at a time.
class Client {
 public:
  struct Settings {
    Address address;
    Milliseconds connect_patience{2'000};
    Milliseconds answer_patience{60'000};  // for the head, and then for each further piece of the body
    std::uint64_t most_body_bytes = 64 << 20;
    // Whether nobody wants the answer any more; asked a few times a second while one is waited for. Empty:
    // somebody always does.
    std::function<bool()> is_unwanted = {};
  };
  explicit Client(Settings settings);
  ~Client();
  Client(Client&&) noexcept;

  // Throws Error(kEnvironment) naming the address: nobody listens, no answer in time, an answer that is no
  // HTTP, or one that is too large; Error(kInterrupted) once it is unwanted. A request that a kept connection
  // lost before any byte of the answer came is sent once more on a new one.
  ClientResponse ask(const ClientRequest& request);
  // The body goes piece by piece, as it comes, to `take`, which ends the request by returning false.
  ClientResponse ask(const ClientRequest& request, const std::function<bool(std::string_view)>& take);
  // The same in two steps: the answer's status and headers, without its body, and then the body.
  ClientResponse begin(const ClientRequest& request);
  void read_body(const std::function<bool(std::string_view)>& take);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace tune::http
