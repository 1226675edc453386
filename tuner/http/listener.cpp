#include "tuner/http/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/process.h"

namespace tune::http {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog = 128;
constexpr int kPortOfHttp = 80;  // RFC 9110, 4.2.1

[[noreturn]] void bad_address(std::string_view text) {
  throw Error(ExitCode::kUsage, "\"" + visible_text(text) + "\" is no address",
              "write HOST:PORT, for example 127.0.0.1:8787 or [::1]:8787; port 0 takes one that is free");
}

int port_in(std::string_view digits, std::string_view whole) {
  int port = -1;
  const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (problem != std::errc() || stop != digits.data() + digits.size() || port < 0 || port > 65535 ||
      digits.empty())
    bad_address(whole);
  return port;
}

// What /proc/net/tcp calls the sockets that listen on the port: their inodes.
std::vector<std::string> listening_sockets(int port) {
  std::vector<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(table);
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      // "sl: local remote state queues timer retransmits uid timeout inode"; 0A is "listening".
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >>
          inode;
      const std::size_t colon = local.rfind(':');
      if (state != "0A" || colon == std::string::npos) continue;
      if (std::strtol(local.c_str() + colon + 1, nullptr, 16) == port)
        inodes.push_back("socket:[" + inode + "]");
    }
  }
  return inodes;
}

// "python3 (pid 812)"; empty where it is not to be seen: another user's, or another container's.
std::string holder_of(int port) {
  const std::vector<std::string> sockets = listening_sockets(port);
  if (sockets.empty()) return {};
  for (const ProcessInfo& process : all_processes()) {
    const fs::path folder = "/proc/" + std::to_string(process.pid);
    std::error_code unreadable;
    for (fs::directory_iterator entry(folder / "fd", unreadable), end; !unreadable && entry != end;
         entry.increment(unreadable)) {
      std::error_code gone;
      const std::string target = fs::read_symlink(entry->path(), gone).string();
      if (gone || std::find(sockets.begin(), sockets.end(), target) == sockets.end()) continue;
      std::ifstream file(folder / "comm");
      std::string name;
      std::getline(file, name);
      return visible_text(name) + " (pid " + std::to_string(process.pid) + ")";
    }
  }
  return {};
}

[[noreturn]] void cannot_listen(const Address& address, int reason) {
  const std::string what = "cannot listen on " + address.text() + ": ";
  if (reason == EADDRINUSE) {
    const std::string holder = holder_of(address.port);
    throw Error(ExitCode::kEnvironment,
                what + "the port is in use" +
                    (holder.empty() ? ", by a program that this user may not see" : " by " + holder),
                "end that program, or name another port: --addr " +
                    Address{address.host, address.port + 1}.text() + ", or port 0 for one that is free");
  }
  if (reason == EADDRNOTAVAIL)
    throw Error(ExitCode::kEnvironment, what + "this machine does not have that address",
                "127.0.0.1 is this machine alone, 0.0.0.0 all of its addresses; `ip address` lists them");
  if (reason == EACCES)
    throw Error(ExitCode::kEnvironment, what + "ports below 1024 are the administrator's",
                "name a higher port");
  throw Error(ExitCode::kEnvironment, what + std::strerror(reason));
}

// Its name and the addresses of its interfaces. A page of another site cannot make a browser send one of
// these as Host unless it is served from there.
std::vector<std::string> names_of_this_machine() {
  std::vector<std::string> names;
  char name[256] = "";
  if (gethostname(name, sizeof name - 1) == 0 && name[0] != 0) names.emplace_back(name);
  ifaddrs* found = nullptr;
  if (getifaddrs(&found) != 0) return names;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> list(found, &freeifaddrs);
  for (const ifaddrs* one = found; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    char host[NI_MAXHOST] = "";
    if (getnameinfo(one->ifa_addr, size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) == 0)
      names.emplace_back(host);
  }
  return names;
}

int port_of(int socket) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &size) != 0) return -1;
  if (name.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port);
  if (name.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(name).sin6_port);
  return -1;
}

}  // namespace

std::string Address::text() const {
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(port);
}

bool Address::is_loopback() const {
  // A name may begin as the address does and be anybody's: 127.example.org.
  in_addr number{};
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &number) == 1;
  return host == "localhost" || host == "::1" || (is_v4 && host.starts_with("127."));
}

Address parse_address(std::string_view text, int default_port) {
  Address address{"127.0.0.1", default_port};
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    const std::size_t end = rest.find(']');
    if (end == std::string_view::npos || end == 1) bad_address(text);
    address.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    if (!rest.empty() && rest.front() != ':') bad_address(text);
  } else {
    const std::size_t colon = rest.find(':');
    if (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos)
      bad_address(text);
    const std::string_view before = rest.substr(0, colon);
    const bool is_port = colon == std::string_view::npos && !before.empty() &&
                         std::all_of(before.begin(), before.end(), [](char c) { return is_digit(c); });
    if (is_port) {
      address.port = port_in(before, text);
      return address;
    }
    if (!before.empty()) address.host = before;
    rest.remove_prefix(before.size());
  }
  const bool is_name = std::all_of(address.host.begin(), address.host.end(), [](char c) {
    return is_letter_or_digit(c) || c == '.' || c == '-' || c == ':' || c == '_';
  });
  if (text.empty() || !is_name) bad_address(text);
  if (!rest.empty()) address.port = port_in(rest.substr(1), text);
  return address;
}

Listener listen_on(const Address& address) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  // The name of loopback means the address that clients try first and every machine has.
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  const int problem = getaddrinfo(host.c_str(), std::to_string(address.port).c_str(), &wanted, &found);
  if (problem != 0)
    throw Error(ExitCode::kEnvironment, "cannot listen on " + address.text() + ": " + gai_strerror(problem),
                "name an address of this machine, for example 127.0.0.1:8787");
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  Listener listener{Descriptor(socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
                    address};
  const int number = listener.socket.get();
  if (number < 0) cannot_listen(address, errno);
  const int yes = 1;
  setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(number, list->ai_addr, list->ai_addrlen) != 0 || listen(number, kBacklog) != 0)
    cannot_listen(address, errno);
  listener.address.port = port_of(number);
  return listener;
}

Listener adopt_listener(int descriptor) {
  int listens = 0;
  socklen_t size = sizeof listens;
  const bool is_listening =
      getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
  const int port = is_listening ? port_of(descriptor) : -1;
  if (port < 0)
    throw Error(ExitCode::kUsage,
                "descriptor " + std::to_string(descriptor) + " is no socket that listens on a port",
                "the program that starts this one opens the socket and hands it down");
  sockaddr_storage name{};
  size = sizeof name;
  char host[NI_MAXHOST] = "";
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size);
  getnameinfo(reinterpret_cast<sockaddr*>(&name), size, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  return {Descriptor(descriptor), {host, port}};
}

std::vector<std::string> hosts_of(const Address& address, const std::vector<std::string>& extra) {
  std::vector<std::string> hosts{lower_case(address.text())};
  const bool is_every = address.host == "0.0.0.0" || address.host == "::";
  if (is_every)
    for (const std::string& host : names_of_this_machine())
      hosts.push_back(lower_case(Address{host, address.port}.text()));
  if (address.is_loopback() || is_every)
    for (const char* host : {"127.0.0.1", "localhost", "::1"})
      hosts.push_back(Address{host, address.port}.text());
  if (address.port == kPortOfHttp)
    for (std::size_t i = 0, count = hosts.size(); i < count; ++i)
      hosts.push_back(hosts[i].substr(0, hosts[i].rfind(':')));
  for (const std::string& host : extra) hosts.push_back(lower_case(host));
  return hosts;
}

}  // namespace tune::http
