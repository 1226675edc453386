#include <set>
#include <sstream>

#include "trainer/cli/commands.h"
#include "tuner/core/json.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;

namespace fs = std::filesystem;

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

Json score_json(std::vector<std::string> arguments) {
  std::ostringstream out, err;
  cli::Console console{out, err};
  arguments.push_back("--json");
  const int code = cli::run_score(arguments, console);
  CHECK(code == 0);
  return Json::parse(out.str());
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
  CHECK(
      json["classes"][0] ==
      Json{{"name", "pit"}, {"objects", 2}, {"AP", json["AP"]}, {"AP50", json["AP50"]}, {"category_id", 4}});
  CHECK(json["classes"][1] ==
        Json{{"name", "scale"}, {"objects", 0}, {"AP", -1}, {"AP50", -1}, {"category_id", 6}});
  CHECK(json["confusion"]["classes"] == Json{"pit", "scale", "background"});
  CHECK(json["confusion"]["counts"] == Json{{1, 0, 1}, {0, 0, 0}, {0, 0, 0}});
  CHECK(json["confusion"]["iou"] == 0.5);
  CHECK(json["confusion"]["score"] == 0.25);
  CHECK(json["form"] == "COCO: gt.json");
  CHECK(json["warnings"].empty());
  CHECK(json.size() == 19);
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

TEST_CASE("score warns of detections whose category the ground truth does not have") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo));
  const std::string shifted = R"([{"image_id": 1, "category_id": 0, "bbox": [10, 10, 40, 40], "score": 0.9},
                                  {"image_id": 1, "category_id": 0, "bbox": [9, 9, 40, 40], "score": 0.8}])";
  const Printed printed = score(truth, folder.write("shifted.json", shifted), true);
  CHECK(Json::parse(printed.out)["AP"] == 0);
  CHECK(contains(printed.err, "2 detections are left out, as the ground truth has no category_id 0"));
}

TEST_CASE("score says where detections name another class than their category_id stands for") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo));
  const auto warnings = [&](const std::string& first, const std::string& second, const fs::path& against) {
    const std::string box = R"("image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40], "score": 0.9})";
    return score(against, folder.write("det.json", "[{" + first + box + ", {" + second + box + "]")).err;
  };
  const std::string said = warnings(R"("category": "scale", )", R"("category_name": " Pit ", )", truth);
  CHECK(contains(said,
                 "1 detection names another class than its category_id stands for, so the classes may be "
                 "in another order: "));
  CHECK(contains(said, "det.json, [0]: category_id 4 is \"pit\", and the detection says \"scale\""));
  CHECK(contains(warnings(R"("category": "scale", )", R"("category": "pti", )", truth),
                 "2 detections name other classes"));
  for (const char* same : {R"("category": "pit", )", R"("category": "", )", R"("category": 4, )",
                           R"("category": "4", )", R"("category": null, )", R"("category": {"name": "x"}, )",
                           R"("category": ["x"], )", R"("file_name": "scale", )"}) {
    INFO(same);
    CHECK(warnings(same, "", truth).empty());
  }
  // Of a name without its detection's end nothing is kept for the next.
  CHECK(contains(warnings(R"("category": "scale", )", "", truth), "1 detection names"));
  const auto nameless = folder.write(
      "nameless.json", R"({"images": [{"id": 1}], "categories": [{"id": 4}], "annotations": []})");
  CHECK(warnings(R"("category": "scale", )", "", nameless).empty());
}

TEST_CASE("score names boxes that no detector means, and areas that pycocotools passes over") {
  const TestFolder folder;
  const auto truth = folder.write(
      "gt.json",
      truth_with(kTwo +
                 R"(, {"id": 3, "image_id": 2, "category_id": 4, "bbox": [70, 10, 5, 5], "area": -4})"));
  const std::string odd = R"([{"image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40], "score": 0.9},
                              {"image_id": 1, "category_id": 4, "bbox": [50, 50, -40, 40], "score": 0.8},
                              {"image_id": 1, "category_id": 4, "bbox": [0, 0, 1e300, 4], "score": 0.7}])";
  const Printed printed = score(truth, folder.write("odd.json", odd));
  CHECK(contains(printed.err, "1 \"area\" is negative: pycocotools"));
  CHECK(contains(printed.err, "1 detection has a box of negative width or height"));
  CHECK(contains(printed.err, "odd.json, [1]: [50.0,50.0,-40.0,40.0]"));
  CHECK(contains(printed.err, "1 detection has a box with an edge beyond a million pixels"));
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
  CHECK(contains(refusal("[]", ""), "bad-gt.json is not a COCO file"));
  CHECK(
      contains(refusal(truth_with(R"({"id": 1, "image_id": 9, "category_id": 4, "bbox": [1, 1, 2, 2]})"), ""),
               "annotations[0] (id 1): no image has the id 9"));
  CHECK(
      contains(refusal(truth_with(R"({"id": 1, "image_id": 1, "category_id": 5, "bbox": [1, 1, 2, 2]})"), ""),
               "no category has the id 5"));
  CHECK(contains(refusal(truth_with(kTwo + "," + kTwo), ""), "annotations[2]: the id 1 appears twice"));
  CHECK(contains(refusal(truth_with(R"({"image_id": 1, "category_id": 4, "bbox": [1, 1, 2]})"), ""),
                 "\"bbox\" is not [x, y, width, height] but [1,1,2]"));
  CHECK(contains(refusal("", "{}"), "bad-det.json is not a JSON array"));
  CHECK(contains(refusal("", R"([{"image_id": 3, "category_id": 4, "bbox": [1, 1, 2, 2], "score": 1}])"),
                 "[0]: image_id 3 is not in the ground truth"));
  CHECK(contains(refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [1, 1, 2, 2]}])"), "score"));
  CHECK(contains(refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [1, 1, 2, 2], "score": null}])"),
                 "not in COCO's results format"));
  CHECK(contains(refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [1, 1, 2, 2], "score": "nan"}])"),
                 "has \"nan\" as score"));
  CHECK(contains(
      refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [1, 1, 2, 2], "score": 1, "score": 2}])"),
      "[0] has two of score"));
  CHECK(contains(refusal("", R"([{"image_id": 1, "category_id": 4, "bbox": [NaN, 1, 2, 2], "score": 1}])"),
                 "bad-det.json is not JSON: line 1, column 45: \"NaN\" is not a JSON value"));
  // The parser takes a NUL byte for the end.
  const std::string behind_nul = std::string(1, '\0') + " garbage";
  CHECK(contains(refusal("", "[]" + behind_nul), "there is text after the end of the document"));
  CHECK(contains(refusal(truth_with(kTwo) + behind_nul, ""), "there is text after the end of the document"));
  CHECK(contains(refusal(R"({"images": [], "images": []})", ""),
                 "bad-gt.json, line 1, column 16: the key \"images\" is there twice"));
}

TEST_CASE("score compares several files and scores the same resamples of groups of images for each") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo)), found = folder.write("det.json", kOneFound),
             none = folder.write("none.json", "[]"),
             groups = folder.write("groups.json", R"({"schema": 1, "groups": [[2, 1, 77]]})");
  const std::vector<std::string> both{"--ground-truth", truth.string(), "--detections",
                                      found.string(),   "--detections", none.string()};
  const Json plain = score_json(both);
  CHECK(plain["images"] == 2);
  REQUIRE(plain["results"].size() == 2);
  CHECK(plain["results"][0]["detections"] == found.string());
  CHECK(plain["results"][0]["AP"].get<double>() == Approx(51.0 / 101));
  CHECK(plain["results"][1]["AP50"] == 0);
  CHECK(plain["results"][1]["VOC12_AP50"] == 0);
  CHECK_FALSE(plain.contains("resamples"));
  CHECK_FALSE(plain.contains("examples"));
  CHECK(plain["results"][0]["confusion"]["counts"] == Json{{1, 0, 1}, {0, 0, 0}, {0, 0, 0}});
  CHECK(plain["results"][1]["confusion"]["counts"] == Json{{0, 0, 2}, {0, 0, 0}, {0, 0, 0}});
  CHECK(plain["results"][1]["classes"][0]["AP"] == 0);

  std::vector<std::string> resampled = both;
  for (const char* word : {"--resamples", "40", "--seed", "3"}) resampled.emplace_back(word);
  const Json alone = score_json(resampled)["resamples"];
  CHECK(alone["count"] == 40);
  CHECK(alone["seed"] == 3);
  CHECK(alone["groups"] == 2);
  REQUIRE(alone["AP"].size() == 2);
  REQUIRE(alone["AP50"][1].size() == 40);
  // Twice the first image, one of each, or twice the second.
  std::set<double> seen;
  for (const Json& number : alone["AP"][0]) seen.insert(number.get<double>());
  REQUIRE(seen.size() == 3);
  CHECK(*seen.begin() == 0);
  CHECK(*std::next(seen.begin()) == Approx(51.0 / 101));
  CHECK(*seen.rbegin() == 1);
  CHECK(score_json(resampled)["resamples"] == alone);

  for (const std::string& word : {std::string("--groups"), groups.string()}) resampled.push_back(word);
  const Json together = score_json(resampled)["resamples"];
  CHECK(together["groups"] == 1);
  for (const Json& number : together["AP"][0]) CHECK(number.get<double>() == Approx(51.0 / 101));
}

TEST_CASE("score prints intervals of the files and of their differences") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo)), found = folder.write("det.json", kOneFound),
             none = folder.write("none.json", "[]");
  std::ostringstream out, err;
  cli::Console console{out, err};
  CHECK(cli::run_score({"--ground-truth", truth.string(), "--detections", found.string(), "--detections",
                        none.string(), "--resamples", "100"},
                       console) == 0);
  CHECK(contains(out.str(), "95 % intervals of 100 resamples of 2 groups of images (seed 0)"));
  CHECK(contains(out.str(), "det.json: AP 0.000 to 1.000, AP50 0.000 to 1.000"));
  CHECK(contains(out.str(), "none.json minus "));
  CHECK(contains(out.str(), "AP -1.000 to 0.000"));
}

TEST_CASE("score takes any data set with annotations, and counts classes as the labels say") {
  const TestFolder folder;
  for (const int image : {1, 2}) {
    const std::string name = "plate" + std::to_string(image);
    folder.write_image("data/images/" + name + ".png", 60, 60);
    folder.write(
        "data/annotations/" + name + ".xml",
        "<annotation><filename>" + name +
            ".png</filename><size><width>60</width><height>60</height><depth>3</depth></size>"
            "<object><name>scale</name><bndbox><xmin>10</xmin><ymin>10</ymin><xmax>50</xmax><ymax>50</ymax>"
            "</bndbox></object></annotation>");
  }
  const std::string data = (folder.path() / "data").string();
  const auto detections = [&](int category) {
    return folder.write("det.json", "[{\"image_id\": 1, \"category_id\": " + std::to_string(category) +
                                        R"(, "bbox": [10, 10, 40, 40], "score": 0.9}])");
  };
  CHECK(score_json({"--ground-truth", data, "--detections", detections(1).string()})["AP"].get<double>() ==
        Approx(51.0 / 101));
  CHECK(contains(message_of(ExitCode::kBadData, [&] { score(data, detections(2)); }),
                 "category_id 2, but the classes of " + data + " count from 1 to 1"));
  const auto labels = folder.write("labels.json", R"({"schema": 1, "classes": ["pit", "scale"]})");
  CHECK(score_json({"--ground-truth", data, "--detections", detections(2).string(), "--labels",
                    labels.string()})["AP"]
            .get<double>() == Approx(51.0 / 101));
  const auto truth = folder.write("gt.json", truth_with(kTwo));
  // A COCO file counts its categories itself.
  const Json own = score_json({"--ground-truth", truth.string(), "--detections", detections(4).string(),
                               "--labels", labels.string()});
  CHECK(contains(own["warnings"].at(0).get<std::string>(), "--labels is not used"));
}

TEST_CASE("detections may write ids as floats and texts, and lose none beyond 2^53") {
  const TestFolder folder;
  const std::string big = "9007199254740993";
  const auto truth =
      folder.write("gt.json", R"({"images": [{"id": )" + big + R"(}], "categories": [{"id": "1"}],
      "annotations": [{"id": 1, "image_id": )" +
                                  big + R"(, "category_id": 1, "bbox": [10, 10, 40, 40]}]})");
  const auto ap = [&](const std::string& detection) {
    return score_json({"--ground-truth", truth.string(), "--detections",
                       folder.write("det.json", "\xef\xbb\xbf[" + detection + "]").string()})["AP"];
  };
  CHECK(ap(R"({"image_id": )" + big + R"(, "category_id": 1.0, "bbox": [10, "10", 40, 40], "score": "0.9"})")
            .get<double>() == Approx(1));
  CHECK(ap(R"({"image_id": ")" + big + R"(", "category_id": "1", "bbox": [10, 10, 40, 40], "score": 1})")
            .get<double>() == Approx(1));
  const auto refusal = [&](const std::string& id) {
    return message_of(ExitCode::kBadData, [&] {
      ap(R"({"image_id": )" + id + R"(, "category_id": 1, "bbox": [10, 10, 40, 40], "score": 1})");
    });
  };
  CHECK(contains(refusal("9007199254740992.0"), "which no longer is exact"));
  CHECK(contains(refusal("9223372036854775809"), "beyond 2^63 - 1"));
  CHECK(contains(refusal("1.5"), "[0]: image_id is 1.5, not a whole number"));
}

TEST_CASE("numbers of detections that are written as texts are said once") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo));
  const auto found =
      folder.write("det.json",
                   R"([{"image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40], "score": 0.9, "note": "7"},
          {"image_id": "1", "category_id": 4, "bbox": [10, "10", 40, 40], "score": "0.5"}])");
  const Json warnings = Json::parse(score(truth, found, true).out)["warnings"];
  REQUIRE(warnings.size() == 1);
  CHECK(contains(warnings[0].get<std::string>(),
                 "3 numbers are written as texts, and taken as the numbers, the first being "));
  CHECK(contains(warnings[0].get<std::string>(), "det.json, [1]: \"image_id\" is \"1\""));
}

TEST_CASE("score reads a part of a set that has parts, and asks which where ids are the files' own") {
  const TestFolder folder;
  folder.write("annotations/instances_train2017.json", truth_with(kTwo));
  folder.write("annotations/instances_val2017.json", truth_with(kTwo));
  const auto found = folder.write("det.json", kOneFound);
  CHECK(contains(message_of(ExitCode::kUsage, [&] { score(folder.path(), found); }),
                 "has a COCO file for each of its parts"));
  const Json part = score_json(
      {"--ground-truth", folder.path().string(), "--detections", found.string(), "--part", "validation"});
  CHECK(part["AP"].get<double>() == Approx(51.0 / 101));
  CHECK(contains(part["form"].get<std::string>(), "parts: train, validation"));
}

TEST_CASE("score names images that are spread evenly over the set, with their files and objects") {
  const TestFolder folder;
  std::string images, objects;
  for (int image = 1; image <= 9; ++image) {
    const std::string number = std::to_string(image);
    images += (image > 1 ? "," : "") + std::string("{\"id\": ") + number + ", \"file_name\": \"plate" +
              number + R"(.png", "width": 60, "height": 40})";
    objects += (image > 1 ? "," : "") + std::string("{\"id\": ") + number + ", \"image_id\": " + number +
               R"(, "category_id": 4, "bbox": [1, 2, 30, 20], "iscrowd": )" + (image == 5 ? "1" : "0") + "}";
  }
  const auto truth =
      folder.write("gt.json", "{\"images\": [" + images +
                                  R"(], "categories": [{"id": 4}], "annotations": [)" + objects + "]}");
  const auto none = folder.write("none.json", "[]");
  const auto picture = folder.write_image("images/plate2.png", 60, 40);
  const auto examples = [&](const std::string& count) {
    return score_json(
        {"--ground-truth", truth.string(), "--detections", none.string(), "--examples", count})["examples"];
  };
  const Json three = examples("3");
  REQUIRE(three.size() == 3);
  CHECK(three[0] == Json{{"image_id", 2},
                         {"file_name", "plate2.png"},
                         {"path", picture.string()},
                         {"width", 60},
                         {"height", 40},
                         {"objects", {{{"name", "category 4"}, {"bbox", {1, 2, 30, 20}}}}}});
  CHECK(three[1]["image_id"] == 5);
  CHECK(three[1]["objects"] == Json::array());
  CHECK(three[1]["path"].is_null());
  CHECK(three[2]["image_id"] == 8);
  CHECK(examples("50").size() == 9);
  CHECK(contains(message_of(ExitCode::kUsage, [&] { examples("0"); }), "--examples 0"));
  CHECK(contains(message_of(ExitCode::kUsage,
                            [&] {
                              std::ostringstream out, err;
                              cli::Console console{out, err};
                              cli::run_score({"--ground-truth", truth.string(), "--detections", none.string(),
                                              "--examples", "2"},
                                             console);
                            }),
                 "--examples without --json"));
}

TEST_CASE("score looks at the part of the data that training would cut off") {
  const TestFolder folder;
  std::string found;
  for (int image = 1; image <= 10; ++image) {
    const std::string name = "plate" + std::to_string(10 + image);
    folder.write_image("data/images/" + name + ".png", 60, 40 + image);
    folder.write(
        "data/annotations/" + name + ".xml",
        "<annotation><filename>" + name + ".png</filename><size><width>60</width><height>" +
            std::to_string(40 + image) +
            "</height><depth>3</depth></size><object><name>scale</name><bndbox><xmin>10</xmin><ymin>10</ymin>"
            "<xmax>30</xmax><ymax>30</ymax></bndbox></object></annotation>");
    found += (image > 1 ? "," : "") + std::string("{\"image_id\": ") + std::to_string(image) +
             R"(, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.9})";
  }
  const std::string data = (folder.path() / "data").string();
  const auto detections = folder.write("det.json", "[" + found + "]");
  const auto images_of = [&](const std::string& part) {
    return score_json({"--ground-truth", data, "--detections", detections.string(), "--split",
                       R"({"fractions": [0.6, 0.2, 0.2], "grouping": "image"})", "--part", part,
                       "--resamples", "2"});
  };
  CHECK(images_of("train")["images"] == 6);
  CHECK(images_of("test")["images"] == 2);
  CHECK(images_of("validation")["results"][0]["AP"] == 1);
}

TEST_CASE("score refuses groups and numbers that make no sense") {
  const TestFolder folder;
  const auto truth = folder.write("gt.json", truth_with(kTwo)), found = folder.write("det.json", kOneFound);
  const auto refusal = [&](ExitCode code, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"--ground-truth", truth.string(), "--detections", found.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return message_of(code, [&] { score_json(arguments); });
  };
  const auto with_groups = [&](const std::string& groups) {
    return refusal(ExitCode::kBadData,
                   {"--resamples", "5", "--groups", folder.write("groups.json", groups).string()});
  };
  CHECK(contains(with_groups("[]"), "holds no list \"groups\""));
  CHECK(contains(with_groups(R"({"groups": [3]})"), "groups[0] is not a list"));
  CHECK(contains(with_groups(R"({"groups": [[1], ["x"]]})"), "groups[1]: an image id is \"x\""));
  CHECK(contains(with_groups(R"({"groups": [[1], [2, 1]]})"), "groups[1]: the image 1 appears twice"));
  CHECK(contains(with_groups(R"({"groups": [[7], [8]]})"), "none of its images is in"));
  CHECK(contains(refusal(ExitCode::kUsage, {"--resamples", "0"}), "--resamples 0"));
  CHECK(contains(refusal(ExitCode::kUsage, {"--resamples", "9", "--seed=-1"}),
                 "--seed -1 is not between 0 and"));
  CHECK(contains(refusal(ExitCode::kUsage, {"--seed", "1"}), "--seed without --resamples"));
}

TEST_CASE("score shows beside the right numbers those of corners that were misread, and says what they are") {
  const TestFolder folder;
  const auto truth = folder.write("truth.json", truth_with(kTwo));
  const auto found =
      folder.write("found.json",
                   R"([{"image_id": 1, "category_id": 4, "bbox": [10, 10, 40, 40], "score": 0.9},
          {"image_id": 2, "category_id": 4, "bbox": [10, 10, 40, 40], "score": 0.9}])");
  const Json scored =
      score_json({"--ground-truth", truth.string(), "--detections", found.string(), "--misread-corners"});
  REQUIRE(scored["results"].size() == 2);
  CHECK(scored["results"][0]["AP"] == 1.0);
  CHECK_FALSE(scored["results"][0].contains("corners_misread"));
  // [10, 10, 50, 50] read as a width and a height of 50: 1600 of 2500 pixels are shared, 0.64.
  CHECK(scored["results"][1]["corners_misread"] == true);
  CHECK(scored["results"][1]["AP50"] == 1.0);
  CHECK(scored["results"][1]["AP75"] == 0.0);
  CHECK(scored["results"][1]["AP"].get<double>() == Approx(0.3));
  CHECK(contains(scored["warnings"].dump(), "say nothing about a detector"));
}
