#include "tuner/http/client.h"

#include <algorithm>
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
constexpr Milliseconds kLookWhetherWanted{100};

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
  const bool is_plain = std::all_of(url.path.begin(), url.path.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '?' && c != '#';
  });
  if (!is_plain) throw objection("is no base address", "leave spaces, ? and # out");
  return url;
}

class Client::Implementation {
 public:
  explicit Implementation(Settings settings) : settings_(std::move(settings)) {}

  ClientResponse begin(const ClientRequest& request) {
    require_one_line(request);
    // What nobody has read of the last answer would be taken for this one.
    if (parser_ && !parser_->is_done()) stream_.reset();
    const bool was_open = stream_.has_value();
    if (!was_open) connect();
    bool any = false;  // of the answer
    timed_out_ = false;
    try {
      return exchange(request, any);
    } catch (const Error& error) {
      stream_.reset();
      if (!was_open || any || timed_out_ || error.code() == ExitCode::kInterrupted) throw;
    }
    connect();
    try {
      return exchange(request, any);
    } catch (const Error&) {
      stream_.reset();
      throw;
    }
  }

  void read_body(const std::function<bool(std::string_view)>& take) {
    TUNE_CHECK(parser_.has_value());
    try {
      if (!read_pieces(take) || !parser_->keep_alive() || !is_sent_) stream_.reset();
    } catch (...) {
      stream_.reset();
      throw;
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what, ErrorCode error) {
    if (is_unwanted())
      throw Error(ExitCode::kInterrupted,
                  "http://" + settings_.address.text() + ": interrupted before the answer was there");
    timed_out_ = error == beast::error::timeout;
    const std::string why = timed_out_ ? "no answer in time" : error.message();
    throw Error(
        ExitCode::kEnvironment, "http://" + settings_.address.text() + ": " + what + ": " + why,
        error == asio::error::connection_refused ? "nobody listens there: is the server running?" : "");
  }

  bool is_unwanted() const { return settings_.is_unwanted && settings_.is_unwanted(); }

  // Runs the one operation that was begun.
  void run() {
    io_.restart();
    while (!io_.stopped()) {
      io_.run_for(kLookWhetherWanted);
      if (!io_.stopped() && is_unwanted()) stream_->cancel();
    }
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

  ClientResponse exchange(const ClientRequest& request, bool& any) {
    const ErrorCode while_sending = send(text_of(request, settings_.address));
    is_sent_ = !while_sending;  // else the server may have answered without reading it all
    parser_.emplace();
    parser_->header_limit(kHeadBytes);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
    parser_->skip(request.method == "HEAD");
    ErrorCode error;
    read([&](auto done) { beast::http::async_read_header(*stream_, buffer_, *parser_, done); }, error);
    any = parser_->got_some() || buffer_.size() > 0;
    if (error)
      fail(is_sent_ ? "cannot read the answer" : "cannot send the request", is_sent_ ? error : while_sending);
    ClientResponse response;
    response.status = static_cast<int>(parser_->get().result_int());
    for (const auto& field : parser_->get())
      response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
    return response;
  }

  ErrorCode send(std::string_view left) {
    ErrorCode error;
    while (!left.empty() && !error) {
      std::size_t count = 0;
      stream_->expires_after(settings_.answer_patience);
      stream_->async_write_some(asio::buffer(left.data(), left.size()),
                                [&](ErrorCode result, std::size_t written) {
                                  error = result;
                                  count = written;
                                });
      run();
      left.remove_prefix(count);
    }
    return error;
  }

  // False where `take` wants no more.
  bool read_pieces(const std::function<bool(std::string_view)>& take) {
    std::vector<char> piece(kPieceBytes);
    std::uint64_t total = 0;
    while (!parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = piece.data();
      body.size = piece.size();
      body.more = true;
      ErrorCode error;
      read([&](auto done) { beast::http::async_read_some(*stream_, buffer_, *parser_, done); }, error);
      if (error == beast::http::error::need_buffer) error = {};
      if (error) fail("the answer breaks off", error);
      const std::string_view got(piece.data(), piece.size() - body.size);
      total += got.size();
      if (total > settings_.most_body_bytes)
        throw Error(ExitCode::kEnvironment, "http://" + settings_.address.text() +
                                                ": the answer is larger than " +
                                                std::to_string(settings_.most_body_bytes) + " bytes");
      if (!got.empty() && !take(got)) return false;
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
  std::optional<beast::http::response_parser<beast::http::buffer_body>> parser_;
  bool timed_out_ = false, is_sent_ = false;
};

Client::Client(Settings settings) : implementation_(std::make_unique<Implementation>(std::move(settings))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;

ClientResponse Client::ask(const ClientRequest& request) {
  std::string body;
  ClientResponse response = ask(request, [&body](std::string_view piece) {
    body += piece;
    return true;
  });
  response.body = std::move(body);
  return response;
}

ClientResponse Client::ask(const ClientRequest& request, const std::function<bool(std::string_view)>& take) {
  ClientResponse response = begin(request);
  read_body(take);
  return response;
}

ClientResponse Client::begin(const ClientRequest& request) { return implementation_->begin(request); }
void Client::read_body(const std::function<bool(std::string_view)>& take) {
  implementation_->read_body(take);
}

}  // namespace tune::http
