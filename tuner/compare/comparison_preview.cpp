// What a comparison would do and take, before it begins.
#include "store/comparison_store.h"
#include "tuner/billing/device_shares.h"
#include "tuner/compare/comparison_forecast.h"
#include "tuner/compare/comparison_probes.h"
#include "tuner/compare/comparison_run.h"
#include "tuner/compare/test_images.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/study/run_facts.h"
#include "tuner/os/scratch_folder.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// Those of the same comparison that the store holds; none where there is no such file, or another one's.
store::ComparisonProbes recorded_probes(const fs::path& database, const Comparison& comparison) {
  if (!fs::exists(database)) return {};
  const store::ComparisonStore record(database, store::OpenMode::kRead);
  const auto row = record.comparison();
  if (!row || row->document != Json(comparison.document)) return {};
  return store::comparison_facts(row->facts).probes;
}

}  // namespace

std::optional<ComparisonPreview> preview_comparison(const ComparisonRequest& request,
                                                    const ComparisonHooks& hooks,
                                                    engine::Interruption& interruption) {
  std::optional<engine::BuiltinTrainer> trainer;
  if (needs_builtin_trainer(request.comparison)) trainer = engine::find_builtin_trainer();
  const Json description = trainer ? trainer->description : Json::object();
  const Comparison comparison = with_task(request.comparison, description);
  check_comparison(comparison, description);
  const engine::Machine machine = engine::inspect_machine();
  const ScratchFolder folder("tune-preview");
  const auto signals = [&] { return interruption.count.load(); };
  store::ComparisonProbes probes =
      recorded_probes(comparison_database(comparison_folder(request.store, comparison.name)), comparison);
  try {
    ComparisonPreview preview;
    preview.task = comparison.task;
    if (!comparison.own_test)
      preview.audit =
          TestImages(comparison, *trainer, signals, hooks.notice).audit(folder.path() / "groups.json");
    if (trainer)
      probe_approaches({comparison, *trainer, machine, folder.path() / "probes", signals, hooks.notice},
                       probes, [](std::size_t) {});
    const std::string name = engine::probe_name(machine, comparison.resources);
    for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
      const auto probe = store::probe_in(probes, comparison.approaches[i].name, name);
      preview.studies.merge(forecast_approach(comparison, i, probe, description, machine));
    }
    preview.predicting = forecast_predicting(comparison, preview.studies, probes, name,
                                             static_cast<double>(preview.audit.test_images));
    const double seconds = billing::probing_seconds(probes);
    preview.probing_hours = seconds / 3600;
    preview.total = forecast_total(comparison, preview.studies, preview.predicting, seconds);
    return preview;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInterrupted) throw;
    return std::nullopt;
  }
}

}  // namespace tune::compare
