#pragma once
// The test images and what models make of them: tune-train's audit, predict and score, on a device that is
// held as a trial holds it.
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "store/comparison_facts.h"
#include "tuner/compare/comparison.h"
#include "tuner/engine/study/builtin_trainer.h"

namespace tune::compare {

// Used by one comparison's run, on its thread. Every call blocks; a signal ends what runs and throws
// Error(kInterrupted). Throws Error(kEnvironment) when tune-train fails: its own message is on stderr by
// then.
class TestImages {
 public:
  TestImages(const Comparison& comparison, const engine::BuiltinTrainer& trainer,
             std::function<int()> signals, std::function<void(const std::string&)> notice);

  // SHA-256 over the files of a data set as the comparison names it; of all that it names, by name. Throws
  // Error(kEnvironment) without any files.
  std::string fingerprint(const std::string& data) const;
  std::map<std::string, std::string> fingerprints() const;
  // Writes the groups of test images that overlap into `file`. A test set of its own is also held against the
  // training data and a validation set of its own: Error(kBadSpec) where they overlap. Warnings are notices
  // too. A task without an audit writes no file.
  store::ComparisonAudit audit(const std::filesystem::path& file) const;
  struct Predicted {
    double seconds = 0;  // that it held a device
    Json facts;          // what tune-train says of the model's size and speed
  };
  // Writes the detections of the model in `folder`.
  Predicted predict(const std::filesystem::path& folder, const std::filesystem::path& output) const;
  // All detections against the annotations, once, with the same resamples of the groups for each. A task
  // other than detection may give neither resamples nor examples. `model` is the folder of one of the models:
  // its class names say what the detections' category ids mean. A few of the images are copied into the
  // folder `images`, as IMAGE_ID.EXT, and listed under "examples".
  Json score(const std::vector<std::filesystem::path>& detections, const std::filesystem::path& groups,
             const std::filesystem::path& model, const std::filesystem::path& images) const;

 private:
  // The audit's answer; `key` names the images in `trainer` that the test images must not overlap with, empty
  // where they are a part of the data.
  Json audit_against(const std::string& key) const;
  Json audit_split(const Json& split) const;
  Json run_audit(std::vector<std::string> arguments) const;
  std::vector<std::string> test_arguments() const;
  void add_reading(const std::string& data, std::vector<std::string>& arguments) const;
  void add_images_folder(const std::string& data, std::vector<std::string>& arguments) const;
  std::string data_path(const std::string& data) const;
  void copy_examples(const Json& answer, const std::filesystem::path& images) const;

  const Comparison& comparison_;
  const engine::BuiltinTrainer& trainer_;
  std::function<int()> signals_;
  std::function<void(const std::string&)> notice_;
};

// SHA-256 over the names and contents of a folder's files. Throws Error(kEnvironment) without any.
std::string fingerprint_of_folder(const std::filesystem::path& folder);

}  // namespace tune::compare
