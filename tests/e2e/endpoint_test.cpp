// Endpoints by the real programs; the worker is a stand-in that speaks as `tune-train serve` does.
#include <signal.h>

#include <regex>

#include "e2e/study_fixture.h"
#include "support/processes.h"
#include "tuner/http/client.h"
#include "tuner/os/process.h"

namespace tune::tests {
namespace {

const std::string kWorker = std::string(" --worker ") + TUNE_TEST_BIN_DIR "/fake_worker";

// A store with two versions of the model m, of which the second is the current one. What is deployed of it
// is undeployed at the end.
class PromotedFolder : public StudyFolder {
 public:
  explicit PromotedFolder(
      const std::string& trainer = "echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights")
      : StudyFolder(trainer) {
    spec["limits"] = {{"trials", 2}, {"parallel", 1}};
    REQUIRE(run().exit_code == 0);
    REQUIRE(shell("for n in 1 2; do tune promote s/$n --model m --store store; done").exit_code == 0);
  }
  ~PromotedFolder() {
    shell("for e in $(ls store/endpoints 2>/dev/null); do tune undeploy $e --store store; done");
  }
  PromotedFolder(const PromotedFolder&) = delete;
  PromotedFolder& operator=(const PromotedFolder&) = delete;

  ShellResult deploy(const std::string& options = "", const std::string& model = "m") const {
    return shell("timeout 60 tune deploy " + model + " --store store " + kWorker + " " + options);
  }
  Json endpoint(const std::string& name = "m") const {
    const ShellResult shown = shell("tune endpoints " + name + " --store store --json");
    INFO(shown.err);
    REQUIRE(shown.exit_code == 0);
    return Json::parse(shown.out);
  }
  // What the endpoint answers to whoever shows its token.
  std::string ask(const std::string& name = "m") const {
    const std::string url = endpoint(name).at("url");
    http::ClientRequest request{"POST", "/invocations", {}, "x"};
    const std::string header = shell("tr -d '\\n' < store/endpoints/" + name + "/authorization").out;
    request.headers.push_back({"Authorization", header.substr(header.find(' ') + 1)});
    return http::Client({http::parse_url(url).address}).ask(request).body;
  }
  std::string weights(int version) const {
    return shell("cat store/models/m/versions/" + std::to_string(version) + "/weights | tr -d '\\n'").out;
  }
};

}  // namespace

TEST_CASE("a promoted model is deployed, listed, asked, followed and undeployed") {
  const PromotedFolder folder(
      "echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights; "
      "echo '{\"task\": \"text_classification\"}' > $TUNE_OUTPUT_DIR/model.json");
  const ShellResult deployed = folder.deploy();
  CAPTURE(deployed.out, deployed.err);
  REQUIRE(deployed.exit_code == 0);
  CHECK(says(deployed.out, "m is deployed: m version 2\n  URL    http://127.0.0.1:"));
  CHECK(says(deployed.err,
             "m: deploying: checking the files of m version 2\nm: deploying: loading m version 2\n"));
  CHECK_FALSE(says(deployed.out + deployed.err, folder.shell("tr -d '\\n' < store/endpoints/m/token").out));
  // The command that it shows.
  const std::string shown =
      std::regex_replace(deployed.out, std::regex("[^]*\n  try    ([^\n]*)\n[^]*"), "$1");
  if (folder.shell("command -v curl").exit_code == 0)
    CHECK(folder.shell(shown + " -sS -d x").out == folder.weights(2));
  CHECK(folder.ask() == folder.weights(2));
  CHECK(folder.shell("stat -c %a store/endpoints/m/token store/endpoints/m/authorization").out ==
        "600\n600\n");
  const ShellResult listed = folder.shell("tune endpoints --store store; tune doctor --store store");
  CHECK(says(listed.out, "m version 2 (current)"));
  CHECK(says(listed.out, "endpoints     ok      1 deployed\n"));

  REQUIRE(folder.shell("tune promote s/1 --model m --store store").exit_code == 0);
  wait_until([&] { return folder.endpoint().at("version") == 1; }, "the promoted version is served");
  CHECK(folder.ask() == folder.weights(1));
  CHECK(folder.endpoint().at("previous_version") == 2);

  const pid_t supervisor = folder.endpoint().at("pid"), worker = folder.endpoint().at("worker_pid");
  const ShellResult undeployed = folder.shell("tune undeploy m --store store");
  CHECK(undeployed.exit_code == 0);
  CHECK(says(undeployed.out, "m is not deployed any more: undeployed by "));
  CHECK_FALSE(is_running(supervisor));
  CHECK_FALSE(is_running(worker));
  const ShellResult again = folder.shell("tune undeploy m --delete --store store; ls store/endpoints");
  CHECK(again.exit_code == 0);
  CHECK(says(again.out, "m was not deployed: undeployed by "));
  CHECK(again.out.ends_with("; its folder is deleted\n"));
}

TEST_CASE("a worker gets the limits that are asked for, and no first request is shown where none is known") {
  const PromotedFolder folder;
  const ShellResult deployed = folder.deploy("--queue 8 --timeout 5 --json");
  CAPTURE(deployed.out, deployed.err);
  REQUIRE(deployed.exit_code == 0);
  CHECK(Json::parse(deployed.out).at("first_request").is_null());
  const std::string worker = folder.endpoint().at("worker_pid").dump();
  CHECK(says(folder.shell("tr '\\0' ' ' < /proc/" + worker + "/cmdline").out, " --queue 8 --timeout 5 "));
  CHECK(folder.deploy("--queue 0", "m@1").exit_code == 2);
}

TEST_CASE("kill -9 of the supervisor leaves no worker, the state says so, and deploying again mends it") {
  const PromotedFolder folder;
  REQUIRE(folder.deploy().exit_code == 0);
  const pid_t supervisor = folder.endpoint().at("pid"), worker = folder.endpoint().at("worker_pid");
  REQUIRE(::kill(supervisor, SIGKILL) == 0);
  wait_until([&] { return !is_running(supervisor) && !is_running(worker); }, "both are gone");
  const Json died = folder.endpoint();
  CHECK(died.at("state") == "not deployed");
  CHECK(died.at("supervisor_died") == true);
  CHECK(says(died.at("reason"), "its supervisor (process " + std::to_string(supervisor) + ") died"));
  const ShellResult doctor = folder.shell("tune doctor --store store");
  CHECK(says(doctor.out, "endpoints     warning m is not deployed: its supervisor"));
  CHECK(says(doctor.out, "`tune deploy m --worker "));
  REQUIRE(folder.deploy().exit_code == 0);
  CHECK(folder.ask() == folder.weights(2));
}

TEST_CASE("an endpoint whose state cannot be read is undeployed all the same") {
  const PromotedFolder folder;
  REQUIRE(folder.deploy().exit_code == 0);
  const int supervisor = folder.endpoint().at("pid").get<int>();
  folder.shell("echo spoilt > store/endpoints/m/state.json");
  const ShellResult undeployed = folder.shell("tune undeploy m --store store");
  CAPTURE(undeployed.err);
  CHECK(undeployed.exit_code == 0);
  CHECK(says(undeployed.out, "m is not deployed any more"));
  wait_until([&] { return !is_running(supervisor); }, "its supervisor has ended");
}

TEST_CASE("what the worker of a supervisor that was killed has left does not keep its port") {
  const PromotedFolder folder(
      "echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights; echo $PWD/child > "
      "$TUNE_OUTPUT_DIR/starts; echo $PWD/stray > $TUNE_OUTPUT_DIR/strays");
  REQUIRE(folder.deploy().exit_code == 0);
  const Json before = folder.endpoint();
  const pid_t supervisor = before.at("pid");
  const pid_t child = pid_in(folder.path() / "child"), stray = pid_in(folder.path() / "stray");
  REQUIRE(::kill(supervisor, SIGKILL) == 0);
  wait_until([&] { return !is_running(supervisor); }, "it is gone");
  CHECK(is_running(child));
  const std::string url = before.at("url");
  const ShellResult again = folder.deploy("--port " + url.substr(url.rfind(':') + 1));
  CAPTURE(again.err);
  CHECK(again.exit_code == 0);
  CHECK_FALSE(is_running(child));
  CHECK_FALSE(is_running(stray));
  CHECK(folder.ask() == folder.weights(2));
}

TEST_CASE("kill -9 of the worker: the state says restarting, and it answers again") {
  const PromotedFolder folder;
  REQUIRE(folder.deploy().exit_code == 0);
  const Json before = folder.endpoint();
  const pid_t worker = before.at("worker_pid");
  REQUIRE(::kill(worker, SIGKILL) == 0);
  wait_until([&] { return !is_running(worker); }, "the worker is gone");
  CHECK(folder.ask() == folder.weights(2));
  wait_until([&] { return folder.endpoint().at("state") == "deployed"; }, "it is deployed again");
  const Json after = folder.endpoint();
  CHECK(after.at("restarts") == 1);
  CHECK(after.at("url") == before.at("url"));
  CHECK(says(folder.shell("cat store/endpoints/m/log").out,
             "deploying: restarting: its worker was ended by signal 9"));
}

TEST_CASE("of two that deploy one name at once one does, and the other one is told so") {
  const PromotedFolder folder;
  const ShellResult race =
      folder.shell("for i in 1 2; do (timeout 60 tune deploy m --store store " + kWorker +
                   " > out.$i 2> err.$i; echo $? > code.$i) & done; wait; sort code.1 code.2");
  CHECK(race.out == "0\n6\n");
  CHECK(says(folder.shell("cat err.1 err.2").out, "m is deployed already, or about to be, by "));
  CHECK(folder.ask() == folder.weights(2));
}

TEST_CASE("what cannot be deployed is refused with place and cure, and nothing of it runs") {
  PromotedFolder folder;
  REQUIRE(folder.deploy("--name first").exit_code == 0);
  const std::string url = folder.endpoint("first").at("url");
  const std::string port = url.substr(url.rfind(':') + 1);
  const ShellResult taken = folder.deploy("--name second --port " + port);
  CHECK(taken.exit_code == 7);
  CHECK(says(taken.err, port));
  CHECK(folder.shell("ls store/endpoints").out == "first\n");

  const ShellResult unknown = folder.deploy("", "n");
  CHECK(unknown.exit_code == 5);
  CHECK(folder.deploy("", "m@9").exit_code == 5);
  const ShellResult nearest = folder.shell("tune undeploy frist --store store");
  CHECK(nearest.exit_code == 5);
  CHECK(says(nearest.err, "did you mean \"first\"?"));
  CHECK(folder.deploy("--schedule 25:00").exit_code == 2);
  CHECK(folder.deploy("--schedule 19:00 --undeploy-after 8h").exit_code == 2);
  CHECK(folder.deploy("--idle 0s").exit_code == 2);
  CHECK(folder.deploy("--adapters polite").exit_code == 2);
  CHECK(folder.deploy("--memory-gib 1e30").exit_code == 2);
  const ShellResult open = folder.deploy("--addr 0.0.0.0");
  CHECK(open.exit_code == 2);
  CHECK(says(open.err, "--token-file"));

  folder.shell("echo other >> store/models/m/versions/2/weights");
  const ShellResult damaged = folder.deploy("--json");
  CHECK(damaged.exit_code == 7);
  CHECK(says(damaged.err, "is not what was promoted"));
  CHECK(folder.endpoint().at("state") == "not deployed");
  CHECK(folder.endpoint().at("asked").is_null());
  CHECK(folder.endpoint().at("worker_pid").is_null());
}

TEST_CASE(
    "an endpoint outlives the shell that deployed it, and one in the foreground ends with its terminal's "
    "signal") {
  const PromotedFolder folder;
  // A reader of everything that the command was given comes to its end although the endpoint goes on.
  const ShellResult read =
      folder.shell("setsid bash -c 'tune deploy m --store store " + kWorker + "' 2>&1 | cat");
  CHECK(says(read.out, "m is deployed"));
  const pid_t supervisor = folder.endpoint().at("pid");
  CHECK(process_info(supervisor)->session == supervisor);
  CHECK(folder.ask() == folder.weights(2));

  const ShellResult foreground =
      folder.shell(kLikeAtPrompt + "tune deploy m --name here --foreground --store store " + kWorker +
                   " > out 2> err & tune=$!\nuntil grep -q 'is deployed' out; do sleep 0.02; done\nkill -INT "
                   "$tune; wait $tune; "
                   "echo code $?; cat err");
  CAPTURE(foreground.out);
  CHECK(says(foreground.out, "code 0\n"));
  CHECK(says(foreground.out, "here: not deployed: interrupted (Ctrl-C)"));
}

TEST_CASE("the manual's units are what systemd takes") {
  std::ifstream page(TUNE_SOURCE_DIR "/docs/endpoints.md");
  const TemporaryFolder folder;
  std::ofstream unit;
  int units = 0;
  for (std::string line; std::getline(page, line);) {
    if (line == "```ini")
      unit.open(folder.path() / (units++ == 0 ? "steel-detector.service" : "steel-detector.timer"));
    else if (line == "```")
      unit.close();
    else if (unit.is_open())
      unit << std::regex_replace(line, std::regex("%h/.local/bin/tune"), TUNE_BIN_DIR "/tune") << '\n';
  }
  REQUIRE(units == 2);
  if (run_shell("command -v systemd-analyze", folder.path()).exit_code != 0) {
    WARN("there is no systemd-analyze that could look at the units");
    return;
  }
  const ShellResult verified = run_shell(
      "mkdir run; XDG_RUNTIME_DIR=$PWD/run HOME=$PWD systemd-analyze verify --user ./steel-detector.service "
      "./steel-detector.timer",
      folder.path());
  CHECK(verified.exit_code == 0);
  CHECK(verified.err.empty());
}

TEST_CASE("whoever interrupts a deployment leaves nothing behind") {
  const PromotedFolder folder;
  // A worker that never says that it is ready.
  folder.write("silent.sh", "#!/bin/sh\necho $$ > pid.new; mv pid.new silent.pid; exec sleep 600");
  const ShellResult interrupted = folder.shell(
      "chmod +x silent.sh; sed -i \"s,pid.new,$PWD/pid.new,g; s,silent.pid,$PWD/silent.pid,\" "
      "silent.sh; " +
      kLikeAtPrompt +
      "tune deploy m --store store --worker ./silent.sh & tune=$!\nuntil [ -e silent.pid ]; do sleep 0.02; "
      "done; kill "
      "-INT $tune; wait $tune; echo code $?");
  CHECK(says(interrupted.out, "code 130"));
  const pid_t worker = pid_in(folder.path() / "silent.pid");
  wait_until([&] { return !is_running(worker); }, "the worker is gone");
  wait_until([&] { return says(folder.endpoint().at("reason"), "whoever waited for it was interrupted"); },
             "the state says why");
}

}  // namespace tune::tests
