// The real tune-train on small synthetic data sets: exit codes, interruption, use of the result.
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "trial_json.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/report/study/model_quality.h"

using tune::Json;
using tune::tests::run_shell;
using tune::tests::ShellResult;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

Json trial(int epochs) {
  Json json = trial_json({{"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"data", "data"}},
                         {{"epochs", epochs}, {"batch_size", 4}}, "validation:mAP");
  json["parameters"]["learning_rate"] = 0.02;
  return json;
}

// A folder with `images` synthetic images in data/.
class Workplace {
 public:
  explicit Workplace(int images) {
    REQUIRE(shell("tune-train synthesize --output data --images " + std::to_string(images) + " --size 128")
                .exit_code == 0);
  }
  ShellResult shell(const std::string& line) const { return run_shell(line, folder_.path()); }
  ShellResult train(const Json& json) const {
    std::ofstream(path("trial.json")) << json;
    return shell("tune-train --trial trial.json");
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

// What a run prints, without the lines that say how long a validation took.
std::string without_timings(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("TUNE_METRIC {\"name\":\"seconds:validation\"")) kept += line + '\n';
  return kept;
}

}  // namespace

TEST_CASE("A trial trains, and its model is measured and used") {
  const Workplace place(40);
  const ShellResult trained = place.train(trial(2));
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  CHECK(trained.out.find("#quality_metric: host=algo-1, epoch=2, validation mAP <score>=(0.") !=
        std::string::npos);
  CHECK(trained.err.find("images/s") != std::string::npos);
  const Json model = Json::parse(tune::read_file(place.path("output/model.json")));
  CHECK(model["task"] == "detection");
  CHECK(model["hyperparameters"]["learning_rate"] == 0.02);
  CHECK(model["data"]["fingerprint"].get<std::string>().starts_with("sha256:"));

  const ShellResult evaluated = place.shell("tune-train evaluate --model output --data data --json");
  REQUIRE(evaluated.exit_code == 0);
  const Json numbers = Json::parse(evaluated.out);
  CHECK(numbers["images"] == 40);
  CHECK(numbers["classes"].size() == 6);
  CHECK(numbers["AP"] >= 0);
  const std::string shown = place.shell("tune-train evaluate --model output --data data").out;
  CHECK(shown.find("scratches") != std::string::npos);
  CHECK(shown.find("(nothing there)") != std::string::npos);

  REQUIRE(place.shell("tune-train predict --model output --data data/images --output found.json").exit_code ==
          0);
  const Json found = Json::parse(tune::read_file(place.path("found.json")));
  for (const Json& one : found) {
    REQUIRE(one["image_id"] >= 1);
    REQUIRE(one["image_id"] <= 40);
    REQUIRE(one["category_id"] >= 1);
    REQUIRE(one["category_id"] <= 6);
    REQUIRE(std::filesystem::exists(place.path("data/images/" + one["file_name"].get<std::string>())));
    REQUIRE(!one["category"].get<std::string>().empty());
    for (int i = 0; i < 4; ++i) REQUIRE(one["bbox"][static_cast<std::size_t>(i)] >= 0);
  }
}

TEST_CASE("What a trained model mixes up stands in its own file, as reports read it") {
  const Workplace place(24);
  Json json = trial(2);
  json["trainer"]["test"] = "other";
  REQUIRE(place.shell("tune-train synthesize --output other --images 18 --size 96 --seed 77").exit_code == 0);
  REQUIRE(place.train(json).exit_code == 0);
  const fs::path file = place.path("output/model.json");
  const Json model = Json::parse(tune::read_file(file));
  for (const char* part : {"test", "validation"}) {
    INFO(part);
    REQUIRE(model[part]["classes"].size() == 6);
    REQUIRE(model[part]["confusion"]["counts"].size() == 7);
    // Each object is in its class's row once.
    for (std::size_t c = 0; c < 6; ++c) {
      long long row = 0;
      for (const Json& count : model[part]["confusion"]["counts"][c]) row += count.get<long long>();
      CHECK(row == model[part]["classes"][c]["objects"]);
    }
  }
  CHECK(model["validation"]["AP"] == model["metrics"]["validation:mAP"]);
  const std::vector<tune::report::Block> blocks =
      tune::report::quality_blocks(tune::report::read_model_file(file));
  std::vector<std::string> captions;
  for (const tune::report::Block& block : blocks)
    captions.push_back(std::get<tune::report::TableBlock>(block).caption);
  CHECK(captions == std::vector<std::string>{
                        "The best trial's model on the test data", "By class, on the test data",
                        "Confusion on the test data: rows are true classes, columns predicted ones",
                        "The best trial's model on the validation data", "By class, on the validation data",
                        "Confusion on the validation data: rows are true classes, columns predicted ones"});
}

TEST_CASE("predict says what using a model takes") {
  const Workplace place(12);
  REQUIRE(place.train(trial(1)).exit_code == 0);
  const ShellResult predicted =
      place.shell("tune-train predict --model output --data data --output found.json --json");
  REQUIRE(predicted.exit_code == 0);
  const Json facts = Json::parse(predicted.out);
  const Json model = Json::parse(tune::read_file(place.path("output/model.json")));
  CHECK(facts["images"] == 12);
  CHECK(facts["detections"] == Json::parse(tune::read_file(place.path("found.json"))).size());
  CHECK(facts["parameters"] == model["parameters"]);
  CHECK(facts["multiply_adds"] == model["multiply_adds"]);
  CHECK(facts["latency_ms"] > 0);
  CHECK(facts["seconds"] > 0);
  CHECK(facts["device"] == "cpu");
  CHECK(facts["form"] == "PASCAL VOC: images/ with annotations/");
  CHECK(facts["warnings"].empty());
  // Folders stay in the names, and one image is enough, also for a picture.
  REQUIRE(
      place
          .shell(
              "mkdir -p deep/a deep/b && f=data/images/$(ls data/images | head -1) && cp $f deep/a/1.jpg && "
              "cp $f deep/b/1.jpg")
          .exit_code == 0);
  REQUIRE(
      place.shell("tune-train predict --model output --data deep --output deep.json --score 0").exit_code ==
      0);
  std::set<std::string> names;
  for (const Json& one : Json::parse(tune::read_file(place.path("deep.json"))))
    names.insert(one["file_name"]);
  CHECK(names == std::set<std::string>{"a/1.jpg", "b/1.jpg"});
  const ShellResult drawn =
      place.shell("tune-train predict --model output --data deep/b/1.jpg --pictures drawn");
  INFO(drawn.err);
  CHECK(drawn.exit_code == 0);
  CHECK(drawn.out.ends_with("detections in 1 images: drawn/index.html\n"));
  CHECK(tune::read_file(place.path("drawn/index.html")).find("1-1.jpg") != std::string::npos);
  CHECK(place.shell("tune-train predict --model output --data deep/b/1.jpg").exit_code == 2);
  // LibTorch alone takes more than its parameters.
  CHECK(facts["peak_memory_bytes"].get<double>() > 4 * facts["parameters"].get<double>());
}

TEST_CASE("Default boxes that were fitted to the training objects are used wherever the model is") {
  const Workplace place(24);
  Json json = trial(3);
  json["trainer"]["anchors"] = "auto";
  json["trainer"]["test"] = "other";
  REQUIRE(place.shell("tune-train synthesize --output other --images 18 --size 96 --seed 77").exit_code == 0);
  const ShellResult trained = place.train(json);
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  CHECK(trained.err.find("default boxes: the model's own reach ") != std::string::npos);
  CHECK(trained.err.find("default boxes: fitted to the training objects they reach ") != std::string::npos);
  CHECK(Json::parse(tune::read_file(place.path("output/preprocessing.json"))).contains("default_boxes"));
  const Json model = Json::parse(tune::read_file(place.path("output/model.json")));
  CHECK(model["anchors"] == "auto");
  CHECK(model["parameters"] == 3076174);

  const ShellResult evaluated = place.shell("tune-train evaluate --model output --data other --json");
  REQUIRE(evaluated.exit_code == 0);
  CHECK(model["test"]["AP50"] > 0);
  CHECK(Json::parse(evaluated.out)["AP50"] == Approx(model["test"]["AP50"].get<double>()).epsilon(1e-6));

  json["trainer"]["anchors"] = "none";
  const ShellResult refused = place.train(json);
  CHECK(refused.exit_code == 3);
  CHECK(refused.err.find("trainer.anchors is \"none\"") != std::string::npos);
}

TEST_CASE("Detections carry the ids of a COCO file, and score finds what evaluate finds") {
  const Workplace place(12);
  REQUIRE(place.train(trial(1)).exit_code == 0);
  // A COCO file with ids of its own over the same images, one object each.
  std::ofstream(place.path("to_coco.py")) << R"(
import glob, json, xml.etree.ElementTree as tree
names = ["scratches", "rolled-in_scale", "pitted_surface", "patches", "inclusion", "crazing"]
out = {"images": [], "annotations": [], "categories": [{"id": 10 * (i + 1), "name": n} for i, n in enumerate(names)]}
for index, file in enumerate(sorted(glob.glob("data/annotations/*.xml"))):
    root = tree.parse(file).getroot()
    out["images"].append({"id": 1000 + index, "file_name": root.find("filename").text, "width": 128, "height": 128})
    for item in root.iter("object"):
        x1, y1, x2, y2 = (float(item.find("bndbox").find(k).text) for k in ("xmin", "ymin", "xmax", "ymax"))
        out["annotations"].append({"id": len(out["annotations"]) + 1, "image_id": 1000 + index, "iscrowd": 0,
            "category_id": 10 * (names.index(item.find("name").text) + 1), "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1)})
json.dump(out, open("data/coco.json", "w"))
)";
  REQUIRE(place.shell("python3 to_coco.py").exit_code == 0);
  REQUIRE(
      place.shell("tune-train predict --model output --data data/coco.json --output found.json").exit_code ==
      0);
  for (const Json& one : Json::parse(tune::read_file(place.path("found.json")))) {
    REQUIRE(one["image_id"] >= 1000);
    REQUIRE(one["category_id"].get<int>() % 10 == 0);
  }
  const ShellResult scored =
      place.shell("tune-train score --ground-truth data/coco.json --detections found.json --json");
  const ShellResult evaluated = place.shell("tune-train evaluate --model output --data data --json");
  REQUIRE(scored.exit_code == 0);
  CHECK(Json::parse(scored.out)["AP"].get<double>() ==
        Approx(Json::parse(evaluated.out)["AP"].get<double>()).margin(1e-4));
}

TEST_CASE("score refuses numbers that it would have to change, with the file's name") {
  const TemporaryFolder folder;
  const std::string truth =
      R"({"images":[{"id":1}],"categories":[{"id":1}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,9,9]}]})";
  const auto score = [&](const std::string& detection, const std::string& ground_truth) {
    std::ofstream(folder.path() / "truth.json") << ground_truth;
    std::ofstream(folder.path() / "found.json") << "[" << detection << "]";
    return run_shell("tune-train score --ground-truth truth.json --detections found.json", folder.path());
  };
  const std::string good = R"({"image_id":1,"category_id":1,"bbox":[0,0,9,9],"score":0.5})";
  REQUIRE(score(good, truth).exit_code == 0);
  for (const char* bad : {R"({"image_id":1.7,"category_id":1,"bbox":[0,0,9,9],"score":0.5})",
                          R"({"image_id":1,"category_id":1e30,"bbox":[0,0,9,9],"score":0.5})",
                          R"({"image_id":1,"category_id":1,"bbox":[0,0,9,9],"score":1e999})"}) {
    const ShellResult refused = score(bad, truth);
    CAPTURE(bad, refused.err);
    CHECK(refused.exit_code == 65);
    CHECK(refused.err.find("found.json") != std::string::npos);
  }
  const ShellResult overflow = score(good, R"({"images":[{"id":1e999}],"categories":[],"annotations":[]})");
  CHECK(overflow.exit_code == 65);
  CHECK(overflow.err.find("truth.json") != std::string::npos);
}

TEST_CASE("SIGTERM saves a checkpoint and exits 130; going on gives what an uninterrupted run gives") {
  const Workplace whole(24), place(24);
  const std::string printed = whole.train(trial(3)).out, expected = without_timings(printed);
  CHECK(printed != expected);
  std::ofstream(place.path("trial.json")) << trial(3);
  // The first report says that epoch 1 is over.
  const ShellResult stopped = place.shell(
      "tune-train --trial trial.json >out 2>err & pid=$!; until grep -q 'epoch=1, validation mAP50' out; do "
      "kill -0 $pid || break; sleep 0.05; done; kill -TERM $pid; wait $pid");
  REQUIRE(stopped.exit_code == 130);
  Json again = trial(3);
  again["resume_from"] = "checkpoints";
  const ShellResult continued = place.train(again);
  INFO(continued.err);
  REQUIRE(continued.exit_code == 0);
  CHECK(continued.err.find("continues at epoch") != std::string::npos);
  CHECK(without_timings(tune::read_file(place.path("out")) + continued.out) == expected);
  for (const char* file : {"output/weights.safetensors", "output/model.json"}) {
    CAPTURE(file);
    CHECK(tune::read_file(place.path(file)) == tune::read_file(whole.path(file)));
  }
}

TEST_CASE("After kill -9 a trial goes on from its last checkpoint") {
  const Workplace whole(24), place(24);
  const std::string expected = without_timings(whole.train(trial(3)).out);
  std::ofstream(place.path("trial.json")) << trial(3);
  place.shell(
      "tune-train --trial trial.json >out 2>err & pid=$!; until grep -q 'epoch=2, train' out; do "
      "kill -0 $pid || break; sleep 0.05; done; kill -KILL $pid; wait $pid");
  Json again = trial(3);
  again["resume_from"] = "checkpoints";
  const ShellResult continued = place.train(again);
  CHECK(continued.exit_code == 0);
  CHECK(continued.err.find("continues at epoch") != std::string::npos);
  // What was printed after the last checkpoint is printed again.
  REQUIRE(continued.out.find("epoch=3, validation mAP ") != std::string::npos);
  CHECK(expected.ends_with(without_timings(continued.out)));
}

TEST_CASE("Bad data exits 65 and names the file") {
  const Workplace place(12);
  const std::string image = place.shell("ls data/images | head -1").out;
  place.shell("f=data/images/$(ls data/images | head -1); truncate -s $(( $(stat -c %s $f) / 2 )) $f");
  const ShellResult damaged = place.train(trial(1));
  CHECK(damaged.exit_code == 65);
  CHECK(damaged.err.find(image.substr(0, image.find('\n'))) != std::string::npos);

  Json elsewhere = trial(1);
  elsewhere["trainer"]["data"] = "nowhere";
  const ShellResult missing = place.train(elsewhere);
  CHECK(missing.exit_code == 65);
  CHECK(missing.err.find("nowhere") != std::string::npos);
}

TEST_CASE("A loss that is not finite exits 76 without a word that a metric regex could read as a number") {
  const Workplace place(12);
  std::ofstream(place.path("poison.py")) << R"(
import json, struct
values = [float("nan")] * (32 * 3 * 7 * 7)
data = struct.pack("<%df" % len(values), *values)
header = json.dumps({"conv1.weight": {"dtype": "F32", "shape": [32, 3, 7, 7], "data_offsets": [0, len(data)]}}).encode()
open("nan.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + data)
)";
  REQUIRE(place.shell("python3 poison.py").exit_code == 0);
  Json poisoned = trial(2);
  poisoned["trainer"]["weights"] = "nan.safetensors";
  const ShellResult result = place.train(poisoned);
  CHECK(result.exit_code == 76);
  CHECK(result.err.find("not finite") != std::string::npos);
  CHECK(result.out.empty());
}

TEST_CASE("Running out of memory exits 75 and says what would help") {
  const Workplace place(64);
  Json large = trial(1);
  large["fixed"]["batch_size"] = 48;
  large["trainer"]["model"] = "ssd224-resnet18";
  std::ofstream(place.path("trial.json")) << large;
  const ShellResult result = place.shell("ulimit -v 1600000; tune-train --trial trial.json");
  INFO(result.err);
  CHECK(result.exit_code == 75);
  CHECK(result.err.find("batch_size") != std::string::npos);
}

TEST_CASE("Wrong trial files and wrong usage have their own exit codes") {
  const Workplace place(12);
  Json wrong = trial(1);
  wrong["parameters"] = {{"learning_rat", 0.1}};
  const ShellResult result = place.train(wrong);
  CHECK(result.exit_code == 3);
  CHECK(result.err.find("did you mean \"learning_rate\"?") != std::string::npos);
  CHECK(place.shell("tune-train --trial nowhere.json").exit_code == 5);
  CHECK(place.shell("tune-train").exit_code == 2);
  CHECK(place.shell("tune-train fly").exit_code == 2);
  CHECK(place.shell("tune-train evaluate --modle x").exit_code == 2);
  CHECK(place.shell("tune-train evaluate --model x --data data --json").exit_code == 5);
  const Json error = Json::parse(place.shell("tune-train evaluate --model x --data data --json").err);
  CHECK(error["error"]["code"] == "not_found");
}

TEST_CASE("Every command has a help with an example") {
  const TemporaryFolder folder;
  const ShellResult all =
      run_shell("tune-train --help | sed -n '/^Commands:/,/^$/s/^  \\([a-z-]*\\)  .*/\\1/p'", folder.path());
  std::istringstream names(all.out);
  int commands = 0;
  for (std::string command; names >> command; ++commands) {
    INFO(command);
    const ShellResult help = run_shell("tune-train " + command + " --help", folder.path());
    CHECK(help.exit_code == 0);
    CHECK(help.out.find("Example:") != std::string::npos);
  }
  CHECK(commands >= 9);
}

TEST_CASE("A probe times both precisions and chooses one") {
  const Workplace place(24);
  std::ofstream(place.path("trial.json")) << trial(1);
  const ShellResult result = place.shell("tune-train probe --trial trial.json --seconds 0.2 --json");
  REQUIRE(result.exit_code == 0);
  const Json probe = Json::parse(result.out);
  CHECK(probe["device"] == "cpu");
  REQUIRE(probe["candidates"].size() == 2);
  for (const Json& candidate : probe["candidates"]) {
    CHECK(candidate["images_per_second"] > 0);
    CHECK(candidate["peak_memory_bytes"] > 1000000);
  }
  CHECK((probe["precision"] == "fp32" || probe["precision"] == "bf16"));
  CHECK(probe["validation_seconds"] > 0);
  CHECK(probe["measured_seconds"] > probe["validation_seconds"]);
}

TEST_CASE("A probe shows where the time of a step goes when it is asked to") {
  const Workplace place(12);
  std::ofstream(place.path("trial.json")) << trial(1);
  const std::string probe = "tune-train probe --trial trial.json --seconds 0.1 --operators 3";
  const ShellResult text = place.shell(probe);
  REQUIRE(text.exit_code == 0);
  CHECK(text.out.find("where 5 steps spend their time (") != std::string::npos);
  const Json operators = Json::parse(place.shell(probe + " --json").out)["operators"];
  REQUIRE(operators["longest"].size() == 3);
  double before = operators["seconds"];
  bool convolves = false;
  for (const Json& row : operators["longest"]) {
    CHECK(row["seconds"] <= before);
    CHECK(row["calls"] >= 1);
    before = row["seconds"];
    convolves = convolves || row["name"].get<std::string>().find("convolution") != std::string::npos;
  }
  CHECK(convolves);
  CHECK(place.shell("tune-train probe --trial trial.json --operators 0").exit_code == 2);
}

TEST_CASE("What describe says is what a trial accepts") {
  const Workplace place(12);
  REQUIRE(
      place.shell("tune-train synthesize --task image_classification --output classes --images 12 --size 64")
          .exit_code == 0);
  REQUIRE(place
              .shell("python3 " TUNE_SOURCE_DIR
                     "/examples/text-classes/draw_texts.py --output texts --messages 24")
              .exit_code == 0);
  REQUIRE(place.shell("python3 " TUNE_SOURCE_DIR "/examples/language-model/draw_model.py --output tiny")
              .exit_code == 0);
  const ShellResult described = place.shell("tune-train describe --json");
  REQUIRE(described.exit_code == 0);
  const Json document = Json::parse(described.out);
  CHECK(document["schema"] == 1);
  for (const Json& task : document["tasks"]) {
    if (task["name"] == "pretraining") continue;  // an epoch is thousands of images
    for (const Json& recipe : task["recipes"]) {
      Json with_defaults = trial(0);
      with_defaults["parameters"] = Json::object();
      with_defaults["fixed"] = Json::object();
      for (const Json& row : recipe["hyperparameters"])
        with_defaults["fixed"][row["name"].get<std::string>()] = row["default"];
      for (const char* name : {"epochs", "epoch", "num_train_epochs"})
        if (with_defaults["fixed"].contains(name)) with_defaults["fixed"][name] = 0;
      if (task["name"] == "image_classification")
        with_defaults["trainer"] = {
            {"task", "image_classification"}, {"model", "squeezenet1_1"}, {"data", "classes"}};
      if (task["name"] == "text_classification") {
        with_defaults["trainer"] = {{"task", "text_classification"},
                                    {"weights", "texts/encoder"},
                                    {"data", "texts/data/messages.csv"}};
        with_defaults["fixed"]["max_length"] = 64;  // of the default's 256 this encoder has so many
      }
      if (task["name"] == "language_model")
        with_defaults["trainer"] = {{"task", "language_model"},
                                    {"weights", "tiny"},
                                    {"data", TUNE_SOURCE_DIR "/examples/language-model/terms.csv"}};
      if (task["name"] != "detection") {
        with_defaults["objective"]["metric"] = recipe["metrics"][0]["name"];
        with_defaults["objective"]["goal"] = recipe["metrics"][0]["goal"];
      }
      with_defaults["trainer"]["recipe"] = recipe["name"];
      const ShellResult result = place.train(with_defaults);
      INFO(task["name"] << ' ' << recipe["name"] << ": " << result.err);
      CHECK(result.exit_code == 0);
    }
  }
}
