// `tune promote STUDY[/N]`: makes a version of a model out of the best trial, or of the one a person chose.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/gate_options.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/promotion.h"
#include "tuner/engine/study/study_opening.h"

namespace tune::cli {
namespace {

std::string model_of(const Parsed& options, const store::StudyRow& study) {
  if (options.has("model")) return options.text("model");
  const Json::json_pointer place("/promote/model");
  if (study.spec.contains(place)) return study.spec[place];
  throw Error(ExitCode::kUsage, "the spec of " + study.name + " names no model to promote to",
              "name one with --model NAME");
}

}  // namespace

int promote_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "promote")
          .positional("STUDY[/N]", "the study, or one of its trials")
          .value("model", "NAME", "the model, in place of the spec's promote.model")
          .value("to", "ALIAS", "the alias that is to name the version [current]")
          .value("require", "FILE", "the gate's requirement, in place of the spec's promote.require")
          .value("scores", "FILE", "numbers that you have measured, as a JSON object")
          .parse(arguments, console);
  if (!options) return 0;
  const TrialReference reference = parse_reference(options->text("STUDY[/N]"));
  engine::PromotionRequest request;
  request.store_folder = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  const store::StudyStore store = open_study_for_reading(request.store_folder, reference.study);
  engine::require_own_name(store);
  request.model = model_of(*options, store.study());
  if (reference.trial > 0) request.trial = reference.trial;
  const SignalsCaught signals;
  request.is_interrupted = [] { return interruption().count.load() > 0; };
  request.notice = [&](const std::string& sentence) { console.err << "the promotion " << sentence << '\n'; };
  if (options->has("to")) request.alias = options->text("to");
  request.gate = gate_rules(*options, store.study(), console);
  const store::PromotionDecision result = engine::promote_trial(store, request);
  if (options->has("json")) {
    print_json({{"schema", 1},
                {"model", request.model},
                {"alias", request.alias},
                {"promoted", result.promoted},
                {"study", reference.study},
                {"trial", result.trial},
                {"version", result.version},
                {"reason", result.reason},
                {"folder", result.folder.string()}},
               console);
  } else if (result.promoted) {
    console.out << request.model << " version " << result.version << " is trial " << result.trial << " of "
                << reference.study << ": " << visible_text(result.reason) << '\n'
                << visible_text(result.folder.string()) << '\n';
  } else {
    console.out << "Not promoted: " << visible_text(result.reason) << '\n';
  }
  return static_cast<int>(result.promoted ? ExitCode::kOk : ExitCode::kNothingToPromote);
}

}  // namespace tune::cli
