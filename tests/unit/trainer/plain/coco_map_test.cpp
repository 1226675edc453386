#include "trainer/metrics/coco_map.h"

#include "support/catch.h"
#include "trainer/metrics/voc_map.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/json.h"

using namespace tune::trainer::metrics;
using tune::Json;

namespace {

Box box_of(const Json& json) { return {json[0], json[1], json[2], json[3]}; }

struct Case {
  std::vector<TruthBox> truth;
  std::vector<DetectedBox> detections;
  int categories = 0;
};

Case read_case(const Json& json) {
  Case result;
  for (const Json& object : json["ground_truth"]["annotations"])
    result.truth.push_back({object["image_id"], object["category_id"].get<int>() - 1, box_of(object["bbox"]),
                            object["area"], object["iscrowd"] == 1, false, object["id"] == 0});
  for (const Json& found : json["detections"])
    result.detections.push_back(
        {found["image_id"], found["category_id"].get<int>() - 1, box_of(found["bbox"]), found["score"]});
  result.categories = static_cast<int>(json["ground_truth"]["categories"].size());
  return result;
}

}  // namespace

TEST_CASE("the twelve COCO numbers equal those of pycocotools bit for bit on random and hostile cases") {
  const Json cases = Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/detection/coco_cases.json"));
  REQUIRE(cases.size() == 9);
  for (const Json& json : cases) {
    const Case one = read_case(json);
    const auto numbers = coco_map(one.truth, one.detections, one.categories).numbers();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      INFO(json["name"] << ", number " << i);
      CHECK(numbers[i] == json["expected"][i].get<double>());
    }
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
