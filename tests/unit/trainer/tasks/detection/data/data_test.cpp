// Splitting, fingerprints, the cache and the making of batches.
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <new>
#include <set>

#include "support/sanitized.h"
#include "trainer/data/augment.h"
#include "trainer/data/image_cache.h"
#include "trainer/tasks/detection/data/batch_maker.h"
#include "trainer/tasks/detection/data/dataset_split.h"
#include "trainer/tasks/detection/data/fingerprint.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;

namespace {

GroundTruth box(float x1, float y1, float x2, float y2, int category = 1) {
  GroundTruth object;
  object.x1 = x1, object.y1 = y1, object.x2 = x2, object.y2 = y2;
  object.category = category;
  object.area = (x2 - x1) * (y2 - y1);
  return object;
}

Dataset of_categories(const std::vector<int>& categories) {
  Dataset dataset{{"a", "b", "c"}, {1, 2, 3}, {}, true, {}};
  for (const int category : categories) {
    Example example;
    example.image_id = static_cast<std::int64_t>(dataset.examples.size()) + 1;
    example.width = example.height = 10;
    if (category > 0) example.objects.push_back(box(0, 0, 5, 5, category));
    dataset.examples.push_back(example);
  }
  return dataset;
}

std::set<std::int64_t> ids(const Dataset& dataset) {
  std::set<std::int64_t> result;
  for (const Example& example : dataset.examples) result.insert(example.image_id);
  return result;
}

Dataset of_images(const TestFolder& folder, int count) {
  Dataset dataset{{"a"}, {1}, {}, true, {}};
  for (int i = 0; i < count; ++i) {
    Example example;
    example.image_id = i + 1;
    example.image = folder.write_image(std::to_string(i) + ".png", 40, 20);
    example.width = 40, example.height = 20;
    example.objects = {box(4, 4, 20, 10), box(30, 12, 40, 20)};
    dataset.examples.push_back(example);
  }
  return dataset;
}

// While it lives, this process may reserve only `more` bytes of addresses beyond what it has.
class AddressSpace {
 public:
  explicit AddressSpace(std::size_t more) {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    REQUIRE(statm >> pages);
    REQUIRE(getrlimit(RLIMIT_AS, &before_) == 0);
    const rlimit limit{pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + more, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
  }
  ~AddressSpace() { setrlimit(RLIMIT_AS, &before_); }
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

 private:
  rlimit before_{};
};

// A view of a square source of `size` pixels.
data::View whole(int size) {
  return {0, 0, static_cast<double>(size), static_cast<double>(size), false, false, 1, 1};
}

}  // namespace

TEST_CASE("a split keeps each class's share, is disjoint and complete, and depends on the seed alone") {
  std::vector<int> categories;
  for (int i = 0; i < 300; ++i) categories.push_back(i % 10 < 6 ? 1 : i % 10 < 9 ? 2 : 3);
  const Dataset dataset = of_categories(categories);
  const Split parts = split(dataset, {0.6, 0.2, 0.2, 5});
  std::map<int, int> of_class;
  for (const Example& example : parts.validation.examples) ++of_class[main_category(example)];
  CHECK(of_class == std::map<int, int>{{1, 36}, {2, 18}, {3, 6}});
  CHECK(parts.train.examples.size() == 180);
  CHECK(parts.test.examples.size() == 60);
  std::set<std::int64_t> all = ids(parts.train);
  all.merge(ids(parts.validation));
  all.merge(ids(parts.test));
  CHECK(all.size() == 300);
  CHECK(ids(split(dataset, {0.6, 0.2, 0.2, 5}).test) == ids(parts.test));
  CHECK(ids(split(dataset, {0.6, 0.2, 0.2, 6}).test) != ids(parts.test));
  CHECK(parts.validation.classes == dataset.classes);
  CHECK(std::is_sorted(parts.train.examples.begin(), parts.train.examples.end(),
                       [](const Example& a, const Example& b) { return a.image_id < b.image_id; }));
}

TEST_CASE("small classes do not starve the small parts of a split") {
  // Four classes (none counts as one) of two images each: a fifth is 1.6 images.
  const Split parts = split(of_categories({0, 0, 1, 1, 2, 2, 3, 3}), {0.8, 0.2, 0, 1});
  CHECK(parts.train.examples.size() == 6);
  CHECK(parts.validation.examples.size() == 2);
  const std::string message = message_of(ExitCode::kBadData, [] {
    split(of_categories({1, 2}), {0.8, 0.2, 0, 1});
  });
  CHECK(contains(message, "the validation set is empty: 0.2 of 2 images"));
}

TEST_CASE("a class that only other parts would show gives training an image, in exchange for one") {
  std::vector<int> categories(20, 1);
  for (const int rare : {2, 3, 4, 5, 6}) categories.push_back(rare);
  Dataset dataset = of_categories(categories);
  // A class that is nobody's main one.
  dataset.examples[7].objects = {box(0, 0, 9, 9, 1), box(0, 0, 9, 9, 1), box(0, 0, 5, 5, 7)};
  dataset.classes = {"a", "b", "c", "d", "e", "f", "g"};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const Split parts = split(dataset, {0.5, 0.5, 0, seed});
    CHECK(parts.train.examples.size() >= 12);
    CHECK(parts.train.examples.size() <= 13);
    std::set<int> trained;
    for (const Example& example : parts.train.examples)
      for (const GroundTruth& object : example.objects) trained.insert(object.category);
    CHECK(trained == std::set<int>{1, 2, 3, 4, 5, 6, 7});
    const Split grouped = split_by_groups(dataset, {0.5, 0.5, 0, seed}, {{0, 20}, {1, 21}, {2, 22}});
    std::set<int> in_groups;
    const std::set<std::int64_t> in_training = ids(grouped.train);
    for (const Example& example : grouped.train.examples)
      for (const GroundTruth& object : example.objects) in_groups.insert(object.category);
    CHECK(in_groups == std::set<int>{1, 2, 3, 4, 5, 6, 7});
    CHECK(in_training.contains(dataset.examples[0].image_id) ==
          in_training.contains(dataset.examples[20].image_id));
  }
}

TEST_CASE("an image's main class has most objects, then most area") {
  Example example;
  CHECK(main_category(example) == 0);
  example.objects = {box(0, 0, 9, 9, 1), box(0, 0, 1, 1, 2), box(0, 0, 1, 1, 2)};
  CHECK(main_category(example) == 2);
  example.objects.push_back(box(0, 0, 1, 1, 1));
  CHECK(main_category(example) == 1);
}

TEST_CASE("a split's keys are read, and wrong ones are refused by name") {
  const data::SplitFractions read =
      data::parse_split(Json::parse(R"({"fractions": [0.7, 0.2, 0.1], "seed": 9, "grouping": "image"})"));
  CHECK(read.train == 0.7);
  CHECK(read.test == 0.1);
  CHECK(read.seed == 9);
  CHECK(data::parse_split(Json::parse(R"({"fractions": [0.9, 0.1]})")).validation == 0.1);
  const auto refusal = [](const char* text) {
    return message_of(ExitCode::kBadSpec, [&] { data::parse_split(Json::parse(text)); });
  };
  CHECK(read.grouping == data::Grouping::kImage);
  CHECK(data::parse_split(Json::parse(R"({"grouping": "content"})")).grouping == data::Grouping::kContent);
  CHECK(contains(refusal(R"({"grouping": "surface"})"), "neither \"image\" nor \"content\""));
  CHECK(contains(refusal(R"({"fractions": [0.9, 0.2]})"), "add up to 1.1"));
  CHECK(contains(refusal(R"({"fractions": [1.2, -0.2]})"), "split.fractions[1]"));
  CHECK(contains(refusal(R"({"fractions": 0.8})"), "split.fractions"));
  CHECK(contains(refusal(R"({"fractions": [0, 1]})"), "nothing to train on"));
  CHECK(contains(refusal(R"({"fractions": [1, 0, 0]})"), "nothing to validate on"));
  CHECK(contains(refusal(R"({"seed": -1})"), "split.seed"));
  CHECK(contains(refusal(R"({"shuffle": true})"), "\"shuffle\""));
}

TEST_CASE("a fingerprint follows content and annotations, not the folder") {
  const TestFolder here, there;
  const Dataset dataset = of_images(here, 3);
  const std::string print = fingerprint(dataset);
  CHECK(print.size() == 7 + 64);
  CHECK(fingerprint(of_images(there, 3)) == print);
  Dataset moved = dataset;
  moved.examples[1].objects[0].x1 += 1;
  CHECK(fingerprint(moved) != print);
  std::string bytes = tune::read_file(here.path() / "2.png");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  here.write("2.png", bytes);
  CHECK(fingerprint(dataset) != print);
}

TEST_CASE("the cache decodes at one size with any number of threads") {
  const TestFolder folder;
  const Dataset dataset = of_images(folder, 9);
  const data::ImageCache one(files_of(dataset), 16, 1), four(files_of(dataset), 16, 4);
  REQUIRE(four.count() == 9);
  CHECK(four.channels(0) == 3);
  for (std::size_t i = 0; i < 9; ++i)
    CHECK(
        std::equal(one.pixels(i).begin(), one.pixels(i).end(), four.pixels(i).begin(), four.pixels(i).end()));
}

TEST_CASE("images that do not decode are all named") {
  const TestFolder folder;
  const Dataset dataset = of_images(folder, 4);
  for (const char* name : {"1.png", "3.png"})
    folder.write(name, tune::read_file(folder.path() / name).substr(0, 60));
  const std::string message =
      message_of(ExitCode::kBadData, [&] { data::ImageCache(files_of(dataset), 16, 2); });
  CHECK(contains(message, "2 problems"));
  CHECK(contains(message, (folder.path() / "1.png").string()));
  CHECK(contains(message, (folder.path() / "3.png").string()));
}

TEST_CASE("without augmentation a batch holds the cached pixels and the boxes scaled to them") {
  const TestFolder folder;
  const Dataset dataset = of_images(folder, 3);
  const data::ImageCache cache(files_of(dataset), 20, 1);
  const BatchMaker maker(dataset, cache, {}, 1);
  std::vector<std::uint8_t> pixels(2 * maker.bytes_per_image());
  std::vector<std::vector<GroundTruth>> boxes;
  maker.fill(1, std::vector<std::size_t>{2, 0}, pixels.data(), boxes);
  CHECK(std::equal(cache.pixels(2).begin(), cache.pixels(2).end(), pixels.begin()));
  REQUIRE(boxes.size() == 2);
  REQUIRE(boxes[0].size() == 2);
  CHECK(boxes[0][0].x1 == Approx(2));
  CHECK(boxes[0][0].x2 == Approx(10));
  CHECK(boxes[0][0].y2 == Approx(10));
  CHECK(boxes[0][0].area == Approx(8 * 6));
}

TEST_CASE("what an example looks like depends on seed, epoch and index, not on batch or threads") {
  const TestFolder folder;
  const Dataset dataset = of_images(folder, 6);
  const data::ImageCache cache(files_of(dataset), 24, 1);
  const data::Augmentation augmentation = data::Augmentation::for_training();
  const BatchMaker one(dataset, cache, augmentation, 3, 1), many(dataset, cache, augmentation, 3, 3);
  const std::vector<std::size_t> order{5, 1, 4, 0, 2, 3}, alone{4};
  std::vector<std::uint8_t> batch(6 * one.bytes_per_image()), threaded(batch.size()),
      single(one.bytes_per_image());
  std::vector<std::vector<GroundTruth>> batch_boxes, threaded_boxes, single_boxes;
  one.fill(2, order, batch.data(), batch_boxes);
  many.fill(2, order, threaded.data(), threaded_boxes);
  one.fill(2, alone, single.data(), single_boxes);
  CHECK(batch == threaded);
  CHECK(std::equal(single.begin(), single.end(),
                   batch.begin() + 2 * static_cast<std::ptrdiff_t>(single.size())));
  REQUIRE(batch_boxes[2].size() == single_boxes[0].size());
  for (std::size_t i = 0; i < single_boxes[0].size(); ++i)
    CHECK(batch_boxes[2][i].x1 == single_boxes[0][i].x1);
  one.fill(3, order, threaded.data(), threaded_boxes);
  CHECK(batch != threaded);
}

TEST_CASE("a batch without memory for it is an exception on every number of threads") {
  if (tune::tests::kSanitized)
    return;  // the sanitizer reserves addresses of its own, and ends the process without them
  const TestFolder folder;
  Dataset dataset = of_images(folder, 4);
  const data::ImageCache cache(files_of(dataset), 24, 1);
  const std::vector<std::size_t> order{0, 1, 2, 3};
  // More than malloc may have free from before, which the limit does not see.
  dataset.examples[3].objects.resize(std::size_t{1} << 22);
  for (const int threads : {1, 2}) {
    const BatchMaker maker(dataset, cache, {}, 3, threads);
    std::vector<std::uint8_t> batch(4 * maker.bytes_per_image());
    std::vector<std::vector<GroundTruth>> boxes;
    bool thrown = false;
    {
      const AddressSpace limit(dataset.examples[3].objects.size() * sizeof(GroundTruth) / 4);
      try {
        maker.fill(1, order, batch.data(), boxes);
      } catch (const std::bad_alloc&) {
        thrown = true;
      }
    }
    INFO(threads << " threads");
    CHECK(thrown);
  }
}

TEST_CASE("flips move pixels and boxes together") {
  const int size = 8;
  std::vector<std::uint8_t> source(64, 10);
  source[1 * 8 + 2] = 200;  // row 1, column 2
  data::View view = whole(size);
  view.mirrored = view.upside_down = true;
  std::vector<std::uint8_t> seen(64 * 3);
  data::view_pixels(view, source, 1, {size, size}, size, /*mean=*/0, seen.data());
  CHECK(seen[(6 * 8 + 5) * 3] == 200);
  CHECK(std::count(seen.begin(), seen.end(), std::uint8_t{200}) == 3);
  const std::vector<GroundTruth> objects{box(2, 1, 3, 2)};
  const std::vector<GroundTruth> moved = view_objects(view, objects, {size, size}, 0.3);
  REQUIRE(moved.size() == 1);
  CHECK(moved[0].x1 == 5);
  CHECK(moved[0].x2 == 6);
  CHECK(moved[0].y1 == 6);
  CHECK(moved[0].y2 == 7);
}

TEST_CASE("a crop enlarges pixels and boxes, clips what it cuts and drops what it hardly shows") {
  const int size = 8;
  std::vector<std::uint8_t> source;
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) source.push_back(static_cast<std::uint8_t>(10 * x));
  data::View view = whole(size);
  view.x = 2, view.y = 0, view.width = 4, view.height = 4;
  std::vector<std::uint8_t> seen(64 * 3);
  data::view_pixels(view, source, 1, {size, size}, size, /*mean=*/0, seen.data());
  CHECK(seen[0] == 18);      // source 1.75: the pixel centre of an output pixel half as wide
  CHECK(seen[7 * 3] == 53);  // source 5.25, rounded half up
  const std::vector<GroundTruth> objects{box(1, 1, 5, 3), box(5, 0, 8, 4), box(6, 6, 8, 8)};
  const std::vector<GroundTruth> shown = view_objects(view, objects, {size, size}, 0.5);
  REQUIRE(shown.size() == 1);  // of the second a third is left, of the third nothing
  CHECK(shown[0].x1 == 0);
  CHECK(shown[0].x2 == 6);
  CHECK(shown[0].y1 == 2);
  CHECK(shown[0].area == 6 * 4);
}

TEST_CASE("objects smaller than a pixel are kept, but not the slivers that a crop leaves of larger ones") {
  const int size = 8;
  const std::vector<GroundTruth> objects{box(3, 3, 3.25F, 3.5F), box(0, 2, 4.5F, 6),
                                         box(7.75F, 0, 8.000001F, 4)};
  CHECK(view_objects(whole(size), objects, {size, size}, 0.3).size() == 3);
  data::View view = whole(size);
  view.x = 4, view.y = 0, view.width = 4, view.height = 4;
  // The second is 0.5 pixels wide there, which the crop makes 1; in one of the full size it stays below.
  CHECK(view_objects(view, objects, {size, size}, 0.01).size() == 2);
  view.width = view.height = 8;
  const std::vector<GroundTruth> left = view_objects(view, objects, {size, size}, 0.01);
  REQUIRE(left.size() == 1);
  CHECK(left[0].x1 == 3.75F);
}

TEST_CASE("no crop of an image with objects loses them all, and every box stays inside") {
  data::Augmentation augmentation = data::Augmentation::for_training();
  augmentation.zoom_crop = 1;
  const std::vector<GroundTruth> objects{box(0, 0, 6, 6), box(50, 50, 60, 64)};
  int cropped = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    tune::Rng rng(1, i);
    const data::View view = data::draw_view(augmentation, {64, 64}, rng, [&](const data::View& crop) {
      return objects.empty() || !view_objects(crop, objects, {64, 64}, augmentation.min_visible).empty();
    });
    cropped += view.width < 64 || view.height < 64;
    if (view.width < 64) CHECK(view.width * view.height >= 0.5 * 64 * 64 - 1e-6);
    const std::vector<GroundTruth> shown = view_objects(view, objects, {64, 64}, augmentation.min_visible);
    CHECK_FALSE(shown.empty());
    for (const GroundTruth& object : shown) {
      CHECK(object.x1 >= 0);
      CHECK(object.x1 < object.x2);
      CHECK(object.x2 <= 64);
      CHECK(object.y2 <= 64);
    }
  }
  CHECK(cropped > 200);
}
