// A worker of an endpoint that speaks as `tune-train serve` does, of models that are files of text:
//
//   fake_worker serve --model FOLDER --name NAME --model-version 3 --listen-fd 5 --token-file FILE --control
//
// POST /invocations answers with what the model's file `weights` holds. Other files of the model's folder say
// how it misbehaves: `fails` (the reason why it cannot be loaded), `kills` (the worker ends by a signal while
// it loads it), `hoards` (megabytes that loading takes), `starts` and `strays` (its child that outlives it,
// in its group and in a session of its own).
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Json = nlohmann::json;

struct Model {
  std::string version, weights;
  bool is_deaf = false;
  std::map<std::string, std::string> adapters;
};

std::string content(const std::string& file) {
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  std::string line = text.str();
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

struct Worker {
  std::string name, token;
  int listening = -1;
  std::mutex mutex;
  std::shared_ptr<const Model> model;
  std::atomic<long> requests{0}, running{0};

  std::shared_ptr<const Model> now() {
    const std::lock_guard lock(mutex);
    return model;
  }
  void become(std::shared_ptr<const Model> next) {
    const std::lock_guard lock(mutex);
    model = std::move(next);
  }
};

// Throws std::runtime_error where it cannot be loaded.
std::shared_ptr<const Model> load(const std::string& folder, const std::string& version,
                                  const std::map<std::string, std::string>& adapters) {
  if (const std::string why = content(folder + "/fails"); !why.empty()) throw std::runtime_error(why);
  if (!content(folder + "/kills").empty()) ::raise(SIGKILL);
  if (const std::string megabytes = content(folder + "/hoards"); !megabytes.empty()) {
    std::vector<char> hoard;
    try {
      hoard.assign(std::stoul(megabytes) << 20, 'x');
    } catch (const std::bad_alloc&) {
      throw std::runtime_error("there is not enough memory");
    }
  }
  for (const char* name : {"starts", "strays"}) {
    const std::string file = content(folder + "/" + name);
    if (file.empty()) continue;
    const pid_t child = ::fork();
    if (child == 0) {
      if (std::string(name) == "strays") ::setsid();
      ::signal(SIGTERM, SIG_IGN);
      for (;;) ::pause();
    }
    std::ofstream(file + ".new") << child << '\n';
    std::rename((file + ".new").c_str(), file.c_str());
  }
  auto model = std::make_shared<Model>();
  model->version = version;
  model->weights = content(folder + "/weights");
  model->is_deaf = !content(folder + "/deaf").empty();
  for (const auto& [name, place] : adapters) model->adapters[name] = content(place + "/weights");
  return model;
}

void say(const Json& message) { std::cout << message.dump() << std::endl; }

bool send_all(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(to, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::string answer_of(Worker& worker, const std::string& head, const std::string& body) {
  const std::shared_ptr<const Model> model = worker.now();
  const bool is_open = head.starts_with("GET /ping ");
  const bool may =
      is_open || head.find("\r\nAuthorization: Bearer " + worker.token + "\r\n") != std::string::npos;
  if (body.find("slow") != std::string::npos) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::string text = may ? model->weights : "who are you?";
  for (const auto& [name, weights] : model->adapters)
    if (body == name) text = weights;
  return std::string("HTTP/1.1 ") + (may ? "200 OK" : "401 Unauthorized") +
         "\r\nContent-Length: " + std::to_string(text.size()) + "\r\nX-Tune-Model: " + worker.name + "@" +
         model->version + "\r\n\r\n" + text;
}

void serve(Worker& worker, int connection) {
  std::string text;
  for (std::vector<char> buffer(65536);;) {
    const std::size_t head_end = text.find("\r\n\r\n");
    std::size_t length = 0;
    if (head_end != std::string::npos)
      if (const std::size_t at = text.find("Content-Length: "); at < head_end)
        length = std::stoul(text.substr(at + 16));
    if (head_end == std::string::npos || text.size() < head_end + 4 + length) {
      const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    ++worker.requests;
    ++worker.running;
    const std::string answer =
        answer_of(worker, text.substr(0, head_end + 2), text.substr(head_end + 4, length));
    text.erase(0, head_end + 4 + length);
    const bool sent = send_all(connection, answer);
    --worker.running;
    if (!sent) break;
  }
  ::close(connection);
}

void obey(Worker& worker, const std::string& line) {
  const Json message = Json::parse(line);
  if (message.contains("stats") && worker.now()->is_deaf) return;
  if (message.contains("stats")) {
    say({{"stats", {{"requests", worker.requests.load()}, {"last_request", nullptr}, {"failed", 0}}}});
    return;
  }
  const Json& wanted = message.at("load");
  try {
    worker.become(load(wanted.at("model"), wanted.at("version"), wanted.at("adapters")));
    say({{"loaded", {{"version", wanted.at("version")}, {"seconds", 0.0}}}});
  } catch (const std::exception& problem) {
    say({{"failed", {{"version", wanted.at("version")}, {"message", problem.what()}}}});
  }
}

// Until the end of stdin or SIGTERM.
void take_orders(Worker& worker, const sigset_t& ends) {
  std::string lines;
  for (char buffer[4096];;) {
    pollfd watched{STDIN_FILENO, POLLIN, 0};
    const timespec patience{0, 0};
    if (::sigtimedwait(&ends, nullptr, &patience) == SIGTERM) return;
    if (::poll(&watched, 1, 20) <= 0) continue;
    const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (got <= 0) return;
    lines.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t end; (end = lines.find('\n')) != std::string::npos; lines.erase(0, end + 1))
      obey(worker, lines.substr(0, end));
  }
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  std::map<std::string, std::string> options, adapters;
  for (int i = 2; i + 1 < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--control") continue;
    const std::string value = argv[++i];
    if (name == "--adapter")
      adapters[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
    else
      options[name] = value;
  }
  static Worker worker;  // its threads live as long as the process
  worker.name = options["--name"];
  worker.token = content(options["--token-file"]);
  worker.listening = std::atoi(options["--listen-fd"].c_str());
  std::cerr << "the worker begins" << std::endl;
  try {
    worker.become(load(options["--model"], options["--model-version"], adapters));
  } catch (const std::exception& problem) {
    std::cerr << "error: " << problem.what() << "\n  give it what it lacks" << std::endl;
    return 65;
  }
  std::thread([] {
    for (;;) {
      pollfd watched{worker.listening, POLLIN, 0};
      if (::poll(&watched, 1, -1) <= 0) continue;
      const int connection = ::accept(worker.listening, nullptr, nullptr);
      if (connection >= 0) std::thread([connection] { serve(worker, connection); }).detach();
    }
  }).detach();
  std::cout << "this line is no message" << std::endl;
  say({{"ready", {{"port", 0}, {"version", options["--model-version"]}, {"pid", ::getpid()}}}});
  take_orders(worker, ends);
  while (worker.running > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::_exit(0);
}
