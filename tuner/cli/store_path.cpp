#include "tuner/cli/store_path.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"

namespace tune::cli {
namespace fs = std::filesystem;

namespace {

// "" when it is not set.
std::string store_variable() {
  const char* variable = std::getenv("TUNE_STORE");
  return variable == nullptr ? "" : variable;
}

}  // namespace

fs::path store_folder(const Parsed& options) {
  const std::string variable = store_variable();
  const fs::path folder = options.has("store") ? options.text("store")
                          : variable.empty()   ? "tune-store"
                                               : variable;
  if (folder.is_relative() && is_current_folder_removed()) throw current_folder_removed();
  return folder;
}

bool is_store_named(const Parsed& options) { return options.has("store") || !store_variable().empty(); }

TrialReference parse_trial_reference(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  TrialReference reference;
  bool valid = slash != std::string::npos && slash > 0;
  if (valid) {
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data() + slash + 1, end, reference.trial);
    valid = problem == std::errc() && stop == end && reference.trial > 0;
  }
  if (!valid)
    throw Error(ExitCode::kUsage, "\"" + text + "\" is not a trial",
                "a trial is named STUDY/N, for example steel-legacy/3");
  reference.study = text.substr(0, slash);
  return reference;
}

TrialReference parse_reference(const std::string& text) {
  if (text.find('/') == std::string::npos) return {text, 0};
  return parse_trial_reference(text);
}

fs::path trial_folder(const fs::path& store, const TrialReference& reference) {
  return tune::trial_folder(study_folder(store, reference.study), reference.trial);
}

Error unknown_trial(const store::StudyStore& study, const TrialReference& reference) {
  return live::unknown_trial(study, reference.study, reference.trial);
}

}  // namespace tune::cli
