// The search for overlapping crops, and what stands on it: the audit, splits by content, refused test sets.
#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>

#include "trainer/cli/commands.h"
#include "trainer/images/encode_jpeg.h"
#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/detection/overlap_search.h"
#include "trainer/tasks/detection/training_data.h"
#include "tuner/core/rng.h"
#include "unit/trainer/plain/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;
using tune::Rng;
namespace fs = std::filesystem;

namespace {

// Sends the cache into a folder of the test.
class OwnCache {
 public:
  OwnCache() { setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  ~OwnCache() { unsetenv("XDG_CACHE_HOME"); }
  OwnCache(const OwnCache&) = delete;
  OwnCache& operator=(const OwnCache&) = delete;
  fs::path folder() const { return folder_.path() / "tune"; }

 private:
  TestFolder folder_;
};

struct Surface {
  int side = 0;
  std::vector<double> grey;  // around 128
  double at(int x, int y) const { return grey[static_cast<std::size_t>(y * side + x)]; }
};

// Blots of two sizes over noise.
Surface texture(std::uint64_t seed, int side, double strength = 1) {
  Rng rng(seed);
  Surface surface{side, std::vector<double>(static_cast<std::size_t>(side * side), 128.0)};
  for (int blot = 0; blot < side * side / 40; ++blot) {
    const double x = rng.uniform() * side, y = rng.uniform() * side, size = blot % 4 == 0 ? 5 : 2,
                 height = strength * 18 * rng.normal();
    const int reach = static_cast<int>(3 * size);
    for (int v = std::max(0, static_cast<int>(y) - reach); v < std::min(side, static_cast<int>(y) + reach);
         ++v)
      for (int u = std::max(0, static_cast<int>(x) - reach); u < std::min(side, static_cast<int>(x) + reach);
           ++u)
        surface.grey[static_cast<std::size_t>(v * side + u)] +=
            height * std::exp(-((u - x) * (u - x) + (v - y) * (v - y)) / (2 * size * size));
  }
  return surface;
}

// A photograph of a part of the surface: gain, offset, noise of its own, JPEG.
void photograph(const Surface& surface, int x, int y, int width, int height, std::uint64_t seed,
                const fs::path& file, double gain = 1, double offset = 0) {
  Rng rng(seed, 99);
  std::vector<std::uint8_t> grey;
  for (int v = 0; v < height; ++v)
    for (int u = 0; u < width; ++u)
      grey.push_back(static_cast<std::uint8_t>(
          std::clamp(128 + gain * (surface.at(x + u, y + v) - 128) + offset + 3 * rng.normal(), 0.0, 255.0)));
  fs::create_directories(file.parent_path());
  images::write_grey_as_jpeg(file, grey, width, height, 88);
}

OverlapSearch search_of(const std::vector<fs::path>& images, std::ostream* notes = nullptr) {
  OverlapSearch search;
  search.images = images;
  search.threads = 2;
  search.notes = notes;
  return search;
}

// A data set of classes.txt and YOLO labels, one box an image; photographs are added to it.
class LabelledFolder {
 public:
  explicit LabelledFolder(const TestFolder& folder, const std::string& name) : path_(folder.path() / name) {
    folder.write(name + "/classes.txt", "pit\n");
    fs::create_directories(path_ / "labels");
  }
  fs::path add(const Surface& surface, int x, int y, const std::string& label = "0 .5 .5 .2 .2\n") {
    const std::string name = "i" + std::to_string(100 + count_++);
    photograph(surface, x, y, 96, 96, static_cast<std::uint64_t>(count_), path_ / "images" / (name + ".jpg"));
    tune::write_file_atomically(path_ / "labels" / (name + ".txt"), label);
    return path_ / "images" / (name + ".jpg");
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  int count_ = 0;
};

Json audit(std::vector<std::string> arguments) {
  std::ostringstream out, err;
  cli::Console console{out, err};
  arguments.push_back("--json");
  CHECK(cli::run_audit(arguments, console) == 0);
  return Json::parse(out.str());
}

}  // namespace

TEST_CASE("shifted crops of one surface are found with their shift, from a fifth of the area on") {
  const OwnCache cache;
  const TestFolder folder;
  struct Shift {
    int dx, dy;
  };
  // Shares of the area: 0.98, 0.8, 0.57, 0.41, 0.36, 0.3, 0.25, 0.23.
  const std::vector<Shift> shifts{{3, 1},     {-37, 5},  {11, -80}, {71, 73},
                                  {-127, -3}, {90, -90}, {0, 151},  {-104, 103}};
  std::vector<fs::path> files;
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    const Surface surface = texture(i + 1, 380);
    for (const bool moved : {false, true}) {
      files.push_back(folder.path() / (std::to_string(files.size()) + ".jpg"));
      photograph(surface, moved ? 170 + shifts[i].dx - 80 : 90, moved ? 170 + shifts[i].dy - 80 : 90, 200,
                 200, files.size(), files.back(), moved ? 0.8 : 1, moved ? 12 : 0);
    }
  }
  const std::vector<Overlap> found = find_overlaps(search_of(files));
  REQUIRE(found.size() == shifts.size());
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    INFO("shift " << shifts[i].dx << ", " << shifts[i].dy << ": correlation " << found[i].correlation
                  << ", coherence " << found[i].coherence);
    CHECK(found[i].first == 2 * i);
    CHECK(found[i].second == 2 * i + 1);
    CHECK(found[i].dx == shifts[i].dx);
    CHECK(found[i].dy == shifts[i].dy);
    CHECK(is_strong(found[i]));
    CHECK(found[i].share ==
          Approx((200 - std::abs(shifts[i].dx)) * (200 - std::abs(shifts[i].dy)) / 40000.0));
  }
}

TEST_CASE("surfaces whose lines look alike do not overlap") {
  const OwnCache cache;
  const TestFolder folder;
  std::vector<fs::path> files;
  Rng rng(7);
  for (std::uint64_t i = 0; i < 12; ++i) {
    Surface surface = texture(50 + i, 200, 0.35);
    for (int line = 0; line < 2; ++line) {
      const double at = 30 + 140 * rng.uniform(), tilt = 0.06 * rng.normal();
      for (int v = 0; v < 200; ++v)
        for (int u = 0; u < 200; ++u) {
          const int along = i % 2 == 0 ? v : u, across = i % 2 == 0 ? u : v;
          const double distance = across - at - tilt * (along - 100);
          surface.grey[static_cast<std::size_t>(v * 200 + u)] += 90 * std::exp(-distance * distance / 18);
        }
    }
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 0, 0, 200, 200, i, files.back());
  }
  CHECK(find_overlaps(search_of(files)).empty());
}

TEST_CASE("the same bold spot on smooth surfaces is no overlap") {
  const OwnCache cache;
  const TestFolder folder;
  std::vector<fs::path> files;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Surface surface = texture(70 + i, 128, 0.05);
    for (int v = 0; v < 128; ++v)
      for (int u = 0; u < 128; ++u) {
        const double x = u - 50 - 3.0 * static_cast<double>(i), y = v - 60.0;
        surface.grey[static_cast<std::size_t>(v * 128 + u)] -= 80 * std::exp(-(x * x / 60 + y * y / 300));
      }
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 0, 0, 128, 128, i, files.back());
  }
  CHECK(find_overlaps(search_of(files)).empty());
}

TEST_CASE("images of several sizes are compared too, and equal files and damaged ones need no comparison") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 300), other = texture(4, 300);
  std::vector<fs::path> files;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"})
    files.push_back(folder.path() / name);
  photograph(surface, 0, 0, 220, 160, 1, files[0]);
  photograph(surface, 60, 30, 130, 200, 2, files[1]);
  photograph(other, 0, 0, 200, 200, 3, files[2]);
  fs::copy_file(files[2], files[3]);
  folder.write("e.jpg", tune::read_file(files[0]).substr(0, 900));
  const std::vector<Overlap> found = find_overlaps(search_of(files));
  REQUIRE(found.size() == 2);
  CHECK(found[0].first == 0);
  CHECK(found[0].second == 1);
  CHECK(found[0].dx == 60);
  CHECK(found[0].dy == 30);
  CHECK(found[1].first == 2);
  CHECK(found[1].second == 3);
  CHECK(found[1].correlation == 1);
}

TEST_CASE("a result is kept under the images' contents, wherever they lie and in whatever order they come") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 200);
  const fs::path a = folder.path() / "a.jpg", b = folder.path() / "b.jpg",
                 moved = folder.path() / "moved.jpg";
  photograph(surface, 0, 0, 128, 128, 1, a);
  photograph(surface, 40, 20, 128, 128, 2, b);
  fs::copy_file(a, moved);
  std::ostringstream first, second, third;
  const std::vector<Overlap> computed = find_overlaps(search_of({a, b}, &first));
  REQUIRE(computed.size() == 1);
  CHECK(contains(first.str(), "comparing 2 images"));
  OverlapSearch again = search_of({b, moved}, &second);
  again.threads = 1;
  const std::vector<Overlap> kept = find_overlaps(again);
  CHECK(second.str().empty());
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].dx == -computed[0].dx);
  CHECK(kept[0].dy == -computed[0].dy);
  CHECK(kept[0].correlation == computed[0].correlation);
  for (const auto& entry : fs::directory_iterator(cache.folder()))
    if (entry.path().extension() == ".json")
      tune::write_file_atomically(entry.path(), "{\"overlaps\": [[1]]}");
  CHECK(find_overlaps(search_of({a, b}, &third)).size() == 1);
  CHECK(contains(third.str(), "comparing 2 images"));
}

TEST_CASE("between two sets only pairs of one image from each are looked at") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 260);
  std::vector<fs::path> files;
  for (int i = 0; i < 4; ++i) {
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 30 * i, 10 * i, 128, 128, static_cast<std::uint64_t>(i), files.back());
  }
  OverlapSearch search = search_of(files);
  search.sets = {0, 1, 0, 0};
  CHECK(pairs_to_compare(search) == 3);
  const std::vector<Overlap> found = find_overlaps(search);
  REQUIRE(found.size() == 3);
  for (const Overlap& overlap : found) CHECK((overlap.first == 1) != (overlap.second == 1));
}

TEST_CASE("a search that is interrupted says so and keeps nothing") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 200);
  std::vector<fs::path> files{folder.path() / "a.jpg", folder.path() / "b.jpg"};
  photograph(surface, 0, 0, 128, 128, 1, files[0]);
  photograph(surface, 40, 20, 128, 128, 2, files[1]);
  OverlapSearch search = search_of(files);
  search.interrupted = [] { return true; };
  CHECK(contains(message_of(ExitCode::kInterrupted, [&] { find_overlaps(search); }), "interrupted"));
  search.interrupted = nullptr;
  CHECK(find_overlaps(search).size() == 1);
}

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
  REQUIRE(result["sets"][0]["problems"].size() == 2);
  CHECK(contains(result["sets"][0]["problems"][0]["problem"], "i103.txt, line 2 (pit): the box"));
  CHECK(contains(result["sets"][0]["problems"][1]["problem"], "broken.jpg is a truncated or damaged JPEG"));
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
  // Of equal files the first stands for all.
  CHECK(pairs.contains({2, 4}));
  const std::string page = tune::read_file(folder.path() / "pictures" / "index.html");
  for (const char* name : {"problem-1.jpg", "bytes-1.jpg", "pixels-1.jpg", "overlap-1.jpg"}) {
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

TEST_CASE("a split by content keeps overlapping crops on one side and says so, and parts can be asked for") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data");
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Surface surface = texture(seed, 150);
    data.add(surface, 0, 0);
    data.add(surface, 31, 20);
  }
  std::ostringstream notes;
  const Json split{{"fractions", {0.5, 0.5}}, {"grouping", "content"}};
  const TrainingData cut =
      read_training_data({{"data", data.path().string()}, {"split", split}}, 2, notes, nullptr);
  CHECK(cut.split["may_leak"] == false);
  CHECK(cut.split["groups"] == 6);
  CHECK(cut.split["largest_group"] == 2);
  CHECK(cut.training.examples.size() == 6);
  for (const Example& example : cut.training.examples) {
    const std::int64_t partner = example.image_id % 2 == 0 ? example.image_id - 1 : example.image_id + 1;
    CHECK(std::any_of(cut.training.examples.begin(), cut.training.examples.end(),
                      [&](const Example& other) { return other.image_id == partner; }));
  }
  CHECK_FALSE(contains(notes.str(), "warning"));
  const Dataset part = read_part(data.path(), {Labels::kIgnored, {"other", "pit"}, nullptr},
                                 PartChoice{split, "validation"}, 2, notes, nullptr);
  REQUIRE(part.examples.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) CHECK(part.examples[i].image_id == cut.validation.examples[i].image_id);
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              read_part(data.path(), {}, PartChoice{split, "test"}, 2, notes, nullptr);
                            }),
                 "the test part"));

  const TrainingData by_image = read_training_data({{"data", data.path().string()}}, 2, notes, nullptr);
  CHECK(by_image.split["grouping"] == "image");
  CHECK(by_image.split["may_leak"] == true);
  CHECK(contains(notes.str(), "warning: the images are split one by one"));
}

TEST_CASE(
    "a test set of its own that shows training surfaces is refused by name, a validation set is marked") {
  const OwnCache cache;
  const TestFolder folder;
  LabelledFolder data(folder, "data"), test(folder, "test"), clean(folder, "clean");
  const Surface surface = texture(1, 150);
  for (std::uint64_t seed = 2; seed <= 5; ++seed) data.add(texture(seed, 100), 0, 0);
  data.add(surface, 0, 0);
  test.add(surface, 30, 25);
  clean.add(texture(9, 100), 0, 0);
  std::ostringstream notes;
  const Json trainer{{"data", data.path().string()}, {"test", test.path().string()}};
  const std::string refusal =
      message_of(ExitCode::kBadData, [&] { read_training_data(trainer, 1, notes, nullptr); });
  INFO(refusal);
  CHECK(contains(refusal, "i104.jpg and " + (test.path() / "images" / "i100.jpg").string() +
                              ", shifted by (30, 25) pixels"));
  const TrainingData marked = read_training_data(
      {{"data", data.path().string()}, {"validation", test.path().string()}, {"test", clean.path().string()}},
      1, notes, nullptr);
  CHECK(marked.split["may_leak"] == true);
  CHECK(marked.split["validation_overlaps"] == 1);
  CHECK(contains(notes.str(), "so the metrics may be too good"));
  const TrainingData apart = read_training_data(
      {{"data", data.path().string()}, {"validation", clean.path().string()}}, 1, notes, nullptr);
  CHECK(apart.split["may_leak"] == false);
}
