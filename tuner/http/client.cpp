#include "tuner/http/client.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <limits>
#include <optional>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kHeadBytes = 64 << 10;
constexpr std::size_t kPieceBytes = 64 << 10;

std::string text_of(const ClientRequest& request, const Address& address) {
  std::string text = request.method + ' ' + request.target + " HTTP/1.1\r\nHost: " + address.text() + "\r\n";
  for (const Header& header : request.headers) text += header.name + ": " + header.value + "\r\n";
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT")
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return text + "\r\n" + request.body;
}

// A target or header with a line's end would be a request of its own.
void require_one_line(const ClientRequest& request) {
  const auto is_plain = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
  };
  bool plain =
      is_plain(request.method) && is_plain(request.target) && request.target.find(' ') == std::string::npos;
  for (const Header& header : request.headers)
    plain = plain && is_plain(header.name) && is_plain(header.value);
  TUNE_CHECK(plain, request.target);
}

}  // namespace

Url parse_url(std::string_view text) {
  const auto objection = [text](const std::string& why, const std::string& cure) {
    return Error(ExitCode::kUsage, "\"" + visible_text(text) + "\" " + why, cure);
  };
  if (lower_case(std::string(text.substr(0, 8))) == "https://")
    throw objection("needs TLS, which this client does not speak",
                    "name the server behind it, http://HOST:PORT, or run the command on its machine");
  constexpr std::string_view kScheme = "http://";
  if (lower_case(std::string(text.substr(0, kScheme.size()))) != kScheme)
    throw objection("is no address of a server", "write http://HOST:PORT");
  std::string_view rest = text.substr(kScheme.size());
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  if (slash == 0) throw objection("names no host", "write http://HOST:PORT");
  Url url{parse_address(rest.substr(0, slash), 80), std::string(rest.substr(slash))};
  while (url.path.ends_with('/')) url.path.pop_back();
  if (url.path.find_first_of(" ?#") != std::string::npos)
    throw objection("is no base address", "leave ? and # out");
  return url;
}

class Client::Implementation {
 public:
  explicit Implementation(Settings settings) : settings_(std::move(settings)) {}

  ClientResponse ask(const ClientRequest& request, const std::function<bool(std::string_view)>& take,
                     const std::function<void(const ClientResponse&)>& on_head) {
    require_one_line(request);
    const bool was_open = stream_.has_value();
    if (!was_open) connect();
    bool any = false;  // of the answer
    try {
      return exchange(request, take, on_head, any);
    } catch (const Error&) {
      stream_.reset();
      if (!was_open || any || timed_out_) throw;
    } catch (...) {
      stream_.reset();
      throw;
    }
    connect();
    try {
      return exchange(request, take, on_head, any);
    } catch (...) {
      stream_.reset();
      throw;
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what, ErrorCode error) {
    timed_out_ = error == beast::error::timeout;
    const std::string why = timed_out_ ? "no answer in time" : error.message();
    throw Error(
        ExitCode::kEnvironment, "http://" + settings_.address.text() + ": " + what + ": " + why,
        error == asio::error::connection_refused ? "nobody listens there: is the server running?" : "");
  }

  // Runs the one operation that was begun.
  void run() {
    io_.restart();
    io_.run();
  }

  void connect() {
    ErrorCode error;
    Tcp::resolver resolver(io_);
    const auto places =
        resolver.resolve(settings_.address.host, std::to_string(settings_.address.port), error);
    if (error) fail("cannot find the host", error);
    stream_.emplace(io_);
    buffer_.clear();
    stream_->expires_after(settings_.connect_patience);
    stream_->async_connect(places, [&error](ErrorCode result, const Tcp::endpoint&) { error = result; });
    run();
    if (error) {
      stream_.reset();
      fail("cannot connect", error);
    }
    ErrorCode ignored;
    stream_->socket().set_option(Tcp::no_delay(true), ignored);
  }

  ClientResponse exchange(const ClientRequest& request, const std::function<bool(std::string_view)>& take,
                          const std::function<void(const ClientResponse&)>& on_head, bool& any) {
    const std::string text = text_of(request, settings_.address);
    ErrorCode error;
    for (std::string_view left = text; !left.empty();) {
      std::size_t count = 0;
      stream_->expires_after(settings_.answer_patience);
      stream_->async_write_some(asio::buffer(left.data(), left.size()),
                                [&](ErrorCode result, std::size_t written) {
                                  error = result;
                                  count = written;
                                });
      run();
      if (error) break;  // the server may have answered without reading it all
      left.remove_prefix(count);
    }
    const bool is_sent = !error;
    beast::http::response_parser<beast::http::buffer_body> parser;
    parser.header_limit(kHeadBytes);
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser.skip(request.method == "HEAD");
    const ErrorCode while_sending = error;
    read([&](auto done) { beast::http::async_read_header(*stream_, buffer_, parser, done); }, error);
    any = parser.got_some() || buffer_.size() > 0;
    if (error)
      fail(is_sent ? "cannot read the answer" : "cannot send the request", is_sent ? error : while_sending);
    ClientResponse response;
    response.status = static_cast<int>(parser.get().result_int());
    for (const auto& field : parser.get())
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    if (on_head) on_head(response);
    if (!read_body(parser, take, response)) {
      stream_.reset();
      return response;
    }
    if (!parser.keep_alive() || !is_sent) stream_.reset();
    return response;
  }

  // False where `take` wants no more.
  template <typename Parser>
  bool read_body(Parser& parser, const std::function<bool(std::string_view)>& take,
                 ClientResponse& response) {
    std::array<char, kPieceBytes> piece;
    std::uint64_t total = 0;
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      body.more = true;
      ErrorCode error;
      read([&](auto done) { beast::http::async_read_some(*stream_, buffer_, parser, done); }, error);
      if (error == beast::http::error::need_buffer) error = {};
      if (error) fail("the answer breaks off", error);
      const std::string_view got(piece.data(), piece.size() - body.size);
      total += got.size();
      if (total > settings_.most_body_bytes)
        throw Error(ExitCode::kEnvironment, "http://" + settings_.address.text() +
                                                ": the answer is larger than " +
                                                std::to_string(settings_.most_body_bytes) + " bytes");
      if (got.empty()) continue;
      if (!take)
        response.body += got;
      else if (!take(got))
        return false;
    }
    return true;
  }

  template <typename Begin>
  void read(Begin begin, ErrorCode& error) {
    stream_->expires_after(settings_.answer_patience);
    begin([&error](ErrorCode result, std::size_t) { error = result; });
    run();
  }

  Settings settings_;
  asio::io_context io_{1};
  std::optional<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_{kHeadBytes + kPieceBytes};
  bool timed_out_ = false;
};

Client::Client(Settings settings) : implementation_(std::make_unique<Implementation>(std::move(settings))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

ClientResponse Client::ask(const ClientRequest& request) {
  return implementation_->ask(request, nullptr, nullptr);
}
ClientResponse Client::ask(const ClientRequest& request, const std::function<bool(std::string_view)>& take,
                           const std::function<void(const ClientResponse&)>& on_head) {
  return implementation_->ask(request, take, on_head);
}

}  // namespace tune::http
