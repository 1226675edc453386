// How tune measures the built-in trainer, which is a shell script here: copies of the real programs lie
// beside it.
#include "study_fixture.h"

namespace tune::tests {
namespace {

Json description() {
  const Json x = {{"name", "x"}, {"type", "int"}, {"min", 1}, {"max", 999999}};
  const Json loss = {{"name", "loss"}, {"goal", "minimize"}, {"regex", "loss=([0-9.]+)"}};
  const Json recipe = {{"name", ""}, {"hyperparameters", Json::array({x})}, {"metrics", Json::array({loss})}};
  const Json task = {{"name", "toy"},
                     {"trainer_keys", Json::array()},
                     {"recipes", Json::array({recipe})},
                     {"models", Json::array()}};
  return {{"schema", 1}, {"program", "tune-train"}, {"version", "9"}, {"tasks", Json::array({task})}};
}

// `probe` are the script's lines for `tune-train probe`, before it answers.
class ToyStudy : public StudyFolder {
 public:
  explicit ToyStudy(const std::string& probe) {
    spec.erase("command");
    spec.erase("metrics");
    spec["trainer"] = {{"task", "toy"}};
    write("description", description().dump());
    write("tune-train", "#!/bin/sh\ncase $1 in\ndescribe) cat " + (path() / "description").string() +
                            ";;\nprobe) cd " + path().string() + "\n" + probe +
                            "\necho '{\"schema\":1,\"precision\":\"fp32\"}';;\n*) echo loss=0.5;;\nesac");
    REQUIRE(shell("mkdir bin && cp $(command -v tune) $(command -v tune-supervisor) bin && mv tune-train bin "
                  "&& chmod +x bin/tune-train")
                .exit_code == 0);
  }
  ShellResult tune(const std::string& options = "", const std::string& variables = "") const {
    return shell("PATH=$PWD/bin:$PATH; " + variables + " tune --spec search.json --store store " + options);
  }
  std::string text(const std::string& file) const { return shell("cat " + file).out; }
};

// A study that is being measured, in the background as $tune; the probe's pid is in the file `pid`.
const std::string kMeasuring = "PATH=$PWD/bin:$PATH; " + kStart + wait_for("pid");
const char* kForEver = "echo $$ > new; mv new pid; exec sleep 600";
const std::string kProbeEnds =
    "for i in $(seq 1000); do kill -0 $(cat pid) 2>/dev/null || exit $code; sleep 0.01; done; exit 99\n";

TEST_CASE("the trainer is measured once on each machine that a study runs on") {
  ToyStudy study("echo once >> probes");
  REQUIRE(study.tune().exit_code == 0);
  REQUIRE(study.tune("--trials 5").exit_code == 0);
  CHECK(study.text("probes") == "once\n");
  // As if another machine had made it.
  REQUIRE(study
              .shell("python3 - <<'END'\n"
                     "import json, sqlite3\n"
                     "db = sqlite3.connect('store/s/study.db')\n"
                     "facts = json.loads(db.execute('SELECT facts FROM study').fetchone()[0])\n"
                     "(name, answer), = facts['probes'].items()\n"
                     "facts['probes'] = {'elsewhere: cpu': answer}\n"
                     "facts['runs'][0]['machine']['host'] = 'elsewhere'\n"
                     "db.execute('UPDATE study SET facts = ?', [json.dumps(facts)])\n"
                     "db.commit()\nEND")
              .exit_code == 0);
  REQUIRE(study.tune("--trials 6").exit_code == 0);
  CHECK(study.text("probes") == "once\nonce\n");
  const ShellResult runs = study.shell(
      "python3 -c \"import json, sqlite3; f = json.loads(sqlite3.connect('store/s/study.db').execute('SELECT "
      "facts FROM study').fetchone()[0]); print(len(f['probes']), [r['machine']['host'] == 'elsewhere' for r "
      "in f['runs']])\"");
  CHECK(runs.out == "2 [True, False]\n");
}

TEST_CASE("the probe gets a GPU that nobody uses, by lease, and sees no other") {
  ToyStudy study(
      "echo $CUDA_VISIBLE_DEVICES > seen; flock -n $TUNE_LEASE_DIR/GPU-1.0of1 true || echo leased >> seen");
  study.spec["resources"] = {{"gpus_per_trial", 1}};
  const Json taken = {{"uuid", "GPU-0"}, {"name", "Fake"}, {"used", 9'000'000'000}, {"processes", {1}}};
  const Json idle = {{"uuid", "GPU-1"}, {"name", "Fake"}, {"used", 0}, {"processes", Json::array()}};
  study.write("gpus.json", Json{{"driver", "1"}, {"gpus", {taken, idle}}}.dump());
  const ShellResult run =
      study.tune("", "TUNE_NVML_LIBRARY=" TUNE_TEST_BIN_DIR
                     "/libfake_nvml.so TUNE_FAKE_NVML=gpus.json TUNE_LEASE_DIR=$PWD/leases");
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(study.text("seen") == "GPU-1\nleased\n");
}

TEST_CASE("a signal ends the probe and the study, which can go on") {
  for (const char* signal : {"INT", "TERM", "HUP"}) {
    ToyStudy study(std::string("if [ ! -e pid ]; then ") + kForEver + "; fi");
    const ShellResult ended =
        study.shell(kMeasuring + "kill -" + signal + " $tune; wait $tune; code=$?\n" + kProbeEnds);
    CAPTURE(signal, ended.err, study.text("err"));
    CHECK(ended.exit_code == 130);
    CHECK(study.tune().exit_code == 0);
  }
}

TEST_CASE("kill -9 of tune takes the probe along") {
  ToyStudy study(kForEver);
  const ShellResult killed = study.shell(kMeasuring + "kill -9 $tune; code=0\n" + kProbeEnds);
  CHECK(killed.exit_code == 0);
}

TEST_CASE("what the probe objects to is the run's error, with its cure, and no JSON") {
  ToyStudy study(
      "echo 'a warning' >&2; echo '{\"error\":{\"code\":\"environment\",\"message\":\"the data are a "
      "FIFO\",\"hint\":\"name a file\"}}' >&2; exit 7");
  const ShellResult run = study.tune();
  CAPTURE(run.err);
  CHECK(run.exit_code == 7);
  CHECK_THAT(run.err, Catch::Matchers::Contains("a warning\n"));
  CHECK_THAT(
      run.err,
      Catch::Matchers::Contains(
          "error: tune-train probe failed before the first trial (exit code 7): the data are a FIFO\n"));
  CHECK_THAT(run.err, Catch::Matchers::Contains("name a file"));
  CHECK(run.err.find('{') == std::string::npos);
}

}  // namespace
}  // namespace tune::tests
