// The example of image classification, with fewer and shorter trials; and from labelled images to a search by
// what the trainer advises.
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::run_shell;
using tune::tests::ShellResult;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

class ClassesPlace {
 public:
  ClassesPlace() {
    run("tune-train synthesize --task image_classification --output data/train --images 36 --size 64 --seed "
        "1");
  }
  ShellResult shell(const std::string& line) const {
    return run_shell("export XDG_CACHE_HOME=$PWD/cache\n" + line, folder_.path());
  }
  ShellResult run(const std::string& line) const {
    ShellResult result = shell(line);
    INFO("$ " << line << "\n" << result.out << result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  OrderedJson read(const std::string& name) const { return OrderedJson::parse(tune::read_file(path(name))); }
  void write(const std::string& name, const OrderedJson& json) const {
    std::ofstream(path(name)) << json.dump(2);
  }

 private:
  TemporaryFolder folder_;
};

// A trial that exports a network of random weights.
OrderedJson untrained(const OrderedJson& fixed) {
  return {{"schema", 1},
          {"study", "untrained"},
          {"trial", 1},
          {"attempt", 1},
          {"token", "t"},
          {"seed", 3},
          {"parameters", OrderedJson::object()},
          {"fixed", fixed},
          {"objective", {{"metric", "validation:accuracy"}, {"goal", "maximize"}, {"reduce", "best"}}},
          {"trainer", {{"task", "image_classification"}, {"model", "mobilenet_v2"}, {"data", "data/train"}}},
          {"budget", 1},
          {"threads", 1},
          {"devices", OrderedJson::array()},
          {"precision", "fp32"},
          {"checkpoint_dir", "checkpoints"},
          {"output_dir", "output"},
          {"resume_from", nullptr}};
}

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
  // A network that was never trained stands for the weights, which are not fetched here.
  place.write("trial.json", untrained({{"epochs", 0}}));
  place.run("tune-train --trial trial.json && cp output/weights.safetensors mobilenet_v2.safetensors");
  place.run("tune --spec search.json --store store");
  const Json best = Json::parse(place.run("tune best image-classes --store store --json").out);
  CHECK(best.at("value") >= 0);
  CHECK(fs::exists(place.path("store/models/steel-classifier/current/model.json")));
  // Its photographs and weights are elsewhere: what stands in their places is not opened by the check.
  fs::copy(example / "search-neu.json", place.path("search-neu.json"));
  place.run("mkdir -p data/neu-det && tune check search-neu.json");
}

TEST_CASE("A model keeps the size of the images that it was trained on") {
  const ClassesPlace place;
  place.write("trial.json", untrained({{"epochs", 0}, {"image_size", 96}}));
  place.run("tune-train --trial trial.json");
  const OrderedJson form = place.read("output/preprocessing.json"), model = place.read("output/model.json");
  CHECK(form.at("size") == OrderedJson{96, 96});
  CHECK(form.at("resize") == 99);
  CHECK(model.at("multiply_adds") < 70'000'000);  // of 299 million at 224 pixels
  const Json found =
      Json::parse(place.run("tune-train evaluate --model output --data data/train --json").out);
  CHECK(found.at("images") == 36);
  place.write("trial.json", untrained({{"epochs", 0}, {"image_size", 2000}}));
  const ShellResult large = place.shell("tune-train --trial trial.json");
  CHECK(large.exit_code == 3);
  CHECK(large.err.find("image_size") != std::string::npos);
}

TEST_CASE("Labelled images become a search: advised, written, checked and run") {
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
  place.run("tune check specs/search.json");
  CHECK(place.shell("tune init data/train --output specs/search.json").exit_code == 6);
  place.write("specs/short.json", shortened_search(spec));
  place.run("tune --spec specs/short.json --store store");
  CHECK(Json::parse(place.run("tune best train --store store --json").out).at("value") >= 0);
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
