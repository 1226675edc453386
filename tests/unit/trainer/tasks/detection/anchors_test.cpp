// How well default boxes reach objects, and boxes fitted to them.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/run_shell.h"
#include "support/skip.h"
#include "torch_catch.h"
#include "trainer/tasks/detection/anchors.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/model_folder.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer::detection;
using tune::Json;
using tune::tests::TemporaryFolder;

namespace {

Box box_of(const ObjectShape& object) {
  return {static_cast<float>(object.center_x - object.width / 2),
          static_cast<float>(object.center_y - object.height / 2),
          static_cast<float>(object.center_x + object.width / 2),
          static_cast<float>(object.center_y + object.height / 2)};
}

// Long thin objects of category 1, lying and standing, and compact ones of category 2.
std::vector<ObjectShape> thin_and_compact(int count) {
  tune::Rng rng(8, 1);
  std::vector<ObjectShape> objects;
  for (int i = 0; i < count; ++i) {
    double width = 0.1 + 0.3 * rng.uniform(), height = 0.1 + 0.3 * rng.uniform();
    if (i % 2 == 0) width = 0.4 + 0.4 * rng.uniform(), height = 0.05 + 0.03 * rng.uniform();
    if (i % 4 == 0) std::swap(width, height);
    const double x = width / 2 + (1 - width) * rng.uniform(), y = height / 2 + (1 - height) * rng.uniform();
    objects.push_back({x, y, width, height, 1 + i % 2});
  }
  return objects;
}

std::size_t same_places(const std::vector<FeatureMap>& a, const std::vector<FeatureMap>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    REQUIRE((a[i].cells == b[i].cells && a[i].grid == b[i].grid && a[i].shapes.size() == b[i].shapes.size()));
  return a.size();
}

}  // namespace

TEST_CASE("An object's best overlap with a shape is that with the best of its boxes") {
  for (const DetectorModel& kind : detector_models())
    for (const ObjectShape& object : thin_and_compact(20)) {
      double best = 0, expected = 0;
      for (const FeatureMap& map : kind.maps)
        for (const Shape& shape : map.shapes) best = std::max(best, best_overlap(object, map, shape));
      for (const Box& box : default_boxes(kind.maps))
        expected = std::max(expected, static_cast<double>(intersection_over_union(box_of(object), box)));
      INFO(kind.name);
      CHECK(best == Approx(expected).margin(1e-5));
    }
}

TEST_CASE("Reach counts the objects with an overlap of one half or more, by class") {
  const std::vector<FeatureMap> maps{{2, 2, {{0.5, 0.5}}}};
  const std::vector<ObjectShape> objects{
      {0.25, 0.25, 0.5, 0.5, 1}, {0.25, 0.25, 0.5, 0.24, 1}, {0.75, 0.25, 0.5, 0.26, 2}, {0.5, 0.5, 1, 1, 2}};
  const Reach found = reach(objects, maps, 3);
  CHECK(found.overall == 0.5);
  CHECK(found.by_class == std::vector<double>{0.5, 0.5, -1});
  CHECK(found.worst == 0.5);
  CHECK(to_text(found, {"scratches", "b", "c"}) == "50.0 % of the objects (worst: 50.0 % of scratches)");
}

TEST_CASE("Fitted boxes are as many as the model's own, reach more objects, and are the same every time") {
  const std::vector<ObjectShape> objects = thin_and_compact(400);
  for (const char* name : {"ssd300-resnet50", "ssd300-vgg16", "ssd512-vgg16", "ssd224-resnet18"}) {
    INFO(name);
    const std::vector<FeatureMap>& stock = detector_model(name).maps;
    const std::vector<FeatureMap> fitted = fit_default_boxes(objects, stock);
    same_places(fitted, stock);
    const Reach before = reach(objects, stock, 2), after = reach(objects, fitted, 2);
    CHECK(after.overall > before.overall);
    CHECK(after.worst > before.worst);
    CHECK((fitted == fit_default_boxes(objects, stock)));
  }
}

TEST_CASE("What no object asks for keeps the model's own shapes") {
  const std::vector<FeatureMap>& stock = detector_model("ssd512-vgg16").maps;
  const std::vector<FeatureMap> fitted = fit_default_boxes({{0.5, 0.5, 0.05, 0.05, 1}}, stock);
  same_places(fitted, stock);
  for (std::size_t i = 2; i < stock.size(); ++i)
    CHECK(std::is_permutation(fitted[i].shapes.begin(), fitted[i].shapes.end(), stock[i].shapes.begin()));
}

TEST_CASE("Fitted boxes travel with the model, and files that name other boxes are refused") {
  using namespace tune::trainer;
  const TemporaryFolder folder;
  DetectorModel kind = detector_model("ssd128-resnet18-half");
  kind.maps = fit_default_boxes(thin_and_compact(100), kind.maps);
  SsdModel model(kind, 2);
  write_model_files(folder.path(), weights::state_dict(*model), kind, {"a", "b"});
  std::ofstream(folder.path() / "model.json") << R"({"task":"detection","model":"ssd128-resnet18-half"})";
  CHECK((load_detector(folder.path()).kind->maps == kind.maps));

  const auto refused = [&](const std::function<void(Json&)>& change) {
    const auto file = folder.path() / "preprocessing.json";
    const std::string before = tune::read_file(file);
    Json json = Json::parse(before);
    change(json);
    std::ofstream(file) << json;
    bool was_refused = false;
    try {
      load_detector(folder.path());
    } catch (const tune::Error& error) {
      was_refused = error.code() == tune::ExitCode::kBadData;
    }
    std::ofstream(file) << before;
    return was_refused;
  };
  CHECK(refused([](Json& json) { json.erase("default_boxes"); }));
  CHECK(refused([](Json& json) { json["default_boxes"][0]["shapes"][0] = {0.5, 0.5}; }));
  CHECK(refused([](Json& json) { json["default_boxes"][0]["shapes"][0] = {0.5, -1}; }));
  CHECK(refused([](Json& json) { json["default_boxes"][0]["shapes"].erase(0); }));
  CHECK(refused([](Json& json) { json["default_boxes"][0]["cells"] = 3; }));
  CHECK(refused([](Json& json) { json["default_boxes"] = 1; }));
  CHECK_FALSE(refused([](Json&) {}));

  // The heads know the boxes that they were trained with.
  std::ostringstream notes;
  const DetectorModel& stock = detector_model("ssd128-resnet18-half");
  SsdModel other(stock, 2);
  initialise_from(*other, folder.path(), stock, {"a", "b"}, notes);
  CHECK(notes.str().find("default boxes are others") != std::string::npos);
  CHECK_FALSE(weights::state_dict(*other)
                  .at("head.regression_head.weight")
                  .equal(weights::state_dict(*model).at("head.regression_head.weight")));
}

TEST_CASE("On photographs of steel the models' boxes reach what was measured elsewhere, and fitted ones more",
          "[.neu_det]") {
  const char* data = std::getenv("TUNE_NEU_DET");
  if (data == nullptr) return tune::tests::skip("TUNE_NEU_DET names no data set");
  const Dataset dataset = read_dataset(data);
  const std::vector<ObjectShape> objects = object_shapes(dataset);
  const auto position = std::find(dataset.classes.begin(), dataset.classes.end(), "scratches");
  REQUIRE(position != dataset.classes.end());
  const auto scratches = static_cast<std::size_t>(position - dataset.classes.begin());
  struct Expected {
    const char* model;
    double overall, scratches;
  };
  for (const Expected& expected : {Expected{"ssd300-resnet50", 0.804, 0.26},
                                   {"ssd512-vgg16", 0.915, 0.41},
                                   {"ssd300-vgg16", 0.862, 0.30}}) {
    const std::vector<FeatureMap>& stock = detector_model(expected.model).maps;
    const Reach before = reach(objects, stock, static_cast<int>(dataset.classes.size()));
    const Reach after =
        reach(objects, fit_default_boxes(objects, stock), static_cast<int>(dataset.classes.size()));
    INFO(expected.model << ": " << to_text(before, dataset.classes) << ", fitted "
                        << to_text(after, dataset.classes));
    // The figures are those of all 1,800 photographs; a part of them may be at hand.
    CHECK(before.overall == Approx(expected.overall).margin(0.01));
    CHECK(before.by_class[scratches] == Approx(expected.scratches).margin(0.03));
    CHECK(after.overall > before.overall + 0.03);
    CHECK(after.by_class[scratches] > before.by_class[scratches] + 0.3);
  }
}
