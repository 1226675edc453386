#include <re2/re2.h>

#include "torch_catch.h"
#include "trainer/loop/device.h"
#include "trainer/loop/hyperparameters.h"
#include "trainer/loop/plan.h"
#include "trainer/loop/probe.h"
#include "trainer/loop/trial_file.h"
#include "trainer/tasks/detection/recipes.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/error.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using tune::Json;

namespace {

template <typename Function>
std::string refusal(Function function) {
  try {
    function();
  } catch (const tune::Error& error) {
    CHECK(error.code() == tune::ExitCode::kBadSpec);
    return std::string(error.what()) + " / " + error.hint();
  }
  return "was accepted";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const loop::Recipe& legacy() { return detection::detection_recipe("legacy"); }

Json minimal_trial() {
  return {{"schema", 1},
          {"seed", 7},
          {"parameters", {{"learning_rate", 0.1}}},
          {"fixed", {{"epochs", 3}}},
          {"trainer", {{"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"data", "steel"}}},
          {"checkpoint_dir", "c"},
          {"output_dir", "o"}};
}

}  // namespace

TEST_CASE("A cosine schedule warms up, peaks and ends at zero") {
  const loop::Schedule schedule{
      .kind = loop::ScheduleKind::kCosine, .base = 0.4, .warmup_epochs = 1, .step_epochs = {}, .epochs = 10};
  CHECK(schedule.rate(0.5) == Approx(0.5 * 0.4 * 0.5 * (1 + std::cos(M_PI * 0.05))));
  CHECK(schedule.rate(5) == Approx(0.2));
  CHECK(schedule.rate(10) == Approx(0).margin(1e-12));
}

TEST_CASE("A linear schedule peaks at the end of its warm-up and falls to zero") {
  const loop::Schedule schedule{
      .kind = loop::ScheduleKind::kLinear, .base = 0.4, .warmup_epochs = 2, .step_epochs = {}, .epochs = 10};
  CHECK(schedule.rate(1) == Approx(0.2));
  CHECK(schedule.rate(2) == Approx(0.4));
  CHECK(schedule.rate(6) == Approx(0.2));
  CHECK(schedule.rate(10) == Approx(0).margin(1e-12));
}

TEST_CASE("Steps multiply the rate when their epochs are reached") {
  const loop::Schedule schedule{
      .kind = loop::ScheduleKind::kStep, .base = 1, .step_epochs = {33, 67}, .epochs = 100};
  CHECK(schedule.rate(32.9) == Approx(1));
  CHECK(schedule.rate(33) == Approx(0.1));
  CHECK(schedule.rate(67) == Approx(0.01));
  CHECK(loop::parse_step_epochs("33, 67") == std::vector<double>{33, 67});
  CHECK(loop::parse_step_epochs("").empty());
  for (const char* wrong : {"a", "3,", "5,3", "-1", "1;2", "0"})
    CHECK(contains(refusal([&] { loop::parse_step_epochs(wrong); }), "lr_scheduler_step"));
}

TEST_CASE("Hyperparameters have defaults, ranges and types") {
  const loop::Hyperparameters values(legacy().hyperparameters,
                                     {{"epochs", 3}, {"nesterov", true}, {"optimizer", "adam"}});
  CHECK(values.integer("epochs") == 3);
  CHECK(values.flag("nesterov"));
  CHECK(values.text("optimizer") == "adam");
  CHECK(values.number("momentum") == Approx(0.9));
  CHECK(values.given("epochs"));
  CHECK_FALSE(values.given("momentum"));
  const auto refuse = [](const Json& given) {
    return refusal([&] { loop::Hyperparameters(legacy().hyperparameters, given); });
  };
  CHECK(contains(refuse({{"learning_rte", 0.1}}), "did you mean \"learning_rate\"?"));
  CHECK(contains(refuse({{"learning_rate", 2}}), "from 1e-06 to 0.5"));
  CHECK(contains(refuse({{"learning_rate", "fast"}}), "a number"));
  CHECK(contains(refuse({{"epochs", 2.5}}), "a whole number"));
  CHECK(contains(refuse({{"optimizer", "lion"}}), "sgd"));
  CHECK(contains(refuse({{"nesterov", 1}}), "true or false"));
}

TEST_CASE("Contradicting schedules are refused") {
  const auto plan = [](const Json& given) {
    return detection::make_plan(legacy(), loop::Hyperparameters(legacy().hyperparameters, given));
  };
  CHECK(plan({{"lr_scheduler_step", "2,4"}}).schedule.kind == loop::ScheduleKind::kStep);
  CHECK(plan({}).schedule.kind == loop::ScheduleKind::kCosine);
  CHECK(contains(refusal([&] {
                   plan({{"lr_scheduler_step", "2"}, {"lr_scheduler", "cosine"}});
                 }),
                 "lr_scheduler"));
  CHECK(contains(refusal([&] { plan({{"lr_scheduler", "step"}}); }), "lr_scheduler_step"));
  CHECK(plan({{"lr_scheduler", "linear"}}).schedule.kind == loop::ScheduleKind::kLinear);
  CHECK(plan({{"lr_scheduler", "one_cycle"}}).schedule.warmup_epochs == 0);
  CHECK(contains(refusal([&] {
                   plan({{"lr_scheduler", "one_cycle"}, {"warmup_epochs", 1}});
                 }),
                 "a rise of its own"));
}

TEST_CASE("The decay of averaged weights is scaled by the length of the training, as torchvision's") {
  const auto averaging = [](const Json& given) {
    return loop::make_plan(loop::Hyperparameters(legacy().hyperparameters, given)).averaging;
  };
  CHECK(averaging(Json::object()).decay == 0);
  const loop::Averaging found = averaging(
      {{"ema_decay", 0.999}, {"ema_steps", 4}, {"batch_size", 8}, {"accumulate", 2}, {"epochs", 32}});
  CHECK(found.decay == Approx(0.998));  // 1 - 0.001 * 4 * 16 / 32
  CHECK(found.steps == 4);
  CHECK(contains(refusal([&] { averaging({{"ema_steps", 4}}); }), "without ema_decay"));
  const auto forgetting = averaging({{"ema_decay", 0.75}, {"batch_size", 8}, {"epochs", 2}});
  CHECK(forgetting.decay == 0);
  CHECK(forgetting.asked == 0.75);
  CHECK(averaging({{"ema_decay", 0.76}, {"batch_size", 8}, {"epochs", 2}}).decay == Approx(0.04));
}

TEST_CASE("Checkpoints of versions that knew fewer hyperparameters still belong to their training") {
  const auto lasting = [](const Json& given) {
    return loop::lasting_values(loop::Hyperparameters(legacy().hyperparameters, given));
  };
  const Json usual = lasting(Json::object());
  for (const char* later : {"ema_decay", "freeze", "rate_decay", "early_stopping_tolerance"})
    CHECK_FALSE(usual.contains(later));
  CHECK(usual.contains("learning_rate"));
  CHECK(lasting({{"freeze", "features"}})["freeze"] == "features");
  CHECK(lasting({{"ema_decay", 0.9}}) != usual);
}

TEST_CASE("Every recipe can evaluate, log and save by steps, stop early and clip gradients") {
  for (const loop::Recipe& recipe : detection::detection_recipes()) {
    INFO(recipe.name);
    const auto plan = [&](const Json& given) {
      return detection::make_plan(recipe, loop::Hyperparameters(recipe.hyperparameters, given));
    };
    const loop::Plan usual = plan(Json::object());
    CHECK(usual.evaluation_steps + usual.log_steps + usual.checkpoint_steps == 0);
    CHECK(usual.early_stopping.patience == 0);
    CHECK(usual.optimizer.gradient_clip == 10);
    const loop::Plan asked = plan({{"eval_steps", 50},
                                   {"logging_steps", 10},
                                   {"save_steps", 25},
                                   {"early_stopping_patience", 3},
                                   {"early_stopping_threshold", 0.01},
                                   {"max_grad_norm", 1.5}});
    CHECK(asked.evaluation_steps == 50);
    CHECK(asked.log_steps == 10);
    CHECK(asked.checkpoint_steps == 25);
    CHECK(asked.early_stopping.patience == 3);
    CHECK(asked.early_stopping.threshold == 0.01);
    CHECK(asked.optimizer.gradient_clip == 1.5);
    CHECK(contains(refusal([&] { plan({{"early_stopping_threshold", 0.01}}); }), "early_stopping_patience"));
    CHECK(contains(refusal([&] { plan({{"eval_steps", -1}}); }), "eval_steps"));
    CHECK(contains(refusal([&] { plan({{"save_steps", 1.5}}); }), "save_steps"));
  }
}

TEST_CASE("The older name of max_grad_norm is still taken, but not against the new one") {
  const auto clip = [](const Json& given) {
    return loop::make_plan(loop::Hyperparameters(legacy().hyperparameters, given)).optimizer.gradient_clip;
  };
  CHECK(clip({{"gradient_clip", 0}}) == 0);
  CHECK(clip({{"gradient_clip", 2}, {"max_grad_norm", 2}}) == 2);
  CHECK(contains(refusal([&] {
                   clip({{"gradient_clip", 2}, {"max_grad_norm", 3}});
                 }),
                 "its older name gradient_clip is 2"));
}

TEST_CASE("The legacy recipe prints SageMaker's lines") {
  loop::Report report{3, {1.25, 0.5}, {{"validation:mAP", 0.2264}, {"validation:mAP50", 0.5}}};
  CHECK(
      detection::metric_lines(legacy(), report) ==
      std::vector<std::string>{"#quality_metric: host=algo-1, epoch=3, train cross_entropy <loss>=(1.250000)",
                               "#quality_metric: host=algo-1, epoch=3, train smooth_l1 <loss>=(0.500000)",
                               "#quality_metric: host=algo-1, epoch=3, validation mAP <score>=(0.226400)",
                               "#quality_metric: host=algo-1, epoch=3, validation mAP50 <score>=(0.500000)"});
}

TEST_CASE("The latest recipe prints JumpStart's lines, and the mAP") {
  loop::Report report{3,
                      {1.234567, 0.456789},
                      {{"validation:mAP", 9.1e-5},
                       {"validation:mAP50", 0.0},
                       {"Val_CrossEntropy", 1.2},
                       {"Val_SmoothL1", 0.5}}};
  CHECK(
      detection::metric_lines(detection::detection_recipe("latest"), report) ==
      std::vector<std::string>{"[Epoch 3] Training cost: 1.691356, CrossEntropy=1.234567, SmoothL1=0.456789",
                               "[Epoch 3] Validation: Val_CrossEntropy=1.200000, Val_SmoothL1=0.500000",
                               "#quality_metric: host=algo-1, epoch=3, validation mAP <score>=(0.000091)",
                               "#quality_metric: host=algo-1, epoch=3, validation mAP50 <score>=(0.000000)"});
}

TEST_CASE("Each described regex finds its metric, and its epoch or step, in the lines of its recipe, once") {
  for (const loop::Recipe& recipe : detection::detection_recipes()) {
    loop::Report report{12, {1.5, 2.5}, {}};
    double value = 0.125;
    for (const loop::MetricDefinition& metric : recipe.metrics) report.metrics[metric.name] = value += 1;
    report.metrics[recipe.loss_names[0]] = 1.5;
    report.metrics[recipe.loss_names[1]] = 2.5;
    report.step = 340;
    const std::size_t metrics = recipe.metrics.size();
    for (std::size_t i = 0; i < 2 * metrics; ++i) {
      const loop::MetricDefinition& metric = recipe.metrics[i % metrics];
      const bool by_steps = i >= metrics;
      INFO(recipe.name << ' ' << metric.name << (by_steps ? " by steps" : ""));
      int matches = 0;
      for (const std::string& line : detection::metric_lines(recipe, report, by_steps)) {
        std::string found, step;
        if (!RE2::PartialMatch(line, metric.regex, &found)) continue;
        ++matches;
        CHECK(std::stod(found) == Approx(report.metrics.at(metric.name)));
        REQUIRE(RE2::PartialMatch(line, metric.step, &step));
        CHECK(step == (by_steps ? "340" : "12"));
      }
      CHECK(matches == 1);
    }
  }
}

TEST_CASE("A trial file gives fixed and searched hyperparameters together") {
  const loop::TrialFile trial = loop::parse_trial(minimal_trial(), "trial.json");
  CHECK(trial.parameters == Json{{"learning_rate", 0.1}, {"epochs", 3}});
  CHECK(trial.seed == 7);
  CHECK(trial.threads == 1);
  CHECK(trial.budget == 1);
  CHECK_FALSE(trial.resume_from);
  CHECK(trial.objective.maximize);
}

TEST_CASE("A precision is read back from its name, and no other text is taken for one") {
  for (const loop::Precision precision : {loop::Precision::kFp32, loop::Precision::kBf16})
    CHECK(loop::precision_of(loop::precision_name(precision)) == precision);
  CHECK_THROWS_WITH(loop::precision_of("fp64"), Catch::Matchers::StartsWith("\"fp64\" is no precision"));
}

TEST_CASE("Whether a CPU computes in bf16 is read from what the kernel says of it") {
  const tests::TestFolder folder;
  const auto says = [&](const std::string& line) {
    return loop::has_bf16_units(folder.write("cpuinfo", "processor : 0\n" + line + "\npower management:\n"));
  };
  CHECK(says("flags\t\t: fpu avx2 avx512f avx512_bf16"));
  CHECK(says("flags\t\t: fpu amx_bf16 amx_tile"));
  CHECK(says("Features\t: fp asimd bf16 i8mm"));
  CHECK_FALSE(says("flags\t\t: fpu avx2 avx512f"));
  CHECK_FALSE(says("Features\t: fp asimd"));
  CHECK(says("model name\t: something else"));
  CHECK(loop::has_bf16_units(folder.path() / "nothing"));
}

TEST_CASE("A trial file that is wrong is refused with the file and the key") {
  const auto refuse = [](const char* key, const Json& value) {
    Json trial = minimal_trial();
    trial[key] = value;
    return refusal([&] { loop::parse_trial(trial, "trial.json"); });
  };
  CHECK(contains(refuse("schema", 2), "trial.json: schema 2"));
  CHECK(contains(refuse("budget", 0), "budget"));
  CHECK(contains(refuse("budget", 1.5), "budget"));
  CHECK(contains(refuse("threads", 0), "threads"));
  CHECK(contains(refuse("precision", "fp64"), "precision"));
  CHECK(contains(refuse("output_dir", nullptr), "output_dir"));
  CHECK(contains(refuse("objective", {{"goal", "up"}}), "goal"));
  CHECK(contains(refuse("parameters", 3), "parameters"));
  CHECK(contains(refuse("seed", "x"), "seed"));
}

TEST_CASE("A trial file that is no JSON is refused with the place, whatever a NUL seems to end") {
  const tests::TestFolder folder;
  const auto refuse = [&](const std::string& text) {
    return refusal([&] { loop::read_trial_file(folder.write("trial.json", text)); });
  };
  const std::string good = minimal_trial().dump();
  CHECK(refuse(good) == "was accepted");
  CHECK(refuse("\xEF\xBB\xBF" + good + " \n") == "was accepted");
  for (const std::string& behind :
       {std::string("\0", 1), std::string("\0{\"x\": 1}", 9), std::string("\n\0 ", 3)})
    CHECK(contains(refuse(good + behind), "there is text after the end of the document"));
  CHECK(contains(refuse("{\n \"seed\": 7,\n}"),
                 "trial.json: not JSON: line 2, column 11: there is a comma before the closing }"));
  CHECK(contains(refuse(""), "the file is empty"));
  CHECK(contains(refuse(R"({"budget": 1e999})"), "this number is too large"));
  CHECK(contains(refuse(R"({"seed": 1, "seed": 2})"), "trial.json: line 1, column 13: the key \"seed\""));
  CHECK(contains(refuse(std::string(100'000, '[')), "nested"));
}

TEST_CASE("A text of a trial file that holds a NUL is refused whole") {
  const std::string nul("\0ssd128", 7);
  for (const char* key : {"output_dir", "checkpoint_dir", "resume_from", "precision"}) {
    Json trial = minimal_trial();
    trial[key] = nul;
    CHECK(contains(refusal([&] { loop::parse_trial(trial, "t"); }),
                   "t: \"" + std::string(key) + "\" holds a NUL: \"\\u0000ssd128\""));
  }
  Json trial = minimal_trial();
  trial["trainer"]["task"] = nul;
  CHECK(contains(refusal([&] { task_of(loop::parse_trial(trial, "t")); }), "trainer.task holds a NUL"));
  CHECK(contains(refusal([&] {
                   loop::text_key({{"model", nul}}, "model", "");
                 }),
                 "trainer.model holds a NUL"));
}

TEST_CASE("Unknown tasks and keys of the trainer are refused with the nearest name") {
  Json json = minimal_trial();
  json["trainer"]["modle"] = "x";
  CHECK(contains(refusal([&] { task_of(loop::parse_trial(json, "t")); }), "did you mean \"model\"?"));
  json = minimal_trial();
  json["trainer"]["task"] = "segmentation";
  CHECK(contains(refusal([&] { task_of(loop::parse_trial(json, "t")); }),
                 "valid tasks: detection, image_classification, language_model, pretraining, "
                 "text_classification"));
}

TEST_CASE("The description names every default inside its own range") {
  for (const auto& task : describe_program()["tasks"])
    for (const auto& recipe : task["recipes"]) {
      CHECK(recipe["metrics"].size() >= 3);
      for (const auto& row : recipe["hyperparameters"]) {
        INFO(row.dump());
        if (row.contains("min")) {
          CHECK(row["default"] >= row["min"]);
          CHECK(row["default"] <= row["max"]);
        }
        CHECK_FALSE(row["description"].get<std::string>().empty());
      }
    }
}
