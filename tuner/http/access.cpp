#include "tuner/http/access.h"

#include <algorithm>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/http/token_file.h"

namespace tune::http {
namespace {

constexpr std::size_t kMostSessions = 64;
constexpr std::uint64_t kMostFormBytes = 4096;

std::size_t count_of(const std::vector<Header>& headers, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(headers.begin(), headers.end(), [name](const Header& header) {
    return lower_case(header.name) == name;
  }));
}

// The values of a cookie, which a client may send several times.
std::vector<std::string> cookies_named(const Request& request, const std::string& name) {
  std::vector<std::string> values;
  for (const Header& header : request.headers) {
    if (lower_case(header.name) != "cookie") continue;
    for (std::size_t begin = 0; begin < header.value.size();) {
      const std::size_t end = std::min(header.value.find(';', begin), header.value.size());
      std::string one = header.value.substr(begin, end - begin);
      one.erase(0, std::min(one.find_first_not_of(' '), one.size()));
      if (one.starts_with(name + '=')) values.push_back(one.substr(name.size() + 1));
      begin = end + 1;
    }
  }
  return values;
}

std::string cookie_name(int port) { return "tune_" + std::to_string(port); }

// What a person sees who has no session: no script, and nothing that the request brought.
std::string log_in_html(const std::string& sentence) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><link "
         "rel=\"icon\" "
         "href=\"data:,\"><title>tune</title></head><body><main><h1>tune</h1>\n<p>" +
         html_escaped(sentence) +
         "</p>\n<form method=\"post\" action=\"/login\"><label>Token <input name=\"token\" type=\"password\" "
         "autocomplete=\"off\" required autofocus></label> <button>Log in</button></form>\n<p>The token "
         "is in the file that the server named when it started, `.serve-token` in the store unless "
         "--token-file named another.</p>\n</main></body></html>\n";
}

Response log_in_page(int status, const std::string& sentence) {
  return Response::text(log_in_html(sentence), "text/html; charset=utf-8", status);
}

Response go_to_start() {
  Response response;
  response.status = 303;
  response.headers = {{"Location", "/"}};
  return response;
}

}  // namespace

Access::Access(Settings settings) : settings_(std::move(settings)) {
  TUNE_CHECK(!settings_.token.empty() && !settings_.hosts.empty());
}

std::optional<Access::Objection> Access::objection(const Request& request, bool is_open) const {
  const std::string* host = request.header("Host");
  if (host == nullptr || count_of(request.headers, "host") != 1)
    return Objection{421, "a request needs one Host header", "", ""};
  const std::string name = lower_case(*host);
  if (std::find(settings_.hosts.begin(), settings_.hosts.end(), name) == settings_.hosts.end())
    return Objection{421, "this server does not go by the name in the Host header",
                     "open it by the address that it has printed; " + settings_.more_hosts, ""};
  const std::string* origin = request.header("Origin");
  if (origin != nullptr &&
      (count_of(request.headers, "origin") != 1 || lower_case(*origin) != "http://" + name))
    return Objection{403, "the request comes from a page of another site", "", ""};
  const std::string* site = request.header("Sec-Fetch-Site");
  if (site != nullptr &&
      (count_of(request.headers, "sec-fetch-site") != 1 || (*site != "same-origin" && *site != "none")))
    return Objection{403, "the request comes from a page of another site",
                     "open the address in a window of its own, not by a link", ""};
  if (is_open || knows(request)) return std::nullopt;
  Objection unknown{401, "the request has no valid token", "send `Authorization: Bearer TOKEN`", ""};
  if (settings_.has_sessions) {
    unknown.hint += ", or open the address that the server has printed";
    if (request.accepts("text/html")) unknown.page = log_in_html("This browser is not logged in.");
  }
  return unknown;
}

bool Access::knows(const Request& request) const {
  const std::string* authorization = request.header("Authorization");
  constexpr std::string_view kBearer = "bearer ";
  if (authorization != nullptr && count_of(request.headers, "authorization") == 1 &&
      lower_case(authorization->substr(0, kBearer.size())) == kBearer &&
      is_same_secret(std::string_view(*authorization).substr(kBearer.size()), settings_.token))
    return true;
  // What changes something comes from a page of ours, which its browser says.
  if (!settings_.has_sessions || (request.method != "GET" && request.header("Origin") == nullptr))
    return false;
  const std::lock_guard lock(mutex_);
  bool known = false;
  for (const std::string& value : cookies_named(request, cookie_name(settings_.port)))
    for (const std::string& session : sessions_) known = is_same_secret(value, session) || known;
  return known;
}

std::string Access::one_time_path() {
  const std::lock_guard lock(mutex_);
  once_ = random_digits(32);
  return "/login?once=" + once_;
}

std::vector<Header> Access::headers_of_every_response() const {
  return {{"Content-Security-Policy", settings_.content_security_policy},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

std::vector<Route> Access::routes() {
  if (!settings_.has_sessions) return {};
  return {
      {"GET", "/login", [this](const Request& request) { return log_in_once(request); }, /*is_open=*/true},
      {"POST",
       "/login",
       [this](const Request& request) { return log_in_by_form(request); },
       /*is_open=*/true,
       kMostFormBytes,
       {"application/x-www-form-urlencoded"}}};
}

Response Access::log_in_once(const Request& request) {
  const std::string* once = request.parameter("once");
  if (once == nullptr) return log_in_page(200, "Log in with the server's token.");
  {
    const std::lock_guard lock(mutex_);
    if (!once_.empty() && is_same_secret(*once, once_)) {
      once_.clear();
      return begin_session(lock);
    }
  }
  // A browser may have fetched it before its reader pressed Enter, and a tab may be loaded again.
  if (knows(request)) return go_to_start();
  return log_in_page(403, "This address was good for one use, and is used up.");
}

Response Access::log_in_by_form(const Request& request) {
  // Without one, it is no browser that sends it, and a program has no use for a session.
  if (request.header("Origin") == nullptr)
    return Response::error(403, "the form is for browsers", "programs send `Authorization: Bearer TOKEN`");
  for (const auto& [name, value] : query_parameters(request.body))
    if (name == "token" && is_same_secret(value, settings_.token)) {
      const std::lock_guard lock(mutex_);
      return begin_session(lock);
    }
  return log_in_page(403, "This is not the server's token.");
}

Response Access::begin_session(const std::lock_guard<std::mutex>&) {
  sessions_.push_back(random_digits(32));
  if (sessions_.size() > kMostSessions) sessions_.erase(sessions_.begin());
  return go_to_start().with("Set-Cookie", cookie_name(settings_.port) + '=' + sessions_.back() +
                                              "; HttpOnly; SameSite=Strict; Path=/");
}

}  // namespace tune::http
