#include "trainer/endpoint/asked_endpoint.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::endpoint {
namespace {

constexpr std::size_t kAtOnce = 4;  // an endpoint computes what waits together
constexpr int kMostTries = 60;      // of a question that the endpoint was too busy for
// For one answer. The endpoint has a limit of its own (--timeout of `tune-train serve`), a minute unless it
// was told another.
constexpr Milliseconds kPatience{600'000};

std::string trimmed(std::string text) {
  while (!text.empty() && std::string_view(" \t\r\n").find(text.back()) != std::string_view::npos)
    text.pop_back();
  return text;
}

std::chrono::seconds wait_of(const http::ClientResponse& response) {
  constexpr int kLongest = 30;
  int seconds = 1;
  if (const std::string* header = response.header("Retry-After"))
    std::from_chars(header->data(), header->data() + header->size(), seconds);
  return std::chrono::seconds(std::clamp(seconds, 1, kLongest));
}

// The sentence in an error of any of the protocols.
std::string words_of(const std::string& body) {
  const BoundedJson read = parse_bounded_json(body);
  const Json error = read.value.is_object() ? read.value.value("error", Json()) : Json();
  if (error.is_string()) return error;
  if (error.is_object() && error.value("message", Json()).is_string()) return error["message"];
  return shortened(body, 200);
}

}  // namespace

std::vector<loop::Option> endpoint_options() {
  return {{"endpoint", "URL",
           "ask a deployed model in place of reading what it predicted: http://127.0.0.1:8123"},
          {"token-file", "FILE", "the secret that the endpoint asks for"}};
}

std::optional<AskedEndpoint> endpoint_or_files(const loop::Request& request, const std::string& files) {
  if (request.has("endpoint"))
    return AskedEndpoint(request.text("endpoint"),
                         request.has("token-file") ? request.text("token-file") : "");
  if (request.has("token-file"))
    throw Error(ExitCode::kUsage, "--token-file without --endpoint", "say whose it is: --endpoint URL");
  if (!request.has(files))
    throw Error(ExitCode::kUsage, "neither --" + files + " nor --endpoint is given",
                "name a file, or a deployed model");
  return std::nullopt;
}

void refuse_answer(const AskedEndpoint& endpoint, const std::string& what) {
  throw Error(ExitCode::kBadData, endpoint.url() + ": " + what,
              "name an endpoint whose model is of this task");
}

AskedEndpoint::AskedEndpoint(std::string url, const std::string& token_file) : url_(std::move(url)) {
  http::parse_url(url_);
  if (!token_file.empty()) token_ = trimmed(read_file(token_file));
}

http::Client AskedEndpoint::connect() const {
  http::Client::Settings settings{http::parse_url(url_).address};
  settings.answer_patience = kPatience;
  return http::Client(settings);
}

Json AskedEndpoint::answer_to(http::Client& client, http::ClientRequest request,
                              const std::function<bool()>& interrupted) const {
  request.target = http::parse_url(url_).path + request.target;
  if (!token_.empty()) request.headers.push_back({"Authorization", "Bearer " + token_});
  for (int tries = 1;; ++tries) {
    if (interrupted()) throw Error(ExitCode::kInterrupted, "interrupted");
    const http::ClientResponse response = client.ask(request);
    if (response.status == 503 && tries < kMostTries) {
      std::this_thread::sleep_for(wait_of(response));
      continue;
    }
    if (response.status == 401)
      throw Error(ExitCode::kUsage, url_ + " wants a token: " + words_of(response.body),
                  "name its file with --token-file");
    if (response.status != 200)
      throw Error(ExitCode::kBadData,
                  url_ + " answers with " + std::to_string(response.status) + ": " + words_of(response.body));
    BoundedJson read = parse_bounded_json(response.body);
    if (!read.value.is_object())
      throw Error(ExitCode::kBadData, url_ + " answers with what is no answer of a deployed model",
                  "name the address that `tune endpoints` shows");
    return std::move(read.value);
  }
}

std::vector<std::string> AskedEndpoint::models(const std::function<bool()>& interrupted) const {
  http::Client client = connect();
  const Json list = answer_to(client, {"GET", "/v1/models"}, interrupted);
  try {
    std::vector<std::string> names;
    for (const Json& one : list.at("data")) names.push_back(one.at("id"));
    return names;
  } catch (const Json::exception&) {
    refuse_answer(*this, "it names no models");
  }
}

std::vector<Json> AskedEndpoint::ask(std::size_t count, const std::function<Question(std::size_t)>& question,
                                     const std::function<bool()>& interrupted) const {
  std::vector<Json> answers(count);
  std::mutex mutex;
  std::size_t next = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    http::Client client = connect();
    while (true) {
      std::size_t i = 0;
      {
        const std::lock_guard lock(mutex);
        if (failure || next == count) return;
        i = next++;
      }
      try {
        Question asked = question(i);
        answers[i] = answer_to(client,
                               {"POST",
                                std::move(asked.path),
                                {{"Content-Type", asked.media_type}, {"Accept", "application/vnd.tune+json"}},
                                std::move(asked.body)},
                               interrupted);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(kAtOnce, count); ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  return answers;
}

}  // namespace tune::trainer::endpoint
