// The example of image classification, with fewer and shorter trials; and from labelled images to a search by
// what the trainer advises.
#include <map>

#include "support/shell_place.h"
#include "support/skip.h"
#include "trial_json.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::last_line_of;
using tune::tests::ShellPlace;
using tune::tests::ShellResult;
namespace fs = std::filesystem;

namespace {

class ClassesPlace : public ShellPlace {
 public:
  ClassesPlace() : ShellPlace("export XDG_CACHE_HOME=$PWD/cache\n") {
    run("tune-train synthesize --task image_classification --output data/train --images 36 --size 64 --seed "
        "1");
  }
  // NAME/trial.json, whose folders are beside it.
  void write_trial(const std::string& name, const OrderedJson& trainer, const OrderedJson& fixed) const {
    OrderedJson whole{{"task", "image_classification"}, {"data", "data/train"}};
    whole.update(trainer);
    fs::create_directories(path(name));
    write(name + "/trial.json", trial_json(whole, fixed, "validation:accuracy", name));
  }
  // A network that was never trained stands for the weights, which are not fetched here.
  void make_weights(const std::string& model) const {
    write_trial("untrained", {{"model", model}}, {{"epochs", 0}});
    run("tune-train --trial untrained/trial.json && cp untrained/output/weights.safetensors "
        "mobilenet_v2.safetensors");
  }
};

OrderedJson shortened_search(OrderedJson spec) {
  spec["fixed"]["epochs"] = 1;
  spec["limits"]["trials"] = 2;
  spec.erase("early_stopping");
  return spec;
}

}  // namespace

TEST_CASE("The example of image classes searches and promotes, and both of its specs are sound") {
  const ClassesPlace place;
  const fs::path example = fs::path(TUNE_SOURCE_DIR) / "examples/image-classes";
  const OrderedJson spec = OrderedJson::parse(tune::read_file(example / "search.json"));
  place.write("search.json", shortened_search(spec));
  place.make_weights("mobilenet_v2");
  place.run("tune --spec search.json --store store");
  const Json best = Json::parse(place.run("tune best image-classes --store store --json").out);
  CHECK(best.at("value") >= 0);
  CHECK(fs::exists(place.path("store/models/steel-classifier/current/model.json")));
  // Its photographs and weights are elsewhere: what stands in their places is not opened by the check.
  fs::copy(example / "search-neu.json", place.path("search-neu.json"));
  place.run("mkdir -p data/neu-det && tune check search-neu.json");
}

TEST_CASE("A classifier goes through the gate: evaluated, held against the version before, and tried",
          "[.][long]") {
  const ClassesPlace place;
  place.run(
      "tune-train synthesize --task image_classification --output data/test --images 30 --size 64 --seed 2");
  OrderedJson spec = OrderedJson::parse(R"json({"study": "c",
    "objective": {"metric": "validation:accuracy", "goal": "maximize"},
    "parameters": {"learning_rate": {"type": "float", "min": 1e-4, "max": 1e-2, "scale": "log"}},
    "fixed": {"epochs": 1},
    "trainer": {"task": "image_classification", "model": "mobilenet_v3_small", "data": "data/train"},
    "limits": {"trials": 2, "parallel": 1}, "resources": {"gpus_per_trial": 0},
    "promote": {"model": "m", "require": {"test": "data/test", "metrics": {"accuracy": {"min": 0}},
      "not_worse": {"metric": "accuracy", "margin": 1, "resamples": 200}, "smoke": ["data/test"]}}})json");
  place.write("search.json", spec);
  place.run("tune --spec search.json --store store");
  const Json best = Json::parse(place.run("tune best c --store store --json").out);
  const int other = 3 - best.at("trial").get<int>();
  place.run("tune promote c/" + std::to_string(other) + " --to candidate --store store");
  place.run("tune models promote m@candidate --to current --store store");
  const Json log = Json::parse(place.run("tune models m --store store --json").out).at("promotions");
  REQUIRE(log.size() == 3);
  const Json first = log.at(0).at("evidence").at("gate"), last = log.at(2).at("evidence").at("gate");
  CHECK(first.at("passes") == true);
  CHECK(first.at("metrics").at(0).at("value").is_number());
  CHECK(first.at("not_worse").at("against").is_null());
  CHECK(first.at("smoke").at(0).at("passes") == true);
  CHECK(last.at("not_worse").at("against") == 1);
  CHECK(last.at("not_worse").at("resamples") == 200);
  CHECK(last.at("not_worse").at("groups") == 30);
  // A picture that is none, and a bound that no classifier of two minutes keeps to.
  place.run(
      "mkdir junk && echo none > junk/a.jpg && echo '{\"smoke\": [\"junk\"], \"test\": \"data/test\", "
      "\"metrics\": {\"accuracy\": {\"min\": 0.999}}}' > gate.json");
  const ShellResult refused =
      place.shell("tune models promote m@1 --to champion --require gate.json --store store");
  CHECK(refused.exit_code == 1);
  CHECK(refused.out.find("below 0.999; it does not predict on ") != std::string::npos);
}

TEST_CASE("A model keeps the size of the images that it was trained on") {
  const ClassesPlace place;
  const OrderedJson trainer{{"model", "mobilenet_v2"}};
  place.write_trial("small", trainer, {{"epochs", 0}, {"image_size", 96}});
  place.run("tune-train --trial small/trial.json");
  const OrderedJson form = place.read("small/output/preprocessing.json"),
                    model = place.read("small/output/model.json");
  CHECK(form.at("size") == OrderedJson{96, 96});
  CHECK(form.at("resize") == 99);
  CHECK(model.at("multiply_adds") < 70'000'000);  // of 299 million at 224 pixels
  const Json found =
      Json::parse(place.run("tune-train evaluate --model small/output --data data/train --json").out);
  CHECK(found.at("images") == 36);
  place.write_trial("large", trainer, {{"epochs", 0}, {"image_size", 2000}});
  const ShellResult large = place.shell("tune-train --trial large/trial.json");
  CHECK(large.exit_code == 3);
  CHECK(large.err.find("image_size") != std::string::npos);
}

TEST_CASE(
    "The four ways of the example are compared in one table, with their cost and what can be told apart",
    "[.][compare]") {
  const ClassesPlace place;
  place.run(
      "tune-train synthesize --task image_classification --output data/test --images 18 --size 64 --seed 2");
  place.make_weights("mobilenet_v3_small");
  OrderedJson study =
      OrderedJson::parse(tune::read_file(fs::path(TUNE_SOURCE_DIR) / "examples/image-classes/compare.json"));
  study["trainer"]["model"] = "mobilenet_v3_small";
  study["seeds"] = 2;
  study["resamples"] = 100;
  study["limits"] = {{"parallel", 2}};
  study["cost"] = {{"usd_per_hour", 3.6}, {"date", "2026-11-21"}};
  study["fixed"]["epochs"] = 1;
  for (OrderedJson& approach : study["approaches"])
    if (approach.contains("fixed")) approach["fixed"].erase("epochs");
  place.write("compare.json", study);
  const Json result = last_line_of(place.run("tune compare compare.json --store store --json"));
  INFO(result.dump(1));
  std::map<std::string, Json> rows;
  for (const Json& row : result.at("rows")) rows[row.at("name")] = row;
  REQUIRE(rows.size() == 4);
  for (const auto& [name, row] : rows) {
    INFO(name);
    CHECK(row.at("runs").size() == 2);
    CHECK(row.at("accuracy").get<double>() >= 0);
    CHECK(row.at("macro_f1").get<double>() >= 0);
    CHECK(row.at("parameters").get<double>() > 1e6);
    CHECK(row.at("latency_ms").get<double>() > 0);
  }
  CHECK(result.at("test").at("scorings") == 1);
  CHECK_FALSE(result.at("answers").empty());
  CHECK(result.at("cost").at("total").at("device_hours").get<double>() > 0);
  // Features were computed by the first of their trials, and found by the second.
  std::string logs;
  for (const char* trial : {"1", "2"})
    logs += tune::read_file(place.path("store/image-classes-transfer.feature extraction.defaults/trials/") /
                            trial / "attempts/1/log");
  CHECK(logs.find("computed in") != std::string::npos);
  CHECK(logs.find("found in") != std::string::npos);
  const std::string text = place.run("tune compare compare.json --store store").out;
  for (const char* said : {"feature extraction", "last stage", "everything", "from scratch", "macro_f1"})
    CHECK(text.find(said) != std::string::npos);
}

TEST_CASE("A death while features are computed or kept costs the next training nothing but time") {
  const ClassesPlace place;
  const OrderedJson trainer{{"model", "squeezenet1_1"}}, fixed{{"freeze", "features"}, {"epochs", 1}};
  for (const char* name : {"calm", "killed"}) place.write_trial(name, trainer, fixed);
  place.run("XDG_CACHE_HOME=$PWD/other tune-train --trial calm/trial.json");
  // When the folder is locked, and when a file is being written beside the lock.
  for (const char* there : {"*.lock", ".*.tmp-*"}) {
    const ShellResult death = place.shell(
        "tune-train --trial killed/trial.json 2>/dev/null & trainer=$!\n"
        "until compgen -G 'cache/tune/features/" +
        std::string(there) +
        "' >/dev/null || ! kill -0 $trainer 2>/dev/null; do sleep 0.002; done\n"
        "kill -9 $trainer; wait $trainer; rm -rf killed/output killed/checkpoints");
    INFO(death.out << death.err);
  }
  place.run("tune-train --trial killed/trial.json");
  place.run("cmp calm/output/weights.safetensors killed/output/weights.safetensors");
  // What the dead left is no features: all that is kept has its own name.
  place.write_trial("again", trainer, fixed);
  CHECK(place.run("tune-train --trial again/trial.json").err.find("found in") != std::string::npos);
}

TEST_CASE("A disk that is too full for features costs a note, and no training") {
  const ClassesPlace place;
  if (place.shell("mkdir small && unshare -rm mount -t tmpfs -o size=1m tmpfs small").exit_code != 0)
    return tune::tests::skip("this user may not mount a tmpfs in a namespace");
  const OrderedJson trainer{{"model", "squeezenet1_1"}}, fixed{{"freeze", "features"}, {"epochs", 1}};
  for (const char* name : {"calm", "full"}) place.write_trial(name, trainer, fixed);
  place.run("tune-train --trial calm/trial.json");
  // Features of 36 images are 12 MB.
  const ShellResult full = place.run(
      "unshare -rm bash -c 'mount -t tmpfs -o size=1m tmpfs small && XDG_CACHE_HOME=$PWD/small tune-train "
      "--trial full/trial.json && du -a small'");
  INFO(full.out << full.err);
  CHECK(full.err.find("note: features are not kept for the next time: ") != std::string::npos);
  CHECK(full.err.find("No space left on device") != std::string::npos);
  CHECK(full.out.find(".safetensors") == std::string::npos);
  place.run("cmp calm/output/weights.safetensors full/output/weights.safetensors");
}

TEST_CASE("Labelled images become a model: advised, written, checked, searched and promoted") {
  const ClassesPlace place;
  const ShellResult written =
      place.run("mkdir specs && tune init data/train --model squeezenet1_1 --output specs/search.json");
  CHECK(written.out.empty());
  CHECK(written.err.find("strategy scratch: without weights everything is learned from the images") !=
        std::string::npos);
  CHECK(written.err.find("specs/search.json is written") != std::string::npos);
  const OrderedJson spec = place.read("specs/search.json");
  CHECK(spec.at("study") == "train");
  CHECK(spec.at("trainer").at("data") == "../data/train");
  CHECK(spec.at("promote").at("model") == "train");
  place.run("tune check specs/search.json");
  CHECK(place.shell("tune init data/train --output specs/search.json").exit_code == 6);
  place.write("specs/short.json", shortened_search(spec));
  place.run("tune --spec specs/short.json --store store");
  CHECK(Json::parse(place.run("tune best train --store store --json").out).at("value") >= 0);
  place.run("tune-train predict --model store/models/train/current --data data/train --output said.json");
}

TEST_CASE("A head on kept features is trained in fp32, whose features a probe does not measure in bf16") {
  const ClassesPlace place;
  place.write_trial("head", {{"model", "squeezenet1_1"}}, {{"freeze", "features"}, {"epochs", 1}});
  const Json probe =
      Json::parse(place.run("tune-train probe --trial head/trial.json --seconds 0.1 --json").out);
  CHECK(probe.at("precision") == "fp32");
}

TEST_CASE("What tune-train says against data comes through init, with its exit code") {
  const ClassesPlace place;
  const ShellResult missing = place.shell("tune init nowhere");
  CHECK(missing.exit_code != 0);
  CHECK(missing.err.find("nowhere") != std::string::npos);
  const ShellResult bad = place.shell("echo none > data/train/crazing/bad.jpg; tune init data/train");
  CHECK(bad.exit_code == 65);
  CHECK(bad.err.find("bad.jpg") != std::string::npos);
  CHECK(place.shell("tune-train advise --task detection --data data/train").exit_code == 2);
}
