// The real tune-train and tune with trials of several processes: the same curve, checkpoints, and every way
// to end.
#include <cmath>
#include <sstream>

#include "support/shell_place.h"
#include "trial_json.h"
#include "tuner/core/json.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::ShellPlace;
using tune::tests::ShellResult;
namespace fs = std::filesystem;

namespace {

// The shell waits in vain for none of these: a test that hangs would keep the machine.
constexpr const char* kBefore =
    "mkdir -p tmp; export TMPDIR=$PWD/tmp XDG_CACHE_HOME=$PWD/cache OMP_NUM_THREADS=1 "
    "OMP_WAIT_POLICY=passive\n";

// Lines for a shell: the process of that rank among those of $pid, and whether any of them is left.
constexpr const char* kFind =
    "rank() { for p in $(pgrep -P $pid); do tr '\\0' '\\n' </proc/$p/environ 2>/dev/null | grep -q "
    "\"^TUNE_RANK=$1$\" && echo $p; done; }\n"
    "left() { for p in $all; do [ -d /proc/$p ] && grep -q '^State:.[^Z]' /proc/$p/status && echo left $p; "
    "done; }\n"
    "begun() { until grep -q step: out; do kill -0 $pid || exit 99; sleep 0.05; done; all=$(pgrep -P $pid); "
    "}\n";

// The same below a search: the trials' processes are those that know this folder and a trial's file.
constexpr const char* kFindInSearch =
    "ours() { for p in /proc/[0-9]*; do tr '\\0' '\\n' 2>/dev/null <$p/environ | grep -cxE "
    "\"XDG_CACHE_HOME=$PWD/cache|TUNE_TRIAL_FILE=.*|$1\" | grep -qx ${2:-2} && grep -q '^State:.[^Z]' "
    "$p/status && echo ${p#/proc/}; done; }\n"
    "rank() { ours TUNE_RANK=$1 3; }\n"
    "left() { for p in $(ours none); do echo left $p $(tr '\\0' ' ' <$p/cmdline); done; }\n";

class Place : public ShellPlace {
 public:
  explicit Place(int images = 40) : ShellPlace(kBefore) {
    run("tune-train synthesize --output data --images " + std::to_string(images) + " --size 128");
  }
  OrderedJson trial(int processes, int epochs, const OrderedJson& more = OrderedJson::object()) const {
    OrderedJson fixed{{"epochs", epochs}, {"batch_size", 8}, {"sync_batch_norm", true}, {"logging_steps", 1}};
    fixed.update(more);
    OrderedJson json =
        trial_json({{"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"data", "data"}}, fixed,
                   "validation:mAP");
    json["processes"] = processes;
    json["threads"] = processes;
    return json;
  }
  ShellResult train(const OrderedJson& json) const {
    write("trial.json", json);
    return shell("timeout 600 tune-train --trial trial.json");
  }
  // Starts `json` in the background as $pid, does `lines` once its steps are under way, and waits for it.
  ShellResult train_while(const OrderedJson& json, const std::string& lines,
                          const std::string& variables = "") const {
    write("trial.json", json);
    return shell(kFind + variables + " timeout 600 tune-train --trial trial.json >out 2>err & guard=$!\n" +
                 "until pid=$(pgrep -P $guard); do sleep 0.01; done; begun\n" + lines +
                 "\nwait $guard; code=$?; left; exit $code");
  }
  // One trial in two processes.
  OrderedJson search(const OrderedJson& fixed) const {
    return {{"study", "two"},
            {"objective", {{"metric", "validation:mAP"}, {"goal", "maximize"}}},
            {"parameters", {{"learning_rate", {{"type", "float"}, {"min", 0.001}, {"max", 0.01}}}}},
            {"fixed", fixed},
            {"trainer", {{"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"data", "data"}}},
            {"strategy", {{"name", "random"}, {"seed", 1}}},
            {"limits", {{"trials", 1}}},
            {"resources", {{"gpus_per_trial", 0}, {"processes_per_trial", 2}}}};
  }
  // Starts `search` in the background as $tune, does `lines` once its first trial has printed `begun`, and
  // waits for it. What is printed is left.
  ShellResult search_while(const OrderedJson& search, const std::string& lines,
                           const std::string& begun = "step:") const {
    write("search.json", search);
    return shell(std::string(kFindInSearch) +
                 "rm -rf store; env --default-signal=HUP,INT,TERM tune --spec search.json --store store >out "
                 "2>err & tune=$!\n"
                 "until grep -qs '" +
                 begun +
                 "' store/two/trials/1/attempts/1/log; do kill -0 $tune || exit 99; sleep 0.05; done\n" +
                 lines + "\nwait $tune; code=$?; left; exit $code");
  }
  OrderedJson shown() const { return OrderedJson::parse(run("tune show two/1 --store store --json").out); }
  std::string reason() const { return shown().at("attempts").at(0).at("reason"); }
};

// What TUNE_METRIC lines say of each step, by name.
std::map<std::string, std::vector<double>> steps_of(const std::string& text) {
  std::map<std::string, std::vector<double>> curves;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string head = "TUNE_METRIC ";
    if (!line.starts_with(head)) continue;
    const Json metric = Json::parse(line.substr(head.size()));
    if (const std::string name = metric.at("name"); name.starts_with("step:"))
      curves[name].push_back(metric.at("value"));
  }
  return curves;
}

}  // namespace

TEST_CASE("Two processes have the losses of one over twenty steps, and its results") {
  const Place place(104);
  // At larger rates one process on two threads parts from itself on one: other boxes become the hardest
  // negatives.
  const OrderedJson slowly{{"learning_rate", 1e-5}};
  const OrderedJson one = place.trial(1, 2, slowly), two = place.trial(2, 2, slowly);
  const ShellResult alone = place.train(one);
  REQUIRE(alone.exit_code == 0);
  place.run("mv output alone; rm -r checkpoints");
  const ShellResult together = place.train(two);
  INFO(together.err);
  REQUIRE(together.exit_code == 0);
  const auto expected = steps_of(alone.out), found = steps_of(together.out);
  REQUIRE(expected.size() == 2);
  for (const auto& [name, losses] : expected) {
    REQUIRE(losses.size() >= 20);
    REQUIRE(found.at(name).size() == losses.size());
    for (std::size_t i = 0; i < 20; ++i) {
      INFO(name << ", step " << i + 1);
      CHECK(std::abs(found.at(name)[i] - losses[i]) < 1e-4);
    }
  }
  const OrderedJson model = place.read("output/model.json"), same = place.read("alone/model.json");
  CHECK(model["hyperparameters"] == same["hyperparameters"]);
  CHECK(model["validation"]["AP"].get<double>() ==
        Approx(same["validation"]["AP"].get<double>()).margin(0.02));
}

TEST_CASE("A trial of two processes goes on in one, and one in two") {
  const Place place(40);
  for (const int first : {2, 1}) {
    INFO("begins in " << first);
    place.shell("rm -rf checkpoints output");
    const ShellResult stopped = place.train_while(place.trial(first, 30), "kill -TERM $pid");
    INFO(stopped.out << place.shell("cat err").out);
    REQUIRE(stopped.exit_code == 130);
    CHECK(stopped.out == "");
    OrderedJson rest = place.trial(3 - first, 30, {{"max_steps", 0}});
    rest["resume_from"] = "checkpoints";
    rest["budget"] = 0.1;
    const ShellResult continued = place.train(rest);
    INFO(continued.err);
    CHECK(continued.exit_code == 0);
    CHECK(continued.err.find("continues at epoch") != std::string::npos);
  }
}

TEST_CASE("A process that is killed ends all others, and the trial as it ended") {
  const Place place;
  for (const char* rank : {"0", "1"}) {
    const ShellResult ended =
        place.train_while(place.trial(2, 1000), std::string("kill -SEGV $(rank ") + rank + ")");
    INFO(place.shell("cat err").out);
    CHECK(ended.exit_code == 128 + 11);
    CHECK(ended.out == "");  // nobody is left
    const std::string number = rank == std::string("0") ? "1" : "2";
    CHECK(place.shell("cat err").out.find("process " + number + " of 2 was killed by signal 11") !=
          std::string::npos);
  }
  CHECK(place.shell("ls tmp").out == "");
}

TEST_CASE("A process that hangs ends all, and is named with what it waits for") {
  const Place place;
  const ShellResult ended =
      place.train_while(place.trial(2, 1000), "kill -STOP $(rank 1)", "TUNE_PEER_TIMEOUT=8");
  const std::string said = place.shell("cat err").out;
  INFO(said);
  CHECK(ended.exit_code == 7);
  CHECK(ended.out == "");
  CHECK(said.find("a process of the trial hangs: process 2 of 2: tune-train (") != std::string::npos);
  CHECK(said.find("TUNE_PEER_TIMEOUT") != std::string::npos);
}

TEST_CASE("A process that runs out of memory ends all with that reason") {
  const Place place;
  const ShellResult ended =
      place.train_while(place.trial(2, 1000), "prlimit --pid $(rank 1) --as=$((64 << 20)):$((64 << 20))");
  const std::string said = place.shell("cat err").out;
  INFO(said);
  CHECK(ended.exit_code == 75);
  CHECK(ended.out == "");
  CHECK(said.find("process 2 of 2: out of memory") != std::string::npos);
}

TEST_CASE("When the program above the processes is killed, none of them stays") {
  const Place place;
  const ShellResult ended = place.train_while(
      place.trial(2, 1000),
      "kill -KILL $pid; for i in $(seq 100); do [ -z \"$(left)\" ] && break; sleep 0.05; done");
  INFO(place.shell("cat err").out);
  CHECK(ended.out == "");
}

TEST_CASE("Two processes say once, and by its place, what is wrong") {
  const Place place;
  OrderedJson small = place.trial(2, 1, {{"batch_size", 2}});
  const ShellResult refused = place.train(small);
  CHECK(refused.exit_code == 3);
  INFO(refused.err);
  CHECK(refused.err.find("a batch of 2 images is too small for 2 processes") != std::string::npos);
  CHECK(refused.err.find("a batch_size of 4 or more") != std::string::npos);
  CHECK(refused.err.find("error: ") == refused.err.rfind("error: "));

  place.run(
      "python3 -c 'import json, struct; data = struct.pack(\"<f\", float(\"nan\")) * (32 * 3 * 7 * 7); head "
      "= "
      "json.dumps({\"conv1.weight\": {\"dtype\": \"F32\", \"shape\": [32, 3, 7, 7], \"data_offsets\": [0, "
      "len(data)]}}).encode(); open(\"nan.safetensors\", \"wb\").write(struct.pack(\"<Q\", len(head)) + head "
      "+ "
      "data)'");
  OrderedJson poisoned = place.trial(2, 1);
  poisoned["trainer"]["weights"] = "nan.safetensors";
  const ShellResult diverged = place.train(poisoned);
  INFO(diverged.err);
  CHECK(diverged.exit_code == 76);
  CHECK(diverged.err.find("is not finite") != std::string::npos);

  place.shell("rm data/images/*");
  const ShellResult bad = place.train(place.trial(2, 1));
  CHECK(bad.exit_code == 65);
  CHECK(bad.err.find("error: process ") != std::string::npos);

  OrderedJson none = place.trial(2, 1);
  none["processes"] = 0;
  CHECK(place.train(none).exit_code == 3);
  none["processes"] = 3;
  none["devices"] = {"GPU-1", "GPU-2"};
  CHECK(place.train(none).err.find("one process for each device") != std::string::npos);
  place.write("trial.json", place.trial(2, 1));
  CHECK(place
            .shell("TUNE_RANK=2 TUNE_WORLD_SIZE=2 TUNE_LOCAL_RANK=0 TUNE_RENDEZVOUS=file:x tune-train "
                   "--trial trial.json")
            .exit_code == 2);
}

TEST_CASE("Processes that somebody else started meet at an address") {
  const Place place;
  place.write("trial.json", place.trial(2, 1));
  const ShellResult both = place.shell(
      "port=$(python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); "
      "print(s.getsockname()[1])')\n"
      "export TUNE_WORLD_SIZE=2 TUNE_RENDEZVOUS=tcp:127.0.0.1:$port TUNE_PEER_TIMEOUT=300\n"
      "TUNE_RANK=1 TUNE_LOCAL_RANK=1 tune-train --trial trial.json >second 2>&1 & second=$!\n"
      "TUNE_RANK=0 TUNE_LOCAL_RANK=0 tune-train --trial trial.json; first=$?\n"
      "wait $second || exit 9; exit $first");
  INFO(both.err);
  CHECK(both.exit_code == 0);
  CHECK(both.out.find("validation mAP") != std::string::npos);
  CHECK(place.shell("cat second").out == "");
}

TEST_CASE("A study's trials are of as many processes as its spec says, and are estimated so") {
  const Place place(24);
  OrderedJson search = place.search({{"epochs", 1}, {"batch_size", 8}});
  search["limits"]["trials"] = 2;
  place.write("search.json", search);
  const ShellResult searched = place.run("tune --spec search.json --store store");
  CHECK(searched.out.find("2") != std::string::npos);
  CHECK(place.read("store/two/trials/1/attempts/1/trial.json").at("processes") == 2);
  const OrderedJson estimate = OrderedJson::parse(
      place.run("tune-train estimate --trial store/two/trials/1/attempts/1/trial.json --json --seconds 0")
          .out);
  CHECK(estimate["processes"] == 2);
  CHECK(estimate["batch_size"] == 4);
}

TEST_CASE("Processes on several machines are one trial, of which each machine has its part") {
  const Place place;
  OrderedJson trial = place.trial(2, 1);
  trial["nodes"] = 2;
  trial["processes"] = 1;
  trial["threads"] = 1;
  place.write("trial.json", trial);
  const std::string machines =
      "export MASTER_ADDR=127.0.0.1 TUNE_PEER_TIMEOUT=300 MASTER_PORT=$(python3 -c 'import socket; s = "
      "socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])')\n"
      "machine() { SLURM_NODEID=$1 timeout 600 tune-train --trial trial.json; }\n"
      "machine 1 >second 2>second.err & second=$!\n";
  const ShellResult both = place.shell(machines + "machine 0; first=$?; wait $second || exit 9; exit $first");
  INFO(both.err << place.shell("cat second.err").out);
  REQUIRE(both.exit_code == 0);
  CHECK(both.out.find("validation mAP") != std::string::npos);
  CHECK(place.shell("cat second").out == "");

  // The reason is told where it happened, and each machine ends.
  trial["fixed"]["epochs"] = 1000;
  place.write("trial.json", trial);
  const ShellResult failed = place.shell(
      std::string(kFindInSearch) + machines +
      "machine 0 >out 2>err & first=$!\nuntil grep -q step: out; do kill -0 $first || exit 99; sleep 0.05; "
      "done\nprlimit --pid $(ours TUNE_RANK=1) --as=$((64 << 20)):$((64 << 20))\n"
      "wait $second; echo $?; wait $first; echo $?");
  INFO(place.shell("cat err second.err").out);
  CHECK(failed.out == "75\n7\n");
  CHECK(place.shell("cat second.err").out.find("process 2 of 2: out of memory") != std::string::npos);
  CHECK(place.shell("cat err").out.find("process 1 of 2 waited for another in vain") != std::string::npos);

  const ShellResult lonely = place.shell("env -u SLURM_NODEID tune-train --trial trial.json");
  CHECK(lonely.exit_code == 7);
  CHECK(lonely.err.find("the trial is of 2 machines, and SLURM_NODEID is not set") != std::string::npos);
}

TEST_CASE("A batch that may be too small for a trial's processes is refused before the first trial") {
  const Place place;
  place.write("search.json", place.search({{"epochs", 1}, {"batch_size", 3}}));
  const ShellResult checked = place.shell("tune check search.json");
  INFO(checked.err);
  CHECK(checked.exit_code == 3);
  CHECK((checked.out + checked.err).find("a batch of 3 images is too small for the 2 processes of a trial") !=
        std::string::npos);
  CHECK(place.shell("tune --spec search.json --store store").exit_code == 3);
  CHECK_FALSE(fs::exists(place.path("store/two/trials")));
}

TEST_CASE("What befalls one process of a trial is the trial's reason, and its search leaves nothing behind") {
  const Place place;
  OrderedJson search = place.search({{"epochs", 1000}, {"batch_size", 8}, {"logging_steps", 1}});
  const ShellResult killed = place.search_while(search, "kill -KILL $(rank 1)");
  INFO(place.shell("cat out err store/two/trials/1/attempts/1/log").out);
  CHECK(killed.exit_code == 8);  // every trial has failed
  CHECK(killed.out == "");       // nobody is left
  CHECK(place.reason().find("process 2 of 2 was killed by signal 9") != std::string::npos);

  search["environment"]["TUNE_PEER_TIMEOUT"] = "8";
  const ShellResult hung = place.search_while(search, "kill -STOP $(rank 1)");
  INFO(place.shell("cat out err store/two/trials/1/attempts/1/log").out);
  CHECK(hung.exit_code == 8);
  CHECK(hung.out == "");
  CHECK(place.reason().find("exit code 7") != std::string::npos);
  CHECK(place.reason().find("a process of the trial hangs: process 2 of 2: tune-train (") !=
        std::string::npos);

  // What ran out of memory is tried again as the spec says. The limit comes while there is much to be taken.
  search["retry"] = {{"out_of_memory", {{{"set", {{"batch_size", "half"}, {"epochs", 1}}}}}}};
  const ShellResult hungry = place.search_while(
      search, "prlimit --pid $(rank 1) --as=$((64 << 20)):$((64 << 20))", "default boxes:");
  INFO(place.shell("cat out err store/two/trials/1/attempts/1/log").out);
  CHECK(hungry.exit_code == 0);
  CHECK(hungry.out == "");
  const OrderedJson attempts = place.shown().at("attempts");
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].at("reason").get<std::string>().find("process 2 of 2: out of memory") !=
        std::string::npos);
  CHECK(place.read("store/two/trials/1/attempts/2/trial.json").at("fixed").at("batch_size") == 4);
  CHECK(place.shell("ls tmp").out == "");
}

TEST_CASE("A search of trials in two processes that is stopped goes on from where they were") {
  const Place place;
  const OrderedJson search =
      place.search({{"epochs", 40}, {"batch_size", 8}, {"logging_steps", 1}, {"sync_batch_norm", true}});
  const ShellResult stopped = place.search_while(search, "kill -INT $tune");
  INFO(place.shell("cat out err store/two/trials/1/attempts/1/log").out);
  CHECK(stopped.exit_code == 130);
  CHECK(stopped.out == "");
  const ShellResult finished = place.run("tune --spec search.json --store store");
  CHECK(place.shown().at("attempts").size() == 2);
  CHECK(place.shell("cat store/two/trials/1/attempts/2/log").out.find("continues at epoch") !=
        std::string::npos);
}

TEST_CASE("When tune is killed, the processes of its trials end with it") {
  const Place place;
  const ShellResult killed =
      place.search_while(place.search({{"epochs", 1000}, {"batch_size", 8}, {"logging_steps", 1}}),
                         "kill -KILL $tune; for i in $(seq 200); do [ -z \"$(left)\" ] && break; sleep 0.05; "
                         "done");
  INFO(place.shell("cat err").out);
  CHECK(killed.out == "");
}
