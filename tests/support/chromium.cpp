#include "support/chromium.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

constexpr int kPatienceMs = 60'000;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    // The browser's ends become 3 and 4, and must not be in each other's way.
    read = ::fcntl(ends[0], F_DUPFD_CLOEXEC, 10);
    write = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    ::close(ends[0]);
    ::close(ends[1]);
  }
};

std::string from_base64(const std::string& text) {
  static const std::string kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string::npos) break;
    bits = bits << 6 | static_cast<unsigned>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFFu);
  }
  return bytes;
}

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

}  // namespace

fs::path find_chromium() {
  if (const char* named = std::getenv("TUNE_CHROMIUM")) return named;
  const char* variable = std::getenv("PATH");
  std::string rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::string folder = rest.substr(0, rest.find(':'));
    rest.erase(0, folder.size() + 1);
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
      if (::access((fs::path(folder) / name).c_str(), X_OK) == 0) return fs::path(folder) / name;
  }
  return {};
}

Chromium::Chromium(const fs::path& program) {
  const Pipe commands, answers;
  const std::string profile = "--user-data-dir=" + profile_.path().string();
  std::vector<std::string> argv{program.string(),
                                "--headless=new",
                                "--remote-debugging-pipe",
                                profile,
                                "--disable-gpu",
                                "--no-first-run",
                                "--disable-dev-shm-usage",
                                "--disable-background-networking",
                                "--disable-component-update",
                                "--disable-extensions",
                                "--hide-scrollbars"};
  if (::geteuid() == 0) argv.push_back("--no-sandbox");  // its sandbox refuses to be started by root
  argv.push_back("about:blank");
  std::vector<char*> pointers;
  for (std::string& word : argv) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::dup2(commands.read, 3);
    ::dup2(answers.write, 4);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  ::close(commands.read);
  ::close(answers.write);
  to_ = commands.write;
  from_ = answers.read;
  const Json target = call("Target.createTarget", {{"url", "about:blank"}});
  const Json attached =
      call("Target.attachToTarget", {{"targetId", target.at("targetId")}, {"flatten", true}});
  session_ = attached.at("sessionId").get<std::string>();
  for (const char* domain : {"Page.enable", "Runtime.enable", "Log.enable", "Network.enable"}) call(domain);
}

Chromium::~Chromium() {
  ::close(to_);
  ::close(from_);
  // The group that this object made: the browser and its children.
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Json Chromium::next_message() {
  for (;;) {
    const std::size_t end = buffer_.find('\0');
    if (end != std::string::npos) {
      const Json message = Json::parse(buffer_.substr(0, end));
      buffer_.erase(0, end + 1);
      return message;
    }
    pollfd waiting{from_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, kPatienceMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) throw std::runtime_error("the browser does not answer");
    std::array<char, 65536> piece{};
    const ssize_t count = ::read(from_, piece.data(), piece.size());
    if (count <= 0) throw std::runtime_error("the browser has gone");
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
  }
}

void Chromium::take(const Json& event) {
  const std::string method = event.value("method", "");
  const Json parameters = event.value("params", Json::object());
  if (method == "Page.loadEventFired") has_loaded_ = true;
  if (method == "Network.requestWillBeSent")
    requests_.push_back(parameters.at("request").at("url").get<std::string>());
  if (method == "Runtime.exceptionThrown") complaints_.push_back(parameters.at("exceptionDetails").dump());
  if (method == "Log.entryAdded") complaints_.push_back(parameters.at("entry").dump());
  if (method == "Runtime.consoleAPICalled") {
    const std::string type = parameters.at("type");
    if (type == "error" || type == "warning" || type == "assert")
      complaints_.push_back(parameters.at("args").dump());
  }
}

Json Chromium::call(const std::string& method, const Json& parameters) {
  Json message = {{"id", ++last_id_}, {"method", method}, {"params", parameters}};
  if (!session_.empty()) message["sessionId"] = session_;
  const std::string text = message.dump() + '\0';
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::write(to_, text.data() + sent, text.size() - sent);
    if (count < 0)
      throw std::runtime_error(std::string("cannot talk to the browser: ") + std::strerror(errno));
    sent += static_cast<std::size_t>(count);
  }
  for (;;) {
    const Json answer = next_message();
    if (answer.value("id", 0) != last_id_) {
      take(answer);
      continue;
    }
    if (answer.contains("error")) throw std::runtime_error(method + ": " + answer.at("error").dump());
    return answer.at("result");
  }
}

void Chromium::show(const View& view) {
  call("Emulation.setDeviceMetricsOverride", {{"width", view.width},
                                              {"height", view.height},
                                              {"deviceScaleFactor", view.scale},
                                              {"mobile", view.width < 500}});
  const Json scheme = {{"name", "prefers-color-scheme"}, {"value", view.is_dark ? "dark" : "light"}};
  call("Emulation.setEmulatedMedia",
       {{"media", view.is_print ? "print" : ""}, {"features", Json::array({scheme})}});
}

void Chromium::open(const fs::path& file) {
  complaints_.clear();
  requests_.clear();
  has_loaded_ = false;
  const Json answer = call("Page.navigate", {{"url", "file://" + fs::absolute(file).string()}});
  if (answer.contains("errorText")) throw std::runtime_error(answer.at("errorText").get<std::string>());
  while (!has_loaded_) take(next_message());
}

Json Chromium::evaluate(const std::string& expression) {
  const Json answer =
      call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}, {"awaitPromise", true}});
  if (answer.contains("exceptionDetails")) throw std::runtime_error(answer.at("exceptionDetails").dump());
  return answer.at("result").value("value", Json());
}

void Chromium::screenshot(const fs::path& png, bool whole_page) {
  const Json picture = call("Page.captureScreenshot", {{"captureBeyondViewport", whole_page}});
  write_bytes(png, from_base64(picture.at("data").get<std::string>()));
}

void Chromium::print(const fs::path& pdf) {
  const Json printed = call("Page.printToPDF", {{"printBackground", false}});
  write_bytes(pdf, from_base64(printed.at("data").get<std::string>()));
}

}  // namespace tune::tests
