#include "tuner/cli/gate_options.h"

#include <ostream>

#include "tuner/cli/interruption.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/version_judge.h"

namespace tune::cli {

namespace {

engine::GateRules rules_of(const Parsed& options, std::optional<Requirement> requirement,
                           const Resources& resources, Console& console) {
  if (options.has("require")) requirement = read_requirement(options.text("require"));
  engine::JudgeHooks hooks;
  hooks.signals = [] { return interruption().count.load(); };
  hooks.notice = [&console](const std::string& sentence) {
    console.err << visible_text(sentence) << '\n' << std::flush;
  };
  hooks.resources = resources;
  if (options.has("scores")) hooks.scores = std::filesystem::absolute(options.text("scores"));
  return {std::move(requirement), engine::version_judge(std::move(hooks))};
}

// What the spec was checked for when the study was made.
Json stored(const store::StudyRow& study, const char* pointer) {
  const Json::json_pointer place(pointer);
  return study.spec.contains(place) ? study.spec[place] : Json();
}

}  // namespace

engine::GateRules gate_rules(const Parsed& options, Console& console) {
  return rules_of(options, std::nullopt, {}, console);
}

engine::GateRules gate_rules(const Parsed& options, const store::StudyRow& study, Console& console) {
  std::optional<Requirement> declared;
  if (const Json require = stored(study, "/promote/require"); require.is_object())
    declared = requirement_from(require, study.folder);
  Resources resources;
  if (const Json gpus = stored(study, "/resources/gpus_per_trial"); gpus.is_number_integer())
    resources.gpus_per_trial = gpus.get<int>();
  if (stored(study, "/resources/visible_devices") == "index")
    resources.visible_devices = VisibleDevices::kIndex;
  return rules_of(options, std::move(declared), resources, console);
}

engine::ModelHooks model_hooks(Console& console) {
  return {[] { return interruption().count.load() > 0; },
          [&console](const std::string& sentence) {
            console.err << "this command " << visible_text(sentence) << '\n' << std::flush;
          }};
}

}  // namespace tune::cli
