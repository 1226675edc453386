// What `tune --spec`, `resume` and `promote` say and do.
#include <sstream>

#include "study_fixture.h"

namespace tune::tests {
namespace {

TEST_CASE("a finished study shows its result, keeps its exit code, and goes on when a limit is raised") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult again = folder.run();
  CHECK(again.exit_code == 0);
  CHECK(says(again.out, "Best: trial"));
  CHECK(says(again.err, "tune resume s --trials N"));
  CHECK(folder.shell("tune resume s --trials 6 --store store").exit_code == 0);
  CHECK(folder.table().size() == 6);
  CHECK(folder.run().exit_code == 0);
  CHECK(folder.table().size() == 6);
  CHECK(folder.run("--trials 7").exit_code == 0);
  CHECK(folder.table().size() == 7);
}

TEST_CASE("the trials of a database that is gone do not reach those of the next study") {
  StudyFolder folder(
      "ls $TUNE_CHECKPOINT_DIR | grep -q . && exit 3; echo $1 > $TUNE_CHECKPOINT_DIR/last; echo loss=0.$1");
  REQUIRE(folder.run().exit_code == 0);
  const bool is_emptied = GENERATE(true, false);
  folder.shell(is_emptied ? "rm store/s/study.db*; touch store/s/study.db" : "rm store/s/study.db*");
  const ShellResult again = folder.run("--seed 6");
  CAPTURE(again.err);
  CHECK(again.exit_code == 0);
  CHECK(says(again.out + again.err, "trials.lost-1"));
  CHECK(folder.shell("test -e store/s/trials.lost-1/1/checkpoints/last").exit_code == 0);
  for (const Json& row : folder.table()) CHECK(row.at(2) == "completed");
}

TEST_CASE("a changed spec exits 6, shows the difference, and changes nothing") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const Json before = folder.table();
  folder.spec["parameters"]["x"]["max"] = 999998;
  const ShellResult changed = folder.run();
  CHECK(changed.exit_code == 6);
  CHECK(says(changed.err, "/parameters/x/max"));
  CHECK(says(changed.err, "999998"));
  CHECK(folder.table() == before);
  CHECK(folder.run("--name other").exit_code == 0);
  CHECK(folder.table("other").size() == 4);
  CHECK(folder.run("--name other --seed 6").exit_code == 6);
}

TEST_CASE("a finished study goes on with a spec whose limits have grown, and says so") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  folder.spec["limits"]["trials"] = 5;
  folder.spec["cost"] = {{"usd_per_hour", 2}};
  const ShellResult more = folder.run();
  CAPTURE(more.err);
  CHECK(more.exit_code == 0);
  CHECK(says(more.err, "the spec has changed, and the study goes on with it"));
  CHECK(says(more.err, "/limits/trials: 4 -> 5"));
  CHECK(folder.table().size() == 5);
  CHECK(says(folder.shell("tune resume s --store store --trials 6").out, "$"));
}

TEST_CASE("a spec that this machine refused can be mended, since nothing was tried with it") {
  StudyFolder folder;
  folder.spec["resources"]["gpus_per_trial"] = 1;
  CHECK(folder.run("--trials 2", "TUNE_NVML_LIBRARY=/none").exit_code == 7);
  CHECK(folder.run("", "TUNE_NVML_LIBRARY=/none").exit_code == 7);
  CHECK(says(folder.shell("tune status s --store store").out, "of 2"));  // what was asked for stays
  folder.spec["resources"]["gpus_per_trial"] = 0;
  folder.spec["environment"] = {{"HIDDEN", {{"from_env", "NOBODY_SET_THIS"}}}};
  CHECK(folder.run().exit_code == 7);
  folder.spec.erase("environment");
  folder.spec["limits"]["trials"] = 3;
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  CHECK(folder.table().size() == 3);
  CHECK(says(folder.shell("tune resume s --store store --trials 4 --json").out, "\"exit_code\":0"));
}

TEST_CASE("what a finished study proposes to go on is what lets it go on") {
  StudyFolder grid;
  grid.spec["parameters"] = {{"x", {{"type", "categorical"}, {"values", {1, 2}}}}};
  grid.spec["strategy"] = {{"name", "grid"}};
  REQUIRE(grid.run().exit_code == 0);
  const std::string exhausted = grid.run().err;
  CHECK(says(exhausted, "space exhausted"));
  CHECK_FALSE(says(exhausted, "tune resume"));
  CHECK(says(exhausted, "--name"));

  StudyFolder timed("echo loss=0.5; [ -e quick ] || sleep 60");
  timed.spec["limits"] = {{"time", "1s"}, {"parallel", 1}};
  REQUIRE(timed.run().exit_code == 0);
  CHECK(says(timed.run().err, "`tune resume s --time T`"));
  timed.write("quick", "");
  timed.spec["limits"]["trials"] = 1;
  CHECK(timed.shell("tune resume s --store store --time 1h --trials 3").exit_code == 0);
  CHECK(timed.table().size() >= 3);
}

TEST_CASE("a budget of device hours ends a study, and is raised as the other limits are") {
  StudyFolder folder("echo loss=0.5; sleep 0.2");
  folder.spec["limits"] = {{"gpu_hours", 0.0002}, {"parallel", 1}};
  const ShellResult first = folder.run();
  CAPTURE(first.err);
  REQUIRE(first.exit_code == 0);
  CHECK(says(first.out, "finished (device time limit)"));
  const std::size_t before = folder.table().size();
  CHECK(says(folder.run().err, "`tune resume s --gpu-hours H`"));
  CHECK(folder.table().size() == before);
  CHECK(folder.shell("tune resume s --store store --cost-usd 5").exit_code == 2);
  CHECK(folder.shell("tune resume s --store store --gpu-hours 0.0006").exit_code == 0);
  CHECK(folder.table().size() > before);
}

TEST_CASE("a stored spec is checked again by resume, as an older tune may have let it pass") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  folder.write("change.py",
               "import sqlite3\n"
               "db = sqlite3.connect('store/s/study.db')\n"
               "for c in ('spec', 'spec_text'):\n"
               "  db.execute(f\"UPDATE study SET {c} = replace({c}, 'loss=(', 'loss=(?=x)(')\")\n"
               "db.commit()");
  REQUIRE(folder.shell("python3 change.py").exit_code == 0);
  const ShellResult resumed = folder.shell("tune resume s --store store --trials 9");
  CHECK(resumed.exit_code == 3);
  CHECK(says(resumed.err, "/metrics/0/regex"));
  CHECK(folder.table().size() == 4);
}

TEST_CASE("fewer trials in all than there are is refused by resume, with the number") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(folder.shell("tune rerun s/1 --store store && tune resume s --store store").exit_code == 0);
  const ShellResult fewer = folder.shell("tune resume s --trials 3 --store store");
  CHECK(fewer.exit_code == 2);
  CHECK(says(fewer.err, "the study has 4 trials already, and --trials 3 is fewer"));
  CHECK(folder.shell("tune resume s --trials 4 --store store").exit_code == 0);
  CHECK(folder.table().size() == 5);
}

TEST_CASE("a store that may not be written is named, with the cure") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  // Root may write everywhere, so somebody else looks.
  const std::string as_other =
      "cp $(command -v tune) $(command -v tune-supervisor) . && chmod 755 . && chmod -R a+rX,a-w store\n"
      "other() { if [ $(id -u) = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"; else "
      "\"$@\"; fi; }\n";
  const std::string again = "code=$?; chmod -R u+w store; exit $code";
  for (const char* command : {"--spec search.json", "resume s --trials 9"}) {
    const ShellResult refused =
        folder.shell(as_other + "other ./tune " + command + " --store $PWD/store\n" + again);
    CAPTURE(command, refused.err);
    CHECK(refused.exit_code == 7);
    CHECK(says(refused.err, "the folder " + (folder.path() / "store/s").string() + " cannot be written"));
    CHECK(says(refused.err, "chmod u+w"));
  }
  CHECK(folder.shell(as_other + "other ./tune status s --store $PWD/store\n" + again).exit_code == 0);
}

TEST_CASE("a spec that comes through a pipe is stored, and resume goes on with it") {
  StudyFolder folder;
  const ShellResult run = folder.shell("tune --spec <(cat search.json) --store store");
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(folder.shell("tune resume s --store store --trials 6").exit_code == 0);
  CHECK(folder.table().size() == 6);
}

TEST_CASE("limits of the shell that tune meets are errors with a cause") {
  StudyFolder folder;
  // Which call meets the limit depends on it. The leak check needs files of its own at the end.
  for (const char* limit : {"5", "6", "7", "8", "10", "12"}) {
    const ShellResult files = folder.shell("export ASAN_OPTIONS=detect_leaks=0; ulimit -n " +
                                           std::string(limit) + "; tune --spec search.json --store store");
    CAPTURE(limit, files.err);
    CHECK(files.exit_code == 7);
    CHECK(says(files.err, "ulimit -n"));
  }
  const ShellResult size = folder.shell("ulimit -f 1; tune --spec search.json --store other");
  CAPTURE(size.err);
  CHECK(size.exit_code == 7);
  CHECK(says(size.err, "ulimit -f"));
  folder.spec["limits"]["trials"] = 400;
  const ShellResult later = folder.shell("ulimit -f 200; timeout 60 tune --spec search.json --store third");
  CAPTURE(later.err);
  CHECK(later.exit_code == 7);
  CHECK(says(later.err, "ulimit -f"));
  CHECK_FALSE(says(later.err, "paused"));
}

TEST_CASE("TUNE_SYNCHRONOUS is normal or full, and anything else is refused") {
  StudyFolder folder;
  CHECK(folder.run("", "TUNE_SYNCHRONOUS=fast").exit_code == 2);
  CHECK(folder.run("", "TUNE_SYNCHRONOUS=full").exit_code == 0);
  CHECK(folder.table().size() == 4);
}

TEST_CASE("lineage names the commit that the trial ran with, whatever was committed since") {
  StudyFolder folder;
  const std::string git = "git -c user.name=t -c user.email=t@t ";
  REQUIRE(
      folder.shell("git init -q . && git add . && " + git + "commit -qm one && git rev-parse HEAD > .git/one")
          .exit_code == 0);
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(folder.shell(git + "commit -q --allow-empty -m two").exit_code == 0);
  REQUIRE(folder.shell("tune promote s --model m --store store").exit_code == 0);
  const Json model = Json::parse(folder.shell("tune models m --store store --json").out);
  const std::string first = folder.shell("cat .git/one").out;
  CHECK(model.at("versions").at(0).at("lineage").at("code").at("commit").get<std::string>() + "\n" == first);
}

TEST_CASE(
    "a study that is copied or moved together with its spec runs where the spec lies now, which is said "
    "once") {
  StudyFolder folder("pwd > where; echo loss=0.$1");
  REQUIRE(folder.shell("mkdir a && cp search.json train.sh a && cd a && tune --spec search.json").exit_code ==
          0);
  const std::string here = folder.path().string();
  // Copied: a stored spec goes on in the copy, and leaves the original alone.
  const ShellResult copied = folder.shell(
      "cp -r a b && rm a/where && cd b && tune resume s --trials 5 && cat where && [ ! -e ../a/where ]");
  CAPTURE(copied.err);
  CHECK(copied.exit_code == 0);
  CHECK(says(copied.out, here + "/b\n"));
  CHECK(says(copied.err, "the spec lies in " + here + "/b now"));
  CHECK_FALSE(says(folder.shell("cd b && tune resume s --trials 6").err, "the spec lies in"));
  // Moved: the same command goes on.
  const ShellResult moved = folder.shell("mv b c && cd c && tune --spec search.json --trials 7 && cat where");
  CAPTURE(moved.err);
  CHECK(moved.exit_code == 0);
  CHECK(says(moved.out, here + "/c\n"));
  CHECK(says(moved.err, "the spec lies in " + here + "/c now"));
  // The store alone: its spec stays where it is.
  const ShellResult store = folder.shell("mv c/tune-store d && cd / && tune resume s --trials 8 --store " +
                                         here + "/d && cat " + here + "/c/where");
  CAPTURE(store.err);
  CHECK(says(store.out, here + "/c\n"));
}

TEST_CASE("trials that print nothing, print NaN or crash are recorded as such") {
  StudyFolder folder(
      "n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n > count\n"
      "case $n in 1) echo loss=0.5;; 2) echo hello;; 3) echo loss=nan;; 4) echo loss=0.1; echo ValueError: "
      "lost >&2; exit 3;; esac");
  folder.spec["metrics"][0]["regex"] = "loss=([0-9.a-z]+)";
  CHECK(folder.run().exit_code == 0);
  const Json table = folder.table();
  CHECK(table[0][2] == "completed");
  for (int i = 1; i < 4; ++i) CHECK(table[static_cast<std::size_t>(i)][2] == "failed");
  const std::string listed = folder.shell("tune trials s --store store --json").out;
  CHECK(says(listed, "no_metric"));
  CHECK(says(listed, "non_finite"));
  CHECK(says(listed, "exit code 3: ValueError: lost"));
}

TEST_CASE("a dry run prints the commands that the run then starts, and writes nothing") {
  StudyFolder folder;
  const ShellResult dry = folder.run("--dry-run --json");
  REQUIRE(dry.exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store"));
  const Json planned = Json::parse(dry.out);
  REQUIRE(planned.at("trials").size() == 4);
  REQUIRE(folder.run().exit_code == 0);
  const Json table = folder.table();
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(planned["trials"][i]["parameters"] == table[i][1]);
    const std::string x = argument_text(table[i][1]["x"]);
    CHECK(planned["trials"][i]["argv"] == Json({"sh", "train.sh", x}));
  }
  CHECK(says(folder.run("--dry-run").out, "sh train.sh "));
}

TEST_CASE("a trainer gets its contract in its environment and in trial.json") {
  StudyFolder folder(
      "python3 - <<'END'\n"
      "import json, os\n"
      "t = json.load(open(os.environ['TUNE_TRIAL_FILE']))\n"
      "assert t['parameters']['lora']['r'] in (4, 8), t\n"
      "assert t['output_dir'] == os.environ['TUNE_OUTPUT_DIR'] and os.path.isdir(t['output_dir'])\n"
      "assert t['checkpoint_dir'] == os.environ['TUNE_CHECKPOINT_DIR'] and "
      "os.path.isdir(t['checkpoint_dir'])\n"
      "assert str(t['seed']) == os.environ['TUNE_SEED'] and t['token'] == os.environ['TUNE_ATTEMPT_TOKEN']\n"
      "assert os.environ['PLAIN'] == 'a b' and os.environ['HIDDEN'] == 'top-secret-value'\n"
      "assert t['devices'] == [] and t['threads'] >= 1 and t['resume_from'] is None\n"
      "print('loss=0.5')\nEND");
  folder.spec["parameters"]["lora.r"] = {{"type", "categorical"}, {"values", {4, 8}}};
  folder.spec["command"] = {"sh", "train.sh", "{{x}}", "{{lora.r}}", "{{seed}}"};
  folder.spec["environment"] = {{"PLAIN", "a b"}, {"HIDDEN", {{"from_env", "MY_SECRET"}}}};
  CHECK(folder.run().exit_code == 7);
  const ShellResult run = folder.run("", "MY_SECRET=top-secret-value");
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  for (const Json& row : folder.table()) CHECK(row[2] == "completed");
  CHECK(folder.shell("grep -r top-secret-value store").exit_code == 1);
}

TEST_CASE("a log says what auto takes once, and has two lines for each trial") {
  StudyFolder folder;
  folder.spec["strategy"] = {{"name", "auto"}, {"seed", 7}};
  const ShellResult run = folder.run();
  CAPTURE(run.err);
  std::size_t lines = 0, choices = 0, trials = 0;
  std::istringstream log(run.err);
  for (std::string line; std::getline(log, line); ++lines) {
    choices += says(line, "] auto takes bayesian, since ");
    trials += says(line, "] trial ") && (says(line, " starts: x=") || says(line, " completed: loss "));
  }
  CHECK(choices == 1);
  CHECK(trials == 2 * folder.table().size());
  CHECK(lines == trials + choices + 2);  // how many at once, and that the study has ended
}

TEST_CASE("the best trial is promoted under the rule, and exit code 1 says that nothing passed") {
  StudyFolder folder;
  folder.spec["promote"] = {{"model", "m"}};
  const ShellResult first = folder.run();
  CHECK(first.exit_code == 0);
  CHECK(says(first.out, "m version 1"));
  CHECK(says(first.err, "s] promoted: m version 1 ("));
  CHECK(says(folder.shell("cat store/models/m/current/weights").out, "weights of"));
  CHECK(folder.run("--name same").exit_code == 1);
  CHECK(folder.shell("readlink store/models/m/current").out == "versions/1\n");
  CHECK(folder.shell("tune promote same/1 --store store").exit_code == 0);
  CHECK(folder.shell("readlink store/models/m/current").out == "versions/2\n");
  CHECK(folder.shell("tune promote same/9 --store store").exit_code == 5);
  CHECK(folder.shell("cd store/models/m/versions/2 && sha256sum weights").out.size() > 64);
}

TEST_CASE("a trial that left nothing in its output folder is not promoted, and that is said") {
  StudyFolder folder("echo loss=0.$1");
  folder.spec["promote"] = {{"model", "m"}};
  const ShellResult run = folder.run();
  CHECK(run.exit_code == 1);
  CHECK(says(run.out, "left nothing in its output folder"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store/models/m/current"));
}

TEST_CASE("losers' checkpoints go after a promotion, the winner's stays") {
  StudyFolder folder("echo loss=0.$1; echo w > $TUNE_OUTPUT_DIR/weights; echo c > $TUNE_CHECKPOINT_DIR/last");
  folder.spec["promote"] = {{"model", "m"}};
  REQUIRE(folder.run().exit_code == 0);
  CHECK(folder.shell("ls store/s/trials/*/checkpoints/last | wc -l").out == "1\n");
}

TEST_CASE("the time limit ends a study, and a trial's own limit cuts it short") {
  StudyFolder folder("echo loss=0.5; sleep 60");
  folder.spec["limits"] = {{"time", "1s"}, {"parallel", 2}};
  CHECK(folder.run().exit_code == 0);
  for (const Json& row : folder.table()) CHECK(row[2] == "stopped");
  StudyFolder slow("echo loss=0.5; sleep 60");
  slow.spec["limits"] = {{"trials", 1}, {"trial_time", "1s"}};
  CHECK(slow.run().exit_code == 0);
  const std::string shown = slow.shell("tune show s/1 --store store").out;
  CHECK(says(shown, "limits.trial_time ran out: cut after step 1, and counts with what it had reached"));
  CHECK(says(shown, "Metrics:"));
  const Json trials = Json::parse(slow.shell("tune trials s --store store --json").out);
  CHECK(trials.at("trials").at(0).at("cut") == "trial_time");
  // What the spec says of it later holds from then on, back to the default too.
  slow.spec["limits"] = {{"trials", 2}, {"trial_time", "1s"}, {"on_trial_time", "fail"}};
  CHECK(slow.run().exit_code == 0);
  CHECK(slow.table().at(1).at(2) == "failed");
  slow.spec["limits"] = {{"trials", 3}, {"trial_time", "1s"}, {"on_trial_time", "complete"}};
  CHECK(slow.run().exit_code == 0);
  CHECK(slow.table().at(2).at(2) == "completed");
}

TEST_CASE("a regex that cuts numbers is told of while the study runs, once a metric") {
  StudyFolder folder("echo loss=0.5; echo loss=${1}e-05");
  CHECK(says(folder.run().err, "metric \"loss\": the regex reads"));
  const std::string again = folder.shell("tune resume s --store store --trials 6").err;
  CHECK(says(again, "trial 6 completed"));
  CHECK_FALSE(says(again, "the regex reads"));
}

// ESC, other controls and the C1 controls in UTF-8; line ends and tabs are none.
bool has_controls(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t') || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

TEST_CASE("control sequences of a trainer reach no terminal by any command") {
  StudyFolder folder(
      "printf 'TUNE_METRIC {\"name\":\"\\\\u001b]0;owned\\\\u0007\\\\u009b2J\",\"value\":1}\\n'\n"
      "printf 'loss=\\033]52;c;aGk=\\007\\302\\2332J?\\n'\n"
      "printf 'loss=0.5 \\033[2J\\033]0;owned\\007 \\302\\2332J\\177 \\033[6n'; exit $((${1} % 2))");
  folder.spec["limits"] = {{"trials", 6}, {"parallel", 2}};
  const ShellResult run = folder.run();
  CHECK_FALSE(has_controls(run.out + run.err));
  const std::string log = "store/s/trials/1/attempts/1/log";
  for (const std::string& command :
       {std::string("trials s --store store"), std::string("trials s --store store --csv"),
        std::string("trials s --store store --json"), std::string("show s/1 --store store"),
        std::string("show s/2 --store store"), std::string("show s/1 --store store --json"),
        std::string("status s --store store"), std::string("status s --store store --json"),
        std::string("best s --store store"), std::string("logs s/1 --store store"),
        std::string("logs s/1 --store store --json"), "check search.json --sample " + log,
        "check search.json --json --sample " + log, std::string("resume s --store store"),
        std::string("--spec search.json --store store --json --name again"),
        std::string("report s --store store --json")}) {
    INFO(command);
    const ShellResult result = folder.shell("tune " + command);
    CHECK_FALSE((result.out + result.err).empty());
    CHECK_FALSE(has_controls(result.out + result.err));
  }
}

TEST_CASE(
    "a value that cannot be read is said by the run, by show and by check, and never taken for another") {
  StudyFolder folder("echo loss=1,234.56; echo acc=93%");
  folder.spec["objective"]["reduce"] = "last";
  folder.spec["metrics"].push_back({{"name", "acc"}, {"regex", "acc=([0-9.]+)"}});
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  const std::string err = folder.run().err;
  CHECK(says(err, "metric \"loss\": the regex reads 1 of 1,234.56"));
  CHECK(says(err, "metric \"acc\": the regex reads 93 of 93%"));
  const std::string shown = folder.shell("tune show s/2 --store store").out;
  CHECK(says(shown, "no value of \"loss\" could be read: the regex reads 1 of 1,234.56"));
  CHECK(says(shown, "metric \"acc\": the regex reads 93 of 93%"));
  CHECK(says(folder.shell("tune trials s --store store --csv").out, "trial,state,loss,acc,x"));
  const ShellResult checked = folder.shell("tune check search.json --sample store/s/trials/1/attempts/1/log");
  CHECK(checked.exit_code == 3);
  CHECK(says(checked.out, "line 1: the regex reads 1 of 1,234.56"));
  CHECK(says(checked.out, "line 2: the regex reads 93 of 93%"));
}

TEST_CASE("as JSON every line of stdout is an object, and the last is the result") {
  StudyFolder folder;
  const ShellResult run = folder.run("--json");
  REQUIRE(run.exit_code == 0);
  std::istringstream lines(run.out);
  Json last;
  for (std::string line; std::getline(lines, line);) {
    last = Json::parse(line);
    REQUIRE(last.is_object());
  }
  CHECK(last.at("schema") == 1);
  CHECK(last.at("exit_code") == 0);
}

}  // namespace
}  // namespace tune::tests
