// The whole command, on drawn images and a network with random weights.
#include <sstream>

#include "support/catch.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/weights/state_dict.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/photographs.h"
#include "unit/trainer/tasks/image_classification/class_pictures.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;
namespace fs = std::filesystem;

namespace {

// Twelve pictures of each of three colours, and a network's random weights.
class AdvisedPlace {
 public:
  AdvisedPlace() : cache_(folder.path() / "cache") {
    draw_classes(folder, "data", {12, 12, 12}, 1);
    torch::manual_seed(9);
    const auto network = image_classification::classifier_model("squeezenet1_1").make(3, 0);
    tune::trainer::weights::write_safetensors(path("squeezenet1_1.safetensors"),
                                              tune::trainer::weights::state_dict(*network), {});
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  loop::Answer answer(std::map<std::string, std::string> options, bool as_json = true) {
    options.try_emplace("data", path("data"));
    options.try_emplace("threads", "1");
    notes.str("");
    loop::Request request{{}, as_json, notes};
    for (const auto& [name, value] : options) request.values[name] = {value};
    return image_classification::advise_offer().answer(request);
  }
  Json json(const std::map<std::string, std::string>& options) { return Json(answer(options).json); }

  TestFolder folder;
  std::ostringstream notes;

 private:
  OwnFeatureCache cache_;
};

}  // namespace

TEST_CASE("an advice with weights measures nearness and labels, and its spec says what was advised") {
  AdvisedPlace place;
  fs::copy_file(place.path("data/a/0.png"), place.path("data/a/again.png"));
  fs::rename(place.path("data/a/7.png"), place.path("data/b/wrong.png"));
  const Json advice =
      place.json({{"weights", place.path("squeezenet1_1.safetensors")}, {"page", place.path("page.html")}});
  INFO(advice.dump(1));
  CHECK(advice["schema"] == 1);
  CHECK(advice["images"] == 37);
  CHECK(advice["classes"] ==
        Json::parse(
            R"([{"name": "a", "images": 12}, {"name": "b", "images": 13}, {"name": "c", "images": 12}])"));
  CHECK(advice["copies"]["compared"] == 37);
  CHECK(advice["copies"]["equal"] == 2);
  CHECK(advice["copies"]["leaks"] == 0);
  CHECK(advice["copies"]["searched_for_overlaps"] == advice["labels"]["images"]);
  CHECK(advice["images_per_second"] > 0);
  // Colours are told apart by any network: but for the picture in the wrong folder.
  REQUIRE(advice["nearness"].is_object());
  CHECK(advice["nearness"]["weights"]["accuracy"] > 0.9);
  CHECK(advice["nearness"]["random"]["accuracy"] > 0.9);
  CHECK(advice["nearness"]["chance"] < 0.5);
  REQUIRE_FALSE(advice["labels"]["doubts"].empty());
  CHECK(advice["labels"]["doubts"][0]["name"] == "b/wrong.png");
  CHECK(advice["labels"]["doubts"][0]["label"] == "b");
  CHECK(advice["labels"]["doubts"][0]["suggested"] == "a");
  CHECK(advice["advice"]["model"]["value"] == "squeezenet1_1");
  CHECK(contains(advice["advice"]["model"]["rule"], "the network of the weights"));
  const Json& spec = advice["spec"];
  CHECK(spec["trainer"] == Json{{"task", "image_classification"},
                                {"model", "squeezenet1_1"},
                                {"data", place.path("data")},
                                {"weights", place.path("squeezenet1_1.safetensors")},
                                {"split", {{"grouping", "content"}}}});
  CHECK(spec["limits"]["trials"] == advice["advice"]["budget"]["trials"]);
  CHECK(spec["objective"]["metric"] == "validation:accuracy");
  const std::string page = tune::read_file(place.path("page.html"));
  CHECK(contains(page, "b, perhaps a"));
  CHECK(contains(page, "src=\"data:image/jpeg;base64,/9j/"));
  CHECK(contains(page, "b/wrong.png"));
  CHECK(contains(message_of(ExitCode::kConflict,
                            [&] {
                              place.answer({{"page", place.path("page.html")}});
                            }),
                 "is there already"));
  // The second time features are found.
  place.answer({{"weights", place.path("squeezenet1_1.safetensors")}});
  CHECK(contains(place.notes.str(), "found in"));
  CHECK_FALSE(contains(place.notes.str(), "computed in"));
}

TEST_CASE("an advice without weights says where some come from, and to begin from scratch") {
  AdvisedPlace place;
  const Json advice = place.json({});
  CHECK(advice["nearness"].is_null());
  CHECK(advice["labels"].is_null());
  CHECK(advice["weights"].is_null());
  CHECK(contains(advice["other_weights"].dump(), "examples/image-weights"));
  CHECK(advice["advice"]["strategy"]["value"] == "scratch");
  CHECK(advice["advice"]["strategy"]["table"].is_null());
  CHECK_FALSE(advice["spec"]["trainer"].contains("weights"));
  const std::string text = place.answer({{"model", "squeezenet1_1"}}, /*as_json=*/false).text;
  CHECK(contains(text, "36 images to train on, 3 classes of 12 to 12 images\n"));
  CHECK(contains(text, "  strategy  scratch: without weights everything is learned from the images\n"));
  CHECK(contains(text, "model     squeezenet1_1: as asked\n"));
  CHECK(contains(text, "with --weights they are measured"));
}

TEST_CASE("an advice counts leaks as an audit does, and measures on no image of a part that measures") {
  AdvisedPlace place;
  fs::create_directories(place.path("parts"));
  fs::rename(place.path("data"), place.path("parts/train"));
  draw_classes(place.folder, "parts/test", {4, 4, 4}, 50);
  fs::copy_file(place.path("parts/train/a/0.png"), place.path("parts/test/a/0.png"),
                fs::copy_options::overwrite_existing);
  // The same pixels in another file, and a crop of another picture.
  place.folder.write("parts/test/b/same.png", tune::read_file(place.path("parts/train/b/1.png")) + "\n");
  const Surface surface = texture(3, 200);
  photograph(surface, 0, 0, 128, 128, 1, place.path("parts/train/c/surface.jpg"));
  photograph(surface, 40, 20, 128, 128, 2, place.path("parts/test/c/crop.jpg"));
  const Json advice = place.json({{"data", place.path("parts")}, {"model", "squeezenet1_1"}});
  INFO(advice.dump(1));
  CHECK(advice["images"] == 37);
  CHECK(advice["copies"]["compared"] == 51);
  CHECK(advice["copies"]["equal"] == 2);
  CHECK(advice["copies"]["leaks"] == 3);
  CHECK(contains(advice["advice"]["remarks"].dump(), "parts of the set show the same surfaces"));
}

TEST_CASE("an advice says what is wrong with data, weights and options") {
  AdvisedPlace place;
  CHECK(contains(message_of(ExitCode::kBadSpec, [&] { place.answer({{"model", "resnet19"}}); }), "resnet19"));
  CHECK(contains(message_of(ExitCode::kUsage, [&] { place.answer({{"seconds", "0"}}); }), "seconds"));
  place.folder.write("data/a/broken.png", "no picture");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { place.answer({}); }), "broken.png"));
  tune::trainer::weights::write_safetensors(place.path("other.safetensors"), {{"x", torch::ones({3})}}, {});
  fs::remove(place.path("data/a/broken.png"));
  CHECK(contains(message_of(ExitCode::kUsage,
                            [&] {
                              place.answer({{"weights", place.path("other.safetensors")}});
                            }),
                 "is of no network that is known here"));
}
