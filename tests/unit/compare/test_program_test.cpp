// A test that is a program of the file's own: what it is given, and what is read of what it prints.
#include "tuner/compare/test_program.h"

#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/os/atomic_file.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// A frozen model, as a trial leaves it, and a test that is a shell script.
class TestedModel {
 public:
  explicit TestedModel(const std::string& script, const std::string& more = "")
      : comparison_(
            parse_comparison(R"json({"comparison": "c", "objective": {"metric": "m", "goal": "maximize"},
            "command": ["train"], "approaches": [{"name": "a"}], "resources": {"gpus_per_trial": 0},
            "test": {"command": ["sh", "test.sh", "{{output_dir}}", "{{seed}}", "{{checkpoint_dir}}"],
                     "metrics": [{"name": "t", "regex": "t=(\\S+)"}],
                     "metric": "t", "goal": "maximize")json" +
                                 more + "}}",
                             "c.json", folder_.path())) {
    fs::create_directories(model());
    write("attempt/trial.json", R"({"seed": 12, "checkpoint_dir": "/kept"})");
    write("test.sh", script);
  }

  fs::path model() const { return folder_.path() / "attempt" / "output"; }
  fs::path log() const { return folder_.path() / "model-3.log"; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text << '\n';
  }
  TestProgram::Tested run() const {
    return TestProgram(
               comparison_, [] { return 0; }, [](const std::string&) {})
        .test(model(), log());
  }
  std::string failure() const {
    try {
      run();
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kEnvironment);
      return std::string(error.what()) + "; " + error.hint();
    }
    return "";
  }

 private:
  tests::TemporaryFolder folder_;
  const Comparison comparison_;
};

TEST_CASE("a test gets the model and what its training had, and the last value that it prints counts",
          "[own-test]") {
  const TestedModel tested(
      "echo t=0.1 >&2; echo t=0.25; echo \"$1 $2 $3 $DATA\"; echo \"$TUNE_OUTPUT_DIR $TUNE_TRIAL_FILE\"; pwd",
      R"(, "environment": {"DATA": "images"})");
  const TestProgram::Tested made = tested.run();
  CHECK(made.score == 0.25);
  CHECK(made.seconds >= 0);
  const std::string printed = read_file(tested.log()), model = tested.model().string(),
                    attempt = tested.model().parent_path().string();
  CHECK(printed == "t=0.1\nt=0.25\n" + model + " 12 /kept images\n" + model + " " + attempt +
                       "/trial.json\n" + tested.log().parent_path().string() + "\n");
}

TEST_CASE("a test may print TUNE_METRIC lines, which need no regex", "[own-test]") {
  CHECK(TestedModel(R"(echo 'TUNE_METRIC {"name": "t", "value": 3.5}')").run().score == 3.5);
}

TEST_CASE("a test that fails, or gives no number, says so with the place of what it printed", "[own-test]") {
  const auto [script, what] = GENERATE(table<std::string, std::string>({
      {"exit 3", "the test of model-3 failed: exit code 3"},
      {"echo s=1", "the test of model-3 printed no \"t\""},
      {"echo t=nan", "the test of model-3 gave nan for \"t\""},
      {"echo t=high", "the test of model-3 printed no number for \"t\": "},
  }));
  const TestedModel tested(script);
  const std::string found = tested.failure();
  CAPTURE(script, found);
  CHECK(found.find(what) == 0);
  CHECK(found.find(tested.log().string() + " holds what it printed") != std::string::npos);
  CHECK(fs::exists(tested.log()));
}

TEST_CASE("a test that takes a variable from an environment without it is not begun", "[own-test]") {
  const TestedModel tested("touch begun; echo t=1",
                           R"(, "environment": {"A": {"from_env": "NOBODY_SETS_THIS"}})");
  CHECK(tested.failure().find("the environment variable NOBODY_SETS_THIS, which is not set") !=
        std::string::npos);
  CHECK_FALSE(fs::exists(tested.log().parent_path() / "begun"));
}

}  // namespace
}  // namespace tune::compare
