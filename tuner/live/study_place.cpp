#include "tuner/live/study_place.h"

#include "store/store_listing.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/store_layout.h"

namespace tune::live {
namespace fs = std::filesystem;

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

Error unknown_trial(const store::StudyStore& store, const std::string& study, int trial) {
  const int count = store.trial_count();
  return {ExitCode::kNotFound,
          study + " has no trial " + std::to_string(trial) + ": " +
              (count == 0 ? "no trial was started yet" : "its trials are 1 to " + std::to_string(count)),
          "`tune trials " + study + "` lists them"};
}

}  // namespace tune::live
