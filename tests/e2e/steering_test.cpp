// Studies that are steered from another terminal, running and at rest.
#include <set>
#include <sstream>

#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

// A trial of a second and a half that notes its start.
constexpr const char* kSlowTrial = "touch started.$1; sleep 1.5; echo loss=0.$1";

const std::string kBeginStudy =
    "tune --spec search.json --store store > out 2> err & tune=$!\n"
    "until ls started.* > /dev/null 2>&1; do sleep 0.02; done\n";

Json trials_of(const StudyFolder& folder) {
  return Json::parse(folder.shell("tune trials s --store store --json").out).at("trials");
}

}  // namespace

TEST_CASE("a running study takes up other limits, points of one's own and the end of a trial") {
  StudyFolder folder(kSlowTrial);
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  const ShellResult run = folder.shell(kBeginStudy +
                                       "tune set s --store store --trials 4 --parallel 2\n"
                                       "tune enqueue s --store store --parameters '{\"x\": 123456}'\n"
                                       "tune stop s/1 --store store\n"
                                       "wait $tune; echo code $?; cat err >&2");
  CAPTURE(run.out, run.err);
  CHECK(says(run.out, "s: limits.trials: 2 -> 4, limits.parallel: 1 -> 2\n"));
  CHECK(says(run.out, "is enqueued\n"));
  CHECK(says(run.out, "s: trial 1 is stopped\n"));
  CHECK(says(run.out, "code 0"));
  CHECK(says(run.err, ": limits.trials: 2 -> 4"));
  const Json trials = trials_of(folder);
  REQUIRE(trials.size() >= 4);
  CHECK(trials[0].at("state") == "stopped");
  CHECK(says(trials[0].at("reason"), "stopped by "));
  int enqueued = 0;
  for (const Json& trial : trials) enqueued += trial.at("parameters").at("x") == 123456;
  CHECK(enqueued == 1);
}

TEST_CASE("a paused study begins nothing until it is continued, and a person may stop it from elsewhere") {
  StudyFolder folder("touch started.$1; sleep 0.3; echo loss=0.$1");
  folder.spec["limits"] = {{"trials", 200}, {"parallel", 1}};
  const ShellResult run = folder.shell(
      kBeginStudy +
      "tune pause s --store store; sleep 1.2; ls started.* | wc -l; sleep 0.8; ls started.* | wc -l\n"
      "tune continue s --store store; sleep 1; ls started.* | wc -l\n"
      "tune stop s --store store; wait $tune; echo code $?");
  CAPTURE(run.out, run.err);
  REQUIRE(run.exit_code == 0);
  std::istringstream lines(run.out);
  std::vector<std::string> words;
  for (std::string line; std::getline(lines, line);) words.push_back(line);
  REQUIRE(words.size() == 7);
  CHECK(words[0] == "s: nothing new is begun; what runs goes on to its end");
  CHECK(words[1] == words[2]);
  CHECK(words[3] == "s: the study goes on");
  CHECK(std::stoi(words[4]) > std::stoi(words[2]));
  CHECK(words[6] == "code 130");
}

TEST_CASE("a study that does not run takes requests at once, and goes on with them") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  REQUIRE(folder.run().exit_code == 0);
  folder.write("points.csv", "trial,x\n1,111111\n2,222222");
  const ShellResult steered = folder.shell(
      "tune enqueue s --store store --csv points.csv && tune set s --store store --trials 5 --json && "
      "tune trials s --store store --csv | grep -c queued");
  CAPTURE(steered.out, steered.err);
  CHECK(says(steered.out, "s: trials 3 to 4 are enqueued (`tune resume s` goes on with it)"));
  CHECK(says(steered.err,
             "left out, since `tune trials` writes them and they are no parameters of s: trial\n"));
  CHECK(says(steered.out, "\"done\":\"limits.trials: 2 -> 5"));
  CHECK(steered.out.ends_with("2\n"));
  REQUIRE(folder.shell("tune resume s --store store").exit_code == 0);
  const Json trials = trials_of(folder);
  REQUIRE(trials.size() == 5);
  CHECK(trials[2].at("parameters").at("x") == 111111);
  CHECK(trials[3].at("parameters").at("x") == 222222);
  CHECK(trials[4].at("state") == "completed");
}

TEST_CASE("points of try_first are tried although others were enqueued before them") {
  StudyFolder folder(kSlowTrial);
  folder.spec["limits"] = {{"trials", 4}, {"parallel", 1}};
  folder.spec["strategy"]["try_first"] = {{{"x", 100001}}, {{"x", 100002}}, {{"x", 100003}}};
  const ShellResult run =
      folder.shell(kBeginStudy + "tune enqueue s --store store --parameters '{\"x\": 123456}'; wait $tune");
  REQUIRE(run.exit_code == 0);
  std::set<int> tried;
  for (const Json& trial : trials_of(folder)) tried.insert(trial.at("parameters").at("x").get<int>());
  CHECK(tried == std::set<int>{100001, 100002, 100003, 123456});
}

TEST_CASE("a study whose spec pauses trials no more ends all the same") {
  StudyFolder folder(
      "e=$(cat $TUNE_CHECKPOINT_DIR/last 2>/dev/null || echo 0); while [ $e -lt 4 ]; do e=$((e + 1)); "
      "echo $e > $TUNE_CHECKPOINT_DIR/last; echo loss=0.$1; sleep 0.05; done");
  folder.spec["limits"] = {{"trials", 4}, {"parallel", 1}};
  folder.spec["early_stopping"] = {{"rule", "asha"}, {"form", "pause"}, {"max_step", 4}};
  REQUIRE(folder.run().exit_code == 0);
  folder.spec["early_stopping"]["form"] = "stop";
  folder.spec["limits"]["trials"] = 6;
  CHECK(folder.shell("timeout 60 tune --spec search.json --store store").exit_code == 0);
}

TEST_CASE("a request that no tune wrote is put aside or refused, and does no harm") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult result = folder.shell(
      "mkdir -p store/s/inbox; echo garbage > store/s/inbox/1.request\n"
      "echo "
      "'{\"schema\":1,\"command\":\"stop\",\"who\":\"x@y\",\"when_ms\":1,\"arguments\":{\"trial\":\"one\"}}' "
      "> store/s/inbox/2.request\n"
      "tune set s --store store --trials 6 && tune resume s --store store && ls store/s/inbox");
  CAPTURE(result.out, result.err);
  CHECK(result.exit_code == 0);
  CHECK(says(result.out, "1.request.unreadable"));
  CHECK(folder.table().size() == 6);
}

TEST_CASE("a copy of a study, and one whose trials another program runs, take no requests") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult copy = folder.shell("cp -r store/s store/copy; timeout 20 tune pause copy --store store");
  CHECK(copy.exit_code == 7);
  CHECK(says(copy.err, "it is a copy of that study"));
  folder.spec["study"] = "asked";
  REQUIRE(folder.shell("echo '{\"ask\": 1}' | tune ask-tell --spec search.json --store store").exit_code ==
          0);
  const ShellResult asked = folder.shell("timeout 20 tune pause asked --store store");
  CHECK(asked.exit_code == 6);
  CHECK(says(asked.err, "are run by another program, through ask-tell"));
  CHECK(says(asked.err, "its program says when another trial begins"));
  // Once tune itself has gone on with it, it is a study like any other.
  REQUIRE(folder.run().exit_code == 0);
  CHECK(folder.shell("timeout 20 tune set asked --trials 5 --store store").exit_code == 0);
}

TEST_CASE("what is refused of a study of ask-tell is done by its program as the refusal says") {
  StudyFolder folder;
  const std::string session = "tune ask-tell --spec search.json --store store";
  REQUIRE(folder.shell("echo '{\"ask\": 1}' | " + session).exit_code == 0);
  const auto refused = [&](const std::string& command, const std::string& cure) {
    const ShellResult result = folder.shell("timeout 20 tune " + command + " --store store </dev/null");
    CAPTURE(command, result.err);
    CHECK(result.exit_code == 6);
    CHECK(says(result.err, cure));
  };
  const std::string stop = R"({"tell": {"trial": 1, "state": "stopped"}})";
  refused("stop s/1", stop);
  refused("delete s/1 --yes", stop);
  refused("enqueue s --parameters '{\"x\": 123456}'", R"({"add": {"parameters": {...}}})");
  refused("set s --trials 9", "--trials N there raises the number of trials");
  const ShellResult told = folder.shell("echo '" + stop + "' | " + session +
                                        " && tune delete s/1 --yes --store store\n"
                                        "echo '{\"add\": {\"parameters\": {\"x\": 123456}}}' | " +
                                        session + " --trials 9");
  CAPTURE(told.out, told.err);
  CHECK(told.exit_code == 0);
  CHECK(says(told.out, "s/1 is deleted"));
  CHECK(says(told.out, "{\"trial\":2}"));
  // Another space is another study, which learns from this one.
  folder.spec["parameters"]["x"]["max"] = 1500000;
  refused("amend search.json", R"("warm_start": [{"study": "s", "kind": "identical"}])");
  folder.spec["warm_start"] = Json::parse(R"([{"study": "s", "kind": "identical"}])");
  folder.spec["study"] = "wider";
  CHECK(folder.shell("echo '{\"ask\": 1}' | " + session).exit_code == 0);
}

TEST_CASE("a session of ask-tell that is open is named, with what ends it") {
  StudyFolder folder;
  const ShellResult held = folder.shell(
      "coproc T { exec tune ask-tell --spec search.json --store store; }\n"
      "pid=$T_PID; echo '{\"ask\": 1}' >&${T[1]}; read -r answer <&${T[0]}\n"
      "tune delete s --yes --store store; echo delete $?; tune amend search.json --store store; echo amend "
      "$?\n"
      "eval \"exec ${T[1]}>&-\"; wait $pid; tune delete s --yes --store store; echo again $?");
  CAPTURE(held.out, held.err);
  CHECK(says(held.err, "a session of ask-tell has the study \"s\": process "));
  CHECK(says(held.err, "the end of its stdin ends `tune ask-tell`"));
  CHECK(says(held.err, "such a study keeps its spec"));
  CHECK(says(held.out, "delete 6\namend 6\n"));
  CHECK(held.out.ends_with("again 0\n"));
}

TEST_CASE(
    "a command that is interrupted as it waits for an answer says that its request stays, and it does") {
  StudyFolder folder(kSlowTrial);
  folder.spec["limits"] = {{"trials", 1}, {"parallel", 1}};
  const ShellResult run =
      folder.shell(kBeginStudy + "kill -STOP $tune\n" + kLikeAtPrompt +
                   "tune set s --store store --trials 2 2>said & asks=$!\n"
                   "until ls store/s/inbox/*.request >/dev/null 2>&1; do sleep 0.02; done\n"
                   "sleep 0.2; kill -INT $asks; wait $asks; echo code $?; ls store/s/inbox | wc -l\n"
                   "kill -CONT $tune; wait $tune; echo run $?; cat said");
  CAPTURE(run.out, run.err);
  CHECK(says(run.out, "code 130\n1\nrun 0\n"));
  CHECK(says(run.out, "interrupted before the process that works on the study \"s\" has answered"));
  CHECK(says(run.out, "the request stays in its inbox and is obeyed when it is read"));
  CHECK(folder.table().size() == 2);
}

TEST_CASE("the table of trials is enqueued as it was written") {
  StudyFolder folder("echo loss=0.$1");
  folder.spec["parameters"]["word"] = {{"type", "categorical"},
                                       {"values", {"", "a, b", "tab\there", "\"q\"", 7}}};
  folder.spec["parameters"]["rate"] = {{"type", "float"}, {"min", 1e-9}, {"max", 1}, {"scale", "log"}};
  folder.spec["parameters"]["state"] = {
      {"type", "float"}, {"min", 0}, {"max", 1}, {"when", {{"word", {"", 7}}}}};
  folder.spec["command"] = {
      "sh", "train.sh", "{{x}}", "--word={{word}}", "--rate={{rate}}", "--state={{state}}"};
  folder.spec["limits"]["trials"] = 10;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult steered = folder.shell(
      "tune trials s --store store --csv > points.csv && tune enqueue s --store store --csv points.csv");
  CAPTURE(steered.out, steered.err);
  REQUIRE(steered.exit_code == 0);
  CHECK(says(steered.err, "no parameters of s: trial, state, loss, budget, "));
  const Json trials = trials_of(folder);
  REQUIRE(trials.size() == 20);
  for (std::size_t i = 0; i < 10; ++i) CHECK(trials[i + 10].at("parameters") == trials[i].at("parameters"));
}

TEST_CASE("what cannot be done is refused with a cure, and changes nothing") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const auto refused = [&](const std::string& command, int code, const std::string& part) {
    const ShellResult result = folder.shell("tune " + command + " --store store");
    CAPTURE(command, result.err);
    CHECK(result.exit_code == code);
    CHECK(says(result.err, part));
  };
  refused("stop s", 6, "the study \"s\" does not run");
  refused("stop s/2", 6, "trial 2 has ended: it is completed");
  refused("stop s/99", 5, "there is no trial 99");
  refused("set s", 2, "there is no limit to set");
  refused("set s --cost-usd 3", 2, "needs a price");
  refused("enqueue s --parameters '{\"x\": 1}'", 2, "the point is no point of the space");
  refused("enqueue s --parameters '{\"y\": 1}'", 2, "there is no parameter \"y\"");
  refused("enqueue s --parameters '[1]'", 2, "--parameters takes a JSON object");
  refused("enqueue s", 2, "either --parameters or --csv");
  folder.write("typo.csv", "y\n1");
  refused("enqueue s --csv typo.csv", 2, "the column \"y\" is no parameter of the study, and none that");
  refused("set s --convergence 0.01", 2, "the strategy \"random\" does not say what it expects of a trial");
  refused("pause nobody", 5, "nobody");
  CHECK(folder.table().size() == 4);
  CHECK(folder.shell("ls store/s/inbox | wc -l").out == "0\n");
}

TEST_CASE("a request that nobody answered is obeyed by the next run, also of a study that has ended") {
  StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult resumed = folder.shell(
      "mkdir -p store/s/inbox; echo '{\"schema\":1,\"command\":\"enqueue\",\"who\":\"x@y\",\"when_ms\":1,"
      "\"arguments\":{\"points\":[{\"x\":123456}]}}' > store/s/inbox/1.request\n"
      "tune resume s --store store");
  CAPTURE(resumed.out, resumed.err);
  CHECK(resumed.exit_code == 0);
  CHECK(says(resumed.err, "x@y: trial 5 is enqueued"));
  const Json trials = trials_of(folder);
  REQUIRE(trials.size() == 5);
  CHECK(trials[4].at("parameters").at("x") == 123456);
  CHECK(trials[4].at("state") == "completed");
}

TEST_CASE("a repeat runs to its end in a study whose target is reached") {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 4}, {"parallel", 1}, {"target", 0.9999999}};
  REQUIRE(folder.run().exit_code == 0);
  REQUIRE(folder.table().size() == 1);
  const ShellResult resumed = folder.shell("tune rerun s/1 --store store && tune resume s --store store");
  CAPTURE(resumed.out, resumed.err);
  CHECK(resumed.exit_code == 0);
  const Json trials = trials_of(folder);
  REQUIRE(trials.size() == 2);
  CHECK(trials[1].at("state") == "completed");
}

TEST_CASE("a request is neither lost nor done twice when the orchestrator dies over it") {
  for (const std::string point : {"request_committed", "request_answered"}) {
    StudyFolder folder(kSlowTrial);
    folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
    const ShellResult run =
        folder.shell("TUNE_CRASH_AT=" + point + " " + kBeginStudy +
                     "tune enqueue s --store store --parameters '{\"x\": 123456}'; wait $tune; echo code $?\n"
                     "tune --spec search.json --store store; echo code $?");
    CAPTURE(point, run.out, run.err);
    CHECK(says(run.out, "code 137"));
    CHECK(says(run.out, "code 0"));
    int enqueued = 0;
    for (const Json& trial : trials_of(folder)) enqueued += trial.at("parameters").at("x") == 123456;
    CHECK(enqueued == 1);
  }
}

}  // namespace tune::tests
