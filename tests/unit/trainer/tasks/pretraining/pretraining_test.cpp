#include <algorithm>
#include <sstream>

#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/weight_names.h"
#include "trainer/tasks/pretraining/pretraining.h"
#include "trainer/tasks/task_table.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using pretraining::BackboneClassifier;
using tune::ExitCode;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

loop::TrialFile small_trial(std::uint64_t seed = 3) {
  loop::TrialFile trial;
  trial.seed = seed;
  trial.trainer = {{"task", "pretraining"}, {"model", "ssd128-resnet18-half"}};
  trial.parameters = {{"classes", 5}, {"size", 32}, {"epochs", 2}, {"images", 24}, {"batch_size", 8}};
  return trial;
}

loop::LoopSettings loop_in(const fs::path& folder) {
  loop::LoopSettings settings;
  settings.seed = 3;
  settings.objective = {"validation:cross_entropy", false};
  settings.checkpoint_dir = folder / "checkpoints";
  settings.output_dir = folder;
  settings.compute = loop::set_up_compute(/*threads=*/1, /*wants_gpu=*/false);
  return settings;
}

ExitCode train(const loop::TrialFile& trial, const loop::LoopSettings& loop_settings) {
  pretraining::Pretraining training(trial, loop_settings.compute);
  std::ostringstream out, err;
  return loop::TrainingLoop(training, loop_settings, out, err, false).run();
}

std::string written(const fs::path& folder) { return tune::read_file(folder / "weights.safetensors"); }

// The means of the deepest map, through the fully connected layer of `tensors`.
torch::Tensor logits_of(const std::vector<torch::Tensor>& maps, const weights::TensorMap& tensors) {
  return torch::linear(maps.back().mean({2, 3}), tensors.at("fc.weight"), tensors.at("fc.bias"));
}

}  // namespace

TEST_CASE("The same seed pretrains the same backbone, and another seed another one") {
  const TemporaryFolder first, second, third;
  REQUIRE(train(small_trial(), loop_in(first.path())) == ExitCode::kOk);
  REQUIRE(train(small_trial(), loop_in(second.path())) == ExitCode::kOk);
  CHECK(written(first.path()) == written(second.path()));
  REQUIRE(train(small_trial(4), loop_in(third.path())) == ExitCode::kOk);
  CHECK(written(first.path()) != written(third.path()));
}

TEST_CASE("Pretraining that is interrupted and goes on ends with the same backbone") {
  const TemporaryFolder whole, parts;
  REQUIRE(train(small_trial(), loop_in(whole.path())) == ExitCode::kOk);
  loop::LoopSettings settings = loop_in(parts.path());
  settings.interrupted = [left = 2]() mutable { return left-- <= 0; };
  REQUIRE(train(small_trial(), settings) == ExitCode::kInterrupted);
  CHECK_FALSE(fs::exists(parts.path() / "weights.safetensors"));
  settings.interrupted = [] { return false; };
  settings.resume = true;
  REQUIRE(train(small_trial(), settings) == ExitCode::kOk);
  CHECK(written(parts.path()) == written(whole.path()));
}

TEST_CASE("A backbone learns to tell generated images apart") {
  const TemporaryFolder folder;
  loop::TrialFile trial = small_trial();
  trial.parameters.update({{"epochs", 5}, {"images", 320}, {"batch_size", 16}});
  const loop::LoopSettings loop_settings = loop_in(folder.path());
  pretraining::Pretraining training(trial, loop_settings.compute);
  std::ostringstream out, err;
  REQUIRE(loop::TrainingLoop(training, loop_settings, out, err, false).run() == ExitCode::kOk);
  const weights::SafetensorsContent content =
      weights::read_safetensors(folder.path() / "weights.safetensors");
  // One of five families each: chance is a fifth.
  CHECK(tune::Json::parse(content.metadata.at("pretraining"))["accuracy"] > 0.5);
}

TEST_CASE("Pretraining is a task of the table: its folder is what a detector's `weights` takes") {
  const TemporaryFolder folder;
  loop::TrialFile trial = small_trial();
  const loop::Task& task = task_of(trial);
  std::ostringstream notes, out, err;
  const loop::LoopSettings settings = loop_in(folder.path());
  const auto training = task.start(trial, settings.compute, notes);
  REQUIRE(loop::TrainingLoop(*training, settings, out, err, false).run() == ExitCode::kOk);
  CHECK(tune::Json::parse(tune::read_file(folder.path() / "model.json"))["task"] == "pretraining");
  const loop::FittedWeights fitted =
      find_task("detection")->fit_weights(weights::weights_file(folder.path()), "ssd128-resnet18-half");
  CHECK(fitted.report.refusal.empty());
  CHECK(fitted.report.share == 1);
  trial.parameters["learning_rat"] = 0.1;
  CHECK_THROWS_WITH(task.start(trial, settings.compute, notes), Catch::Matchers::Contains("learning_rat"));
}

TEST_CASE("A model on VGG-16 learns at a rate of its own, unless the trial names one") {
  const loop::Compute compute = loop::set_up_compute(1, false);
  loop::TrialFile trial = small_trial();
  CHECK(pretraining::Pretraining(trial, compute).plan().schedule.base == 2e-3);
  trial.trainer["model"] = "ssd300-vgg16";
  CHECK(pretraining::Pretraining(trial, compute).plan().schedule.base == 1e-4);
  trial.parameters["learning_rate"] = 2e-3;
  CHECK(pretraining::Pretraining(trial, compute).plan().schedule.base == 2e-3);
}

TEST_CASE("Of every model, what is written loads as its whole backbone") {
  for (const detection::DetectorModel& kind : detection::detector_models()) {
    INFO(kind.name);
    BackboneClassifier classifier(kind, 3);
    weights::WeightFile file;
    file.tensors = pretraining::backbone_weights(weights::state_dict(*classifier), kind);
    CHECK((file.tensors.contains("conv1.weight") || file.tensors.contains("features.0.weight")));
    const weights::LoadReport report = detection::fit_report(file, "starter", kind);
    CHECK(report.loaded.size() == file.tensors.size());
    CHECK(report.unexpected.empty());
    CHECK(report.mismatched.empty());
    const bool is_vgg = std::holds_alternative<detection::VggNetwork>(kind.network);
    for (const std::string& name : report.missing) {
      // torchvision's VGG-16 has no such layers.
      const bool only_of_ssd =
          is_vgg && (name == "backbone.scale_weight" ||
                     (name.starts_with("backbone.extra.") && !name.starts_with("backbone.extra.0.")));
      INFO(name);
      CHECK((only_of_ssd || !name.starts_with(detection::backbone_prefix(kind))));
    }
  }
}

TEST_CASE("A detector's backbone gives for its own input what the pretrained one gave for torchvision's") {
  const torch::NoGradGuard no_grad;
  const detection::DetectorModel& kind = detection::detector_model("ssd300-vgg16");
  torch::manual_seed(5);
  BackboneClassifier classifier(kind, 4);
  const weights::TensorMap tensors = weights::state_dict(*classifier);
  nn::VggLayout layout = std::get<detection::VggNetwork>(kind.network);
  layout.extras.clear();  // too small for this input
  nn::SsdVgg16 backbone(layout);
  weights::TensorMap written_tensors;
  for (auto& [name, tensor] :
       detection::with_model_names(pretraining::backbone_weights(tensors, kind), kind)) {
    REQUIRE(name.starts_with("backbone."));
    written_tensors[name.substr(9)] = tensor;
  }
  weights::load_state_dict(*backbone, written_tensors);
  // Pixels less the mean.
  const torch::Tensor pixels = torch::rand({1, 3, 64, 64}) - 0.5;
  const auto divided = [&](const std::array<double, 3>& by) {
    return pixels / torch::tensor(at::ArrayRef<double>(by), torch::kFloat).view({1, 3, 1, 1});
  };
  const std::vector<torch::Tensor> maps = backbone(divided(kind.preprocessing.std));
  const torch::Tensor expected = classifier(divided(pretraining::kDeviation));
  CHECK(torch::allclose(logits_of({maps[0], maps[1]}, tensors), expected, 1e-4, 1e-5));
}
