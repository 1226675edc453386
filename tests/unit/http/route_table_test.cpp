// Paths and queries as the server reads them.
#include "tuner/http/route_table.h"

#include "support/catch.h"

namespace tune::http {
namespace {

using Parts = std::vector<std::string>;

TEST_CASE("the parts of a path are decoded once") {
  CHECK(path_parts("/") == Parts{""});
  CHECK(path_parts("/a/b%20c/") == Parts{"a", "b c", ""});
  CHECK(path_parts("/%2541") == Parts{"%41"});
  CHECK(path_parts("/a+b/%C3%A4") == Parts{"a+b", "\xC3\xA4"});
}

TEST_CASE("a part that could leave its place is refused, however it is written") {
  for (const char* path :
       {"", "a", "/..", "/.", "/a/../b", "/%2e%2e", "/%2E.", "/a%2Fb", "/a%00b", "/%0d%0a", "/%1b", "/%7f",
        "/%", "/%4", "/%zz", "/%ff", "/%c0%ae%c0%ae", "/%ed%a0%80", "/%f4%90%80%80"}) {
    CAPTURE(path);
    CHECK_THROWS_AS(path_parts(path), HttpError);
  }
}

TEST_CASE("a query is a list of decoded pairs") {
  const auto parameters = query_parameters("a=1&b=x+y%26z&&c&lr=1e-3%3C=2");
  REQUIRE(parameters.size() == 4);
  CHECK(parameters[1] == std::pair<std::string, std::string>{"b", "x y&z"});
  CHECK(parameters[2] == std::pair<std::string, std::string>{"c", ""});
  CHECK(parameters[3].second == "1e-3<=2");
  CHECK(query_parameters("").empty());
  CHECK_THROWS_AS(query_parameters("a=%00"), HttpError);
  CHECK_THROWS_AS(query_parameters("a=%f"), HttpError);
  CHECK_THROWS_AS(query_parameters("a=%ff"), HttpError);
}

TEST_CASE("what is encoded is decoded to the same") {
  const std::string text = "steel <b>\"x\"<b> 100% \xC3\xA4+&=?#";
  CHECK(path_parts('/' + percent_encoded(text)) == Parts{text});
  CHECK(query_parameters("a=" + percent_encoded(text))[0].second == text);
}

TEST_CASE("a path finds its row, and a wrong method says which ones there are") {
  const std::vector<Route> routes{
      {"GET", "/a/{name}", {}}, {"POST", "/a/{name}", {}}, {"GET", "/a/b/{x}", {}}};
  const RouteMatch found = match_route(routes, "POST", {"a", "n"});
  REQUIRE(found.route == &routes[1]);
  CHECK(found.parts.at(0).second == "n");
  CHECK(match_route(routes, "PUT", {"a", "n"}).route == nullptr);
  CHECK(match_route(routes, "PUT", {"a", "n"}).allowed == std::vector<std::string>{"GET", "POST"});
  CHECK(match_route(routes, "GET", {"a"}).allowed.empty());
  CHECK(match_route(routes, "GET", {"a", ""}).allowed.empty());
  CHECK(match_route(routes, "GET", {"a", "b", "c"}).route == &routes[2]);
}

}  // namespace
}  // namespace tune::http
