#include "trainer/metrics/coco_map.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "support/catch.h"
#include "trainer/metrics/voc_map.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer::metrics;
using tune::Json;

namespace {

struct Case {
  std::vector<TruthBox> truth;
  std::vector<DetectedBox> detections;
  int categories = 0;
};

Box box_of(const Json& row) { return {row[2], row[3], row[4], row[5]}; }

// The rows are described in tests/golden/detection/make_golden.py.
Case read_case(const Json& json) {
  std::map<std::int64_t, int> categories;
  for (const Json& id : json["categories"]) categories[id] = 0;
  int index = 0;
  for (auto& [id, position] : categories) position = index++;
  Case result;
  result.categories = index;
  std::int64_t id = json["first_id"];
  for (const Json& row : json["objects"])
    result.truth.push_back(
        {row[0], categories.at(row[1]), box_of(row), row[6], row[7] == 1, row[8] == 1, id++ == 0});
  for (const Json& row : json["detections"])
    result.detections.push_back({row[0], categories.at(row[1]), box_of(row), row[6]});
  return result;
}

Json golden_cases() {
  return Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/detection/map_cases.json"));
}

}  // namespace

TEST_CASE("the twelve COCO numbers equal those of pycocotools bit for bit on random and hostile cases") {
  const Json cases = golden_cases();
  REQUIRE(cases.size() == 97);
  for (const Json& json : cases) {
    const Case one = read_case(json);
    const auto numbers = coco_map(one.truth, one.detections, one.categories).numbers();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      INFO(json["name"] << ", number " << i);
      CHECK(numbers[i] == json["coco"][i].get<double>());
    }
  }
}

TEST_CASE("VOC's two numbers equal those of a plain reference on random and hostile cases") {
  for (const Json& json : golden_cases()) {
    const Case one = read_case(json);
    const VocSummary summary = voc_map(one.truth, one.detections, one.categories);
    INFO(json["name"]);
    CHECK(std::abs(summary.map07 - json["voc"][0].get<double>()) < 1e-12);
    CHECK(std::abs(summary.map12 - json["voc"][1].get<double>()) < 1e-12);
  }
}

TEST_CASE("COCO's numbers do not depend on the order of images, classes and objects of different images") {
  for (const Json& json : golden_cases()) {
    Case one = read_case(json);
    const auto numbers = coco_map(one.truth, one.detections, one.categories).numbers();
    const auto by_class = [](const auto& a, const auto& b) {
      return std::pair(-a.category, -a.image_id) < std::pair(-b.category, -b.image_id);
    };
    std::stable_sort(one.truth.begin(), one.truth.end(), by_class);
    std::stable_sort(one.detections.begin(), one.detections.end(), by_class);
    INFO(json["name"]);
    CHECK(coco_map(one.truth, one.detections, one.categories).numbers() == numbers);
  }
}

TEST_CASE("an image set without ground truth has no COCO or VOC score") {
  const std::vector<DetectedBox> detections = {{1, 0, {0, 0, 10, 10}, 0.9}};
  CHECK(coco_map({}, detections, 2).ap == -1);
  CHECK(voc_map({}, detections, 2).map12 == -1);
}

TEST_CASE("VOC's duplicate of a found object is wrong, and difficult objects count neither way") {
  const std::vector<TruthBox> truth = {{1, 0, {0, 0, 10, 10}, 100, false, false},
                                       {1, 0, {50, 50, 10, 10}, 100, false, true},
                                       {2, 0, {0, 0, 10, 10}, 100, false, false}};
  const std::vector<DetectedBox> detections = {{1, 0, {0, 0, 10, 10}, 0.9},
                                               {1, 0, {1, 0, 10, 10}, 0.8},
                                               {1, 0, {50, 50, 10, 10}, 0.7},
                                               {2, 0, {0, 0, 10, 10}, 0.6}};
  // Ranked: hit, duplicate, (difficult), hit. Precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1.
  const VocSummary summary = voc_map(truth, detections, 1);
  CHECK(summary.map12 == Approx(0.5 * 1 + 0.5 * 2 / 3));
  CHECK(summary.map07 == Approx((6 * 1.0 + 5 * 2.0 / 3) / 11));
}
