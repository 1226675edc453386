// `tune compare` with the real programs and a scripted tune-train, copies of which lie beside each other.
#include <fstream>
#include <map>
#include <sstream>

#include "study_fixture.h"

namespace tune::tests {
namespace {

// Its validation falls with the distance of x from 7, and with the seed; its detections are its test score.
// Every act is a line in the file `acts`.
constexpr const char* kTrainer = R"py(#!/usr/bin/env python3
import json, os, random, sys, time
here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
def act(*words):
    with open(here + "/acts", "a") as acts: acts.write(" ".join(words) + "\n")
def options(name): return [v for k, v in zip(sys.argv, sys.argv[1:]) if k == name]
command = sys.argv[1]
if command == "describe":
    number = {"type": "int", "min": 0, "max": 100, "default": 0}
    recipe = {"name": "plain", "hyperparameters": [dict(number, name="x"), dict(number, name="epochs", default=2)],
              "metrics": [{"name": "map", "goal": "maximize", "regex": "map=([0-9.]+)"}]}
    keys = [{"name": "model", "kind": "choice", "values": ["small", "large"], "required": True},
            {"name": "data", "kind": "path", "required": True}, {"name": "weights", "kind": "path"},
            {"name": "recipe", "kind": "choice", "values": ["plain"], "default": "plain"},
            {"name": "split", "kind": "object", "keys": [{"name": "fractions", "kind": "fractions"},
             {"name": "grouping", "kind": "choice", "values": ["image", "content"]}]}]
    print(json.dumps({"schema": 1, "program": "tune-train", "version": "9", "tasks": [
        {"name": "toy", "trainer_keys": keys, "recipes": [recipe], "models": []}]}))
elif command == "probe":
    act("probe")
    print(json.dumps({"schema": 1, "device": "cpu", "precision": "fp32", "training_images": 360,
        "candidates": [{"precision": "fp32", "images_per_second": 10.0, "peak_memory_bytes": 1000}]}))
elif command == "audit":
    act("audit", options("--data")[0])
    leak = os.path.exists(here + "/leak")
    assert len(options("--against")) + len(options("--part")) == 1
    print(json.dumps({"schema": 1, "groups": [[1, 2], [3, 4]], "overlaps": [{
        "first": {"set": "data", "image": "test/a.jpg"}, "second": {"set": "against", "image": "train/b.jpg"}}] if leak else []}))
elif command == "--trial":
    trial = json.load(open(sys.argv[2]))
    assert "test" not in trial["trainer"]
    name = trial["study"] + "/" + str(trial["trial"])
    act("begin", name)
    if os.path.exists(here + "/slow") and not os.path.exists(here + "/hung"):
        open(here + "/hung", "w").close()
        time.sleep(600)
    x = trial["parameters"].get("x", trial["fixed"].get("x", 0))
    luck = random.Random(trial["seed"]).random() * 0.01
    value = (0.5 if trial["trainer"]["model"] == "large" else 0.4) - 0.002 * abs(x - 7) + luck
    with open(trial["output_dir"] + "/model.json", "w") as model: json.dump({"value": value}, model)
    with open(trial["output_dir"] + "/labels.json", "w") as labels: json.dump({"classes": ["scratch"]}, labels)
    print("map=%.6f" % value)
    act("end", name)
elif command == "predict":
    model = json.load(open(options("--model")[0] + "/model.json"))
    if os.path.exists(here + "/slow-predict"):
        os.remove(here + "/slow-predict")
        open(here + "/hung", "w").close()
        time.sleep(600)
    act("predict", options("--model")[0])
    json.dump(model, open(options("--output")[0], "w"))
    print("{}")
elif command == "score":
    act("score")
    assert json.load(open(options("--labels")[0]))["classes"] == ["scratch"]
    files = options("--detections")
    groups = json.load(open(options("--groups")[0]))["groups"]
    count = int(options("--resamples")[0])
    noise = [random.Random(r).random() * 0.1 for r in range(count)]
    values = [json.load(open(file))["value"] for file in files]
    print(json.dumps({"schema": 1, "images": 20, "results": [
        {"detections": f, "AP": v, "AP50": 2 * v} for f, v in zip(files, values)],
        "resamples": {"count": count, "seed": 0, "groups": 18, "AP": [[v + n for n in noise] for v in values],
                      "AP50": [[2 * v + n for n in noise] for v in values]}}))
)py";

class ComparisonFolder {
 public:
  ComparisonFolder() {
    document["comparison"] = "c";
    document["objective"] = {{"metric", "map"}, {"goal", "maximize"}};
    document["trainer"] = {{"task", "toy"}, {"data", "train"}, {"test", "test"}};
    document["fixed"] = {{"epochs", 2}, {"x", 30}};
    document["seeds"] = 3;
    document["resamples"] = 100;
    document["limits"] = {{"parallel", 1}};
    document["resources"] = {{"gpus_per_trial", 0}};
    document["cost"] = {{"usd_per_hour", 3.06}, {"date", "2026-11-21"}};
    OrderedJson search;
    search["parameters"]["x"] = {{"type", "int"}, {"min", 0}, {"max", 60}};
    search["strategy"] = {{"name", "sobol"}};
    search["limits"] = {{"trials", 4}};
    document["approaches"] =
        OrderedJson::array({{{"name", "scratch"}, {"trainer", {{"model", "small"}}}},
                            {{"name", "tuned-one"},
                             {"trainer", {{"model", "small"}, {"weights", "weights.bin"}}},
                             {"search", search}}});
    write("weights.bin", "weights");
    write("bin/tune-train", kTrainer);
    REQUIRE(shell("mkdir train test; cp $(command -v tune) $(command -v tune-supervisor) bin && chmod +x "
                  "bin/tune-train")
                .exit_code == 0);
  }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_.path() / name).parent_path());
    std::ofstream(folder_.path() / name) << text;
  }
  ShellResult shell(const std::string& line) const {
    write("study.json", document.dump(2));
    return run_shell("PATH=$PWD/bin:$PATH\n" + line, folder_.path());
  }
  ShellResult compare(const std::string& options = "", const std::string& variables = "") const {
    return shell(variables + " tune compare study.json --store store " + options);
  }
  // The last line of `--json`: the comparison.
  Json result(const std::string& options = "") const {
    const ShellResult run = compare("--json " + options);
    CAPTURE(run.err, run.out);
    REQUIRE(run.exit_code == 0);
    Json last;
    std::istringstream lines(run.out);
    for (std::string line; std::getline(lines, line);) last = Json::parse(line);
    return last;
  }
  std::map<std::string, int> acts() const {
    std::map<std::string, int> counts;
    std::ifstream file(folder_.path() / "acts");
    for (std::string line; std::getline(file, line);) ++counts[line];
    return counts;
  }
  std::filesystem::path path() const { return folder_.path(); }

  OrderedJson document;

 private:
  TemporaryFolder folder_;
};

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Json row_of(const Json& result, const std::string& name) {
  for (const Json& row : result.at("rows"))
    if (row.at("name") == name) return row;
  return nullptr;
}

Json answer_of(const Json& result, const std::string& question) {
  for (const Json& answer : result.at("answers"))
    if (answer.at("question") == question) return answer;
  return nullptr;
}

// What does not depend on how often it was interrupted.
Json scores_of(const Json& result) {
  Json scores = Json::array();
  for (const Json& row : result.at("rows"))
    scores.push_back({row.at("name"), row.at("AP"), row.at("selection"), row.at("fresh_validation")});
  return {scores, result.at("answers")};
}

TEST_CASE("a comparison trains every approach and its controls, and scores all of them once", "[.compare]") {
  ComparisonFolder folder;
  const Json result = folder.result();
  CAPTURE(result.dump(1));
  REQUIRE(result.at("rows").size() == 5);
  CHECK(row_of(result, "scratch").at("runs").size() == 3);
  CHECK(row_of(result, "tuned-one, best of 4 seeds").at("runs").size() == 4);
  const Json tuned = row_of(result, "tuned-one tuned");
  REQUIRE(tuned.at("runs").size() == 3);
  CHECK(tuned.at("AP") > row_of(result, "tuned-one, best of 4 seeds").at("AP"));
  CHECK(tuned.at("selection").is_number());
  CHECK(tuned.at("winner_AP").is_number());
  CHECK(answer_of(result, "tuning helped").at("verdict") == "better");
  // Only the weights differ, so they are what is asked about.
  CHECK(answer_of(result, "at default hyperparameters").at("verdict") == "not distinguishable");
  CHECK(result.at("test").at("scorings") == 1);
  CHECK(result.at("test").at("groups") == 18);
  // 2 epochs of 360 images at 10 a second.
  CHECK(row_of(result, "scratch").at("predicted_device_hours").get<double>() == Approx(3 * 72.0 / 3600));
  CHECK(result.at("cost").at("total").at("usd").get<double>() > 0);
  int predictions = 0;
  for (const auto& [act, count] : folder.acts()) {
    CAPTURE(act);
    CHECK(count == (act == "probe" ? 2 : 1));
    predictions += act.starts_with("predict");
  }
  CHECK(predictions == 3 + 4 + 1 + 3 + 1 + 3);

  const std::map<std::string, int> before = folder.acts();
  const ShellResult again = folder.compare();
  CHECK(again.exit_code == 0);
  CHECK(mentions(again.out, "tuning helped"));
  CHECK(mentions(again.out, "as of 2026-11-21"));
  CHECK(folder.acts() == before);
  const ShellResult markdown = folder.shell("cat store/comparisons/c/comparison.md");
  CHECK(mentions(markdown.out, "| tuned-one tuned | 3 |"));
  CHECK(mentions(folder.shell("tune status --store store").out, "c.tuned-one.search"));
}

TEST_CASE("kill -9 in the middle of training and of scoring loses and repeats nothing", "[.compare]") {
  const ComparisonFolder calm;
  const Json expected = scores_of(calm.result());
  ComparisonFolder folder;
  const std::string start = "tune compare study.json --store store >out 2>err & tune=$!\n" +
                            wait_for("hung") + "kill -9 $tune; wait $tune; rm hung\n";
  // The third run of the search hangs, and tune dies; then a prediction.
  folder.shell(
      "tune compare study.json --store store >out 2>err & tune=$!\n"
      "until [ $(grep -c 'end c.tuned-one.search' acts 2>/dev/null || echo 0) -ge 2 ]; do sleep 0.005; "
      "done; touch slow\n" +
      wait_for("hung") + "kill -9 $tune; wait $tune; rm -f slow hung; touch slow-predict");
  folder.shell(start);
  const Json result = folder.result();
  CHECK(scores_of(result) == expected);
  int ended = 0;
  for (const auto& [act, count] : folder.acts()) {
    CAPTURE(act);
    if (act.starts_with("end") || act.starts_with("predict") || act == "score") CHECK(count == 1);
    ended += act.starts_with("end");
  }
  CHECK(ended == 3 + 4 + 4 + 3 + 4 + 3);
  CHECK(folder.acts()["probe"] == 2);
}

TEST_CASE("a death at any step of a comparison leaves what the same command goes on with", "[.compare]") {
  for (const char* point : {"comparison_created", "models_frozen", "prediction_recorded:2"}) {
    CAPTURE(point);
    ComparisonFolder folder;
    folder.document["approaches"].erase(1);
    CHECK(folder.compare("", std::string("TUNE_CRASH_AT=") + point).exit_code == 137);
    const Json result = folder.result();
    CHECK(row_of(result, "scratch").at("runs").size() == 3);
    CHECK(result.at("test").at("scorings") == 1);
    for (const auto& [act, count] : folder.acts()) {
      CAPTURE(act);
      CHECK(count == 1);
    }
  }
}

TEST_CASE("another look at the test images is counted and shown", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  CHECK(folder.result().at("test").at("scorings") == 1);
  CHECK(folder.result("--score-again").at("test").at("scorings") == 2);
  CHECK(mentions(folder.compare().out, "scored 2 times"));
}

TEST_CASE("a comparison that has begun keeps its file, and its frozen models", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  REQUIRE(folder.compare().exit_code == 0);
  REQUIRE(folder.shell("echo changed > store/c.scratch.defaults/trials/2/attempts/1/output/model.json")
              .exit_code == 0);
  const ShellResult changed = folder.compare("--score-again");
  CHECK(changed.exit_code == 6);
  CHECK(mentions(changed.err, "trials/2/attempts/1/output has changed"));
  folder.document["approaches"][0]["fixed"]["x"] = 31;
  const ShellResult other = folder.compare();
  CHECK(other.exit_code == 6);
  CHECK(mentions(other.err, "/approaches/scratch/fixed: (absent) -> {\"x\":31}"));
}

TEST_CASE("all mistakes of a comparison are named with their lines, those of the trainer too", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"][1]["search"]["parameters"]["x"]["max"] = -5;
  folder.document["approaches"][0]["trainer"]["data"] = "elsewhere";
  folder.document["sedes"] = 3;
  const ShellResult syntax = folder.compare();
  CHECK(syntax.exit_code == 3);
  CHECK(mentions(syntax.err, "/approaches/1/search/parameters/x/min"));
  CHECK(mentions(syntax.err, "/approaches/0/trainer/data"));
  CHECK(mentions(syntax.err, "did you mean \"seeds\"?"));

  ComparisonFolder trainer;
  trainer.document["approaches"][0]["trainer"]["model"] = "smal";
  trainer.document["approaches"][1]["search"]["parameters"]["x"]["max"] = 5000;
  trainer.document["trainer"]["test"] = "nowhere";
  const ShellResult unknown = trainer.compare();
  CHECK(unknown.exit_code == 3);
  CHECK(mentions(unknown.err, "did you mean \"small\"?"));
  CHECK(mentions(unknown.err, "/approaches/1/search/parameters/x/max"));
  CHECK(mentions(unknown.err, "/trainer/test"));
  CHECK_FALSE(std::filesystem::exists(trainer.path() / "store"));
}

TEST_CASE("test images that overlap training images are refused before anything is trained", "[.compare]") {
  ComparisonFolder folder;
  folder.write("leak", "");
  const ShellResult refused = folder.compare();
  CHECK(refused.exit_code == 3);
  CHECK(mentions(refused.err, "/trainer/test: the test images are not unseen: 1 pair overlaps"));
  CHECK(mentions(refused.err, "test/a.jpg with train/b.jpg"));
  CHECK(folder.acts().size() == 1);
  REQUIRE(folder.shell("rm leak; mkdir other").exit_code == 0);
  folder.document["trainer"]["test"] = "other";
  folder.document["approaches"].erase(1);
  CHECK(folder.compare().exit_code == 0);
}

TEST_CASE("an image-by-image split is marked wherever its numbers stand, and seeds of one are not comparable",
          "[.compare]") {
  ComparisonFolder folder;
  folder.document["trainer"].erase("test");
  folder.document["trainer"]["split"] = {{"fractions", {0.6, 0.2, 0.2}}, {"grouping", "image"}};
  folder.document["seeds"] = 1;
  folder.document["approaches"].erase(1);
  folder.document["approaches"].push_back(
      {{"name", "large"}, {"trainer", {{"model", "large"}, {"weights", "weights.bin"}}}});
  const ShellResult run = folder.compare();
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(mentions(run.out, "test AP (leaking)"));
  CHECK(mentions(run.out, "LEAKING"));
  const Json result = folder.result();
  CHECK(result.at("test").at("leaks") == true);
  CHECK(mentions(answer_of(result, "at default hyperparameters").at("verdict"), "confounded"));
}

TEST_CASE("a dry run lists the studies and writes nothing", "[.compare]") {
  ComparisonFolder folder;
  const ShellResult run = folder.compare("--dry-run");
  CHECK(run.exit_code == 0);
  CHECK(mentions(run.out, "c.tuned-one.random-tuned: 3 runs of its winner, on fresh seeds"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store"));
}

TEST_CASE("a first signal drains a comparison with exit code 130, and the same command goes on",
          "[.compare]") {
  ComparisonFolder folder;
  folder.write("slow", "");
  const ShellResult drained =
      folder.shell(kLikeAtPrompt + "tune compare study.json --store store >out 2>err & tune=$!\n" +
                   wait_for("hung") + "kill -INT $tune; wait $tune");
  CHECK(drained.exit_code == 130);
  CHECK(folder.result().at("rows").size() == 5);
}

}  // namespace
}  // namespace tune::tests
