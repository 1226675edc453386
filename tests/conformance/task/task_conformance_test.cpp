// What every task has to hold, whatever it is. A new one inherits all of it with a row of task_cases().
#include <re2/re2.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "task_workplace.h"
#include "torch_catch.h"
#include "trainer/loop/batch_loader.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/task_table.h"
#include "tuner/os/atomic_file.h"

namespace {

using namespace tune;
using namespace tune::trainer;
using tune::tests::task_cases;
using tune::tests::TaskCase;
using tune::tests::Workplace;
namespace fs = std::filesystem;

ExitCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    INFO(error.what());
    CHECK_FALSE(std::string(error.what()).empty());
    return error.code();
  }
  return ExitCode::kOk;
}

double sum(const std::vector<double>& numbers) {
  double all = 0;
  for (const double number : numbers) all += number;
  return all;
}

}  // namespace

TEST_CASE("Every task of the table is held to this") {
  for (const loop::Task* task : task_table()) {
    INFO(task->name);
    CHECK(std::any_of(task_cases().begin(), task_cases().end(),
                      [&](const TaskCase& one) { return one.task == task; }));
  }
}

TEST_CASE("A task learns: its training loss falls") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    const double budget = 1.0 / static_cast<double>(one.epochs);
    REQUIRE(place
                .run(
                    *place.start(), "run", false, [] { return false; }, budget)
                .code == ExitCode::kOk);
    const double first = sum(place.last_report("run").losses);
    REQUIRE(place.run(*place.start(), "run", true).code == ExitCode::kOk);
    CHECK(sum(place.last_report("run").losses) < first);
    CHECK(place.last_report("run").epoch == one.epochs);
  }
}

TEST_CASE("A task that was stopped at any step goes on bit for bit, and exports the same files") {
  for (const TaskCase& one : task_cases()) {
    for (const bool accelerated : {false, true}) {
      INFO(one.name << (accelerated ? ", accelerated" : ""));
      const Workplace place(one, accelerated);
      int questions = 0;
      const std::string lines =
          place.run(*place.start(), "whole", false, [&questions] { return ++questions < 0; }).lines;
      const auto files = place.exported("whole");
      REQUIRE_FALSE(files.empty());
      // All of them where that is quick.
      const int stride = one.name == "line" ? 1 : std::max(1, questions / (accelerated ? 2 : 6));
      for (int question = 0; question < questions; question += stride) {
        INFO("stopped at question " << question << " of " << questions);
        const std::string name = "stopped-" + std::to_string(question);
        const auto stopped =
            place.run(*place.start(), name, false, [left = question]() mutable { return left-- <= 0; });
        REQUIRE(stopped.code == ExitCode::kInterrupted);
        CHECK_FALSE(fs::exists(place.output(name)));
        const auto rest = place.run(*place.start(), name, true);
        REQUIRE(rest.code == ExitCode::kOk);
        CHECK(stopped.lines + rest.lines == lines);
        CHECK(place.exported(name) == files);
      }
    }
  }
}

TEST_CASE("A task's step asks an accelerator for no number") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one, /*accelerated=*/true);
    const auto training = place.start(3, {}, {{"max_grad_norm", 1.0}});
    std::ostringstream notes;
    loop::Passes passes(*training, place.compute(), nullptr, notes);
    loop::Optimizer optimizer(training->model(), training->plan().optimizer, training->parameter_groups(),
                              loop::Gradients::kStay);
    training->model().train();
    const auto batches = training->epoch_batches(1, 3);
    loop::BatchLoader loader(*training, batches, 1, 0, place.compute());
    for (std::size_t i = 0; i < 2; ++i) {
      const loop::Batch batch = loader.next();
      const tune::tests::Questions questions;
      passes.run(batch, 1);
      optimizer.step(0.001);
      CHECK(questions.asked() == std::vector<std::string>());
    }
    const tune::tests::Questions questions;
    passes.loss_sums().sum().item<double>();
    CHECK(questions.asked().size() == 1);  // so one that was asked would have been counted
  }
}

TEST_CASE("A task whose steps an accelerator repeats trains as one whose steps are done anew") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    Workplace place(one, /*accelerated=*/true);
    const std::string lines = place.run(*place.start(), "repeated").lines;
    place.repeats = false;
    CHECK(place.run(*place.start(), "anew").lines == lines);
    CHECK(place.exported("anew") == place.exported("repeated"));
  }
}

TEST_CASE("A task that SIGTERM reaches stops with a checkpoint, and goes on from there") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    // In a process of its own: a signal that was caught is never forgotten.
    const pid_t child = ::fork();
    if (child == 0) {
      int code = -1;
      try {
        loop::catch_stop_signals();
        const auto signalled = [questions = 0]() mutable {
          if (++questions == 3) std::raise(SIGTERM);
          return loop::stop_requested();
        };
        code = static_cast<int>(place.run(*place.start(), "run", false, signalled).code);
      } catch (const std::exception&) {
        // The code says that it went wrong.
      }
      ::_exit(code);
    }
    REQUIRE(child > 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == static_cast<int>(ExitCode::kInterrupted));
    CHECK_FALSE(fs::exists(place.output("run")));
    CHECK(place.run(*place.start(), "run", true).code == ExitCode::kOk);
    CHECK_FALSE(place.exported("run").empty());
  }
}

TEST_CASE("A task takes the hyperparameters of the plan") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    const auto training = place.start(3, {},
                                      {{"eval_steps", 5},
                                       {"logging_steps", 2},
                                       {"save_steps", 3},
                                       {"early_stopping_patience", 4},
                                       {"early_stopping_threshold", 0.5},
                                       {"max_grad_norm", 1.5}});
    const loop::Plan& plan = training->plan();
    CHECK(plan.evaluation_steps == 5);
    CHECK(plan.log_steps == 2);
    CHECK(plan.checkpoint_steps == 3);
    CHECK(plan.early_stopping.patience == 4);
    CHECK(plan.early_stopping.threshold == 0.5);
    CHECK(plan.optimizer.gradient_clip == 1.5);
  }
}

TEST_CASE("A task leaves an evaluation when it is asked to stop") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    const auto training = place.start();
    training->model().eval();
    CHECK(training->evaluate([] { return true; }).empty());
    CHECK_FALSE(training->evaluate([] { return false; }).empty());
  }
}

TEST_CASE("A task reports every metric that it names, and its lines are read by its own regexes") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    const auto training = place.start();
    training->model().eval();
    const torch::NoGradGuard no_grad;
    const loop::Metrics metrics = training->evaluate([] { return false; });
    const loop::Recipe& recipe = training->recipe();
    for (const std::string& name : recipe.metric_names) CHECK(metrics.contains(name));
    CHECK(metrics.contains(one.objective.metric));
    loop::Report report{/*epoch=*/7, std::vector<double>(recipe.loss_names.size(), 1.25), metrics,
                        /*step=*/40};
    for (const std::string& name : recipe.loss_names) report.metrics[name] = 1.25;
    const auto by_steps = place.start(3, {}, {{"eval_steps", 5}});
    const std::size_t kinds = recipe.metrics.size();
    for (std::size_t i = 0; i < 2 * kinds; ++i) {
      const loop::MetricDefinition& metric = recipe.metrics[i % kinds];
      INFO(metric.name << ' ' << metric.regex);
      int found = 0;
      for (const std::string& line : (i < kinds ? training : by_steps)->metric_lines(report)) {
        std::string value, step;
        if (!RE2::PartialMatch(line, metric.regex, &value)) continue;
        ++found;
        CHECK(std::stod(value) == Approx(report.metrics.at(metric.name)).margin(1e-6));
        REQUIRE(RE2::PartialMatch(line, metric.step, &step));
        CHECK(step == (i < kinds ? "7" : "40"));
      }
      CHECK(found == 1);
    }
    for (const loop::Recipe& each : one.task->recipes())
      for (const auto* names : {&each.loss_names, &each.metric_names})
        for (const std::string& name : *names)
          CHECK(std::any_of(each.metrics.begin(), each.metrics.end(),
                            [&](const loop::MetricDefinition& metric) { return metric.name == name; }));
  }
}

TEST_CASE("A task draws the same batches again, each with a weight") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    const auto first = place.start(), second = place.start();
    CHECK(first->epoch_batches(1, 7) == second->epoch_batches(1, 7));
    CHECK(first->epoch_batches(1, 7) != first->epoch_batches(2, 7));
    for (const std::vector<std::int64_t>& examples : first->epoch_batches(1, 7)) {
      const double weight = first->prepare(examples, 1).weight;
      CHECK(weight == second->prepare(examples, 1).weight);
      // Tokens count one by one, all other examples as what they are.
      CHECK((one.task->unit == "tokens" ? weight > 0 : weight == static_cast<double>(examples.size())));
    }
  }
}

TEST_CASE("A task refuses checkpoints of another training, and data that is none of its own") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const Workplace place(one);
    place.run(*place.start(), "run");
    CHECK(code_of([&] { place.run(*place.start(/*seed=*/4), "run", true); }) == ExitCode::kConflict);
    CHECK(code_of([&] {
            loop::check_trainer_keys(*one.task, {{"task", one.task->name}, {"dta", "x"}});
          }) == ExitCode::kBadSpec);
    if (!one.draw) continue;
    const fs::path foreign = place.run_folder("foreign");
    one.draw(foreign);
    // What was a folder of its own data holds another kind of file, and what was a file another kind of text.
    if (fs::is_directory(foreign)) {
      fs::remove_all(foreign);
      fs::create_directory(foreign);
      write_file_atomically(foreign / "notes.txt", "nothing to learn from\n");
    } else {
      write_file_atomically(foreign, "nothing to learn from\n");
    }
    CHECK(code_of([&] { place.start(3, foreign); }) == ExitCode::kBadData);
    const ExitCode missing = code_of([&] { place.start(3, place.run_folder("nowhere")); });
    CHECK((missing == ExitCode::kNotFound || missing == ExitCode::kBadData));
  }
}

TEST_CASE("A task describes itself: keys, models, recipes with defaults inside their ranges") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    const OrderedJson described = loop::describe(*one.task);
    CHECK(described["name"] == one.task->name);
    CHECK_FALSE(described["unit"].get<std::string>().empty());
    CHECK_FALSE(described["models"].empty());
    for (const auto& model : described["models"]) CHECK(model.contains("description"));
    for (const auto& key : described["trainer_keys"])
      CHECK((key.contains("kind") && key.contains("description")));
    REQUIRE_FALSE(one.task->recipes().empty());
    // `tune` finds the recipe of a spec by it.
    const auto recipe_key = std::find_if(described["trainer_keys"].begin(), described["trainer_keys"].end(),
                                         [](const OrderedJson& key) { return key["name"] == "recipe"; });
    REQUIRE(recipe_key != described["trainer_keys"].end());
    CHECK((*recipe_key)["default"] == one.task->recipes().front().name);
    for (const loop::Recipe& recipe : one.task->recipes()) {
      REQUIRE_FALSE(recipe.metrics.empty());
      // The defaults pass their own checks.
      Json defaults = Json::object();
      for (const loop::Hyperparameter& row : recipe.hyperparameters) defaults[row.name] = row.default_value;
      CHECK_NOTHROW(loop::Hyperparameters(recipe.hyperparameters, defaults));
    }
    // A task whose output is a model to use has both.
    CHECK(loop::offers(*one.task, "evaluate") == loop::offers(*one.task, "predict"));
    CHECK(code_of([&] { loop::offer_of(*one.task, "translate"); }) == ExitCode::kUsage);
  }
}

TEST_CASE("What a task exported measures and predicts the same whenever it is used") {
  for (const TaskCase& one : task_cases()) {
    if (!loop::offers(*one.task, "predict")) continue;
    INFO(one.name);
    const Workplace place(one);
    place.run(*place.start(), "run");
    std::ostringstream notes;
    const auto request = [&](const std::string& output) {
      loop::Request made{{}, /*as_json=*/true, notes};
      made.values = {{"model", {place.output("run").string()}}, {"data", {place.data().string()}}};
      if (!output.empty()) made.values["output"] = {place.run_folder(output).string()};
      return made;
    };
    const loop::Offer& evaluate = loop::offer_of(*one.task, "evaluate");
    const OrderedJson numbers = evaluate.answer(request("")).json;
    if (!one.measure.empty())
      CHECK(numbers.at(one.measure) ==
            Json::parse(read_file(place.output("run") / "model.json"))["metrics"][one.objective.metric]);
    const loop::Offer& predict = loop::offer_of(*one.task, "predict");
    predict.answer(request("first"));
    predict.answer(request("second"));
    CHECK(read_file(place.run_folder("first")) == read_file(place.run_folder("second")));
    CHECK(read_file(place.run_folder("first")).size() > 2);
  }
}

TEST_CASE("What a task exported answers requests alone as among others") {
  for (const TaskCase& one : task_cases()) {
    if (one.task->serve == nullptr) continue;
    INFO(one.name);
    const Workplace place(one);
    place.run(*place.start(), "run");
    std::ostringstream notes;
    const served::ServedModel model = one.task->serve({place.output("run"), {}, {}, 1, notes});
    CHECK(model.facts().task == one.task->name);
    if (model.answerer) {
      const auto example = model.answerer->smoke_example();
      const std::vector<const served::Prepared*> several(3, example.get());
      const std::vector<served::Answer> alone = model.answerer->answer({example.get()}, 1),
                                        together = model.answerer->answer(several, 1);
      REQUIRE(alone.size() == 1);
      REQUIRE(together.size() == several.size());
      for (const served::Answer& answer : together) {
        CHECK(answer.index() == alone.front().index());
        if (const auto* said = std::get_if<served::Probabilities>(&answer))
          for (std::size_t i = 0; i < said->of_classes.size(); ++i)
            CHECK(said->of_classes[i] ==
                  Approx(std::get<served::Probabilities>(alone.front()).of_classes[i]).margin(1e-5));
      }
      // A kind of input that is none of the model's.
      const bool reads = model.facts().input == served::InputKind::kTexts;
      CHECK(code_of([&] {
              model.answerer->prepare(reads ? served::Input(served::EncodedImage{"bytes"})
                                            : served::Input(served::Text{"a text"}));
            }) == ExitCode::kBadData);
      continue;
    }
    std::map<std::uint64_t, std::string> texts;
    const auto finish = [&] {
      while (model.generator->under_way() > 0)
        for (const served::Written& piece : model.generator->step()) texts[piece.id] += piece.text;
    };
    served::GenerationRequest request{model.generator->tokens_of(std::string("1+2="))};
    request.settings.max_new_tokens = 4;
    model.generator->begin(0, request);
    finish();
    for (std::uint64_t id = 1; id < 4; ++id) model.generator->begin(id, request);
    finish();
    for (std::uint64_t id = 1; id < 4; ++id) CHECK(texts[id] == texts[0]);
  }
}
