#pragma once
// The socket that a server accepts connections on.
#include <string>
#include <string_view>
#include <vector>

#include "tuner/os/descriptor.h"

namespace tune::http {

// "127.0.0.1:8787", "[::1]:8787", "0.0.0.0:80", "localhost:0". Port 0: one that is free.
struct Address {
  std::string host;  // without brackets
  int port = 0;
  std::string text() const;  // with brackets, where the host has colons
  bool is_loopback() const;  // 127.0.0.0/8, ::1, localhost
};
// Throws Error(kUsage). A text without a port gets `default_port`, one without a host ("8787", ":8787")
// 127.0.0.1.
Address parse_address(std::string_view text, int default_port);

struct Listener {
  Descriptor socket;  // listening, non-blocking, close-on-exec
  Address address;    // with the port that it has
};
// Throws Error(kEnvironment): for a port in use with who listens there (program and pid, as far as this user
// may see) and another port as cure; for an address that is not this machine's.
Listener listen_on(const Address& address);
// A socket that listens already, handed down by the process that started this one. Throws Error(kUsage) for a
// descriptor that is none.
Listener adopt_listener(int descriptor);

// What a client may write as Host for that address: its own text; for a loopback address all names of
// loopback at that port; for all addresses (0.0.0.0, ::) those of this machine and its name; `extra` as they
// are ("gpu-box:8787"). Port 80 is HTTP's own, which browsers leave out, so it may be absent.
std::vector<std::string> hosts_of(const Address& address, const std::vector<std::string>& extra = {});

}  // namespace tune::http
