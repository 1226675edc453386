#pragma once
// A version of a model in memory, with the queue before it.
#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>

#include "trainer/serve/answer_queue.h"
#include "trainer/serve/generation_queue.h"
#include "trainer/served/served_model.h"

namespace tune::trainer::serve {

// What is to be loaded.
struct VersionRequest {
  std::filesystem::path model;
  std::filesystem::path base = {};  // of an adapter, where it does not lie where its folder says
  std::map<std::string, std::filesystem::path> adapters = {};
  std::string version;  // a label: "3"; may be empty
};

struct ModelLimits {
  std::size_t most_waiting = 64;
  std::size_t largest_batch = 16;
  Milliseconds batch_wait{2};
  int threads = 1;
};

// Immutable once made. Shared by the endpoint and by the requests that it answers; whoever lets it go last
// waits until its queue is empty.
struct LoadedVersion {
  std::string label;
  served::ServedModel model;
  std::unique_ptr<AnswerQueue> answers;  // one of the two
  std::unique_ptr<GenerationQueue> generations;

  const served::Facts& facts() const { return model.facts(); }
  std::size_t waiting() const { return answers ? answers->waiting() : generations->open(); }
  void give_up() { answers ? answers->give_up() : generations->give_up(); }
};

// Reads the model with its preprocessing, by the task that its folder names, and has it answer one input that
// anybody could send. Throws Error(kNotFound) and Error(kBadData) with place, cause and cure.
std::shared_ptr<LoadedVersion> load_version(const VersionRequest& request, const ModelLimits& limits,
                                            EndpointMetrics& metrics, std::ostream& notes);

}  // namespace tune::trainer::serve
