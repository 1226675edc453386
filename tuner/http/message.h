#pragma once
// What a handler of tuner/http gets and gives: a request whose limits and rights were checked before, and a
// response that is whole or streamed.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/json.h"

namespace tune::http {

struct Header {
  std::string name, value;  // names compare without case
};

// The value of the first header of that name; nullptr where there is none.
const std::string* find_header(const std::vector<Header>& headers, std::string_view name);

struct Request {
  std::string method;  // "GET", ...; HEAD arrives as "GET", and what answers it is sent without its body
  std::string path;    // as sent, without the query: for messages, never for files
  // What stood where the route's pattern has {name}: decoded once, never empty, without '/', control
  // characters and NUL, and valid UTF-8. Names of things that are looked up, never parts of a path of files.
  std::vector<std::pair<std::string, std::string>> parts;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in their order
  std::vector<Header> headers;
  std::string body;
  // Whether the client has closed its connection meanwhile: for handlers that take long. May be asked by any
  // thread, also when the request is no more.
  std::function<bool()> is_client_gone = [] { return false; };

  const std::string& part(std::string_view name) const;       // an unknown one is a broken invariant
  const std::string* parameter(std::string_view name) const;  // of the query, the first; else nullptr
  const std::string* header(std::string_view name) const { return find_header(headers, name); }
  // Of Content-Type, in lower case and without its parameters: "application/json"; empty without one.
  std::string media_type() const;
  // Whether "Accept" names that media type, not merely */*: "text/html".
  bool accepts(std::string_view media_type) const;
};

// The open end of a streamed response; the server writes at the client's pace what is sent here. Shared by
// the server and whoever produces: any thread, any number of them. When the producer drops its last reference
// the response ends as it should; abort() lets the client see that something is missing.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // Queues the bytes. False, and nothing is queued, when the client is gone or already has
  // Limits::stream_bytes waiting for it.
  virtual bool send(std::string bytes) = 0;
  // The same, but waits for room. False when the client is gone, or there was no room within `patience`.
  virtual bool send_waiting(std::string bytes, Milliseconds patience) = 0;
  virtual bool is_open() const = 0;  // false once the client or the server has gone
  virtual std::size_t waiting_bytes() const = 0;
  virtual void abort() = 0;
};

// Starts what sends: called on a handler's thread once the head of the response is on its way. It may send
// all there (a reply that takes seconds to make), or keep the stream and return (server-sent events).
using Producer = std::function<void(std::shared_ptr<ResponseStream>)>;

struct Response {
  int status = 200;
  std::vector<Header> headers;  // the server adds Content-Length, Date, and what Access says for all of them
  std::string body;
  std::string_view fixed_body;  // instead of `body`: bytes that live as long as the program (embedded files)
  Producer producer;            // instead of both: chunked, or until the connection closes for HTTP/1.0

  static Response json(const OrderedJson& value, int status = 200);
  static Response text(std::string text, std::string content_type = "text/plain; charset=utf-8",
                       int status = 200);
  static Response streamed(std::string content_type, Producer producer);
  // {"schema": 1, "error": {"message": ..., "hint": ...}}: the shape of tune's own errors.
  static Response error(int status, std::string_view message, std::string_view hint = {});
  Response&& with(std::string name, std::string value) &&;
};

// Called on one of the server's handler threads, of which there are Limits::threads. What it throws is
// answered with an error: tune::Error by its exit code (not found 404, usage and bad spec 400, conflict 409,
// else 500), HttpError by its status (503 with Retry-After), anything else 500.
using Handler = std::function<Response(const Request&)>;

// Ends a handler with that response.
class HttpError : public std::runtime_error {
 public:
  HttpError(int status, const std::string& message, std::string hint = {})
      : std::runtime_error(message), status_(status), hint_(std::move(hint)) {}
  int status() const { return status_; }
  const std::string& hint() const { return hint_; }

 private:
  int status_;
  std::string hint_;
};

// A server-sent event (HTML standard, 9.2): a text of several lines becomes several data lines.
std::string event_text(std::string_view event, std::string_view data, std::string_view id = {});

}  // namespace tune::http
