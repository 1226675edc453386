// `tune amend SPEC`: another search space for a study that has begun.
#include <map>
#include <ostream>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/amend_study.h"
#include "tuner/os/user.h"

namespace tune::cli {
namespace {

// NAME=VALUE, the value as JSON or, where it is none, as text: momentum=0.9, optimizer=sgd.
std::map<std::string, Json> assumptions(const std::vector<std::string>& given) {
  std::map<std::string, Json> values;
  for (const std::string& text : given) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ExitCode::kUsage, "--assume takes NAME=VALUE, not \"" + text + "\"",
                  "for example --assume momentum=0.9");
    const std::string name = text.substr(0, equals), value = text.substr(equals + 1);
    Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) parsed = value;
    if (!values.emplace(name, std::move(parsed)).second)
      throw Error(ExitCode::kUsage, "--assume names \"" + name + "\" twice", "say it once");
  }
  return values;
}

void print_report(const engine::AmendReport& report, const std::string& study, Console& console) {
  if (report.changes.empty()) {
    console.out << study << ": the spec is the study's already\n";
    return;
  }
  console.out << study << " goes on with:\n";
  for (const std::string& line : report.changes) console.out << "  " << visible_text(line) << '\n';
  for (const auto& [name, value] : report.assumed)
    console.out << "earlier trials had " << visible_text(name) << " = " << visible_text(argument_text(value))
                << '\n';
  if (report.trials > 0)
    console.out << report.trials - static_cast<int>(report.outside.size()) << " of "
                << plural_text(report.trials, "trial") << " stay in use\n";
  for (const auto& [trial, why] : report.outside)
    console.out << "trial " << trial
                << " is outside, and the search learns nothing from it: " << visible_text(why) << '\n';
  console.out << "`tune --spec` or `tune resume " << study << "` goes on with it\n";
}

}  // namespace

int amend_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "amend")
          .positional("SPEC", "the spec as it is to be from now on")
          .value("name", "STUDY", "the study, in place of the spec's")
          .add({"assume", "NAME=VALUE", "what earlier trials had of a parameter that is new", false, true})
          .flag("force", "although the best trial, or every one, would be outside")
          .parse(arguments, console);
  if (!options) return 0;
  engine::AmendRequest request;
  CheckedSpec checked = read_checked_spec(options->text("SPEC"));
  request.spec = std::move(checked.spec);
  request.spec_text = request.spec.text;
  if (!options->has("json")) print_warnings(request.spec, console.err);
  if (options->has("name")) request.spec.study = options->text("name");
  request.store = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  const std::string study = request.spec.study;
  require_study(request.store, study);
  request.assume = assumptions(options->texts("assume"));
  request.force = options->has("force");
  request.who = asking_user();
  const engine::AmendReport report = engine::amend_study(request, SystemClock());
  for (const std::string& notice : report.notices) console.err << "notice: " << visible_text(notice) << '\n';
  if (!options->has("json")) {
    print_report(report, study, console);
    return 0;
  }
  Json outside = Json::array();
  for (const auto& [trial, why] : report.outside) outside.push_back({{"trial", trial}, {"reason", why}});
  print_json({{"schema", 1},
              {"study", study},
              {"changes", report.changes},
              {"trials", report.trials},
              {"outside", outside},
              {"assumed", report.assumed},
              {"notices", report.notices}},
             console);
  return 0;
}

}  // namespace tune::cli
