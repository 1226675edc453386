#pragma once
// `tune-train serve` as a process of a test's own, steered as `tune deploy` does it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/catch.h"
#include "tuner/core/json.h"
#include "tuner/http/client.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {

class ServedProcess {
 public:
  // In `folder`, with --control and a token of its own. Waits until it is ready.
  ServedProcess(std::filesystem::path folder, const std::vector<std::string>& arguments)
      : folder_(std::move(folder)) {
    std::vector<std::string> argv{TUNE_BIN_DIR "/tune-train", "serve", "--control", "--token-file", "token"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    std::array<int, 2> in{}, out{};
    REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      if (::chdir(folder_.c_str()) != 0) ::_exit(99);
      std::vector<char*> words;
      for (std::string& word : argv) words.push_back(word.data());
      words.push_back(nullptr);
      ::execv(words.front(), words.data());
      ::_exit(98);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = out[0];
    ready = line().at("ready");
    token = read_file(folder_ / "token");
    while (!token.empty() && token.back() == '\n') token.pop_back();
    client.emplace(http::Client::Settings{{"127.0.0.1", ready.at("port").get<int>()}});
  }
  ~ServedProcess() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    end();
  }
  ServedProcess(const ServedProcess&) = delete;
  ServedProcess& operator=(const ServedProcess&) = delete;

  void tell(const Json& json) {
    const std::string text = json.dump() + "\n";
    REQUIRE(::write(in_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  // The next one that it prints.
  Json line() {
    while (held_.find('\n') == std::string::npos) {
      pollfd waits{out_, POLLIN, 0};
      REQUIRE(::poll(&waits, 1, 120'000) == 1);
      std::array<char, 4096> piece{};
      const ssize_t count = ::read(out_, piece.data(), piece.size());
      REQUIRE(count > 0);
      held_.append(piece.data(), static_cast<std::size_t>(count));
    }
    const std::size_t end = held_.find('\n');
    const Json json = Json::parse(held_.substr(0, end));
    held_.erase(0, end + 1);
    return json;
  }
  // The end of stdin, and then how it ended: the exit code, or 128 + n for signal n.
  int end() {
    if (in_ >= 0) ::close(in_);
    in_ = -1;
    int status = 0;
    if (pid_ > 0) ::waitpid(pid_, &status, 0);
    pid_ = -1;
    if (out_ >= 0) ::close(out_);
    out_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  http::ClientResponse ask(const std::string& method, const std::string& target, const std::string& body = "",
                           std::vector<http::Header> headers = {}) {
    headers.push_back({"Authorization", "Bearer " + token});
    return client->ask({method, target, std::move(headers), body});
  }
  http::ClientResponse post(const std::string& target, const Json& body) {
    return ask("POST", target, body.dump(), {{"Content-Type", "application/json"}});
  }
  // Of one that has to succeed.
  Json json(const http::ClientResponse& response) {
    INFO(response.status << " " << response.body);
    REQUIRE(response.status == 200);
    return Json::parse(response.body);
  }
  std::string url() const { return "http://127.0.0.1:" + ready.at("port").dump(); }

  Json ready;
  std::string token;
  std::optional<http::Client> client;
  pid_t pid() const { return pid_; }

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string held_;
};

}  // namespace tune::tests
