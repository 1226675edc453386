#include "tuner/http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <limits>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr std::size_t kReadAtOnce = 4096;
// A client whose request was refused unread may still be sending: so much is read before the connection is
// cut, since else the system would throw away the answer that is on its way to it.
constexpr std::size_t kMostDiscarded = 64 << 20;
constexpr std::chrono::seconds kFarewell{2};

const char* reason_phrase(int status) {
  const auto phrase = beast::http::obsolete_reason(static_cast<beast::http::status>(status));
  return phrase.empty() ? "Unknown" : phrase.data();
}

// "Tue, 01 Dec 2026 04:00:00 GMT" (RFC 9110, 5.6.7), whatever the locale.
std::string date_text() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %d %02d:%02d:%02d GMT", kDays[parts.tm_wday % 7],
                parts.tm_mday, kMonths[parts.tm_mon % 12], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  return text;
}

// A handler's header ends where its line would.
std::string one_header(const Header& header) {
  std::string value = header.value;
  std::replace_if(
      value.begin(), value.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; },
      ' ');
  return header.name + ": " + value + "\r\n";
}

int status_of(const Error& error) {
  switch (error.code()) {
    case ExitCode::kUsage:
    case ExitCode::kBadSpec:
    case ExitCode::kBadData:
      return 400;
    case ExitCode::kNotFound:
      return 404;
    case ExitCode::kConflict:
      return 409;
    default:
      return 500;
  }
}

bool has_no_body(int status) { return status == 204 || status == 304; }

// The bytes are no HTTP/1.1; else the client went away, was too slow, or the system failed.
bool is_bad_http(const boost::system::error_code& error) {
  return error.category() == make_error_code(beast::http::error::bad_method).category() &&
         error != beast::http::error::end_of_stream && error != beast::http::error::partial_message;
}

bool has_unknown_coding(const Request& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const Header& header) {
    return lower_case(header.name) == "transfer-encoding" && lower_case(header.value) != "chunked";
  });
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Surroundings& surroundings)
    : surroundings_(surroundings),
      socket_(std::move(socket)),
      farewell_(surroundings.io),
      buffer_(surroundings.settings.limits.header_bytes + (64u << 10)) {
  surroundings_.open.insert(this);
  ++surroundings_.open_count;
}

Connection::~Connection() {
  close();
  surroundings_.open.erase(this);
  --surroundings_.open_count;
}

void Connection::start() {
  ErrorCode ignored;
  socket_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  wait_for_request(surroundings_.settings.limits.header_patience);
}

void Connection::stop(bool ends_streams) {
  keeps_alive_ = false;
  if (is_waiting_) return close();
  if (stream_ && ends_streams) stream_->finish(/*is_whole=*/true);
}

void Connection::close() {
  if (std::exchange(is_closed_, true)) return;
  ErrorCode ignored;
  farewell_.cancel(ignored);
  socket_.socket().close(ignored);
  if (stream_) stream_->close();
  surroundings_.bodies_bytes -= std::exchange(reserved_bytes_, 0);
}

void Connection::wait_for_request(Milliseconds patience) {
  request_ = {};
  route_ = nullptr;
  stream_.reset();
  is_waiting_ = true;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(surroundings_.settings.limits.header_bytes));
  // What a route takes is known when its head is read.
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  if (buffer_.size() > 0) return read_head();
  socket_.expires_after(patience);
  socket_.async_read_some(buffer_.prepare(kReadAtOnce),
                          [self = shared_from_this()](ErrorCode error, std::size_t count) {
                            if (error) return self->close();
                            self->buffer_.commit(count);
                            self->read_head();
                          });
}

void Connection::read_head() {
  is_waiting_ = false;
  socket_.expires_after(surroundings_.settings.limits.header_patience);
  beast::http::async_read_header(
      socket_, buffer_, *parser_, [self = shared_from_this()](ErrorCode error, std::size_t) {
        self->began_ = std::chrono::steady_clock::now();
        if (!error) return self->take_head();
        self->keeps_alive_ = false;
        const bool is_long =
            error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow;
        if (is_long) return self->respond(self->error(431, "the request's headers are too long"), nullptr);
        if (is_bad_http(error))
          return self->respond(self->error(400, "the request is no HTTP/1.1: " + error.message()), nullptr);
        self->close();
      });
}

void Connection::take_head() {
  const auto& message = parser_->get();
  request_.method = std::string(message.method_string());
  is_head_ = request_.method == "HEAD";
  if (is_head_) request_.method = "GET";
  is_old_ = message.version() < 11;
  keeps_alive_ = message.keep_alive() && !surroundings_.is_stopping;
  for (const auto& field : message)
    request_.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  // Nobody knows where its body ends, so that what follows is no request.
  if (has_unknown_coding(request_)) keeps_alive_ = false;
  const std::string target(message.target());
  request_.path = target.substr(0, target.find('?'));
  find_route();
}

void Connection::find_route() {
  std::optional<HttpError> bad;
  RouteMatch match;
  try {
    const std::string target(parser_->get().target());
    match = match_route(surroundings_.routes, request_.method, path_parts(request_.path));
    if (const std::size_t mark = target.find('?'); mark != std::string::npos)
      request_.query = query_parameters(std::string_view(target).substr(mark + 1));
  } catch (const HttpError& problem) {
    bad = problem;
  }
  const bool is_open = !bad && match.route != nullptr && match.route->is_open;
  if (const auto objection = surroundings_.access.objection(request_, is_open)) {
    Response response = objection->page.empty()
                            ? error(objection->status, objection->message, objection->hint)
                            : Response::text(objection->page, "text/html; charset=utf-8", objection->status);
    keeps_alive_ = false;  // strangers hold no connection
    if (objection->status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
    return refuse(std::move(response));
  }
  if (bad) return refuse(error(bad->status(), bad->what(), bad->hint()));
  if (match.allowed.empty()) return refuse(error(404, "there is nothing at this address"));
  if (match.route == nullptr) {
    std::string allowed;
    for (const std::string& method : match.allowed) {
      allowed += (allowed.empty() ? "" : ", ") + method;
      if (method == "GET") allowed += ", HEAD";
    }
    return refuse(
        error(405, "this address does not take " + (is_head_ ? std::string("HEAD") : request_.method))
            .with("Allow", allowed));
  }
  route_ = match.route;
  request_.parts = std::move(match.parts);
  if (has_unknown_coding(request_))
    return refuse(error(501, "the only transfer coding that this server reads is chunked"));
  const std::string* encoding = request_.header("Content-Encoding");
  if (encoding != nullptr && lower_case(*encoding) != "identity")
    return refuse(error(415, "this server reads bodies as they are, and no Content-Encoding",
                        "send the body without compressing it"));
  const std::uint64_t announced = parser_->content_length().value_or(0);
  if (announced > route_->most_body_bytes || (parser_->chunked() && route_->most_body_bytes == 0))
    return refuse(
        error(413, route_->most_body_bytes == 0
                       ? "this address takes no body"
                       : "the body is larger than " + std::to_string(route_->most_body_bytes) + " bytes"));
  const std::vector<std::string>& types = route_->media_types;
  if (!types.empty() && std::find(types.begin(), types.end(), request_.media_type()) == types.end())
    return refuse(error(415, "this address needs a body with Content-Type: " + types.front()));
  read_body(parser_->chunked() ? route_->most_body_bytes : announced);
}

void Connection::read_body(std::uint64_t most_bytes) {
  if (parser_->is_done()) return hand_over();
  if (surroundings_.bodies_bytes + most_bytes > surroundings_.settings.limits.bodies_bytes)
    return refuse(error(503, "the server is busy with other requests").with("Retry-After", "1"));
  surroundings_.bodies_bytes += most_bytes;
  reserved_bytes_ = most_bytes;
  parser_->body_limit(route_->most_body_bytes);
  const std::string* expected = request_.header("Expect");
  if (expected == nullptr || is_old_) return read_rest_of_body();
  if (lower_case(*expected) != "100-continue")
    return refuse(error(417, "this server only knows Expect: 100-continue"));
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  socket_.expires_after(surroundings_.settings.limits.write_patience);
  asio::async_write(socket_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = shared_from_this()](ErrorCode failed, std::size_t) {
                      if (failed) return self->close();
                      self->read_rest_of_body();
                    });
}

void Connection::read_rest_of_body() {
  socket_.expires_after(surroundings_.settings.limits.body_patience);
  beast::http::async_read(
      socket_, buffer_, *parser_, [self = shared_from_this()](ErrorCode failed, std::size_t) {
        if (!failed) {
          self->request_.body = std::move(self->parser_->get().body());
          return self->hand_over();
        }
        if (failed == beast::http::error::body_limit)
          return self->refuse(self->error(
              413, "the body is larger than " + std::to_string(self->route_->most_body_bytes) + " bytes"));
        if (is_bad_http(failed))
          return self->refuse(self->error(400, "the body is not what its headers say: " + failed.message()));
        self->close();
      });
}

// A client that goes while a handler works is noticed for that handler. One that has only stopped sending
// looks the same, and still gets its answer, where the handler makes one; the bytes of a next request are
// left alone, and end the watch.
void Connection::watch_while_handled() {
  socket_.socket().async_wait(asio::ip::tcp::socket::wait_read, [self =
                                                                     shared_from_this()](ErrorCode failed) {
    if (failed || self->is_closed_) return;
    char byte = 0;
    const ssize_t count = ::recv(self->socket_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) *self->is_client_gone_ = true;
  });
}

void Connection::hand_over() {
  request_.is_client_gone = [gone = is_client_gone_] { return gone->load(); };
  watch_while_handled();
  auto work = [self = shared_from_this()]() mutable {
    Connection& connection = *self;
    asio::io_context& io = connection.surroundings_.io;
    Response response = connection.answer();
    std::shared_ptr<StreamState> stream;
    Producer producer = std::move(response.producer);
    if (producer && !connection.is_head_) {
      stream = std::make_shared<StreamState>(connection.surroundings_.settings.limits.stream_bytes,
                                             [&io, weak = connection.weak_from_this()] {
                                               asio::post(io, [weak] {
                                                 if (const auto found = weak.lock()) found->pump();
                                               });
                                             });
    }
    response.producer = producer;  // what says that it has no length
    asio::post(io, [self, response = std::move(response), stream]() mutable {
      self->respond(std::move(response), std::move(stream));
    });
    if (stream) {
      const auto end = std::make_shared<ProducerEnd>(std::move(stream));
      try {
        producer(end);
      } catch (...) {
        end->abort();  // the head is gone: nothing else can tell the client
      }
    }
    // The last owner may be this one, and a connection ends on the server's thread.
    asio::post(io, [owner = std::move(self)] {});
  };
  if (!surroundings_.pool.submit(std::move(work)))
    refuse(error(503, "too many requests wait for an answer").with("Retry-After", "1"));
}

// On a thread of the pool; nothing else touches the request meanwhile.
Response Connection::answer() const {
  try {
    return route_->handler(request_);
  } catch (const HttpError& problem) {
    Response response = error(problem.status(), problem.what(), problem.hint());
    if (problem.status() == 503) response.headers.push_back({"Retry-After", "1"});
    return response;
  } catch (const Error& problem) {
    return error(status_of(problem), problem.what(), problem.hint());
  } catch (const std::bad_alloc&) {
    return error(503, "there is not enough memory for this answer").with("Retry-After", "10");
  } catch (const std::exception& problem) {
    return error(500, problem.what());
  }
}

Response Connection::error(int status, const std::string& message, const std::string& hint) const {
  const auto& form = surroundings_.settings.error_form;
  Response response = form ? form(request_, status, message, hint) : Response::error(status, message, hint);
  response.status = status;
  return response;
}

// An answer without the body having been read: what would come next is not a request.
void Connection::refuse(Response response) {
  if (!parser_->is_done()) keeps_alive_ = false;
  respond(std::move(response), nullptr);
}

std::string Connection::head_of(const Response& response, bool is_streamed) const {
  std::string head =
      "HTTP/1.1 " + std::to_string(response.status) + ' ' + reason_phrase(response.status) + "\r\n";
  head += "Date: " + date_text() + "\r\n" + surroundings_.fixed_headers;
  for (const Header& header : response.headers) head += one_header(header);
  if (find_header(response.headers, "Cache-Control") == nullptr) head += "Cache-Control: no-store\r\n";
  if (is_streamed) {
    if (!is_old_) head += "Transfer-Encoding: chunked\r\n";
  } else if (!has_no_body(response.status)) {
    const std::size_t size = response.fixed_body.empty() ? response.body.size() : response.fixed_body.size();
    head += "Content-Length: " + std::to_string(size) + "\r\n";
  }
  head += keeps_alive_ ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

void Connection::respond(Response response, std::shared_ptr<StreamState> stream) {
  if (is_closed_) {
    if (stream) stream->close();
    return;
  }
  ErrorCode ignored;
  socket_.socket().cancel(ignored);  // the watch
  if (surroundings_.is_stopping) keeps_alive_ = false;
  const bool is_streamed = response.producer != nullptr;
  // The watch on a client that is only listened to is a read that would take the next request's first bytes.
  if (stream) keeps_alive_ = false;
  status_ = response.status;
  head_ = head_of(response, is_streamed);
  body_ = std::move(response.body);
  head_left_ = head_;
  body_left_ = response.fixed_body.empty() ? std::string_view(body_) : response.fixed_body;
  if (is_head_ || is_streamed || has_no_body(status_)) body_left_ = {};
  stream_ = std::move(stream);
  is_last_piece_ = !stream_;
  if (stream_) watch_client();
  is_writing_ = true;
  write_rest();
}

void Connection::write_rest() {
  if (head_left_.empty() && body_left_.empty()) {
    is_writing_ = false;
    return is_last_piece_ ? finish_response() : pump();
  }
  socket_.expires_after(surroundings_.settings.limits.write_patience);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(head_left_.data(), head_left_.size()),
                                                  asio::buffer(body_left_.data(), body_left_.size())};
  socket_.async_write_some(buffers, [self = shared_from_this()](ErrorCode failed, std::size_t count) {
    if (failed || self->is_closed_) return self->close();
    const std::size_t of_head = std::min(count, self->head_left_.size());
    self->head_left_.remove_prefix(of_head);
    self->body_left_.remove_prefix(count - of_head);
    self->write_rest();
  });
}

void Connection::pump() {
  if (is_closed_ || is_writing_ || !stream_ || is_last_piece_) return;
  StreamState::Piece piece = stream_->take();
  if (piece.bytes.empty() && !piece.is_last) return;
  if (piece.is_last && !piece.is_whole) return close();  // without the last chunk: something is missing
  head_.clear();
  body_ = std::move(piece.bytes);
  if (!is_old_ && !body_.empty()) {
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", body_.size());
    head_ = size;
    body_ += "\r\n";
  }
  if (!is_old_ && piece.is_last) body_ += "0\r\n\r\n";
  is_last_piece_ = piece.is_last;
  head_left_ = head_;
  body_left_ = body_;
  is_writing_ = true;
  write_rest();
}

// A client that is gone is noticed by its end of the connection, since nothing may be sent to it for long.
// Whatever else it sends while it is answered is no request that will be read.
void Connection::watch_client() {
  socket_.expires_never();
  is_reading_ = true;
  socket_.async_read_some(asio::buffer(discarded_), [self = shared_from_this()](ErrorCode, std::size_t) {
    self->is_reading_ = false;
    self->close();
  });
}

void Connection::finish_response() {
  surroundings_.bodies_bytes -= std::exchange(reserved_bytes_, 0);
  if (const auto& told = surroundings_.settings.on_answered)
    told({is_head_ ? "HEAD" : request_.method, request_.path, route_, status_,
          std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - began_)});
  if (!keeps_alive_ || surroundings_.is_stopping) return end_politely();
  body_.clear();
  wait_for_request(surroundings_.settings.limits.idle_patience);
}

void Connection::end_politely() {
  ErrorCode ignored;
  socket_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  farewell_.expires_after(kFarewell);
  farewell_.async_wait([self = shared_from_this()](ErrorCode) { self->close(); });
  if (!is_reading_) {
    socket_.expires_never();
    discard_input();
  }
}

void Connection::discard_input() {
  socket_.async_read_some(asio::buffer(discarded_),
                          [self = shared_from_this()](ErrorCode failed, std::size_t count) {
                            self->discarded_bytes_ += count;
                            if (failed || self->is_closed_ || self->discarded_bytes_ > kMostDiscarded)
                              return self->close();
                            self->discard_input();
                          });
}

}  // namespace tune::http
