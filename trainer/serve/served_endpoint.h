#pragma once
// One model behind HTTP: the routes, and the version that answers them.
#include <condition_variable>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "trainer/serve/endpoint_metrics.h"
#include "trainer/serve/loaded_version.h"
#include "tuner/http/server.h"

namespace tune::trainer::serve {

struct EndpointSettings {
  std::string name;  // what the model is asked for by
  ModelLimits limits = {};
  std::uint64_t most_body_bytes = 16 << 20;
  Milliseconds patience{60'000};  // for one answer
};

// Answers the protocols of docs/endpoint-protocols.md. Versions are loaded beside the one that answers and
// take its place at once; whatever an old one has begun it finishes, and each answer says which version made
// it (X-Tune-Model). Owned by the command; routes are called by the server's threads, load() by another.
class ServedEndpoint {
 public:
  ServedEndpoint(EndpointSettings settings, std::ostream& notes);
  ~ServedEndpoint();  // the server has stopped
  ServedEndpoint(const ServedEndpoint&) = delete;
  ServedEndpoint& operator=(const ServedEndpoint&) = delete;

  // Blocks while it loads. Throws as load_version(), and leaves what answers as it was.
  void load(const VersionRequest& request);

  // What waits and what is being written fails with a refusal, in old versions too: the program ends, and has
  // waited long enough.
  void give_up();
  // Examples and prompts that wait or are worked on, in old versions too.
  std::size_t running() const;

  std::vector<http::Route> routes();
  // For the server: limits that go with the settings, errors in the protocols' own shapes, metrics.
  http::ServerSettings server_settings();
  EndpointMetrics& metrics() { return metrics_; }

 private:
  using Answering =
      std::function<http::Response(const http::Request&, const std::shared_ptr<LoadedVersion>&)>;
  http::Handler handler(Answering answer) const;
  std::shared_ptr<LoadedVersion> current() const;
  std::vector<std::string> names(const LoadedVersion& version) const;
  // The adapter that a name stands for, "" for the model itself. Throws Refusal (404).
  std::string adapter_of(const LoadedVersion& version, const std::string& name) const;
  // That of a path's {model}, whose {version} has to be the one that answers, where it names one.
  std::string asked_adapter(const LoadedVersion& version, const http::Request& request) const;

  http::Response invoke(const http::Request& request, const std::shared_ptr<LoadedVersion>& version) const;
  http::Response infer(const http::Request& request, const std::shared_ptr<LoadedVersion>& version) const;
  http::Response complete(const http::Request& request, const std::shared_ptr<LoadedVersion>& version,
                          bool is_chat) const;
  // Whole answers to some prompts of a request, as texts.
  std::vector<std::string> written(const http::Request& request, LoadedVersion& version,
                                   const std::vector<std::string>& prompts,
                                   const served::GenerationSettings& settings,
                                   const std::string& adapter) const;

  const EndpointSettings settings_;
  std::ostream& notes_;
  mutable EndpointMetrics metrics_;
  const std::int64_t created_;  // seconds since 1970
  void retire();

  mutable std::mutex mutex_;
  std::shared_ptr<LoadedVersion> current_;
  std::vector<std::shared_ptr<LoadedVersion>> old_;  // that have not finished what they began
  std::condition_variable changed_;
  bool ends_ = false;
  std::mutex loading_;
  std::thread retiring_;  // lets old versions go
};

}  // namespace tune::trainer::serve
