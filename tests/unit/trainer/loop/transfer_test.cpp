// Transfer strategies: what is frozen, from when on it is trained, at which rate.
#include <sstream>

#include "conformance/task/accelerator.h"
#include "staged_task.h"
#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/plan.h"
#include "trainer/loop/training_loop.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using namespace tune::trainer::loop;
using tune::ExitCode;
using tune::Json;
using tune::tests::staged_net_stages;
using tune::tests::StagedNet;
using tune::tests::StagedTask;
using tune::tests::TemporaryFolder;

namespace {

Transfer transfer_of(const Json& given) {
  return make_transfer(Hyperparameters(transfer_hyperparameters(), given));
}

std::string refused(const std::function<void()>& action) {
  try {
    action();
  } catch (const tune::Error& error) {
    CHECK(error.code() == ExitCode::kBadSpec);
    CHECK_FALSE(error.hint().empty());
    return std::string(error.what()) + " / " + error.hint();
  }
  return "was accepted";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

LoopSettings staged_settings(const std::filesystem::path& folder, bool accelerated) {
  LoopSettings settings;
  settings.seed = 5;
  settings.objective = {"validation:loss", false};
  settings.checkpoint_dir = folder / "checkpoints";
  settings.output_dir = folder / "output";
  settings.compute.accelerated = accelerated;
  if (accelerated)
    settings.graph = [](const torch::Device&) { return std::make_unique<tune::tests::RepeatedWork>(); };
  return settings;
}

struct Ran {
  ExitCode code;
  std::string lines, weights;
};

Ran run_staged(StagedTask& task, const LoopSettings& settings) {
  std::ostringstream out, err;
  Ran ran{TrainingLoop(task, settings, out, err, false).run(), {}, {}};
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    if (!has(line, "seconds:validation")) ran.lines += line + '\n';
  if (const auto file = settings.output_dir / "weights.safetensors"; std::filesystem::exists(file))
    ran.weights = tune::read_file(file);
  return ran;
}

// Stopped at each question in turn, a training goes on to what it is without a stop.
void check_resumes_anywhere(const std::function<std::unique_ptr<StagedTask>()>& make, bool accelerated,
                            int questions, const Ran& all) {
  for (int question = 0; question < questions; ++question) {
    INFO("accelerated " << accelerated << ", stopped at " << question);
    const TemporaryFolder folder;
    const auto first = make(), second = make();
    LoopSettings settings = staged_settings(folder.path(), accelerated);
    settings.interrupted = [left = question]() mutable { return left-- <= 0; };
    const Ran stopped = run_staged(*first, settings);
    REQUIRE(stopped.code == ExitCode::kInterrupted);
    settings.interrupted = [] { return false; };
    settings.resume = true;
    const Ran rest = run_staged(*second, settings);
    CHECK(stopped.lines + rest.lines == all.lines);
    CHECK(rest.weights == all.weights);
  }
}

}  // namespace

TEST_CASE("Frozen features need no gradient, keep no activations, and their normalisation stays as it was") {
  StagedNet net;
  StagedModel staged(net.ptr(), staged_net_stages(), transfer_of({{"freeze", "features"}}));
  CHECK_FALSE(staged.enter_step(0));
  CHECK(net->is_training());
  CHECK(net->fc->is_training());
  CHECK_FALSE(net->norm1->is_training());
  const torch::Tensor points = torch::randn({8, 4}), mean = net->norm1->running_mean.clone();
  // No graph: nothing of the body's work is kept for a backward pass.
  CHECK_FALSE(net->third(points).requires_grad());
  net(points).sum().backward();
  CHECK(net->fc->weight.grad().defined());
  CHECK_FALSE(net->linear3->weight.grad().defined());
  CHECK(net->norm1->running_mean.equal(mean));
  std::vector<std::string> trained;
  for (const ParameterGroup& group : staged.by_stage(groups_by_dimension(*net, 0.1)))
    trained.insert(trained.end(), group.parameters.begin(), group.parameters.end());
  CHECK(trained == std::vector<std::string>{"fc.weight", "fc.bias"});
  CHECK(staged.to_text() == "the head is trained, 3 stages frozen");
}

TEST_CASE(
    "Partial freezing trains the last stages and the head, and names both numbers where there are fewer") {
  StagedNet net;
  StagedModel staged(net.ptr(), staged_net_stages(),
                     transfer_of({{"freeze", "partial"}, {"train_stages", 2}}));
  staged.enter_step(0);
  CHECK(net->norm2->is_training());
  CHECK_FALSE(net->norm1->is_training());
  CHECK_FALSE(net->first(torch::randn({8, 4})).requires_grad());
  CHECK(net->second(torch::randn({8, 4})).requires_grad());
  CHECK(staged.to_text() == "the head, third, second are trained, 1 stage frozen");
  const std::string message = refused([] {
    StagedNet other;
    StagedModel(other.ptr(), staged_net_stages(), transfer_of({{"freeze", "partial"}, {"train_stages", 4}}));
  });
  CHECK(has(message, "train_stages is 4, yet the network has 3 stages"));
  CHECK(has(message, "first, second, third"));
}

TEST_CASE("Strategies that contradict each other are refused") {
  CHECK(has(refused([] { transfer_of({{"train_stages", 2}}); }), "freeze is \"none\", yet train_stages"));
  CHECK(has(refused([] {
              transfer_of({{"freeze", "features"}, {"gradual_unfreezing", 1}});
            }),
            "gradual_unfreezing is 1"));
  CHECK(has(refused([] {
              transfer_of({{"freeze", "features"}, {"rate_decay", 0.5}});
            }),
            "rate_decay is 0.5"));
  CHECK_NOTHROW(transfer_of({{"freeze", "features"}, {"gradual_unfreezing", 0}, {"rate_decay", 1}}));
}

TEST_CASE(
    "Stages learn the more slowly the nearer they are to the image, and the head at a rate of its own") {
  StagedNet net;
  StagedModel staged(net.ptr(), staged_net_stages(),
                     transfer_of({{"rate_decay", 0.5}, {"head_rate_factor", 10}}));
  std::map<std::string, double> rates, decays;
  for (const ParameterGroup& group :
       staged.by_stage({{{"linear1.weight", "linear2.weight", "fc.weight"}, 1, 0.1},
                        {{"linear3.bias", "norm1.weight"}, 2, 0}}))
    for (const std::string& name : group.parameters) {
      rates[name] = group.rate_factor;
      decays[name] = group.weight_decay;
    }
  CHECK(rates == std::map<std::string, double>{{"fc.weight", 10},
                                               {"linear3.bias", 1},  // twice a half
                                               {"linear2.weight", 0.25},
                                               {"linear1.weight", 0.125},
                                               {"norm1.weight", 0.25}});
  CHECK(decays["linear1.weight"] == 0.1);
  CHECK(decays["norm1.weight"] == 0);
  // Left alone, groups stay as few as they were.
  StagedNet plain;
  StagedModel all(plain.ptr(), staged_net_stages(), {});
  CHECK(all.by_stage(groups_by_dimension(*plain, 0.1)).size() == 2);
}

TEST_CASE("Gradual unfreezing begins with the head, and every few parts of an epoch one more stage joins") {
  StagedNet net;
  StagedModel staged(net.ptr(), staged_net_stages(), transfer_of({{"gradual_unfreezing", 0.5}}));
  CHECK(staged.trained_stages(0) == 0);
  CHECK(staged.trained_stages(0.49) == 0);
  CHECK(staged.trained_stages(0.1 + 0.2 + 0.2) == 1);  // a rounding below a half
  CHECK(staged.trained_stages(1.2) == 2);
  CHECK(staged.trained_stages(100) == 3);
  CHECK_FALSE(staged.enter_step(0));
  CHECK_FALSE(net->third(torch::randn({8, 4})).requires_grad());
  CHECK_FALSE(staged.enter_step(0.25));
  CHECK(staged.enter_step(0.5));
  CHECK(net->third(torch::randn({8, 4})).requires_grad());
  CHECK_FALSE(net->second(torch::randn({8, 4})).requires_grad());
  CHECK_FALSE(net->norm2->is_training());
  CHECK(staged.enter_step(1.5));
  CHECK(net->norm1->is_training());
  // With partial freezing it ends at the stages that are trained at all.
  StagedNet other;
  StagedModel partial(other.ptr(), staged_net_stages(),
                      transfer_of({{"freeze", "partial"}, {"gradual_unfreezing", 1}}));
  CHECK(partial.trained_stages(50) == 1);
  CHECK(partial.to_text() == "the head, third are trained, 2 stages frozen; one more joins every 1 epoch");
}

TEST_CASE("A parameter that no stage has, or two have, is a mistake of the network's") {
  StagedNet net;
  nn::Stages stages = staged_net_stages();
  stages.body[2].prefixes = {"linear4."};
  CHECK_THROWS(StagedModel(net.ptr(), stages, {}));
  stages.body[2].prefixes = {"linear3.", "linear2."};
  CHECK_THROWS(StagedModel(net.ptr(), stages, {}));
}

TEST_CASE("A training that unfreezes gradually goes on bit for bit from wherever it was stopped") {
  for (const bool accelerated : {false, true}) {
    for (const double every : {0.5, 1.0}) {
      const Transfer transfer = transfer_of({{"gradual_unfreezing", every}, {"rate_decay", 0.7}});
      const TemporaryFolder whole;
      StagedTask task(transfer);
      int questions = 0;
      LoopSettings counted = staged_settings(whole.path(), accelerated);
      counted.interrupted = [&questions] { return ++questions < 0; };
      const Ran all = run_staged(task, counted);
      // Each stage joined once, where its part of the training began.
      std::vector<double> joined;
      for (const auto& [epoch, changes] : task.entered)
        if (changes) joined.push_back(epoch);
      CHECK(joined == std::vector<double>{every, 2 * every, 3 * every});
      INFO("every " << every);
      check_resumes_anywhere([&] { return std::make_unique<StagedTask>(transfer); }, accelerated, questions,
                             all);
    }
  }
}

TEST_CASE("What a device has recorded is forgotten when a stage joins") {
  const TemporaryFolder folder;
  StagedTask task(transfer_of({{"gradual_unfreezing", 1}}));
  int graphs = 0;
  LoopSettings settings = staged_settings(folder.path(), true);
  settings.graph = [&graphs](const torch::Device&) {
    ++graphs;
    return std::make_unique<tune::tests::RepeatedWork>();
  };
  run_staged(task, settings);
  CHECK(graphs == 4);
}

TEST_CASE("A stage that has not joined yet keeps its weights, decay or not") {
  const TemporaryFolder folder;
  StagedTask task(transfer_of({{"gradual_unfreezing", 2}}), /*epochs=*/3);
  const torch::Tensor second = task.net()->linear2->weight.detach().clone(),
                      third = task.net()->linear3->weight.detach().clone();
  run_staged(task, staged_settings(folder.path(), false));
  CHECK(task.net()->linear2->weight.equal(second));
  CHECK_FALSE(task.net()->linear3->weight.equal(third));
}

TEST_CASE("An average of weights is what is evaluated and exported, and goes on bit for bit") {
  for (const bool accelerated : {false, true}) {
    const auto averaging = [](StagedTask& task) {
      task.change_plan().averaging = {0.8, 2};
      task.change_plan().accumulate = 2;
    };
    const TemporaryFolder whole, plain;
    StagedTask task(Transfer{}), unaveraged(Transfer{});
    averaging(task);
    unaveraged.change_plan().accumulate = 2;
    int questions = 0;
    LoopSettings counted = staged_settings(whole.path(), accelerated);
    counted.interrupted = [&questions] { return ++questions < 0; };
    const Ran all = run_staged(task, counted);
    CHECK(run_staged(unaveraged, staged_settings(plain.path(), accelerated)).weights != all.weights);
    // What was measured is what was exported: an evaluation of the exported weights gives the best number.
    StagedTask again(Transfer{});
    weights::load_state_dict(
        *again.net(), weights::read_safetensors(whole.path() / "output" / "weights.safetensors").tensors);
    again.net()->eval();
    const double measured = again.evaluate([] { return false; }).at("validation:loss");
    CHECK(has(all.lines, "validation:loss=" + fixed_point(measured)));
    check_resumes_anywhere(
        [&] {
          auto averaged = std::make_unique<StagedTask>(Transfer{});
          averaging(*averaged);
          return averaged;
        },
        accelerated, questions, all);
  }
}
