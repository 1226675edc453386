// What an audit finds in data sets.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <set>
#include <sstream>
#include <thread>

#include "trainer/cli/commands.h"
#include "trainer/images/image.h"
#include "trainer/tasks/image_sets/picture_page.h"
#include "unit/trainer/photographs.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;
namespace fs = std::filesystem;

namespace {

Json audit(std::vector<std::string> arguments) {
  std::ostringstream out, err;
  cli::Console console{out, err};
  arguments.push_back("--json");
  CHECK(cli::run_audit(arguments, console) == 0);
  return Json::parse(out.str());
}

}  // namespace

TEST_CASE("an audit names equal images, overlapping crops, bad boxes and counts, with a picture of each") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  const Surface one = texture(1, 200), two = texture(2, 200), three = texture(3, 200);
  const fs::path a = data.add(one, 0, 0);
  data.add(one, 30, 24);
  data.add(two, 0, 0, "");
  data.add(three, 0, 0, "0 .5 .5 .2 .2\n0 .5 .5 0 .2\n");
  fs::copy_file(a, data.path() / "images" / "copy.jpg");
  images::write_png(data.path() / "images" / "pixels.png", images::decode(a));
  folder.write("data/labels/copy.txt", "0 .4 .5 .2 .2\n");
  folder.write("data/labels/pixels.txt", "0 .5 .5 .2 .2\n");
  folder.write("data/images/broken.jpg", tune::read_file(a).substr(0, 1200));
  folder.write("data/labels/broken.txt", "");
  LabelledFolder against(folder, "against");
  against.add(two, 40, 0);

  const Json result = audit({"--data", data.path().string(), "--against", against.path().string(), "--output",
                             (folder.path() / "pictures").string()});
  INFO(result.dump(1));
  REQUIRE(result["sets"].size() == 2);
  CHECK(result["sets"][0]["images"] == 7);
  CHECK(result["sets"][0]["classes"][0]["objects"] == 5);
  CHECK(result["sets"][0]["images_by_objects"] == Json({{"0", 2}, {"1", 5}}));
  REQUIRE(result["sets"][0]["left_out"].size() == 1);
  CHECK(contains(result["sets"][0]["left_out"][0]["problem"], "i103.txt, line 2 (pit): the box"));
  REQUIRE(result["sets"][0]["problems"].size() == 1);
  CHECK(contains(result["sets"][0]["problems"][0]["problem"], "broken.jpg is a truncated or damaged JPEG"));
  CHECK(contains(result["sets"][0]["form"], "YOLO labels: images/ with labels/"));
  CHECK(result["leaks"] == 1);
  REQUIRE(result["byte_equal"].size() == 1);
  CHECK(result["byte_equal"][0]["same_boxes"] == false);
  REQUIRE(result["pixel_equal"].size() == 1);
  CHECK(result["pixel_equal"][0]["images"].size() == 3);
  // Ids follow the names: broken 1, copy 2, i100 3, i101 4, i102 5, i103 6, pixels 7.
  CHECK(result["groups"] == Json({{2, 3, 4, 7}}));
  std::set<std::pair<int, int>> pairs;
  for (const Json& overlap : result["overlaps"])
    if (overlap["second"]["set"] == "against") {
      CHECK(overlap["first"]["image_id"] == 5);
      CHECK(overlap["shift"] == Json({40, 0}));
    } else {
      pairs.emplace(overlap["first"]["image_id"], overlap["second"]["image_id"]);
    }
  // The first of equal files stands for all.
  CHECK(pairs.contains({2, 4}));
  const std::string page = tune::read_file(folder.path() / "pictures" / "index.html");
  for (const char* name : {"left-out-1.jpg", "bytes-1.jpg", "pixels-1.jpg", "overlap-1.jpg"}) {
    CHECK(contains(page, name));
    CHECK(images::decode(folder.path() / "pictures" / name).height == 96);
  }
  std::ostringstream out, err;
  cli::Console console{out, err};
  CHECK(message_of(ExitCode::kConflict, [&] {
          cli::run_audit({"--data", data.path().string(), "--output", (folder.path() / "pictures").string()},
                         console);
        }) != "");
}

TEST_CASE("an audit shows each image's name so that it is one name") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  const fs::path first = data.add(texture(1, 100), 0, 0);
  const std::vector<std::string> names{"a b", "a, b", "bad\xff", "bad\xfe", "cod\xE2\x80\xAEgpj"};
  for (const std::string& name : names) {
    fs::copy_file(first, data.path() / "images" / (name + ".jpg"));
    folder.write("data/labels/" + name + ".txt", "0 .5 .5 .2 .2\n");
  }
  std::ostringstream out, err;
  cli::Console console{out, err};
  CHECK(cli::run_audit({"--data", data.path().string()}, console) == 0);
  CHECK(
      contains(out.str(),
               "\n  - \"a b.jpg\", \"a, b.jpg\", bad\\xfe.jpg, bad\\xff.jpg, cod\\u202egpj.jpg, i100.jpg\n"));
  CHECK(contains(out.str(), ": 6 images, 6 objects\n"));
  const Json result = audit(std::vector<std::string>{"--data", data.path().string()});
  REQUIRE(result["byte_equal"].size() == 1);
  CHECK(contains(result["byte_equal"][0]["images"][2]["image"], "/bad\\xfe.jpg"));
  CHECK(contains(result["byte_equal"][0]["images"][3]["image"], "/bad\\xff.jpg"));
}

TEST_CASE("an audit of one part reads on where annotations are wrong") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  for (std::uint64_t seed = 1; seed <= 5; ++seed) data.add(texture(seed, 100), 0, 0);
  data.add(texture(6, 100), 0, 0, "0 .5 .5 -.1 .2\n");
  const Json result = audit({"--data", data.path().string(), "--split",
                             R"({"fractions": [0.4, 0.3, 0.3], "grouping": "content"})", "--part", "test"});
  INFO(result.dump(1));
  CHECK(result["sets"][0]["images"] < 6);
  REQUIRE(result["sets"][0]["problems"].size() == 1);
  CHECK(contains(result["sets"][0]["problems"][0]["problem"], "i105.txt, line 1"));
}

TEST_CASE("an audit shows what it found before it fails, and fails on what it is told to") {
  const OwnCache cache;
  const TestFolder folder;
  const auto run = [](const std::vector<std::string>& arguments, std::string& printed) {
    std::ostringstream out, err;
    cli::Console console{out, err};
    int code = 0;
    const std::string failure =
        message_of(ExitCode::kBadData, [&] { code = cli::run_audit(arguments, console); });
    CHECK(code == 0);
    printed = out.str();
    return failure;
  };
  std::string printed;
  const fs::path file =
      folder.write("ids/annotations.json", R"({"images": [{"id": "a", "file_name": "1.jpg"}],
      "categories": [{"id": 1, "name": "pit"}], "annotations": []})");
  CHECK(contains(run({"--data", file.string()}, printed), "has no image that could be audited"));
  CHECK(contains(printed, "images[0]: \"id\" is missing or no integer"));
  CHECK(contains(run({"--data", file.string(), "--json"}, printed), "has no image that could be audited"));
  CHECK(contains(Json::parse(printed)["sets"][0]["problems"][0]["problem"], "images[0]"));
  CHECK(contains(Json::parse(printed)["failure"], "has no image that could be audited"));

  LabelledFolder data(folder, "set/train"), valid(folder, "set/valid");
  const fs::path seen = data.add(texture(1, 100), 0, 0);
  data.add(texture(2, 100), 0, 0);
  valid.add(texture(3, 100), 0, 0, "0 .5 .5 0 .2\n");
  const std::string set = (folder.path() / "set").string();
  const auto with = [&](const std::string& findings) {
    return run({"--data", set, "--fail-on", findings}, printed);
  };
  CHECK(with("problems,duplicates,overlaps,leaks").empty());
  CHECK(contains(printed, "warnings: 1\n  - 1 box without area was left out: "));
  CHECK(contains(printed, "objects left out: 1"));
  CHECK(contains(printed, "parts: train (2), validation (1)"));
  CHECK(with("warnings") == "the audit found 1 warning");
  fs::copy_file(seen, valid.path() / "images" / "copy.jpg");
  CHECK(with("leaks,problems") == "the audit found 1 leak");
  CHECK(contains(printed, "leaks: 1 of these lies in both sets or in two parts of one"));
  CHECK(contains(printed, "equal files: 1\n  - train/images/i100.jpg, valid/images/copy.jpg"));
  // What cannot be compared any more is shown all the same.
  CHECK(contains(run({"--data", set, "--against", (folder.path() / "gone").string()}, printed),
                 "gone does not exist"));
  CHECK(contains(printed, "equal files: 1"));
  std::ostringstream out, err;
  cli::Console console{out, err};
  CHECK(contains(message_of(ExitCode::kUsage,
                            [&] {
                              cli::run_audit({"--data", set, "--fail-on", "leak"}, console);
                            }),
                 "--fail-on \"leak\" is nothing that an audit finds"));
  const std::string no_json = message_of(ExitCode::kUsage, [&] {
    cli::run_audit({"--data", set, "--split", "{", "--part", "test"}, console);
  });
  CHECK(no_json.starts_with("--split is not JSON: column 1: the text ends"));
  CHECK_FALSE(contains(no_json, "json.exception"));
}

TEST_CASE("a signal ends an audit and a score at once with 130 while they read") {
  const TestFolder folder;
  folder.write_image("a.png", 40, 30);
  std::string list;
  for (int i = 1; i <= 1'000'000; ++i)
    list += std::string(i == 1 ? "" : ",") +
            R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "id": )" + std::to_string(i) + "}";
  const std::string data = folder
                               .write("a.json", R"({"images": [{"id": 1, "file_name": "a.png"}],
    "categories": [{"id": 1, "name": "pit"}], "annotations": [)" +
                                                    list + "]}")
                               .string();
  for (const int signal : {SIGTERM, SIGINT})
    for (const char* command : {"audit", "score"}) {
      CAPTURE(signal, command);
      const auto begun = std::chrono::steady_clock::now();
      const pid_t child = fork();
      if (child == 0) {
        close(STDERR_FILENO);
        std::thread([signal] {
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
          kill(getpid(), signal);
        }).detach();
        std::ostringstream out, err;
        cli::Console console{out, err};
        if (command == std::string("audit")) cli::run_audit({"--data", data}, console);
        if (command == std::string("score"))
          cli::run_score({"--ground-truth", data, "--detections", data}, console);
        _exit(0);
      }
      int status = 0;
      REQUIRE(waitpid(child, &status, 0) == child);
      CHECK(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 130);
      CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(1));
    }
}

TEST_CASE("of many equal images a picture shows the first ones and counts the others") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  const fs::path first = data.add(texture(1, 100), 0, 0);
  for (int copy = 10; copy < 20; ++copy)
    fs::copy_file(first, data.path() / "images" / ("j" + std::to_string(copy) + ".jpg"));
  const Json result =
      audit({"--data", data.path().string(), "--output", (folder.path() / "pictures").string()});
  REQUIRE(result["byte_equal"].size() == 1);
  CHECK(result["byte_equal"][0]["images"].size() == 11);
  const images::Size size = images::read_size(folder.path() / "pictures" / "bytes-1.jpg");
  CHECK(size.width >= 8 * 96);
  CHECK(size.width < 9 * 96);
  const std::string page = tune::read_file(folder.path() / "pictures" / "index.html");
  CHECK(contains(page, "j16.jpg and 3 more"));
}

TEST_CASE("a folder for pictures that cannot be made is an error of the environment") {
  const TestFolder folder;
  const std::string name(300, 'x');
  CHECK(contains(
      message_of(ExitCode::kEnvironment, [&] { image_sets::make_picture_folder(folder.path() / name); }),
      "cannot use the folder"));
}
