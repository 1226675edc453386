#pragma once
// A client that sends what no HTTP library would.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "support/catch.h"
#include "tuner/os/descriptor.h"

namespace tune::http {

// One connection to a port of this machine.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  // False once the server has closed it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  // Everything until the server closes, or up to the end of `text`; what came with it stays for
  // the next reading.
  std::string read_until(std::string_view text = {}) {
    while (text.empty() || got_.find(text) == std::string::npos) {
      pollfd waited{socket_.get(), POLLIN, 0};
      if (::poll(&waited, 1, 30'000) <= 0)
        FAIL("the server sends nothing and does not close; so far: " << got_);
      std::array<char, 65536> bytes{};
      const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (count <= 0) return std::exchange(got_, {});
      got_.append(bytes.data(), static_cast<std::size_t>(count));
    }
    const std::size_t end = got_.find(text) + text.size();
    std::string read = got_.substr(0, end);
    got_.erase(0, end);
    return read;
  }

 private:
  Descriptor socket_;
  std::string got_;
};

// The status in what a server answered; 0 for no answer.
inline int status_in(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") && answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
}

inline std::string body_in(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : answer.substr(end + 4);
}

}  // namespace tune::http
