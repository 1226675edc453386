#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "line_task.h"
#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/batch_loader.h"
#include "trainer/loop/training_loop.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer::loop;
using tune::ExitCode;
using tune::tests::LineTask;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

struct Outcome {
  ExitCode code = ExitCode::kOk;
  std::string out, err;
  std::string timings;  // the lines of `out` that differ from run to run
};

LoopSettings settings_in(const fs::path& folder) {
  LoopSettings settings;
  settings.seed = 5;
  settings.objective = {"validation:error", false};
  settings.checkpoint_dir = folder / "checkpoints";
  settings.output_dir = folder / "output";
  return settings;
}

Outcome run(LineTask& task, const LoopSettings& settings) {
  std::ostringstream out, err;
  TrainingLoop loop(task, settings, out, err, false);
  const ExitCode code = loop.run();
  Outcome outcome{code, {}, err.str(), {}};
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    (line.find("seconds:validation") != std::string::npos ? outcome.timings : outcome.out) += line + '\n';
  return outcome;
}

// Answers no that often, then yes.
std::function<bool()> interrupt_after(int questions) {
  return [left = questions]() mutable { return left-- <= 0; };
}

std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder / "checkpoints")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("A run prints one report an epoch, and exports the best one") {
  const TemporaryFolder folder;
  LineTask task(6);
  const Outcome outcome = run(task, settings_in(folder.path()));
  CHECK(outcome.code == ExitCode::kOk);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 6);
  CHECK(outcome.out.find("epoch 1 ") == 0);
  CHECK(task.exported_epoch >= 1);
  CHECK(task.batches_seen == 6 * 5);  // 22 examples in fours: the incomplete batch is left out
  CHECK(fs::exists(folder.path() / "output" / "weights.safetensors"));
}

TEST_CASE("Each validation says how many seconds it took, at its epoch") {
  const TemporaryFolder folder;
  LineTask task(2);
  std::istringstream lines(run(task, settings_in(folder.path())).timings);
  int epoch = 0;
  for (std::string line; std::getline(lines, line);) {
    const tune::Json metric = tune::Json::parse(line.substr(std::string("TUNE_METRIC ").size()));
    CHECK(metric.at("name") == "seconds:validation");
    CHECK(metric.at("step") == ++epoch);
    CHECK(metric.at("value").get<double>() >= 0);
  }
  CHECK(epoch == 2);
}

TEST_CASE("The same seed gives the same lines") {
  const TemporaryFolder one, two, three;
  LineTask first, second, third;
  const std::string lines = run(first, settings_in(one.path())).out;
  CHECK(run(second, settings_in(two.path())).out == lines);
  LoopSettings other = settings_in(three.path());
  other.seed = 6;
  CHECK(run(third, other).out != lines);
}

TEST_CASE("Wherever a run is interrupted, going on prints and exports what an uninterrupted run does") {
  const auto each_epoch = [](LineTask&) {};
  const auto accumulated = [](LineTask& task) { task.change_plan().accumulate = 3; };
  const auto by_steps = [](LineTask& task) {
    task.change_plan().accumulate = 2;
    task.change_plan().evaluation_steps = 4;
    task.change_plan().log_steps = 2;
    task.weigh = [](const std::vector<std::int64_t>& examples) {
      return static_cast<double>(1 + examples.front() % 3);
    };
  };
  const auto in_buckets = [](LineTask& task) {
    task.batches = {{0, 1}, {4, 5}, {7, 8, 9}};
    task.change_plan().accumulate = 2;
  };
  int kind = 0;
  for (const std::function<void(LineTask&)>& change :
       std::vector<std::function<void(LineTask&)>>{each_epoch, accumulated, by_steps, in_buckets}) {
    INFO("kind " << kind++);
    const TemporaryFolder whole;
    LineTask task;
    change(task);
    int questions = 0;  // before each batch and each evaluation
    LoopSettings counted = settings_in(whole.path());
    counted.interrupted = [&questions] { return ++questions < 0; };
    const std::string lines = run(task, counted).out;
    const std::string weights = tune::read_file(whole.path() / "output" / "weights.safetensors");
    REQUIRE(questions > 10);
    for (int question = 0; question < questions; ++question) {
      INFO("interrupted at question " << question << " of " << questions);
      const TemporaryFolder folder;
      LoopSettings settings = settings_in(folder.path());
      LineTask first, second;
      change(first);
      change(second);
      settings.interrupted = interrupt_after(question);
      const Outcome stopped = run(first, settings);
      REQUIRE(stopped.code == ExitCode::kInterrupted);
      CHECK(stopped.err.find("interrupted") != std::string::npos);
      settings.interrupted = [] { return false; };
      settings.resume = true;
      const Outcome continued = run(second, settings);
      REQUIRE(continued.code == ExitCode::kOk);
      CHECK(stopped.out + continued.out == lines);
      CHECK(first.batches_seen + second.batches_seen == task.batches_seen);
      CHECK(tune::read_file(folder.path() / "output" / "weights.safetensors") == weights);
    }
  }
}

TEST_CASE("Half a budget trains half the epochs, and a larger one goes on from there") {
  const TemporaryFolder folder, whole;
  LineTask all, half, rest;
  const std::string lines = run(all, settings_in(whole.path())).out;
  LoopSettings settings = settings_in(folder.path());
  settings.budget = 0.5;
  const Outcome first = run(half, settings);
  CHECK(first.code == ExitCode::kOk);
  CHECK(half.batches_seen == 2 * 5);
  settings.budget = 1;
  settings.resume = true;
  CHECK(first.out + run(rest, settings).out == lines);
}

TEST_CASE("Going on from a finished run repeats its last report and exports again") {
  const TemporaryFolder folder;
  LoopSettings settings = settings_in(folder.path());
  LineTask first, second;
  const std::string lines = run(first, settings).out;
  settings.resume = true;
  const Outcome again = run(second, settings);
  CHECK(second.batches_seen == 0);
  CHECK(second.exported_epoch == first.exported_epoch);
  CHECK(lines.ends_with(again.out));
  CHECK(std::count(again.out.begin(), again.out.end(), '\n') == 1);
}

TEST_CASE("A loss that is not a number ends the run, and the last checkpoint is from before it") {
  const TemporaryFolder folder;
  LoopSettings settings = settings_in(folder.path());
  LineTask task;
  task.poisoned_batch = 8;  // in the second epoch
  std::ostringstream out, err;
  TrainingLoop loop(task, settings, out, err, false);
  try {
    loop.run();
    FAIL("went on");
  } catch (const tune::Error& error) {
    CHECK(error.code() == ExitCode::kNonFiniteLoss);
    CHECK(std::string(error.what()).find("epoch 2") == 0);
  }
  CHECK(out.str().find("nan") == std::string::npos);
  std::vector<std::string> notes;
  const auto checkpoint = CheckpointStore(settings.checkpoint_dir).load_newest(notes);
  REQUIRE(checkpoint);
  CHECK(checkpoint->progress.epoch == 2);
  for (const auto& [name, tensor] : checkpoint->model) CHECK(tensor.isfinite().all().item<bool>());
}

TEST_CASE("A damaged newest checkpoint is passed over for the one before it, and the result is the same") {
  const TemporaryFolder whole;
  LineTask task;
  const std::string lines = run(task, settings_in(whole.path())).out;
  const std::string last_two = lines.substr(lines.find("epoch 3"));
  for (const char* damage : {"cut", "flip", "gone", "no manifest", "no state", "fifo", "endless", "larger"}) {
    INFO(damage);
    const TemporaryFolder folder;
    LoopSettings settings = settings_in(folder.path());
    LineTask first, second;
    settings.interrupted = interrupt_after(6 * 3 + 0);  // after epoch 3
    REQUIRE(run(first, settings).code == ExitCode::kInterrupted);
    const fs::path newest = checkpoints_in(folder.path()).back();
    const fs::path model = newest / "model.safetensors";
    const std::string kind = damage;
    if (kind == "cut") fs::resize_file(model, fs::file_size(model) / 2);
    if (kind == "flip") {
      std::fstream file(model, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(fs::file_size(model)) - 2);
      file.put('\x55');
    }
    if (kind == "gone") fs::remove(model);
    if (kind == "no manifest") fs::remove(newest / "manifest.json");
    if (kind == "fifo" || kind == "endless") fs::remove(kind == "fifo" ? model : newest / "manifest.json");
    if (kind == "fifo") REQUIRE(::mkfifo(model.c_str(), 0600) == 0);
    if (kind == "endless") fs::create_symlink("/dev/zero", newest / "manifest.json");
    if (kind == "larger") fs::resize_file(model, std::uintmax_t{1} << 40U);  // of holes
    if (kind == "no state") fs::remove(newest / "state.json");
    settings.interrupted = [] { return false; };
    settings.resume = true;
    const Outcome continued = run(second, settings);
    CHECK(continued.err.find("passed over") != std::string::npos);
    CHECK(continued.out == last_two);
  }
}

TEST_CASE("A folder of checkpoints that cannot be used is an error of the environment with a cure") {
  const TemporaryFolder folder;
  const fs::path place = folder.path() / "checkpoints";
  const auto check = [](const auto& action) {
    try {
      action();
      FAIL("went through");
    } catch (const tune::Error& error) {
      INFO(error.what());
      CHECK(error.code() == ExitCode::kEnvironment);
      CHECK(std::string(error.what()).find("checkpoints") != std::string::npos);
      CHECK_FALSE(error.hint().empty());
    }
  };
  CheckpointStore store(place);
  Checkpoint checkpoint;
  checkpoint.model["w"] = checkpoint.optimizer["m"] = torch::zeros({1});
  checkpoint.generators.cpu = torch::zeros({1}, torch::kByte);
  // What was a folder is a file now.
  fs::remove(place);
  std::ofstream(place) << "a file";
  check([&] { store.save(checkpoint); });
  check([&] { CheckpointStore{place}; });
  Progress progress;
  progress.best_checkpoint = {1, 0};
  check([&] { store.best_model(progress); });
  // A file in the way of a checkpoint's new name cannot be replaced by a folder, but is removed first.
  fs::remove(place);
  fs::create_directory(place);
  std::ofstream(place / "at-000001-000000000") << "a file";
  store.save(checkpoint);
  std::vector<std::string> notes;
  CHECK(store.load_newest(notes));
}

TEST_CASE("The checkpoint before a damaged one still has the best model that it names") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  const auto save = [&](std::int64_t epoch, std::vector<std::int64_t> best) {
    Checkpoint checkpoint;
    checkpoint.progress.epoch = epoch;
    checkpoint.progress.best_checkpoint = std::move(best);
    checkpoint.model["w"] = torch::full({1}, static_cast<double>(epoch));
    checkpoint.optimizer["m"] = torch::zeros({1});
    checkpoint.generators.cpu = torch::zeros({1}, torch::kByte);
    store.save(checkpoint);
  };
  save(1, {1, 0});
  save(2, {1, 0});
  save(3, {1, 0});
  save(4, {4, 0});
  fs::remove(folder.path() / "at-000004-000000000" / "model.safetensors");
  std::vector<std::string> notes;
  const auto checkpoint = store.load_newest(notes);
  REQUIRE(checkpoint);
  CHECK(checkpoint->progress.epoch == 3);
  CHECK(store.best_model(checkpoint->progress).at("w").item<double>() == 1);
}

TEST_CASE("A best model that is damaged is found out when a run goes on, not at its end") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  const auto save = [&](std::int64_t epoch, std::vector<std::int64_t> best) {
    Checkpoint checkpoint;
    checkpoint.progress.epoch = epoch;
    checkpoint.progress.best_checkpoint = std::move(best);
    checkpoint.model["w"] = torch::full({1}, static_cast<double>(epoch));
    checkpoint.optimizer["m"] = torch::zeros({1});
    checkpoint.generators.cpu = torch::zeros({1}, torch::kByte);
    store.save(checkpoint);
  };
  const auto name = [&](int epoch) {
    return folder.path() / ("at-00000" + std::to_string(epoch) + "-000000000");
  };
  save(1, {1, 0});
  save(2, {1, 0});
  save(3, {2, 0});
  save(4, {2, 0});
  std::vector<std::string> notes;
  REQUIRE(store.load_newest(notes)->progress.epoch == 4);
  CHECK(notes.empty());
  std::fstream file(name(2) / "model.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('\x55');
  file.close();
  CHECK_FALSE(store.load_newest(notes));
  REQUIRE(notes.size() == 3);
  CHECK(notes[0].find("at-000004") != std::string::npos);
  CHECK(notes[0].find("best model so far, which it names, is lost") != std::string::npos);
  save(5, {5, 0});
  CHECK(store.load_newest(notes)->progress.epoch == 5);
}

TEST_CASE("Without any complete checkpoint a run says so and starts again") {
  const TemporaryFolder whole, folder;
  LineTask task, again;
  const std::string lines = run(task, settings_in(whole.path())).out;
  LoopSettings settings = settings_in(folder.path());
  settings.resume = true;
  fs::create_directories(folder.path() / "checkpoints" / ".unfinished-at-000002-000000000");
  const Outcome outcome = run(again, settings);
  CHECK(outcome.out == lines);
  CHECK(outcome.err.find("starts from the beginning") != std::string::npos);
  for (const fs::path& path : checkpoints_in(folder.path()))
    CHECK(path.filename().string().starts_with("at-"));
}

TEST_CASE("Checkpoints of another training are refused") {
  const TemporaryFolder folder;
  LoopSettings settings = settings_in(folder.path());
  LineTask first, second;
  run(first, settings);
  settings.resume = true;
  second.fingerprint_text = "another";
  std::ostringstream out, err;
  try {
    TrainingLoop(second, settings, out, err, false).run();
    FAIL("went on");
  } catch (const tune::Error& error) {
    CHECK(error.code() == ExitCode::kConflict);
  }
}

TEST_CASE("A run that starts anew is not misled by old checkpoints, and keeps few of its own") {
  const TemporaryFolder folder;
  LoopSettings settings = settings_in(folder.path());
  LineTask first(9), second(2);
  run(first, settings);
  CHECK(checkpoints_in(folder.path()).size() <= 4);
  const Outcome outcome = run(second, settings);
  CHECK(outcome.code == ExitCode::kOk);
  for (const fs::path& path : checkpoints_in(folder.path()))
    CHECK(path.filename().string() <= "at-000003-000000000");
}

TEST_CASE("Zero epochs export the model as it was drawn") {
  const TemporaryFolder folder;
  LineTask task(0);
  const Outcome outcome = run(task, settings_in(folder.path()));
  CHECK(outcome.code == ExitCode::kOk);
  CHECK(task.batches_seen == 0);
  CHECK(task.exported_epoch == 0);
  CHECK(outcome.out.find("epoch 0 step 0 validation:error") == 0);
}

TEST_CASE("An objective that the task does not report is refused before training") {
  const TemporaryFolder folder;
  LoopSettings settings = settings_in(folder.path());
  settings.objective.metric = "validation:accuracy";
  LineTask task;
  std::ostringstream out, err;
  try {
    TrainingLoop(task, settings, out, err, false);
    FAIL("was accepted");
  } catch (const tune::Error& error) {
    CHECK(error.code() == ExitCode::kBadSpec);
    CHECK(error.hint().find("validation:error") != std::string::npos);
  }
}

TEST_CASE("Batches prepared ahead are those prepared on demand") {
  LineTask task;
  const auto batches = task.epoch_batches(2, 3);
  Compute cpu, accelerator;
  accelerator.threads = 3;
  accelerator.accelerated = true;
  BatchLoader on_demand(task, batches, 2, 1, cpu), ahead(task, batches, 2, 1, accelerator);
  for (int i = 1; i < 5; ++i)
    CHECK(on_demand.next().tensors.at("inputs").equal(ahead.next().tensors.at("inputs")));
}
