#pragma once
// A deployed model that is asked over HTTP, as any of its users would: for measuring what it answers.
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "tuner/core/json.h"
#include "tuner/http/client.h"

namespace tune::trainer::endpoint {

struct Question {
  std::string media_type, body;
  std::string path = "/invocations";
};

// --endpoint and --token-file of commands that ask one.
std::vector<loop::Option> endpoint_options();

class AskedEndpoint {
 public:
  // `token_file` may be empty. Throws Error(kUsage) for what is no address, and Error(kNotFound).
  AskedEndpoint(std::string url, const std::string& token_file);

  // The answers to so many questions in their order, some of which are on their way at once; each is the JSON
  // of docs/endpoint-protocols.md, of /invocations with names (application/vnd.tune+json). Waits where the
  // endpoint is busy. Throws Error(kEnvironment) where nobody answers, Error(kBadData) with the endpoint's
  // own words for what it refuses, and Error(kInterrupted).
  std::vector<Json> ask(std::size_t count, const std::function<Question(std::size_t)>& question,
                        const std::function<bool()>& interrupted) const;

  // What its model is asked for by, and then its adapters. Throws as ask() does.
  std::vector<std::string> models(const std::function<bool()>& interrupted) const;

  const std::string& url() const { return url_; }

 private:
  http::Client connect() const;
  Json answer_to(http::Client& client, http::ClientRequest request,
                 const std::function<bool()>& interrupted) const;

  std::string url_, token_;
};

// The one that a command is to ask; none without --endpoint. Throws Error(kUsage) where neither it nor
// `files`, the option of what was predicted before, is given.
std::optional<AskedEndpoint> endpoint_or_files(const loop::Request& request, const std::string& files);

// Of an answer's member: an Error(kBadData) that names the endpoint where it has none of that kind.
[[noreturn]] void refuse_answer(const AskedEndpoint& endpoint, const std::string& what);

}  // namespace tune::trainer::endpoint
