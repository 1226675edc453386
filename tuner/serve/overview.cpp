#include "tuner/serve/overview.h"

#include <sys/stat.h>

#include <algorithm>

#include "store/store_listing.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/report/numbers/leaderboard.h"
#include "tuner/report/text/console_state.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/serve/comparison_view.h"
#include "tuner/serve/endpoint_view.h"
#include "tuner/serve/model_view.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

// Inode, size and time of the last change; "" of what is not there.
std::string stamp_of_file(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return std::to_string(status.st_ino) + ':' + std::to_string(status.st_size) + ':' +
         std::to_string(status.st_mtim.tv_sec) + '.' + std::to_string(status.st_mtim.tv_nsec) + ' ';
}

OrderedJson study_summary(StudyTable& table) {
  const report::StudyRows& rows = table.rows();
  const store::StudyRow& study = rows.study;
  const Json status = report::counts_json(report::count_trials(rows.trials));
  const auto best = report::best_trial(rows);
  OrderedJson values = OrderedJson::array();
  if (best)
    for (const double value : best->values) values.emplace_back(number_to_json(value));
  const report::Cost& total = table.costs().total();
  const report::SearchedTrials searched = report::searched_trials(rows);
  const auto comparison = store::comparison_of(table.store_folder(), table.name());
  return {{"study", table.name()},
          {"state", to_string(study.state)},
          {"console_state", report::console_state(rows)},
          {"standing", report::standing(study)},
          {"held", study.facts.held ? Json(*study.facts.held) : Json()},
          {"is_live", table.is_live()},
          {"metric", study.objective.metric},
          {"goal", goal_text(study.objective.goal)},
          {"second_metric", study.second ? Json(study.second->metric) : Json()},
          {"counts", status},
          {"trials", rows.trials.size()},
          {"limit_trials", searched.limit ? Json(*searched.limit) : Json()},
          {"best", best ? Json{{"trial", best->number},
                               {"value", values.empty() ? Json() : Json(values.front())},
                               {"values", values}}
                        : Json()},
          {"elapsed_seconds", study.elapsed_seconds},
          {"created", format_time(study.created)},
          {"updated", format_time(study.updated)},
          {"device_hours", total.device_hours},
          {"usd", total.usd ? Json(*total.usd) : Json()},
          {"comparison", comparison ? Json(*comparison) : Json()}};
}

}  // namespace

std::string stamp_of(const fs::path& study_folder) {
  fs::path log = study_database(study_folder);
  log += "-wal";
  return stamp_of_file(study_database(study_folder)) + stamp_of_file(log);
}

std::string stamp_of_models(const fs::path& store) {
  std::string stamp = stamp_of_file(registry_file(models_folder(store)));
  std::vector<fs::path> folders;
  std::error_code failed;
  for (fs::directory_iterator entry(endpoints_folder(store), failed), end; !failed && entry != end;
       entry.increment(failed))
    folders.push_back(entry->path());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders) stamp += stamp_of_file(folder / endpoint::kStateFile);
  return stamp;
}

OrderedJson Overview::summary_of(const std::string& study, const std::string& models) {
  const std::string stamp = stamp_of(book_.store() / study) + models;
  {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(study);
    if (found != kept_.end() && found->second.stamp == stamp) return found->second.summary;
  }
  OrderedJson summary;
  book_.with(study, [&summary](StudyTable& table) { summary = study_summary(table); });
  // Time goes on for one that runs, and nothing is written when it dies.
  const bool is_still =
      summary["state"] == to_string(store::StudyState::kFinished) && !summary["is_live"].get<bool>();
  const std::lock_guard lock(mutex_);
  if (is_still)
    kept_[study] = {stamp, summary};
  else
    kept_.erase(study);
  return summary;
}

OrderedJson Overview::make() {
  OrderedJson studies = OrderedJson::array(), warnings = OrderedJson::array();
  const std::vector<std::string> names = book_.studies();
  const std::string models = stamp_of_models(book_.store());
  for (const std::string& name : names) {
    // One damaged file must not hide the other studies.
    try {
      studies.push_back(summary_of(name, models));
    } catch (const Error& error) {
      warnings.push_back({{"study", name}, {"message", error.what()}});
    }
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [&names](const auto& one) {
      return !std::binary_search(names.begin(), names.end(), one.first);
    });
  }
  OrderedJson json{{"schema", 1},
                   {"version", version_},
                   {"store", book_.store().string()},
                   {"as_of", format_time(SystemClock().wall_now())},
                   {"studies", studies}};
  const auto add = [&](const char* what, auto list_of) {
    try {
      json[what] = list_of(book_.store());
    } catch (const Error& error) {
      json[what] = OrderedJson::array();
      warnings.push_back({{"study", nullptr}, {"message", error.what()}});
    }
  };
  add("comparisons", comparisons_json);
  add("models", models_json);
  add("endpoints", endpoints_json);
  json["warnings"] = warnings;
  return json;
}

}  // namespace tune::serve
