// Who gets in.
#include "tuner/http/access.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/http/token_file.h"
#include "unit/http/server_fixture.h"
#include "unit/store/store_fixture.h"

namespace tune::http {
namespace {

const std::vector<std::string> kMethods{"GET",   "HEAD",    "POST",  "PUT", "DELETE",
                                        "PATCH", "OPTIONS", "TRACE", "BREW"};

std::string line(const std::string& name, const std::string& value) { return name + ": " + value + "\r\n"; }

TEST_CASE("without the token every method of every path that is not open is answered with 401") {
  const TestServer server(test_routes());
  for (const std::string& method : kMethods)
    for (const char* path :
         {"/", "/things/a", "/echo", "/nothing", "/things/%00", "/..", "/open/../things/a", "/opens"})
      for (const std::string& lines :
           {std::string(), line("Authorization", "Bearer"),
            line("Authorization", "Bearer " + std::string(64, 'b')), line("Authorization", kTestToken),
            line("Authorization", "Basic " + kTestToken), line("Authorization", "Bearer " + kTestToken + "a"),
            line("Authorization", "Bearer " + kTestToken.substr(1)),
            line("Cookie", "tune_" + std::to_string(server.port()) + '=' + kTestToken),
            line("Authorization", "Bearer " + kTestToken) + line("Authorization", "Bearer " + kTestToken)}) {
        CAPTURE(method, path, lines);
        CHECK(status_in(server.answer(method + ' ' + path + " HTTP/1.1\r\n" + line("Host", server.host()) +
                                      lines + "\r\n")) == 401);
      }
}

TEST_CASE("another Host, Origin or site is refused for every method, open or not") {
  const TestServer server(test_routes());
  const std::string token = line("Authorization", "Bearer " + kTestToken);
  const std::string port = std::to_string(server.port());
  for (const std::string& method : kMethods) {
    for (const char* path : {"/open", "/things/a", "/login"}) {
      CAPTURE(method, path);
      const auto status = [&](const std::string& lines) {
        return status_in(server.answer(method + ' ' + path + " HTTP/1.1\r\n" + lines + token + "\r\n"));
      };
      for (const std::string& host : std::initializer_list<std::string>{
               std::string("evil.example"), "evil.example:" + port, "127.0.0.1:1", std::string("127.0.0.1"),
               "127.0.0.1:" + port + ".evil.example", std::string(), "localhost.evil.example:" + port,
               "gpu-box:81"}) {
        CAPTURE(host);
        CHECK(status(line("Host", host)) == 421);
      }
      CHECK(status("") == 421);
      CHECK(status(line("Host", server.host()) + line("Host", server.host())) == 421);
      const std::string host = line("Host", server.host());
      for (const char* origin : {"http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"}) {
        CAPTURE(origin);
        CHECK(status(host + line("Origin", origin)) == 403);
      }
      CHECK(status(host + line("Origin", "https://" + server.host())) == 403);
      // One name of this server is another site than the other.
      CHECK(status(host + line("Origin", "http://localhost:" + port)) == 403);
      for (const char* site : {"cross-site", "same-site", "anything", ""}) {
        CAPTURE(site);
        CHECK(status(host + line("Sec-Fetch-Site", site)) == 403);
      }
    }
  }
}

TEST_CASE("its own names, pages and programs get in") {
  const TestServer server(test_routes());
  const std::string token = line("Authorization", "Bearer " + kTestToken);
  const std::string port = std::to_string(server.port());
  const auto status = [&](const std::string& lines) {
    return status_in(server.answer("GET /things/a HTTP/1.1\r\n" + lines + token + "\r\n"));
  };
  for (const std::string& host : {"127.0.0.1:" + port, "localhost:" + port, "LocalHost:" + port,
                                  "[::1]:" + port, std::string("gpu-box:80")}) {
    CAPTURE(host);
    CHECK(status(line("Host", host)) == 200);
    CHECK(status(line("Host", host) + line("Origin", "http://" + host) +
                 line("Sec-Fetch-Site", "same-origin")) == 200);
  }
  CHECK(status(line("Host", server.host()) + line("Sec-Fetch-Site", "none")) == 200);
  CHECK(status_in(server.answer("GET /open HTTP/1.1\r\n" + line("Host", server.host()) + "\r\n")) == 200);
}

std::string cookie_in(const std::string& answer) {
  const std::string name = "Set-Cookie: ";
  const std::size_t begin = answer.find(name);
  if (begin == std::string::npos) return {};
  return answer.substr(begin + name.size(), answer.find(';', begin) - begin - name.size());
}

TEST_CASE("the one-time address gives a session, once, in a cookie that scripts and other sites do not get") {
  TestServer server(test_routes());
  const std::string path = server.access().one_time_path();
  const std::string host = line("Host", server.host());
  const std::string answer = server.answer("GET " + path + " HTTP/1.1\r\n" + host + "\r\n");
  CHECK(status_in(answer) == 303);
  CHECK(answer.find("; HttpOnly; SameSite=Strict; Path=/\r\n") != std::string::npos);
  CHECK(answer.find(kTestToken) == std::string::npos);
  const std::string cookie = line("Cookie", "other=1; " + cookie_in(answer));
  const auto with_cookie = [&](const std::string& method, const std::string& to, const std::string& lines,
                               const std::string& body = "") {
    return status_in(server.answer(method + ' ' + to + " HTTP/1.1\r\n" + host + cookie + lines +
                                   (body.empty() ? "" : line("Content-Length", std::to_string(body.size()))) +
                                   "\r\n" + body));
  };
  CHECK(with_cookie("GET", "/things/a", "") == 200);
  // What changes something comes from a page of this server.
  CHECK(with_cookie("POST", "/echo", line("Content-Type", "application/json"), "{}") == 401);
  CHECK(with_cookie("DELETE", "/things/a", "") == 401);
  CHECK(with_cookie("POST", "/echo",
                    line("Content-Type", "application/json") + line("Origin", "http://" + server.host()),
                    "{}") == 200);
  CHECK(status_in(server.answer("GET " + path + " HTTP/1.1\r\n" + host + "\r\n")) == 403);
  CHECK(status_in(server.answer("GET /login?once= HTTP/1.1\r\n" + host + "\r\n")) == 403);
  // A tab that is loaded again is in already.
  CHECK(with_cookie("GET", path, "") == 303);
}

TEST_CASE("the form takes the token from a page of this server, and nothing else") {
  const TestServer server(test_routes());
  const std::string head = "POST /login HTTP/1.1\r\n" + line("Host", server.host());
  const std::string form = line("Content-Type", "application/x-www-form-urlencoded");
  const std::string own = line("Origin", "http://" + server.host());
  const auto post = [&](const std::string& lines, const std::string& body) {
    return server.answer(head + lines + line("Content-Length", std::to_string(body.size())) + "\r\n" + body);
  };
  CHECK(status_in(post(form + own, "token=" + kTestToken)) == 303);
  CHECK(status_in(post(form + own, "token=" + std::string(64, 'b'))) == 403);
  CHECK(status_in(post(form, "token=" + kTestToken)) == 403);
  CHECK(status_in(post(own + line("Content-Type", "text/plain"), "token=" + kTestToken)) == 415);
  CHECK(status_in(post(form + own, std::string(5000, 'x'))) == 413);
}

TEST_CASE("a browser without a session sees a form, and a program sees how to show the token") {
  const TestServer server(test_routes());
  const std::string head = "GET /things/a HTTP/1.1\r\n" + line("Host", server.host());
  const std::string page =
      server.answer(head + line("Accept", "text/html,application/xhtml+xml;q=0.9") + "\r\n");
  CHECK(status_in(page) == 401);
  CHECK(page.find("<form method=\"post\" action=\"/login\">") != std::string::npos);
  const std::string json = server.answer(head + line("Accept", "*/*") + "\r\n");
  CHECK(Json::parse(body_in(json)).at("error").at("message") == "the request has no valid token");
}

TEST_CASE("every answer says that it is no document of another site") {
  const TestServer server(test_routes());
  for (const std::string& bytes : {server.request("GET", "/things/a"), std::string("GET / HTTP/1.1\r\n\r\n"),
                                   std::string("nonsense\r\n\r\n"), server.request("GET", "/nothing"),
                                   server.request("GET", "/fails")}) {
    CAPTURE(bytes);
    const std::string answer = server.answer(bytes);
    CHECK(answer.find("Content-Security-Policy: default-src 'self';") != std::string::npos);
    CHECK(answer.find("frame-ancestors 'none'") != std::string::npos);
    CHECK(answer.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
    CHECK(answer.find("Cache-Control: no-store\r\n") != std::string::npos);
    CHECK(answer.find("Access-Control-") == std::string::npos);
  }
}

TEST_CASE("a token file is made for its owner alone, once, and read from then on") {
  const store::TemporaryFolder folder;
  const std::string token = token_of(folder / "token");
  CHECK(token.size() == 64);
  CHECK(token_of(folder / "token") == token);
  CHECK(token_of(folder / "other") != token);
  struct stat status {};
  REQUIRE(::stat((folder / "token").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  for (const auto& entry : std::filesystem::directory_iterator(folder / ""))
    CHECK((entry.path().filename() == "token" || entry.path().filename() == "other"));
}

TEST_CASE("a token file that others may read, that is a link, or that holds something else is refused") {
  const store::TemporaryFolder folder;
  token_of(folder / "token");
  std::filesystem::create_symlink(folder / "token", folder / "link");
  CHECK_THROWS_AS(token_of(folder / "link"), Error);
  ::chmod((folder / "token").c_str(), 0640);
  CHECK(store::code_of([&] { token_of(folder / "token"); }) == ExitCode::kUsage);
  std::ofstream(folder / "short") << "abc\n";
  ::chmod((folder / "short").c_str(), 0600);
  CHECK(store::code_of([&] { token_of(folder / "short"); }) == ExitCode::kUsage);
  CHECK(store::code_of([&] { token_of(folder / "none" / "token", "name another"); }) ==
        ExitCode::kEnvironment);
}

TEST_CASE("secrets are equal where every byte is") {
  CHECK(is_same_secret("abc", "abc"));
  CHECK_FALSE(is_same_secret("abc", "abd"));
  CHECK_FALSE(is_same_secret("abc", "abcd"));
  CHECK_FALSE(is_same_secret("", "a"));
}

}  // namespace
}  // namespace tune::http
