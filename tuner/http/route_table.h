#pragma once
// The table that a server answers from: plain rows, so that a test can walk all of them.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tuner/http/message.h"

namespace tune::http {

struct Route {
  std::string method;   // "GET" (which answers HEAD too), "POST", ...
  std::string pattern;  // "/api/studies/{study}/trials/{trial}"; "/{file}" is one part, as everywhere
  Handler handler;
  // For everybody who can reach the port. Everything else needs the token (Access).
  bool is_open = false;
  std::uint64_t most_body_bytes = 0;  // 0: this route takes no body
  // Media types that a body may have, "" for one that names none; no types: any. Others are answered with 415
  // before the body is read.
  std::vector<std::string> media_types = {};
};

// How a request's path was found in the table.
struct RouteMatch {
  const Route* route = nullptr;  // nullptr: no row has that path and method
  std::vector<std::pair<std::string, std::string>> parts;
  std::vector<std::string> allowed;  // the methods that the path has; empty: no row has that path
};

// The parts of a path, each decoded once. Throws HttpError(400) for a path that does not begin with '/', a
// bad percent code, and a part that holds '/', NUL, another control character or no valid UTF-8; "." and ".."
// are refused too.
std::vector<std::string> path_parts(std::string_view path);
// The parameters of a query ("a=1&b=x+y"). Throws HttpError(400) as above.
std::vector<std::pair<std::string, std::string>> query_parameters(std::string_view query);
std::string percent_encoded(std::string_view text);

RouteMatch match_route(const std::vector<Route>& routes, std::string_view method,
                       const std::vector<std::string>& parts);

}  // namespace tune::http
