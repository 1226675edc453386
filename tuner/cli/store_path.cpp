#include "tuner/cli/store_path.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "store/store_listing.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"

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

fs::path study_folder(const fs::path& store, const std::string& study) {
  const bool plain = !study.empty() && study != "." && study != ".." && !is_folder_of_store(study) &&
                     study.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
  if (!plain) throw Error(ExitCode::kUsage, "\"" + study + "\" cannot be the name of a study");
  return store / study;
}

fs::path require_study(const fs::path& store, const std::string& study) {
  const fs::path file = study_database(study_folder(store, study));
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    if (fs::exists(comparison_database(comparison_folder(store, study)), ignored))
      throw Error(ExitCode::kNotFound, "\"" + study + "\" is a comparison, not a study",
                  "`tune report " + study + "` shows it; its studies are " + study +
                      ".APPROACH.ROLE, as `tune " + "status` lists them");
    const auto guess = nearest_name(study, store::study_names(store));
    throw Error(ExitCode::kNotFound, "there is no study \"" + study + "\" in " + store.string(),
                guess ? "did you mean \"" + *guess + "\"?"
                      : "`tune status` lists the studies; --store names another store");
  }
  return file;
}

store::StudyStore open_study_for_reading(const fs::path& store, const std::string& study) {
  return {require_study(store, study), store::OpenMode::kRead};
}

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
  const int count = study.trial_count();
  return {ExitCode::kNotFound,
          reference.study + " has no trial " + std::to_string(reference.trial) + ": " +
              (count == 0 ? "no trial was started yet" : "its trials are 1 to " + std::to_string(count)),
          "`tune trials " + reference.study + "` lists them"};
}

}  // namespace tune::cli
