#include "trainer/serve/control.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ostream>

#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"

namespace tune::trainer::serve {
namespace {

std::string text_in(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || member->is_null()) return "";
  if (!member->is_string()) throw Error(ExitCode::kUsage, std::string("\"") + key + "\" is no text");
  return *member;
}

VersionRequest request_in(const Json& load) {
  if (!load.is_object()) throw Error(ExitCode::kUsage, "\"load\" is no object");
  VersionRequest request{text_in(load, "model"), text_in(load, "base"), {}, text_in(load, "version")};
  if (request.model.empty()) throw Error(ExitCode::kUsage, "\"load\" names no model");
  const Json adapters = load.value("adapters", Json::object());
  if (!adapters.is_object()) throw Error(ExitCode::kUsage, "\"adapters\" is no object of names and folders");
  for (const auto& [name, folder] : adapters.items())
    request.adapters[name] = text_in(adapters, name.c_str());
  return request;
}

}  // namespace

Control::~Control() {
  if (loading_.joinable()) loading_.join();
}

void Control::tell(const OrderedJson& line) {
  const std::lock_guard lock(mutex_);
  out_ << line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) << std::endl;
}

void Control::tell_ready(int port, const std::string& version) {
  tell({{"ready", {{"port", port}, {"version", version}, {"pid", ::getpid()}}}});
}

void Control::load(const VersionRequest& request) {
  const auto begin = std::chrono::steady_clock::now();
  try {
    endpoint_.load(request);
  } catch (const Error& error) {
    const std::string message =
        error.hint().empty() ? error.what() : std::string(error.what()) + "; " + error.hint();
    tell({{"failed", {{"version", request.version}, {"message", message}}}});
    return;
  } catch (const std::exception& error) {
    tell({{"failed", {{"version", request.version}, {"message", error.what()}}}});
    return;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  tell({{"loaded", {{"version", request.version}, {"seconds", seconds}}}});
}

void Control::take_line(std::string_view line) {
  const BoundedJson read = parse_bounded_json(line);
  try {
    if (!read.problem.empty()) throw Error(ExitCode::kUsage, "the line: " + read.problem);
    if (read.value.is_object() && read.value.contains("load")) {
      const VersionRequest request = request_in(read.value["load"]);
      if (loading_.joinable()) loading_.join();  // one after the other, in their order
      loading_ = std::thread([this, request] { load(request); });
    } else if (read.value.is_object() && read.value.contains("stats")) {
      const EndpointMetrics::Totals totals = endpoint_.metrics().totals();
      tell({{"stats",
             {{"requests", totals.requests},
              {"last_request",
               totals.last_request ? OrderedJson(format_time(*totals.last_request)) : OrderedJson()},
              {"failed", totals.failed},
              {"running", endpoint_.running()}}}});
    } else {
      throw Error(ExitCode::kUsage, "the line asks for neither load nor stats");
    }
  } catch (const Error& error) {
    tell({{"error", {{"message", error.what()}}}});
  }
}

void Control::read_lines(int descriptor, const std::function<bool()>& stops) {
  constexpr std::size_t kLongestLine = 1 << 20;
  constexpr int kBetweenLooksMs = 200;
  std::string held;
  std::array<char, 4096> piece{};
  while (!stops()) {
    pollfd waits{descriptor, POLLIN, 0};
    if (::poll(&waits, 1, kBetweenLooksMs) <= 0) continue;
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return;
    held.append(piece.data(), static_cast<std::size_t>(count));
    for (std::size_t end = held.find('\n'); end != std::string::npos; end = held.find('\n')) {
      if (end > 0) take_line(std::string_view(held).substr(0, end));
      held.erase(0, end + 1);
    }
    if (held.size() > kLongestLine) {
      tell({{"error", {{"message", "a line is longer than a megabyte"}}}});
      return;
    }
  }
}

}  // namespace tune::trainer::serve
