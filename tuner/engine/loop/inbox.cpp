#include "tuner/engine/loop/inbox.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/closed_file.h"

namespace tune::engine {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRequest = ".request";
constexpr const char* kAnswer = ".answer";
constexpr std::chrono::hours kKept{24};
constexpr std::uintmax_t kLargest = 64 << 20;  // a whole table of points fits

// nullopt for what no `tune` wrote.
std::optional<Request> request_in(const std::string& text, const std::string& id) {
  const BoundedJson parsed = parse_bounded_json(text);
  const Json& json = parsed.value;
  if (!parsed.problem.empty() || !json.is_object() || json.value("schema", Json()) != 1) return std::nullopt;
  for (const char* name : {"command", "who"})
    if (!json.contains(name) || !json[name].is_string()) return std::nullopt;
  if (!json.contains("arguments") || !json["arguments"].is_object()) return std::nullopt;
  if (!json.contains("when_ms") || !json["when_ms"].is_number_integer()) return std::nullopt;
  return Request{id, json["command"], json["arguments"], json["who"],
                 WallTime(Milliseconds(json["when_ms"].get<std::int64_t>()))};
}

}  // namespace

std::string Inbox::send(Request request) const {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    const std::string what = "cannot create " + folder_.string() + ": " + error.message();
    if (auto read_only = read_only_disk(folder_, what)) throw Error(*std::move(read_only));
    throw Error(ExitCode::kEnvironment, what,
                "a study is asked through that folder: check the owner and the mode of " +
                    folder_.parent_path().string());
  }
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%015lld-",
                static_cast<long long>(request.when.time_since_epoch().count()));
  std::string id = time.data() + random_token();
  const std::string text = Json{{"schema", 1},
                                {"command", request.command},
                                {"arguments", request.arguments},
                                {"who", request.who},
                                {"when_ms", request.when.time_since_epoch().count()}}
                               .dump();
  if (text.size() > kLargest)
    throw Error(ExitCode::kUsage, "the request is larger than 64 MiB", "enqueue fewer trials at once");
  write_file_atomically(folder_ / (id + kRequest), text);
  return id;
}

std::vector<Request> Inbox::requests(std::vector<std::string>& unreadable) const {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    std::error_code ignored;
    if (entry.path().extension() == kRequest) files.push_back(entry.path());
    const bool is_old = fs::file_time_type::clock::now() - entry.last_write_time(ignored) > kKept;
    if (entry.path().extension() == kAnswer && !ignored && is_old) fs::remove(entry.path(), ignored);
  }
  std::sort(files.begin(), files.end());
  std::vector<Request> requests;
  for (const fs::path& file : files) {
    std::optional<Request> request;
    try {
      std::error_code ignored;
      const bool is_sound =
          fs::is_regular_file(fs::symlink_status(file, ignored)) && fs::file_size(file, ignored) <= kLargest;
      if (is_sound) request = request_in(read_file(file), file.stem());
    } catch (const Error&) {
      // Said below.
    }
    if (request) {
      requests.push_back(std::move(*request));
      continue;
    }
    std::error_code ignored;
    fs::rename(file, file.string() + ".unreadable", ignored);
    unreadable.push_back(file.string() + ".unreadable");
  }
  return requests;
}

void Inbox::answer(const Request& request, const Json& answer) const {
  write_file_atomically(folder_ / (request.id + kAnswer), answer.dump());
  std::error_code ignored;
  fs::remove(folder_ / (request.id + kRequest), ignored);
}

void Inbox::withdraw(const std::string& id) const {
  std::error_code ignored;
  fs::remove(folder_ / (id + kRequest), ignored);
}

std::optional<Json> Inbox::take_answer(const std::string& id) const {
  const fs::path file = folder_ / (id + kAnswer);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  const Json answer = Json::parse(read_file(file), nullptr, false);
  fs::remove(file, ignored);
  return answer.is_object() ? answer : Json{{"error", "the answer could not be read"}};
}

}  // namespace tune::engine
