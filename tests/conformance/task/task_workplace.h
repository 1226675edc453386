#pragma once
// Where a case of the conformance suite for tasks works.
#include <map>
#include <sstream>

#include "accelerator.h"
#include "support/run_shell.h"
#include "task_cases.h"
#include "torch_catch.h"
#include "trainer/loop/training_loop.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {

namespace fs = std::filesystem;

// A folder with a case's data, trainings and exported models.
class Workplace {
 public:
  // An accelerator is played by the CPU.
  explicit Workplace(const TaskCase& of, bool accelerated = false) : case_(of) {
    compute_ = loop::set_up_compute(/*threads=*/1, /*wants_gpu=*/false);
    compute_.accelerated = accelerated;
    if (of.draw) of.draw(data());
  }
  const loop::Compute& compute() const { return compute_; }
  void join(std::shared_ptr<const parallel::Team> team) { compute_.team = std::move(team); }
  fs::path data() const { return folder_.path() / "data"; }
  fs::path run_folder(const std::string& run) const { return folder_.path() / run; }
  fs::path output(const std::string& run) const { return run_folder(run) / "output"; }

  std::unique_ptr<loop::Training> start(std::uint64_t seed = 3, const fs::path& data_instead = {},
                                        const Json& more = Json::object()) const {
    Json trainer = case_.trainer;
    trainer["task"] = case_.task->name;
    if (case_.draw) trainer["data"] = (data_instead.empty() ? data() : data_instead).string();
    if (trainer.contains("weights"))
      trainer["weights"] = (folder_.path() / trainer["weights"].get<std::string>()).string();
    loop::TrialFile trial;
    trial.seed = seed;
    trial.trainer = trainer;
    trial.parameters = case_.hyperparameters;
    trial.parameters.update(more);
    std::ostringstream notes;
    return case_.task->start(trial, compute_, notes);
  }

  struct Outcome {
    ExitCode code;
    std::string lines;  // less those that differ from run to run
  };
  Outcome run(
      loop::Training& training, const std::string& name, bool resume = false,
      std::function<bool()> interrupted = [] { return false; }, double budget = 1) const {
    loop::LoopSettings settings;
    settings.seed = 3;
    settings.budget = budget;
    settings.objective = case_.objective;
    settings.compute = compute_;
    settings.checkpoint_dir = run_folder(name) / "checkpoints";
    settings.output_dir = output(name);
    settings.resume = resume;
    settings.interrupted = std::move(interrupted);
    if (compute_.accelerated)
      settings.graph = [this](const torch::Device&) -> std::unique_ptr<loop::DeviceGraph> {
        return repeats ? std::make_unique<RepeatedWork>() : nullptr;
      };
    std::ostringstream out, err;
    Outcome outcome{loop::TrainingLoop(training, settings, out, err, false).run(), {}};
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);)
      if (line.find("seconds:validation") == std::string::npos) outcome.lines += line + '\n';
    return outcome;
  }
  loop::Report last_report(const std::string& name) const {
    std::vector<std::string> notes;
    return *loop::CheckpointStore(run_folder(name) / "checkpoints").load_newest(notes)->progress.last;
  }
  // Every file that was exported.
  std::map<std::string, std::string> exported(const std::string& name) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(output(name)))
      files[entry.path().filename()] = read_file(entry.path());
    return files;
  }

  bool repeats = true;  // an accelerator's steps

 private:
  const TaskCase& case_;
  loop::Compute compute_;
  TemporaryFolder folder_;
};

}  // namespace tune::tests
