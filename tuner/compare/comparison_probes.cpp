#include "tuner/compare/comparison_probes.h"

#include "tuner/core/error.h"
#include "tuner/engine/study/run_facts.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/file_system.h"

namespace tune::compare {
namespace {

// Else the noise of two probes would be a difference between the approaches.
void share_precision(const Comparison& comparison, std::size_t approach, const std::string& machine,
                     const store::ComparisonProbes& probes, store::Probe& answer) {
  const auto model = [&](std::size_t i) {
    return study_spec_document(comparison, i, StudyRole::kDefaults, 1).at("trainer").value("model", "");
  };
  for (std::size_t i = 0; i < approach; ++i) {
    if (comparison.approaches[i].is_program) continue;
    const auto earlier = store::probe_in(probes, comparison.approaches[i].name, machine);
    if (earlier && model(i) == model(approach)) answer.precision = earlier->precision;
  }
}

std::optional<store::Probe> probe(const ProbesRequest& request, std::size_t approach) {
  const Comparison& comparison = request.comparison;
  const std::string name = comparison.approaches[approach].name;
  request.notice("tune-train is measured on this machine with the approach " + name);
  Spec spec = study_spec(comparison,
                         study_spec_document(comparison, approach, StudyRole::kDefaults, comparison.seeds));
  engine::apply_builtin_trainer(spec, request.trainer, spec.file, spec.text);
  make_private_folder(request.folder / name);
  return engine::probe_machine(
      {request.trainer, spec, request.folder / name, comparison.seed, request.signals, request.notice});
}

}  // namespace

void probe_approaches(const ProbesRequest& request, store::ComparisonProbes& probes,
                      const std::function<void(std::size_t approach)>& answered) {
  const std::string machine = engine::probe_name(request.machine, request.comparison.resources);
  for (std::size_t i = 0; i < request.comparison.approaches.size(); ++i) {
    if (request.comparison.approaches[i].is_program) continue;
    store::Probes& of_approach = probes[request.comparison.approaches[i].name];
    if (of_approach.contains(machine)) continue;
    std::optional<store::Probe> answer = probe(request, i);
    if (!answer) throw Error(ExitCode::kInterrupted, "interrupted");
    share_precision(request.comparison, i, machine, probes, *answer);
    of_approach[machine] = std::move(*answer);
    answered(i);
  }
}

}  // namespace tune::compare
