#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "support/catch.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

using Catch::Matchers::Contains;

const std::string kSpec = R"json({
  "study": "digits",
  "objective": { "metric": "val:loss", "goal": "minimize" },
  "parameters": {
    "lr": { "type": "float", "min": 0.001, "max": 0.1, "scale": "log" },
    "batch": { "type": "int", "min": 8, "max": 32, "step": 8 },
    "optimizer": { "type": "categorical", "values": ["sgd", "adam"] },
    "momentum": { "type": "float", "min": 0.5, "max": 0.99, "scale": "reverse_log", "when": { "optimizer": "sgd" } }
  },
  "command": ["python3", "train.py", "{{lr}}", "{{batch}}", "{{optimizer}}", "{{momentum}}"],
  "metrics": [
    { "name": "val:loss", "regex": "val_loss=([0-9.]+)", "step": "epoch ([0-9]+)" },
    { "name": "val:acc", "regex": "acc=(.*)" }
  ],
  "limits": { "trials": 12, "parallel": 2, "time": "2h", "trial_time": "10m" }
})json";

// A folder with a spec, a log, and what else a test puts there.
class Folder {
 public:
  Folder() { write("train.py", ""); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::string path() const { return (folder_ / "").string(); }

 private:
  store::TemporaryFolder folder_;
};

std::string replaced(std::string text, const std::string& old_part, const std::string& new_part) {
  const std::size_t at = text.find(old_part);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old_part.size(), new_part);
}

// A tune-train on the path that only describes itself.
class DescribingTrainer {
 public:
  explicit DescribingTrainer(const Folder& folder) : before_(std::getenv("PATH")) {
    const std::string program =
        folder.write("tune-train", "#!/bin/sh\ncat <<'END'\n" + kDescription + "\nEND\n");
    ::chmod(program.c_str(), 0755);
    ::setenv("PATH", (folder.path() + ":" + before_).c_str(), 1);
  }
  ~DescribingTrainer() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  inline static const std::string kDescription =
      R"json({"schema":1,"program":"tune-train","version":"0","libtorch":"0",
    "tasks":[{"name":"detection","trainer_keys":[{"name":"model","kind":"choice","values":["tiny"],"required":true},
      {"name":"recipe","kind":"choice","values":["legacy"],"default":"legacy"}],
      "recipes":[{"name":"legacy","hyperparameters":[{"name":"lr","type":"float","default":0.01,"min":1e-6,"max":0.05}],
        "metrics":[{"name":"mAP","goal":"maximize","regex":"mAP=([0-9.]+)","step":"epoch=([0-9]+)"}]}],"models":[]}]})json";
  std::string before_;
};

const std::string kTrainerSpec = R"json({
  "study": "steel",
  "objective": { "metric": "mAP", "goal": "maximize" },
  "parameters": { "lr": { "type": "float", "min": 0.001, "max": 0.01, "scale": "log" } },
  "trainer": { "task": "detection", "model": "tiny" },
  "limits": { "trials": 2 }
})json";

TEST_CASE("a valid spec is summarized", "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", kSpec);
  const Printed printed = run({"check", spec});
  CHECK(printed.code == 0);
  CHECK(printed.err.empty());
  CHECK(printed.out == spec +
                           " is valid\n"
                           "  study       digits\n"
                           "  objective   minimize val:loss (best value of a trial)\n"
                           "  strategy    auto; early stopping: none\n"
                           "  limits      12 trials, 2 at once, 2h 00m in all, 10m 00s a trial\n"
                           "  parameters  4, 2 of them continuous\n"
                           "    lr: 0.001 to 0.1, float, log\n"
                           "    batch: 8 to 32 by 8, int, linear\n"
                           "    optimizer: \"sgd\", \"adam\"\n"
                           "    momentum: 0.5 to 0.99, float, reverse_log; when optimizer is \"sgd\"\n"
                           "  command     python3 train.py 0.01 24 sgd 0.929289\n"
                           "           or python3 train.py 0.01 24 adam\n");
}

TEST_CASE("the mistakes of a spec are printed with their lines, and the exit code is 3", "[check]") {
  const Folder folder;
  const std::string spec =
      folder.write("search.json", replaced(kSpec, "\"limits\": { \"trials\"", "\"limits\": { \"trails\""));
  const Printed printed = run({"check", spec});
  CHECK(printed.code == 3);
  CHECK(printed.out.empty());
  CHECK_THAT(printed.err,
             Contains(spec + ":15:15 /limits/trails: unknown key \"trails\"\n    did you mean \"trials\"?"));
  const Printed json = run({"check", spec, "--json"});
  const Json error = Json::parse(json.err).at("error");
  CHECK(error.at("code") == "bad_spec");
  CHECK(error.at("problems").at(0).at("line") == 15);
  CHECK(error.at("problems").at(0).at("pointer") == "/limits/trails");
}

TEST_CASE("regexes are tried, and a bad one is reported in its line", "[check]") {
  const Folder folder;
  const std::string spec = folder.write(
      "search.json", replaced(replaced(kSpec, "epoch ([0-9]+)", "epoch [0-9]+"), "acc=(.*)", "acc=(.*"));
  const Printed printed = run({"check", spec});
  CHECK(printed.code == 3);
  CHECK_THAT(printed.err, Contains("has 2 problems") && Contains(":12:66 /metrics/0/step: the regex") &&
                              Contains(":13:35 /metrics/1/regex: the regex"));
}

TEST_CASE("mistakes in regexes are listed with all the others, in the order of the lines", "[check]") {
  const Folder folder;
  const std::string broken =
      replaced(replaced(kSpec, "acc=(.*)", "acc=.*"), "\"limits\": { \"trials\"", "\"limits\": { \"trails\"");
  const Printed printed = run({"check", folder.write("search.json", broken)});
  CHECK(printed.code == 3);
  CHECK_THAT(printed.err, Contains("has 2 problems"));
  const std::size_t regex = printed.err.find(":13:35 /metrics/1/regex: the regex");
  const std::size_t limit = printed.err.find(":15:15 /limits/trails");
  CHECK(regex < limit);
  CHECK(limit != std::string::npos);
}

TEST_CASE("a missing spec is not found", "[check]") {
  CHECK(run({"check", "/nowhere/search.json"}).code == 5);
  CHECK(run({"check"}).code == 2);
}

TEST_CASE("warnings go to stderr and leave the spec valid", "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", replaced(kSpec, "minimize", "maximize"));
  const Printed printed = run({"check", spec});
  CHECK(printed.code == 0);
  CHECK_THAT(printed.out, Contains("is valid"));
  CHECK_THAT(printed.err, Catch::Matchers::StartsWith("warning: " + spec +
                                                      ":3:48 /objective/goal: \"val:loss\" is maximized"));
  const Json json = Json::parse(run({"check", spec, "--json"}).out);
  CHECK(json.at("warnings").at(0).at("line") == 3);
}

TEST_CASE("what would keep the command from being started is a warning in its line", "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", replaced(kSpec, "train.py", "tain.py"));
  const Printed script = run({"check", spec});
  CHECK(script.code == 0);
  CHECK_THAT(script.err, Contains(":10:26 /command/1: there is no file " + folder.path() + "tain.py"));
  folder.write("search.json", replaced(kSpec, "python3", "pyton3"));
  const Json json = Json::parse(run({"check", spec, "--json"}).out);
  CHECK(json.at("warnings").at(0).at("pointer") == "/command/0");
  const Printed dry = run({"--spec", spec, "--dry-run", "--store", folder.path() + "store"});
  CHECK(dry.code == 0);
  CHECK_THAT(dry.err, Contains("/command/0: there is no program \"pyton3\""));
}

TEST_CASE("a sample log shows where each metric is read from", "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", kSpec);
  const std::string log =
      folder.write("log", "hello\nepoch 1 val_loss=0.50 acc=81%\nepoch 2 val_loss=0.25 acc=\x1B[31m90\n");
  const Printed printed = run({"check", spec, "--sample", log});
  CHECK(printed.code == 0);
  CHECK_THAT(printed.out, Contains("\n3 lines of log\n"
                                   "val:loss: 2 values\n"
                                   "  line 2, step 1: 0.5\n"
                                   "  line 3, step 2: 0.25\n"
                                   "val:acc: 1 value\n"
                                   "  line 3, step 1: 90\n"
                                   "  line 2: the regex captured \"81%\", which is not a number: ") &&
                              Contains("A trial with this log would have val:loss = 0.25.\n"));
}

TEST_CASE("a folder or a device is no log, and why is said", "[check]") {
  const Folder folder;
  for (const auto& [log, reason] : {std::pair{"/tmp", "it is a folder"},
                                    {"/dev/zero", "it is not a file"},
                                    {"/dev/null", "it is not a file"},
                                    {"/nowhere/at.log", "it does not exist"}}) {
    CAPTURE(log);
    const Printed printed = run({"check", folder.write("search.json", kSpec), "--sample", log});
    CHECK(printed.code == 5);
    CHECK_THAT(printed.err, Contains(std::string("cannot be read: ") + reason));
  }
}

TEST_CASE("only the first values of a long log are printed, and all of them as JSON", "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", kSpec);
  std::string text;
  for (int epoch = 1; epoch <= 30; ++epoch)
    text += "epoch " + std::to_string(epoch) + " val_loss=" + std::to_string(40 - epoch) + "\n";
  const std::string log = folder.write("log", text);
  const Printed printed = run({"check", spec, "--sample", log});
  CHECK_THAT(printed.out,
             Contains("val:loss: 30 values") && Contains("... and 20 more, up to line 30, step 30: 10\n"));
  const Json sample = Json::parse(run({"check", spec, "--sample", log, "--json"}).out).at("sample");
  CHECK(sample.at("lines") == 30);
  CHECK(sample.at("metrics").at(0).at("values").size() == 30);
  CHECK(sample.at("metrics").at(0).at("values").at(29) ==
        Json({{"line", 30}, {"step", 30}, {"value", 10.0}}));
  CHECK(sample.at("objective") == 10.0);
}

TEST_CASE("a log without the objective would make the trial fail, which is exit code 3", "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", kSpec);
  const std::string log = folder.write("log", "EPOCH 1 VAL_LOSS=0.5\n");
  const Printed printed = run({"check", spec, "--sample", log});
  CHECK(printed.code == 3);
  CHECK_THAT(printed.out,
             Contains("line 1 matches except for upper and lower case: start the regex with (?i)"));
  CHECK_THAT(printed.err, Contains("it has no finite value of val:loss"));
  CHECK(run({"check", spec, "--sample", "/nowhere/log"}).code == 5);
  CHECK(run({"check", spec, "--sample", folder.path()}).code == 5);
}

TEST_CASE("a sample whose last line gives no number has no result where the last value counts", "[check]") {
  const Folder folder;
  const std::string spec =
      folder.write("search.json", replaced(kSpec, "\"minimize\" }", "\"minimize\", \"reduce\": \"last\" }"));
  const std::string log = folder.write("log", "epoch 1 val_loss=0.5\nepoch 2 val_loss=5e-05\n");
  const Printed printed = run({"check", spec, "--sample", log});
  CHECK(printed.code == 3);
  CHECK_THAT(printed.err,
             Contains("the last value of val:loss is its result, and line 2, the last one that its regex "
                      "matches, gives no number"));
}

TEST_CASE("a sample's complaints are printed once, and an unmatched step regex also without values",
          "[check]") {
  const Folder folder;
  const std::string spec = folder.write("search.json", kSpec);
  const std::string out =
      run({"check", spec, "--sample", folder.write("log", "Epoch 1 val_loss=1,234\n")}).out;
  const std::string complaint = "line 1: the regex reads 1 of 1,234";
  CHECK_THAT(out, Contains(complaint));
  CHECK(out.find(complaint) == out.rfind(complaint));
  CHECK_THAT(out, Contains("its step regex matches no line either"));
}

TEST_CASE("a built-in trainer's own metrics are tried on the sample", "[check]") {
  const Folder folder;
  const DescribingTrainer trainer(folder);
  const std::string spec = folder.write("search.json", kTrainerSpec);
  const std::string log = folder.write("log", "epoch=1 mAP=0.3\nepoch=2 mAP=0.4\n");
  const Printed printed = run({"check", spec, "--sample", log});
  CHECK(printed.err.empty());
  CHECK_THAT(printed.out, Contains("mAP: 2 values") && Contains("would have mAP = 0.4."));
}

TEST_CASE("mistakes in a built-in trainer's keys have lines as well", "[check]") {
  const Folder folder;
  const DescribingTrainer trainer(folder);
  const std::string text =
      replaced(replaced(kTrainerSpec, "\"tiny\"", "\"huge\""), "0.01, \"scale\"", "0.1, \"scale\"");
  const Printed printed = run({"check", folder.write("search.json", text)});
  CHECK(printed.code == 3);
  CHECK_THAT(printed.err,
             Contains(":4:65 /parameters/lr/max: ") && Contains(":5:46 /trainer/model: \"huge\""));
}

TEST_CASE("checking a built-in trainer's spec needs tune-train", "[check]") {
  const Folder folder;
  const std::string before = std::getenv("PATH");
  ::setenv("PATH", folder.path().c_str(), 1);
  const Printed printed = run({"check", folder.write("search.json", kTrainerSpec)});
  ::setenv("PATH", before.c_str(), 1);
  CHECK(printed.code == 7);
  CHECK_THAT(printed.err, Contains("tune-train was not found"));
}

std::string flag_spec(const std::string& parameters, const std::string& command,
                      const std::string& strategy = "auto") {
  return R"json({"study": "s", "objective": {"metric": "loss", "goal": "minimize"}, "parameters": )json" +
         parameters + R"json(, "command": )json" + command +
         R"json(, "metrics": [{"name": "loss", "regex": "loss=(.*)"}], "limits": {"trials": 5},
            "fixed": {"epochs": 3}, "strategy": {"name": ")json" +
         strategy + "\"}}";
}

TEST_CASE("check shows the command in each of its forms", "[check]") {
  const Folder folder;
  const std::string spec = folder.write(
      "search.json",
      flag_spec(
          R"({"lr": {"type": "float", "min": 0, "max": 1}, "amp": {"type": "categorical", "values": ["--amp", null]},
                    "opt": {"type": "categorical", "values": ["sgd", "adam"]},
                    "beta2": {"type": "float", "min": 0.5, "max": 0.75, "when": {"opt": "adam"}}})",
          R"(["python3", "train me.py", "--lr={{lr}}", "{{epochs}}", "{{amp}}", "--beta2", "{{beta2}}", "{{seed}}"])"));
  const Printed printed = run({"check", spec});
  CHECK_THAT(printed.out,
             Contains("  command     python3 'train me.py' --lr=0.5 3 --amp '{{seed}}'\n"
                      "           or python3 'train me.py' --lr=0.5 3 --amp --beta2 0.625 '{{seed}}'\n"
                      "           or python3 'train me.py' --lr=0.5 3 '{{seed}}'\n"
                      "           or python3 'train me.py' --lr=0.5 3 --beta2 0.625 '{{seed}}'\n"));
  const Json commands = Json::parse(run({"check", spec, "--json"}).out).at("commands");
  CHECK(commands.size() == 4);
  CHECK(commands.at(2) == Json({"python3", "train me.py", "--lr=0.5", "3", "{{seed}}"}));
}

TEST_CASE("check counts the grid and shows its levels", "[check]") {
  const Folder folder;
  const std::string spec =
      folder.write("search.json",
                   flag_spec(R"({"n": {"type": "int", "min": 1, "max": 1000, "scale": "log", "levels": 4}})",
                             R"(["sh", "{{n}}"])", "grid"));
  const Printed printed = run({"check", spec});
  CHECK_THAT(printed.out, Contains("  parameters  1, 4 points of the grid\n"
                                   "    n: 1 to 1000, int, log; levels 1, 10, 100, 1000\n"));
  CHECK(Json::parse(run({"check", spec, "--json"}).out).at("points") == 4);
}

TEST_CASE("check says that a grid is smaller than the trials, and shows one of its levels", "[check]") {
  const Folder folder;
  const std::string spec = folder.write(
      "search.json",
      flag_spec(R"({"n": {"type": "int", "min": 1, "max": 1000000, "scale": "log", "levels": 2}})",
                R"(["sh", "{{n}}"])", "grid"));
  const Printed printed = run({"check", spec});
  CHECK_THAT(
      printed.err,
      Contains("/limits/trials: the grid has only 2 points, and limits.trials is 5: when all have been "
               "tried, the study ends\n  set limits.trials to 2, or give the parameters more levels"));
  CHECK_THAT(printed.out, Contains("    n: 1 to 1000000, int, log; levels 1, 1000000\n") &&
                              (Contains("command     sh 1\n") || Contains("command     sh 1000000\n")));
}

TEST_CASE("check says that a space has fewer points than trials", "[check]") {
  const Folder folder;
  const std::string spec = folder.write(
      "search.json", flag_spec(R"({"n": {"type": "int", "min": 1, "max": 3}})", R"(["t", "{{n}}"])"));
  CHECK_THAT(run({"check", spec}).err,
             Contains("/limits/trials: the space has only 3 points, and limits.trials is 5"));
}

}  // namespace
}  // namespace tune::cli
