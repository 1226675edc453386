#pragma once
// What a data set is known by: a hash over its classes, its images and what is known of each.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::data {

// Owned by the function that hashes one set. Takes images in the set's order and reads each once.
class Fingerprint {
 public:
  explicit Fingerprint(const std::vector<std::string>& classes);
  // `facts` gives what the task knows of the image, with the length of its file, so that two sets never run
  // together into the same bytes. Throws Error(kBadData) when the image cannot be read.
  void add(const std::filesystem::path& image, const std::function<Json(std::size_t bytes)>& facts);
  std::string text();  // "sha256:...", the last call

 private:
  Sha256 hash_;
};

}  // namespace tune::trainer::data
