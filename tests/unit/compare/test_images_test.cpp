// What a comparison asks of tune-train about its test images, and what of a data set it has in its
// fingerprint.
#include "tuner/compare/test_images.h"

#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/os/atomic_file.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// A comparison over `test`, with a tune-train that writes down what it is asked.
class Scored {
 public:
  explicit Scored(const std::string& test, const std::string& more = "")
      : comparison_(parse_comparison(R"({"comparison": "c", "objective": {"metric": "m", "goal": "maximize"},
            "trainer": {"task": "toy", "model": "small", "data": "train.json", "test": ")" +
                                         test + "\"" + more +
                                         R"(}, "fixed": {"epochs": 10}, "seeds": 2,
            "cost": {"usd_per_hour": 3.6, "date": "2026-11-21"}, "approaches": [{"name": "a"}]})",
                                     "c.json", folder_.path())),
        trainer_{folder_.path() / "tune-train", {}} {
    std::ofstream(trainer_.program)
        << "#!/bin/sh\necho \" $* \" >> asked\n"
           "test $1 = audit && exec cat audit.json\n"
           "echo '{\"results\": [{\"accuracy\": 1}], \"resamples\": {}, \"examples\": []}'\n";
    fs::permissions(trainer_.program, fs::perms::owner_all);
    fs::create_directories(at("model"));
    std::ofstream(at("model/labels.json")) << R"({"classes": ["pit"]})";
  }

  fs::path at(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories(at(name).parent_path());
    std::ofstream(at(name)) << content;
  }
  // As a task that tells whole images apart has it.
  void classify() {
    comparison_.task.name = "image_classification";
    comparison_.task.number = "accuracy";
    comparison_.task.files = "predictions";
  }
  TestImages images() const {
    return {comparison_, trainer_, [] { return 0; }, [](const std::string&) {}};
  }
  // The arguments of the scoring of a test set that the audit recognised as `form`.
  std::string asked_for(const std::string& form) const {
    write("groups.json", Json{{"groups", Json::array()}, {"sets", {{{"form", form}}}}}.dump());
    images().score({at("found.json")}, at("groups.json"), at("model"), at("copies"));
    return read_file(at("asked"));
  }

 private:
  tests::TemporaryFolder folder_;
  Comparison comparison_;
  engine::BuiltinTrainer trainer_;
};

bool asks_for(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("class names count the detections of every form of data but COCO's, whose ids are its own",
          "[test-images]") {
  const Scored yaml("steel/data.yaml"), coco("steel"),
      photographs("test.json", R"(, "images": "photographs")");
  yaml.write("steel/data.yaml", "names: [pit]");
  coco.write("steel/_annotations.coco.json", "{}");
  photographs.write("test.json", "{}");
  const std::string of_yaml = yaml.asked_for("YOLO labels: data.yaml");
  CHECK(asks_for(of_yaml, " --labels " + yaml.at("model/labels.json").string() + " "));
  CHECK_FALSE(asks_for(of_yaml, " --images "));
  CHECK_FALSE(asks_for(coco.asked_for("COCO: _annotations.coco.json"), " --labels "));
  CHECK(asks_for(photographs.asked_for("COCO: test.json"),
                 " --images " + photographs.at("photographs").string()));
}

TEST_CASE(
    "the task is named to the trainer, with its own option for predictions and the place of its classes",
    "[test-images]") {
  const Scored detection("steel/test.json");
  detection.write("steel/test.json", "{}");
  CHECK(asks_for(detection.asked_for("COCO: test.json"), " score --task detection "));
  CHECK(asks_for(detection.asked_for("COCO: test.json"), " --detections "));
  Scored images("steel", R"(, "classes_from": "file_name")");
  images.write("steel/pit_1.jpg", "a");
  images.classify();
  const std::string asked = images.asked_for("a folder");
  CHECK(asks_for(asked, " score --task image_classification "));
  CHECK(asks_for(asked, " --classes-from file_name "));
  CHECK(asks_for(asked, " --predictions " + images.at("found.json").string()));
  CHECK_FALSE(asks_for(asked, " --detections "));
}

TEST_CASE("an audit of whole images counts those of a class, and nearly equal ones leak", "[test-images]") {
  Scored images("steel");
  images.classify();
  const auto audit = [&](const Json& nearly_equal, const char* tested) {
    const auto set = [](const char* name) {
      return Json{{"images", 2}, {"classes", {{{"name", name}, {"images", 2}}}}};
    };
    images.write(
        "audit.json",
        Json{{"groups", Json::array()}, {"sets", {set(tested), set("pit")}}, {"nearly_equal", nearly_equal}}
            .dump());
    return images.images().audit(images.at("groups.json"));
  };
  CHECK(audit(Json::array(), "pit").crossing_overlaps == 0);
  CHECK(asks_for(read_file(images.at("asked")), " audit --task image_classification --json "));
  CHECK_THROWS_WITH(audit(Json::array(), "scratch"),
                    Catch::Matchers::Contains("test images show \"scratch\", which no training image does"));
  const Json pair{{"first", {{"set", "data"}, {"image", "a.jpg"}}},
                  {"second", {{"set", "against"}, {"image", "b.jpg"}}}};
  CHECK_THROWS_WITH(audit(Json::array({pair}), "pit"), Catch::Matchers::Contains("a.jpg with b.jpg for one"));
}

TEST_CASE("the fingerprint of a data set follows all that is read of it", "[test-images]") {
  const auto changes = [](const Scored& scored, const std::string& data, const std::string& file) {
    const std::string before = scored.images().fingerprint(data);
    scored.write(file, "other");
    return scored.images().fingerprint(data) != before;
  };
  const Scored scored("steel/test.json", R"(, "images": "photographs")");
  scored.write("steel/test.json", "{}");
  scored.write("yolo/data.yaml", "names: [pit]");
  for (const char* image : {"a.BMP", "a.tif", "a.webp", "a.jpeg"})
    CHECK(changes(scored, "steel/test.json", std::string("steel/images/") + image));
  CHECK(changes(scored, "steel/test.json", "photographs/b.tiff"));
  CHECK_FALSE(changes(scored, "steel/test.json", "steel/notes.txt"));
  CHECK(changes(scored, "yolo/data.yaml", "yolo/labels/a.txt"));
}

}  // namespace tune::compare
