#include <sstream>

#include "trainer/cli/commands.h"
#include "tuner/core/json.h"
#include "unit/trainer/plain/test_folder.h"

using namespace tune::trainer;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;

namespace {

struct Printed {
  std::string out, err;
};

Printed score(const std::filesystem::path& truth, const std::filesystem::path& detections,
              bool json = false) {
  std::ostringstream out, err;
  cli::Console console{out, err};
  std::vector<std::string> arguments{"--ground-truth", truth.string(), "--detections", detections.string()};
  if (json) arguments.push_back("--json");
  const int code = cli::run_score(arguments, console);
  CHECK(code == 0);
  return {out.str(), err.str()};
}

// Two images, one class that is found in the first and missed in the second; the second category has no
// object.
std::string truth_with(const std::string& annotations) {
  return R"({"images": [{"id": 1}, {"id": 2}], "categories": [{"id": 4, "name": "pit"}, {"id": 6, "name": "scale"}],
             "annotations": [)" +
         annotations + "]}";
}

const std::string kTwo =
    R"({"id": 1, "image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0},
                            {"id": 2, "image_id": 2, "category_id": 4, "bbox": [10, 10, 40, 40], "area": 1600, "iscrowd": 0})";
const std::string kOneFound =
    R"([{"image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40], "score": 0.9}])";

}  // namespace

TEST_CASE("score prints the twelve lines of pycocotools, then VOC's two") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo)), found = folder.write("det.json", kOneFound);
  const Printed printed = score(truth, found);
  CHECK(printed.err.empty());
  // Copied from pycocotools 2.0.11 for these two files.
  CHECK(printed.out.starts_with(
      " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.505\n"
      " Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.505\n"
      " Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ] = 0.505\n"
      " Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000\n"
      " Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.505\n"
      " Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000\n"
      " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ] = 0.500\n"
      " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = 0.500\n"
      " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.500\n"
      " Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ] = -1.000\n"
      " Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.500\n"
      " Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = -1.000\n"));
  const Json json = Json::parse(score(truth, found, true).out);
  CHECK(json["schema"] == 1);
  CHECK(json["AP"].get<double>() == Approx(51.0 / 101));
  CHECK(json["APs"] == -1);
  CHECK(json["ARm"] == 0.5);
  CHECK(json["VOC07_AP50"].get<double>() == Approx(6.0 / 11));
  CHECK(json["VOC12_AP50"] == 0.5);
  CHECK(json.size() == 15);
}

TEST_CASE("score counts no detection at all as zero, and warns of the annotation id 0") {
  const TestFolder folder;
  const auto none = folder.write("none.json", "[]");
  CHECK(Json::parse(score(folder.write("gt.json", truth_with(kTwo)), none, true).out)["AP"] == 0);
  const std::string zero = R"({"id": 0, "image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40]})";
  const Printed printed =
      score(folder.write("zero.json", truth_with(zero)), folder.write("det.json", kOneFound));
  CHECK(contains(printed.err, "id 0"));
}

TEST_CASE("score refuses what it cannot compare, and names the place") {
  const TestFolder folder;
  const auto good = folder.write("gt.json", truth_with(kTwo)), found = folder.write("det.json", kOneFound);
  const auto refusal = [&](const std::string& truth, const std::string& detections) {
    const auto truth_file = truth.empty() ? good : folder.write("bad-gt.json", truth);
    const auto detections_file = detections.empty() ? found : folder.write("bad-det.json", detections);
    return message_of(ExitCode::kBadData, [&] { score(truth_file, detections_file); });
  };
  CHECK(contains(refusal("{", ""), "bad-gt.json is not JSON"));
  CHECK(contains(refusal("[]", ""), "bad-gt.json is not a COCO data set"));
  CHECK(
      contains(refusal(truth_with(R"({"id": 1, "image_id": 9, "category_id": 4, "bbox": [1, 1, 2, 2]})"), ""),
               "annotations[0]: image_id 9 is not in the ground truth"));
  CHECK(
      contains(refusal(truth_with(R"({"id": 1, "image_id": 1, "category_id": 5, "bbox": [1, 1, 2, 2]})"), ""),
               "category_id 5"));
  CHECK(contains(refusal(truth_with(kTwo + "," + kTwo), ""), "annotations[2]: the id 1 appears twice"));
  CHECK(contains(refusal(truth_with(R"({"image_id": 1, "category_id": 4, "bbox": [1, 1, 2]})"), ""),
                 "bbox is [1,1,2]"));
  CHECK(contains(refusal("", "{}"), "bad-det.json is not a JSON array"));
  CHECK(contains(refusal("", R"([{"image_id": 3, "category_id": 4, "bbox": [1, 1, 2, 2], "score": 1}])"),
                 "[0]: image_id 3 is not in the ground truth"));
  CHECK(contains(refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [1, 1, 2, 2]}])"), "score"));
  CHECK(contains(refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [1, 1, 2, 2], "score": null}])"),
                 "not in COCO's results format"));
}
