// What an audit finds among labelled images.
#include <sstream>

#include "trainer/images/image.h"
#include "trainer/tasks/image_classification/offers.h"
#include "unit/trainer/tasks/image_classification/class_folder_of_photographs.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;

namespace {

loop::Answer audited(const std::map<std::string, std::string>& options, bool as_json = true) {
  std::ostringstream notes;
  loop::Request request{{}, as_json, notes};
  for (const auto& [name, value] : options) request.values[name] = {value};
  return image_classification::audit_offer().answer(request);
}

Json audit_of(const std::map<std::string, std::string>& options) { return Json(audited(options).json); }

}  // namespace

TEST_CASE(
    "an audit of classes counts them and finds equal, nearly equal and overlapping images, with their "
    "classes") {
  const OwnCache cache;
  const TestFolder folder;
  ClassFolder set(folder, "set"), against(folder, "against");
  const Surface one = texture(1, 200), two = texture(2, 200), three = texture(3, 200);
  const fs::path a = set.add("pit", one);
  set.add("pit", one, 30, 24);  // overlaps
  set.add("dent", two);
  set.add("dent", three);
  fs::copy_file(a, set.path() / "pit" / "copy.jpg");
  images::write_png(set.path() / "pit" / "pixels.png", images::decode(a));
  fs::create_directories(set.path() / "edge");
  images::write_jpeg(set.path() / "edge" / "again.jpg", images::decode(set.path() / "dent" / "i103.jpg"), 60);
  tune::write_file_atomically(set.path() / "edge" / "broken.jpg", tune::read_file(a).substr(0, 1200));
  against.add("dent", three, 40, 0);

  const fs::path pictures = folder.path() / "pictures";
  const Json result = audit_of(
      {{"data", set.path().string()}, {"against", against.path().string()}, {"output", pictures.string()}});
  INFO(result.dump(1));
  CHECK(result["task"] == "image_classification");
  REQUIRE(result["sets"].size() == 2);
  CHECK(result["sets"][0]["images"] == 8);
  CHECK(
      result["sets"][0]["classes"] ==
      Json::parse(R"([{"name": "dent", "images": 2, "groups": 2}, {"name": "edge", "images": 2, "groups": 1},
                        {"name": "pit", "images": 4, "groups": 1}])"));
  REQUIRE(result["sets"][0]["problems"].size() == 1);
  CHECK(contains(result["sets"][0]["problems"][0]["problem"], "broken.jpg is a truncated or damaged JPEG"));
  REQUIRE(result["byte_equal"].size() == 1);
  CHECK(result["byte_equal"][0]["same_labels"] == true);
  CHECK(result["byte_equal"][0]["images"][0]["label"] == "pit");
  REQUIRE(result["pixel_equal"].size() == 1);
  REQUIRE(result["nearly_equal"].size() == 1);
  CHECK(result["nearly_equal"][0]["first"]["name"] == "dent/i103.jpg");
  CHECK(result["nearly_equal"][0]["second"]["label"] == "edge");
  CHECK(result["contradictions"] == 1);
  CHECK(result["leaks"] == 1);
  std::vector<Json> shifts;
  for (const Json& overlap : result["overlaps"])
    if (overlap["second"]["set"] == "against") shifts.push_back(overlap["shift"]);
  CHECK(shifts == std::vector<Json>{Json({40, 0})});
  CHECK(result["groups"].size() == 2);

  // Each finding has its picture.
  const std::string page = tune::read_file(pictures / "index.html");
  for (const char* said :
       {"The same surface with different classes: 1", "Equal files: 1", "Equal pixels in different files: 1",
        "same classes: pit/copy.jpg (pit)", "dent/i103.jpg (dent) and edge/again.jpg (edge): shift (0, 0)",
        "broken.jpg is a truncated or damaged JPEG", "against: dent/"}) {
    INFO(said);
    CHECK(contains(page, said));
  }
  for (const char* name :
       {"contradiction-1.jpg", "bytes-1.jpg", "pixels-1.jpg", "nearly-1.jpg", "overlap-1.jpg"})
    CHECK(images::decode(pictures / name).height == 96);
  CHECK(contains(message_of(ExitCode::kConflict,
                            [&] {
                              audited({{"data", set.path().string()}, {"output", pictures.string()}});
                            }),
                 "is not an empty folder"));

  const loop::Answer text = audited({{"data", set.path().string()}, {"fail-on", "contradictions,duplicates"}},
                                    /*as_json=*/false);
  CHECK(contains(text.text,
                 "the same surface with different classes: 1\n  - dent/i103.jpg (dent), "
                 "edge/again.jpg (edge)\n"));
  CHECK(contains(text.text, "nearly equal pictures: 1\n"));
  REQUIRE(text.failure);
  CHECK(std::string(text.failure->what()) == "the audit found 1 contradiction, 3 duplicates");
}

TEST_CASE(
    "an audit of classes reads on where files are wrong, and finds equal files in two classes and parts") {
  const OwnCache cache;
  const TestFolder folder;
  ClassFolder set(folder, "set");
  const fs::path a = set.add("train/pit", texture(1, 100));
  set.add("train/dent", texture(2, 100));
  set.add("train/dent", texture(3, 100));
  fs::create_directories(set.path() / "val" / "dent");
  fs::copy_file(a, set.path() / "val" / "dent" / "copy.jpg");
  const Json result = audit_of({{"data", set.path().string()}});
  INFO(result.dump(1));
  CHECK(result["leaks"] == 1);
  CHECK(result["contradictions"] == 1);
  REQUIRE(result["byte_equal"].size() == 1);
  CHECK(result["byte_equal"][0]["same_labels"] == false);
  REQUIRE(result["sets"][0]["problems"].size() == 1);
  CHECK(contains(result["sets"][0]["problems"][0]["problem"], "are the same file, but one shows pit"));
  CHECK(audit_of({{"data", set.path().string()}, {"part", "train"}})["leaks"] == 0);
  CHECK(contains(message_of(ExitCode::kUsage,
                            [&] {
                              audited({{"data", set.path().string()}, {"fail-on", "leak"}});
                            }),
                 "--fail-on \"leak\" is nothing that an audit finds"));
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              audited({{"data", (folder.path() / "gone").string()}});
                            }),
                 "gone does not exist"));
}
