#include "tuner/cli/export_study.h"

#include <algorithm>
#include <array>
#include <ostream>

#include "tuner/cli/command_line/output.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/visible_text.h"
#include "tuner/export/optuna_export.h"
#include "tuner/export/tensorboard_log.h"
#include "tuner/live/live_study.h"
#include "tuner/os/atomic_file.h"
#include "tuner/report/text/study_summary.h"
#include "tuner/report/text/table.h"
#include "tuner/report/text/trial_table.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kFormats{"csv", "json", "optuna", "tensorboard"};

SearchSpace space_of(const store::StudyStore& study) {
  if (auto space = report::stored_space(study.study())) return *std::move(space);
  throw Error(ExitCode::kEnvironment, study.file() + ": this version cannot read the study's stored spec",
              "export it as csv or json");
}

// Each trial's metrics by name, as lists of [step, value]; what a trainer says for the bill is left out.
Json curves_json(const store::StudyStore& study, int trial) {
  Json curves = Json::object();
  for (const store::MetricRow& row : study.metrics(trial))
    if (!row.name.starts_with(kBookkeeping))
      curves[row.name].push_back(Json::array({row.point.step, number_to_json(row.point.value)}));
  return curves;
}

std::string json_text(const report::StudyRows& rows, const store::StudyStore& study) {
  Json json = report::run_summary_json(rows, rows.study.facts.promotion);
  json["spec"] = rows.study.spec;
  json["seed"] = rows.study.seed;
  for (Json& trial : json["trials"]) trial["metrics"] = curves_json(study, trial.at("trial").get<int>());
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string text_of(const fs::path& store, const std::string& study, const std::string& format) {
  const report::StudyRows rows = live::read_live_study(store, study);
  if (format == "csv") return report::csv_table(report::trial_table(rows, report::TrialColumns::kEverything));
  return json_text(rows, open_study_for_reading(store, study));
}

void write_text(const fs::path& output, const std::string& text) {
  std::error_code unknown;
  if (fs::exists(fs::symlink_status(output, unknown)))
    throw Error(ExitCode::kConflict, output.string() + " is there already", "choose another name");
  write_file_atomically(output, text);
}

}  // namespace

bool is_study_format(const std::string& format) {
  return std::find(kFormats.begin(), kFormats.end(), format) != kFormats.end();
}

int export_study(const Parsed& options, const std::string& study, const std::string& format,
                 Console& console) {
  const fs::path store = store_folder(options);
  const bool is_text = format == "csv" || format == "json";
  const std::string output = options.text("output");
  if (output.empty() && !is_text)
    throw Error(ExitCode::kUsage, "--output is missing: the format " + format + " is no text",
                "for example: tune export " + study + " --format " + format + " --output " +
                    (format == "optuna" ? study + ".db" : "runs"));
  if (is_text) {
    const std::string text = text_of(store, study, format);
    if (output.empty()) {
      console.out << text;
      finish_output(console.out, ExitCode::kOk);
      return 0;
    }
    write_text(output, text);
  } else {
    const store::StudyStore stored = open_study_for_reading(store, study);
    const SearchSpace space = space_of(stored);
    if (format == "optuna")
      store::write_optuna_file(output, exporting::optuna_study(stored, space));
    else
      exporting::export_tensorboard(output, stored, space);
  }
  if (options.has("json"))
    print_json({{"schema", 1}, {"study", study}, {"format", format}, {"output", output}}, console);
  else
    console.err << visible_text(output) << " is written\n";
  return 0;
}

}  // namespace tune::cli
