#pragma once
// A comparison in a temporary folder with the real programs and a scripted tune-train, copies of which lie
// beside each other.
#include <fstream>
#include <map>
#include <sstream>

#include "study_fixture.h"

namespace tune::tests {

// Its validation falls with the distance of x from 7, and with the seed; its detections are its test score.
// Every act is a line in the file `acts`.
inline constexpr const char* kComparedTrainer = R"py(#!/usr/bin/env python3
import json, os, random, sys, time
here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
def act(*words):
    with open(here + "/acts", "a") as acts: acts.write(" ".join(words) + "\n")
def options(name): return [v for k, v in zip(sys.argv, sys.argv[1:]) if k == name]
command = sys.argv[1]
# A task that finds no leaks, and whose score is one number.
plain = os.path.exists(here + "/plain-task")
if command == "describe":
    number = {"type": "int", "min": 0, "max": 100, "default": 0}
    recipe = {"name": "plain", "hyperparameters": [dict(number, name="x"), dict(number, name="epochs", default=2)],
              "metrics": [{"name": "map", "goal": "maximize", "regex": "map=([0-9.]+)"}]}
    keys = [{"name": "model", "kind": "choice", "values": ["small", "large"], "required": True},
            {"name": "data", "kind": "path", "required": True}, {"name": "weights", "kind": "path"},
            {"name": "validation", "kind": "path"},
            {"name": "recipe", "kind": "choice", "values": ["plain"], "default": "plain"},
            {"name": "split", "kind": "object", "keys": [{"name": "fractions", "kind": "fractions"},
             {"name": "test", "kind": "choice", "values": ["measured", "untouched"]},
             {"name": "grouping", "kind": "choice", "values": ["image", "content"]}]}]
    print(json.dumps({"schema": 1, "program": "tune-train", "version": "9", "tasks": [
        {"name": "toy", "trainer_keys": keys[:-1] if plain else keys, "recipes": [recipe], "models": [],
         "unit": "texts" if plain else "images",
         "commands": open(here + "/plain-task").read().split() if plain else ["predict", "score", "audit"],
         "primary": {"name": "loss", "goal": "minimize"} if plain else {"name": "AP", "goal": "maximize"}}]}))
elif command == "probe":
    act("probe")
    # Later probes choose another precision.
    later = sum(line == "probe\n" for line in open(here + "/acts")) > 1
    print(json.dumps({"schema": 1, "device": "cpu", "precision": "bf16" if later else "fp32", "training_images": 360,
        "validation_seconds": 4.0, "measured_seconds": 1e6,
        "candidates": [{"precision": "fp32", "images_per_second": 10.0, "peak_memory_bytes": 1000}]}))
elif command == "audit":
    act("audit", *map(os.path.basename, options("--data") + options("--against")))
    leak = os.path.exists(here + "/leak") or "leaky" in "".join(options("--against"))
    if os.path.exists(here + "/broken"):
        print("one image is odd\n" + json.dumps({"schema": 1, "error": {"code": "bad_data", "message": "a.jpg: no image",
              "hint": "write it again"}}), file=sys.stderr)
        sys.exit(65)
    sets = json.load(open(here + "/sets.json")) if os.path.exists(here + "/sets.json") else []
    assert len(options("--against")) + len(options("--part")) == 1
    cut = {"split": json.load(open(here + "/cut.json"))} if options("--part") and os.path.exists(here + "/cut.json") else {}
    print(json.dumps({**cut, "schema": 1, "sets": sets, "groups": [[1, 2], [3, 4]], "overlaps": [{
        "first": {"set": "data", "image": "test/a.jpg"}, "second": {"set": "against", "image": "train/b.jpg"}}] if leak else []}))
elif command == "--trial":
    trial = json.load(open(sys.argv[2]))
    assert "test" not in trial["trainer"]
    name = trial["study"] + "/" + str(trial["trial"])
    act("begin", name)
    # The trial that the file `slow` names, or the next one.
    if os.path.exists(here + "/slow") and not os.path.exists(here + "/hung") and open(here + "/slow").read() in ("", name):
        open(here + "/hung", "w").close()
        time.sleep(600)
    x = trial["parameters"].get("x", trial["fixed"].get("x", 0))
    luck = random.Random(trial["seed"]).random() * 0.01
    value = (0.5 if trial["trainer"]["model"] == "large" else 0.4) - 0.002 * abs(x - 7) + luck
    with open(trial["output_dir"] + "/model.json", "w") as model: json.dump({"value": value}, model)
    with open(trial["output_dir"] + "/labels.json", "w") as labels: json.dump({"classes": ["scratch"]}, labels)
    print("map=%.6f" % value)
    print('TUNE_METRIC {"name": "seconds:validation", "value": 0.001, "step": 1}')
    act("end", name)
elif command == "predict":
    model = json.load(open(options("--model")[0] + "/model.json"))
    if os.path.exists(here + "/slow-predict"):
        os.remove(here + "/slow-predict")
        open(here + "/hung", "w").close()
        time.sleep(600)
    act("predict", options("--model")[0])
    json.dump(model, open(options("--output")[0], "w"))
    print(json.dumps({"schema": 1, "images": 20, "seconds": 2.0, "parameters": 12200000, "multiply_adds": 2e9,
                      "latency_ms": 7 + model["value"], "peak_memory_bytes": 300 << 20}))
elif command == "score":
    act("score")
    if plain:
        assert not options("--groups")
        print(json.dumps({"schema": 1, "texts": 40, "results": [
            {"loss": 1 - json.load(open(file))["value"]} for file in options("--detections")]}))
        sys.exit()
    # COCO's files have ids of their own.
    coco = options("--ground-truth")[0].endswith(".json")
    assert coco or json.load(open(options("--labels")[0]))["classes"] == ["scratch"]
    files = options("--detections")
    groups = json.load(open(options("--groups")[0]))["groups"]
    count = int(options("--resamples")[0])
    assert options("--examples") == ["8"]
    examples = [{"image_id": i + 1, "file_name": n, "path": os.path.abspath("test/" + n), "width": 8, "height": 8,
                 "objects": []} for i, n in enumerate(sorted(os.listdir("test")))]
    noise = [random.Random(r).random() * 0.1 for r in range(count)]
    values = [json.load(open(file))["value"] for file in files]
    print(json.dumps({"schema": 1, "images": 20, "results": [
        {"detections": f, "AP": v, "AP50": 2 * v} for f, v in zip(files, values)],
        "examples": examples, "resamples": {"count": count, "seed": 0, "groups": 18, "AP": [[v + n for n in noise] for v in values],
                      "AP50": [[2 * v + n for n in noise] for v in values]}}))
)py";

// A comparison's file in a temporary folder of its own. Programs in the folder's `bin` come before others.
class ComparedFolder {
 public:
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

// With a scripted tune-train.
class ComparisonFolder : public ComparedFolder {
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
    write("bin/tune-train", kComparedTrainer);
    REQUIRE(shell("mkdir train test; echo 1 > train/b.jpg; echo picture > test/one.jpg; "
                  "cp $(command -v tune) $(command -v "
                  "tune-supervisor) bin && chmod +x "
                  "bin/tune-train")
                .exit_code == 0);
  }
};

inline bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline Json row_of(const Json& result, const std::string& name) {
  for (const Json& row : result.at("rows"))
    if (row.at("name") == name) return row;
  return nullptr;
}

inline Json answer_of(const Json& result, const std::string& question) {
  for (const Json& answer : result.at("answers"))
    if (answer.at("question") == question) return answer;
  return nullptr;
}

}  // namespace tune::tests
