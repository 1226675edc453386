#pragma once
// One client's connection. Internal to tuner/http: the only header that shows Boost.Beast.
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "tuner/http/server.h"
#include "tuner/http/stream_state.h"
#include "tuner/http/worker_pool.h"

namespace tune::http {

class Connection;

// What all connections of a server share; but for `pool`, used on its thread alone.
struct Surroundings {
  boost::asio::io_context& io;
  const std::vector<Route>& routes;
  const Access& access;
  const ServerSettings& settings;
  std::string fixed_headers;  // of every response
  WorkerPool& pool;
  std::uint64_t bodies_bytes = 0;  // that are being read or handled
  bool is_stopping = false;
  std::set<Connection*> open = {};
  std::atomic<std::size_t> open_count = 0;  // for everybody
};

// Reads requests one after the other, checks each before its body is read, has it handled on the pool, and
// writes the answer. It owns itself by what is pending, on the server's thread; it ends with its socket.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, Surroundings& surroundings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void start();
  // Closes it if it waits for a request, else after the present one.
  void stop(bool ends_streams);
  void close();

 private:
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  void wait_for_request(Milliseconds patience);
  void read_head();
  void take_head();
  void find_route();
  void read_body(std::uint64_t most_bytes);
  void read_rest_of_body();
  void hand_over();
  void watch_while_handled();
  Response answer() const;
  Response error(int status, const std::string& message, const std::string& hint = {}) const;
  void refuse(Response response);
  void respond(Response response, std::shared_ptr<StreamState> stream);
  std::string head_of(const Response& response, bool is_streamed) const;
  void write_rest();
  void pump();
  void watch_client();
  void finish_response();
  void end_politely();
  void discard_input();

  Surroundings& surroundings_;
  boost::beast::tcp_stream socket_;
  boost::asio::steady_timer farewell_;
  boost::beast::flat_buffer buffer_;
  std::array<char, 4096> discarded_{};
  std::size_t discarded_bytes_ = 0;
  std::optional<Parser> parser_;

  // Of the present request.
  Request request_;
  std::shared_ptr<std::atomic<bool>> is_client_gone_ = std::make_shared<std::atomic<bool>>(false);
  const Route* route_ = nullptr;
  bool is_head_ = false, is_old_ = false, keeps_alive_ = false;  // HEAD; HTTP/1.0
  std::uint64_t reserved_bytes_ = 0;                             // of Surroundings::bodies_bytes
  SteadyTime began_{};
  int status_ = 0;
  // Being written.
  std::string head_, body_;
  std::string_view head_left_, body_left_;
  std::shared_ptr<StreamState> stream_;
  bool is_last_piece_ = false, is_writing_ = false;

  bool is_waiting_ = true, is_closed_ = false, is_reading_ = false;
};

}  // namespace tune::http
