// What the plan of a task asks of the loop: weights of batches, steps, early stopping, frozen parameters.
#include <sstream>

#include "line_task.h"
#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/training_loop.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using namespace tune::trainer::loop;
using tune::ExitCode;
using tune::Json;
using tune::tests::LineTask;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

LoopSettings settings_in(const fs::path& folder) {
  LoopSettings settings;
  settings.seed = 5;
  settings.objective = {"validation:error", false};
  settings.checkpoint_dir = folder / "checkpoints";
  settings.output_dir = folder / "output";
  return settings;
}

struct Outcome {
  ExitCode code = ExitCode::kOk;
  std::vector<std::string> lines;
  std::string err;
};

Outcome run(LineTask& task, const LoopSettings& settings) {
  std::ostringstream out, err;
  Outcome outcome;
  outcome.code = TrainingLoop(task, settings, out, err, false).run();
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    if (line.find("seconds:validation") == std::string::npos) outcome.lines.push_back(line);
  outcome.err = err.str();
  return outcome;
}

Checkpoint newest(const fs::path& folder) {
  std::vector<std::string> notes;
  auto checkpoint = CheckpointStore(folder / "checkpoints").load_newest(notes);
  REQUIRE(checkpoint);
  return *checkpoint;
}

std::string refusal(LineTask& task, const LoopSettings& settings, ExitCode code) {
  try {
    run(task, settings);
  } catch (const tune::Error& error) {
    CHECK(error.code() == code);
    return std::string(error.what()) + " / " + error.hint();
  }
  return "was accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

double loss_in(const std::string& line) { return std::stod(line.substr(line.find("train:loss=") + 11)); }

}  // namespace

TEST_CASE("A step of uneven batches moves as one batch of all their examples does") {
  const auto weight_after = [](const std::vector<std::vector<std::int64_t>>& parts, bool weighted) {
    const TemporaryFolder folder;
    LineTask task(1, static_cast<std::int64_t>(parts.size()));
    task.batches = parts;
    task.noise = 0;
    task.change_plan().optimizer.kind = OptimizerKind::kSgd;
    task.change_plan().schedule.kind = ScheduleKind::kConstant;
    if (weighted) task.weigh = [](const auto& examples) { return static_cast<double>(examples.size()); };
    run(task, settings_in(folder.path()));
    return task.line()->layer->weight.detach().clone();
  };
  const torch::Tensor together = weight_after({{0, 1, 2, 3, 4, 5, 6}}, true);
  CHECK(torch::allclose(weight_after({{0}, {1, 2, 3, 4}, {5, 6}}, true), together, 1e-5, 1e-6));
  CHECK_FALSE(torch::allclose(weight_after({{0}, {1, 2, 3, 4}, {5, 6}}, false), together, 1e-3, 1e-4));
}

TEST_CASE("The reported loss of an epoch is the mean over the weight of its batches") {
  const TemporaryFolder folder;
  LineTask task(1);
  task.batches = {{0}, {1, 2}, {3, 4, 5}};
  task.weigh = [](const auto& examples) { return static_cast<double>(examples.size()); };
  task.loss_of = [](double weight) { return 10 * weight; };  // a token of a long text is harder here
  const Outcome outcome = run(task, settings_in(folder.path()));
  CHECK(loss_in(outcome.lines.at(0)) == Approx((1 * 10 + 2 * 20 + 3 * 30) / 6.0));
}

TEST_CASE("A batch of weight zero is passed over, and data of such batches alone is refused") {
  const TemporaryFolder folder;
  LineTask task(1, 2);
  task.batches = {{0}, {1, 2}, {3}};
  task.weigh = [](const auto& examples) { return examples.size() == 2 ? 2.0 : 0.0; };
  const Outcome outcome = run(task, settings_in(folder.path()));
  CHECK(task.batches_seen == 1);
  CHECK(std::isfinite(loss_in(outcome.lines.at(0))));
  LineTask empty(1);
  empty.weigh = [](const auto&) { return 0.0; };
  CHECK(contains(refusal(empty, settings_in(folder.path()), ExitCode::kBadData),
                 "epoch 1: no batch has anything to learn from"));
}

TEST_CASE("Evaluations every few steps carry their step, and the end has one too") {
  const TemporaryFolder folder;
  LineTask task(2);  // of five steps each
  task.change_plan().evaluation_steps = 3;
  std::ostringstream out, err;
  TrainingLoop(task, settings_in(folder.path()), out, err, false).run();
  std::istringstream lines(out.str());
  std::vector<std::string> steps;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("epoch ")) steps.push_back(line.substr(0, line.find(" train")));
    if (line.starts_with("TUNE_METRIC "))
      CHECK(steps.back().ends_with(" " + Json::parse(line.substr(12))["step"].dump()));
  }
  CHECK(steps ==
        std::vector<std::string>{"epoch 1 step 3", "epoch 2 step 6", "epoch 2 step 9", "epoch 2 step 10"});
}

TEST_CASE("The log has the mean losses since its last line, each with its step") {
  const TemporaryFolder folder;
  LineTask task(1);
  task.batches = {{0}, {1, 2}, {3, 4, 5}, {6}, {7}};
  task.weigh = [](const auto& examples) { return static_cast<double>(examples.size()); };
  task.loss_of = [](double weight) { return weight; };
  task.change_plan().log_steps = 2;
  const Outcome outcome = run(task, settings_in(folder.path()));
  REQUIRE(outcome.lines.size() == 3);
  const auto metric = [&](std::size_t line) { return Json::parse(outcome.lines.at(line).substr(12)); };
  CHECK(metric(0) == Json{{"name", "step:train:loss"}, {"value", (1 + 4) / 3.0}, {"step", 2}});
  CHECK(metric(1) == Json{{"name", "step:train:loss"}, {"value", (9 + 1) / 4.0}, {"step", 4}});
  CHECK(loss_in(outcome.lines.at(2)) == Approx((1 + 4 + 9 + 1 + 1) / 8.0));
}

TEST_CASE("A run that dies goes on from the last checkpoint of its steps") {
  const TemporaryFolder whole, folder;
  LineTask task(2), first(2), second(2);
  const std::vector<std::string> lines = run(task, settings_in(whole.path())).lines;
  LoopSettings settings = settings_in(folder.path());
  first.change_plan().checkpoint_steps = second.change_plan().checkpoint_steps = 2;
  first.poisoned_batch = 5;
  CHECK(contains(refusal(first, settings, ExitCode::kNonFiniteLoss), "batch 5"));
  CHECK(newest(folder.path()).progress.step == 4);
  settings.resume = true;
  CHECK(run(second, settings).lines == lines);
  CHECK(second.batches_seen == 6);
}

TEST_CASE("A decay that the training's length leaves nothing of averages nothing, and is said to") {
  const TemporaryFolder folder, other;
  LineTask task(2), averaging(2);
  task.change_plan().averaging = {/*decay=*/0, /*steps=*/1, /*asked=*/0.75};
  CHECK(contains(run(task, settings_in(folder.path())).err, "warning: ema_decay 0.75 is taken, but"));
  averaging.change_plan().averaging = {/*decay=*/0.04, /*steps=*/1, /*asked=*/0.76};
  CHECK_FALSE(contains(run(averaging, settings_in(other.path())).err, "ema_decay"));
}

TEST_CASE("Early stopping ends a training whose objective gains too little, and exports the best") {
  const TemporaryFolder folder;
  LineTask task(10);
  task.change_plan().early_stopping = {/*patience=*/2, /*threshold=*/0.1};
  // Two gains of 0.06 each add up to one that counts; after 0.5 nothing does.
  task.errors = {1, 0.94, 0.88, 0.5, 0.45, 0.6, 0.1};
  LoopSettings settings = settings_in(folder.path());
  const Outcome outcome = run(task, settings);
  CHECK(outcome.code == ExitCode::kOk);
  CHECK(task.evaluations == 6);
  CHECK(task.exported_epoch == 5);  // 0.45 is the best all the same
  CHECK(contains(outcome.err,
                 "stopped early: validation:error has not improved on 0.5 by more than 0.1 in 2 "));
  // Going on from there changes nothing.
  LineTask again(10);
  again.change_plan().early_stopping = task.plan().early_stopping;
  settings.resume = true;
  const Outcome second = run(again, settings);
  CHECK(again.batches_seen == 0);
  CHECK(second.lines == std::vector<std::string>{outcome.lines.back()});
  CHECK(again.exported_epoch == 5);
}

TEST_CASE("An improvement may be asked for as a part of the best, and some epochs before any early stop") {
  const TemporaryFolder relative, late;
  LineTask parts(10), patient(10);
  parts.change_plan().early_stopping = {/*patience=*/2, /*threshold=*/0, /*relative=*/0.1};
  parts.errors = {10,  9.5, 8.9,
                  8.5, 8.2, 1};  // more than a tenth below 10 is 8.9, and below that 8.01 would be
  run(parts, settings_in(relative.path()));
  CHECK(parts.evaluations == 5);
  patient.change_plan().early_stopping = {/*patience=*/1, 0, 0, /*first_epoch=*/4};
  patient.errors = {1, 2, 2, 2, 2};
  run(patient, settings_in(late.path()));
  CHECK(patient.evaluations == 4);
}

TEST_CASE("Patience counts over an interruption") {
  const TemporaryFolder folder;
  LoopSettings settings = settings_in(folder.path());
  LineTask first(10), second(10);
  for (LineTask* task : {&first, &second}) task->change_plan().early_stopping.patience = 3;
  first.errors = {1, 2, 2, 2};
  settings.interrupted = [&] { return first.evaluations == 3; };
  REQUIRE(run(first, settings).code == ExitCode::kInterrupted);
  second.errors = {2, 0.5};
  settings.interrupted = [] { return false; };
  settings.resume = true;
  CHECK(run(second, settings).code == ExitCode::kOk);
  CHECK(second.evaluations == 1);
  CHECK(second.exported_epoch == 1);
}

TEST_CASE("Checkpoints hold what is trained alone, and the export holds all") {
  const TemporaryFolder folder;
  LineTask task(3, 1, /*has_base=*/true);
  run(task, settings_in(folder.path()));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : newest(folder.path()).model) names.push_back(name);
  // One buffer counts batches, the other keeps its values.
  CHECK(names == std::vector<std::string>{"batches", "layer.bias", "layer.weight"});
  const auto exported = weights::read_safetensors(folder.path() / "output" / "weights.safetensors").tensors;
  CHECK(exported.size() == 6);
  CHECK(exported.at("base.weight").equal(torch::eye(2)));
  CHECK(exported.at("table").equal(torch::arange(3)));
  CHECK(newest(folder.path()).base.from == "base.safetensors");
}

TEST_CASE("A training on frozen weights goes on bit for bit, but not on others") {
  const TemporaryFolder whole, folder;
  LineTask task(2, 2, true), first(2, 2, true), second(2, 2, true), other(2, 2, true);
  const std::vector<std::string> lines = run(task, settings_in(whole.path())).lines;
  LoopSettings settings = settings_in(folder.path());
  settings.interrupted = [&first] { return first.batches_seen == 7; };
  std::vector<std::string> seen = run(first, settings).lines;
  settings.interrupted = [] { return false; };
  settings.resume = true;
  {
    const torch::NoGradGuard no_grad;
    other.line()->base->weight[0][0] = 1.5;
  }
  const std::string message = refusal(other, settings, ExitCode::kConflict);
  CHECK(contains(message, "other frozen weights"));
  CHECK(contains(message, "from base.safetensors"));
  CHECK(contains(message, "put the weights back"));
  for (const std::string& line : run(second, settings).lines) seen.push_back(line);
  CHECK(seen == lines);
  CHECK(tune::read_file(folder.path() / "output" / "weights.safetensors") ==
        tune::read_file(whole.path() / "output" / "weights.safetensors"));
}

TEST_CASE("A checkpoint of another version of the program is refused, not passed over") {
  const TemporaryFolder folder;
  LineTask task(1), again(1);
  LoopSettings settings = settings_in(folder.path());
  run(task, settings);
  settings.resume = true;
  for (const int schema : {1, 2, 4}) {
    for (const auto& entry : fs::directory_iterator(settings.checkpoint_dir)) {
      Json manifest = Json::parse(tune::read_file(entry.path() / "manifest.json"));
      manifest["schema"] = schema;
      tune::write_file_atomically(entry.path() / "manifest.json", manifest.dump());
    }
    const std::string message = refusal(again, settings, ExitCode::kConflict);
    CHECK(contains(message, "another version of tune-train wrote it (format " + std::to_string(schema)));
    CHECK(contains(message, "remove the folder " + settings.checkpoint_dir.string()));
  }
}
