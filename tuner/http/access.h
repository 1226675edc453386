#pragma once
// Who may ask, and how: checked for every method of every path before the path is looked at.
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tuner/http/message.h"
#include "tuner/http/route_table.h"

namespace tune::http {

// Rights of one server. Thread-safe; owned by whoever owns the server, and outlives it.
//
// A program shows the token as `Authorization: Bearer TOKEN`. A browser gets a session instead, where the
// server `has_sessions`: by the one-time address that is printed at the start (GET /login?once=...), or by a
// form that takes the token (POST /login). The session is a random cookie that only this process knows: it is
// not the token, dies with the server, and scripts and other sites cannot read or send it (HttpOnly,
// SameSite=Strict).
class Access {
 public:
  struct Settings {
    std::string token;               // 64 hexadecimal digits; see token_file.h
    std::vector<std::string> hosts;  // what Host may say, "127.0.0.1:8787"; see hosts_of() in listener.h
    std::string more_hosts = {};     // how its user adds one: "start it with --allow-host NAME:PORT"
    bool has_sessions = false;       // GET and POST /login
    int port = 0;                    // part of the cookie's name, since cookies do not know ports
    // Of every response.
    std::string content_security_policy =
        "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'self'; object-src "
        "'none'; "
        "frame-ancestors 'none'";
  };
  explicit Access(Settings settings);

  // Why a request is refused. `page` is what a browser shows instead of the message; empty for programs.
  struct Objection {
    int status = 0;
    std::string message, hint, page;
  };
  // The first of these that fails; nullopt when all hold:
  //   Host: exactly one, and on the list (421);
  //   Origin, where there is one: http://HOST of this very request (403);
  //   Sec-Fetch-Site, where there is one: same-origin, or none (403);
  //   the token, or a session, unless `is_open` (401). A session counts for GET, and for what a page of this
  //   very server sends, as Origin says.
  std::optional<Objection> objection(const Request& request, bool is_open) const;

  // "/login?once=...": good for one use.
  std::string one_time_path();
  std::vector<Header> headers_of_every_response() const;

  // The rows of /login, to be put into the table; both are open, as they are how one gets in.
  std::vector<Route> routes();

 private:
  Response log_in_once(const Request& request);
  Response log_in_by_form(const Request& request);
  Response begin_session(const std::lock_guard<std::mutex>& held);
  bool knows(const Request& request) const;

  Settings settings_;
  mutable std::mutex mutex_;
  std::string once_;                   // empty: used up
  std::vector<std::string> sessions_;  // the newest last; bounded
};

}  // namespace tune::http
