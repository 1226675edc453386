#pragma once
// An HTTP/1.1 server for a few people and programs: bounded in all that a client can make it use.
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/http/access.h"
#include "tuner/http/listener.h"
#include "tuner/http/message.h"
#include "tuner/http/route_table.h"

namespace tune::http {

// Checked before memory is taken. A request line and headers that are too long are 431, a body 413, too many
// of anything 503 with Retry-After; a client that is too slow is cut off.
struct Limits {
  std::size_t connections = 256;
  std::size_t header_bytes = 16 << 10;  // request line and headers together
  std::uint64_t bodies_bytes =
      256 << 20;                         // of all requests at once; one's own limit is Route::most_body_bytes
  std::size_t threads = 4;               // that handlers run on
  std::size_t queued = 64;               // requests that wait for one of them
  std::size_t stream_bytes = 1 << 20;    // that wait for one slow reader of a stream
  Milliseconds header_patience{10'000};  // from the first byte to the last of the headers
  Milliseconds idle_patience{60'000};    // for the next request of a connection
  Milliseconds body_patience{30'000};    // for the whole body
  Milliseconds write_patience{30'000};   // for a reader that takes nothing
};

// What became of one request, for logs and metrics.
struct Answered {
  std::string method, path;
  const Route* route = nullptr;  // nullptr: refused before a row was found
  int status = 0;
  Milliseconds took{};  // from the end of the headers to the last byte handed to the system
};

struct ServerSettings {
  Limits limits = {};
  // How an error reads that the server itself gives, or a handler by what it throws, for protocols that have
  // a form of their own; Response::error() where there is none. The status stays.
  std::function<Response(const Request&, int status, const std::string& message, const std::string& hint)>
      error_form = {};
  // Called on the server's own thread; must be quick.
  std::function<void(const Answered&)> on_answered = {};
};

// Owned by one thread, which starts and stops it. Connections live on one thread of its own, handlers on
// Limits::threads others. Knows nothing of what it serves, and reads no file.
class Server {
 public:
  // `access` outlives the server.
  Server(Listener listener, std::vector<Route> routes, const Access& access, ServerSettings settings = {});
  ~Server();  // stop() without grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  // Takes no new connection and no new request; waits so long for what runs, then cuts it off. Streams that
  // have no end of their own are ended at once where `ends_streams`.
  void stop(Milliseconds grace, bool ends_streams = true);

  const Address& address() const;
  std::size_t open_connections() const;
  std::size_t waiting_requests() const;  // that no thread has taken up yet

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace tune::http
