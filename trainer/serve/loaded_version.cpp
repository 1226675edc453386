#include "trainer/serve/loaded_version.h"

#include <cmath>

#include "trainer/tasks/task_table.h"
#include "tuner/core/error.h"

namespace tune::trainer::serve {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOtherModel = "the files are not those that a training wrote: deploy another version";

const loop::Task& task_of(const fs::path& model) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  if (!fs::exists(model, ignored))
    throw Error(ExitCode::kNotFound, model.string() + " does not exist",
                "name the folder of a promoted model: tune-store/models/NAME/current");
  const loop::Task* task = task_of_any_model(model);
  if (task == nullptr)
    throw Error(ExitCode::kNotFound, (model / "model.json").string() + " does not exist, or names no task",
                "name the folder of a promoted model: tune-store/models/NAME/current");
  if (task->serve == nullptr)
    throw Error(ExitCode::kUsage, "a model of the task " + task->name + " answers no requests",
                "it is for trainings to start from");
  return *task;
}

// A new version answers something before it answers others.
void try_out(const served::ServedModel& model, const fs::path& folder) {
  if (model.answerer) {
    const auto example = model.answerer->smoke_example();
    const std::vector<served::Answer> answers = model.answerer->answer({example.get()}, 1);
    bool is_finite = answers.size() == 1;
    if (is_finite)
      if (const auto* said = std::get_if<served::Probabilities>(&answers.front()))
        for (const double value : said->of_classes) is_finite = is_finite && std::isfinite(value);
    if (!is_finite)
      throw Error(ExitCode::kBadData,
                  folder.string() + ": the model answers with numbers that are not finite", kOtherModel);
    return;
  }
  const auto write = [&](const std::string& adapter) {
    served::GenerationRequest request{model.generator->tokens_of(std::string("a")), adapter};
    request.settings.max_new_tokens = 1;
    request.alternatives = 0;
    model.generator->begin(0, request);
    for (const served::Written& piece : model.generator->step())
      for (const served::WrittenToken& token : piece.scores)
        if (!std::isfinite(token.chosen.logprob))
          throw Error(ExitCode::kBadData,
                      folder.string() + ": the model" + (adapter.empty() ? "" : " with " + adapter) +
                          " answers with numbers that are not finite",
                      kOtherModel);
    TUNE_CHECK(model.generator->under_way() == 0);
  };
  write("");
  for (const std::string& adapter : model.facts().adapters) write(adapter);
}

}  // namespace

std::shared_ptr<LoadedVersion> load_version(const VersionRequest& request, const ModelLimits& limits,
                                            EndpointMetrics& metrics, std::ostream& notes) {
  const loop::Task& task = task_of(request.model);
  auto version = std::make_shared<LoadedVersion>();
  version->label = request.version;
  version->model = task.serve({request.model, request.base, request.adapters, limits.threads, notes});
  const served::ServedModel& model = version->model;
  if (!request.adapters.empty() && model.generator == nullptr)
    throw Error(ExitCode::kUsage, "a model of the task " + task.name + " has no adapters",
                "leave them out: they are for language models");
  try_out(model, request.model);
  if (model.answerer)
    version->answers = std::make_unique<AnswerQueue>(
        model.answerer,
        AnswerQueue::Settings{limits.most_waiting, limits.largest_batch, limits.batch_wait, limits.threads},
        metrics);
  else
    version->generations = std::make_unique<GenerationQueue>(model.generator, limits.most_waiting, metrics);
  return version;
}

}  // namespace tune::trainer::serve
