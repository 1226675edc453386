#include "tuner/http/server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <thread>

#include "tuner/core/error.h"
#include "tuner/http/connection.h"

namespace tune::http {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds kAfterFailedAccept{100};  // no descriptor is free: one may be soon

std::string lines_of(const std::vector<Header>& headers) {
  std::string lines;
  for (const Header& header : headers) lines += header.name + ": " + header.value + "\r\n";
  return lines;
}

}  // namespace

class Server::Implementation {
 public:
  Implementation(Listener listener, std::vector<Route> routes, const Access& access, ServerSettings settings)
      : address_(listener.address),
        routes_(std::move(routes)),
        settings_(std::move(settings)),
        pool_(settings_.limits.threads, settings_.limits.queued),
        surroundings_{io_, routes_, access, settings_, lines_of(access.headers_of_every_response()), pool_},
        acceptor_(io_, address_.host.find(':') == std::string::npos ? Tcp::v4() : Tcp::v6(),
                  listener.socket.release()),
        pause_(io_) {}
  ~Implementation() { stop(Milliseconds(0), true); }

  void start() {
    TUNE_CHECK(!thread_.joinable());
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  void stop(Milliseconds grace, bool ends_streams) {
    if (!thread_.joinable()) return;
    on_thread([this, ends_streams] {
      surroundings_.is_stopping = true;
      boost::system::error_code ignored;
      acceptor_.close(ignored);
      pause_.cancel(ignored);
      for (Connection* connection : std::set<Connection*>(surroundings_.open)) connection->stop(ends_streams);
    });
    const SteadyTime deadline = std::chrono::steady_clock::now() + grace;
    while (open_connections() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(Milliseconds(5));
    on_thread([this] {
      for (Connection* connection : std::set<Connection*>(surroundings_.open)) connection->close();
    });
    work_.reset();
    io_.stop();
    thread_.join();
    // What waited for a handler, and what the handlers still post, owns connections: all end here, on one
    // thread.
    pool_.stop();
    io_.restart();
    while (io_.poll() > 0) {
    }
  }

  const Address& address() const { return address_; }
  std::size_t open_connections() const { return surroundings_.open_count.load(); }
  std::size_t waiting_requests() const { return pool_.waiting(); }

 private:
  // Waits until it ran.
  void on_thread(const std::function<void()>& what) {
    std::promise<void> done;
    asio::post(io_, [&what, &done] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Tcp::socket socket) {
      if (surroundings_.is_stopping || error == asio::error::operation_aborted) return;
      if (error) {
        pause_.expires_after(kAfterFailedAccept);
        pause_.async_wait([this](boost::system::error_code cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      if (surroundings_.open.size() >= settings_.limits.connections)
        turn_away(socket);
      else
        std::make_shared<Connection>(std::move(socket), surroundings_)->start();
      accept();
    });
  }

  static void turn_away(Tcp::socket& socket) {
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
        "close\r\n\r\n";
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kFull.data(), kFull.size()), ignored);
  }

  const Address address_;
  const std::vector<Route> routes_;
  const ServerSettings settings_;
  asio::io_context io_{1};
  WorkerPool pool_;
  Surroundings surroundings_;
  Tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::thread thread_;
};

Server::Server(Listener listener, std::vector<Route> routes, const Access& access, ServerSettings settings)
    : implementation_(std::make_unique<Implementation>(std::move(listener), std::move(routes), access,
                                                       std::move(settings))) {}
Server::~Server() = default;
void Server::start() { implementation_->start(); }
void Server::stop(Milliseconds grace, bool ends_streams) { implementation_->stop(grace, ends_streams); }
const Address& Server::address() const { return implementation_->address(); }
std::size_t Server::open_connections() const { return implementation_->open_connections(); }
std::size_t Server::waiting_requests() const { return implementation_->waiting_requests(); }

}  // namespace tune::http
