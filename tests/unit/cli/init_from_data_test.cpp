#include <sys/stat.h>

#include <cstdlib>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/os/atomic_file.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const std::string kAdvice =
    R"json({"schema": 1, "limits": ["only some images were looked at"], "weights": null,
  "other_weights": ["for tiny here: weights/tiny.pth"],
  "advice": {"model": {"value": "tiny", "rule": "the smallest"},
             "strategy": {"value": "scratch", "rule": "no weights", "reason": "60 images"},
             "budget": {"trials": 8, "epochs": 20, "minutes": 31.4}, "remarks": ["look at the labels"]},
  "spec": {"objective": {"metric": "validation:accuracy", "goal": "maximize"},
           "parameters": {"learning_rate": {"type": "float", "min": 0.0003, "max": 0.01, "scale": "log"}},
           "fixed": {"epochs": 20},
           "trainer": {"task": "image_classification", "model": "tiny", "data": "DATA", "weights": "DATA/w.pth"},
           "limits": {"trials": 8}}})json";

// A tune-train on the path that gives one advice, and notes how it was asked.
class AdvisingTrainer {
 public:
  AdvisingTrainer(std::string answer, const std::string& said, int code) : before_(std::getenv("PATH")) {
    for (std::size_t at; (at = answer.find("DATA")) != std::string::npos;) answer.replace(at, 4, data());
    fs::create_directories(data());
    write_text(folder_.path() / "tune-train", "#!/bin/sh\necho \"$@\" > " + path("asked") + "\necho '" +
                                                  said + "' >&2\ncat <<'END'\n" + answer + "\nEND\nexit " +
                                                  std::to_string(code) + "\n");
    ::chmod((folder_.path() / "tune-train").c_str(), 0755);
    ::setenv("PATH", (folder_.path().string() + ":" + before_).c_str(), 1);
  }
  ~AdvisingTrainer() { ::setenv("PATH", before_.c_str(), 1); }
  AdvisingTrainer(const AdvisingTrainer&) = delete;
  AdvisingTrainer& operator=(const AdvisingTrainer&) = delete;
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string data() const { return path("Steel surfaces (2)"); }
  std::string asked() const { return read_file(path("asked")); }

 private:
  tests::TemporaryFolder folder_;
  std::string before_;
};

}  // namespace

TEST_CASE("init writes what tune-train advises for data, its paths as seen from the spec", "[init]") {
  const AdvisingTrainer trainer(kAdvice, "features: of 60 images", 0);
  fs::create_directories(trainer.path("specs"));
  const std::string spec = trainer.path("specs/search.json");
  const Printed printed =
      run({"init", trainer.data(), "--model", "tiny", "--classes-from=file_name", "--output", spec});
  INFO(printed.err);
  CHECK(printed.code == 0);
  CHECK(printed.out.empty());
  CHECK(trainer.asked() ==
        "advise --json --data=" + trainer.data() + " --model=tiny --classes-from=file_name\n");
  CHECK_THAT(printed.err, Contains("features: of 60 images\n"));
  CHECK_THAT(printed.err, Contains("note: only some images were looked at\n"));
  CHECK_THAT(printed.err, Contains("strategy scratch: no weights\n  60 images\n  look at the labels\n"));
  CHECK_THAT(printed.err, Contains("budget: 8 trials of 20 epochs, about 31 minutes one after the other\n"));
  CHECK_THAT(printed.err, Contains("weights to be had for tiny here: weights/tiny.pth\n"));
  const Json written = Json::parse(read_file(spec));
  CHECK(written.at("study") == "Steel-surfaces-2");
  CHECK(written.at("trainer").at("data") == "../Steel surfaces (2)");
  CHECK(written.at("trainer").at("weights") == "../Steel surfaces (2)/w.pth");
  CHECK(written.at("limits").at("trials") == 8);
  CHECK(run({"init", trainer.data(), "--output", spec}).code == 6);
  CHECK(run({"init", trainer.data(), "--output", spec, "--force"}).code == 0);
  const Json json = Json::parse(run({"init", trainer.data(), "--json"}).out);
  CHECK(json.at("file").is_null());
  CHECK(json.at("advice").at("schema") == 1);
  CHECK(json.at("spec").at("study") == "Steel-surfaces-2");
}

TEST_CASE("init says what tune-train says against data, with its exit code", "[init]") {
  const AdvisingTrainer trainer("", R"({"error": {"message": "no image here", "hint": "name a folder"}})",
                                65);
  const Printed printed = run({"init", trainer.data()});
  CHECK(printed.code == 65);
  CHECK_THAT(printed.err, Contains("no image here"));
  CHECK_THAT(printed.err, Contains("name a folder"));
}

TEST_CASE("a trainer that gives no advice is named", "[init]") {
  const AdvisingTrainer trainer("{}", "", 0);
  const Printed printed = run({"init", trainer.data()});
  CHECK(printed.code == 7);
  CHECK_THAT(printed.err, Contains("advise --json did not answer as expected (exit code 0)"));
}

TEST_CASE("init takes data or a script, with the options of that one", "[init]") {
  CHECK_THAT(run({"init"}).err, Contains("either data or --from-script"));
  CHECK(run({"init"}).code == 2);
  CHECK(run({"init", "data", "--from-script", "train.py"}).code == 2);
  CHECK_THAT(run({"init", "data", "--set", "a=1"}).err, Contains("--set is for a script"));
  CHECK_THAT(run({"init", "--from-script", "train.py", "--model", "tiny"}).err,
             Contains("--model is for data"));
}

}  // namespace tune::cli
