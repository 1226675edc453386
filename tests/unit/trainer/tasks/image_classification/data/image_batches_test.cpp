// Batches of pixels: the same whatever is kept in memory and whoever asks.
#include "trainer/tasks/image_classification/data/image_batches.h"

#include <thread>

#include "unit/trainer/photographs.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using namespace tune::trainer::tests;
using tune::ExitCode;

namespace {

using Indices = std::vector<std::int64_t>;

std::vector<fs::path> pictures(const TestFolder& folder) {
  std::vector<fs::path> files;
  for (int i = 0; i < 5; ++i)
    files.push_back(folder.write_image(std::to_string(i) + ".png", 60 + 20 * i, 90 - 10 * i));
  photograph(texture(1, 100), 0, 0, 80, 64, 1, folder.path() / "grey.jpg");
  files.push_back(folder.path() / "grey.jpg");
  return files;
}

data::Preprocessing preprocessing() {
  data::Preprocessing made;
  made.resize = 40;
  made.size = 32;
  return made;
}

Augmentation everything() {
  Augmentation augmentation;
  augmentation.rotation = 10;
  augmentation.color_jitter = augmentation.random_erasing = 0.5;
  augmentation.hue_jitter = 0.1;
  augmentation.randaugment = 1;
  return augmentation;
}

}  // namespace

TEST_CASE("without augmentation a batch has the pixels that evaluation asks for, in every epoch") {
  const TestFolder folder;
  const std::vector<fs::path> files = pictures(folder);
  const ImageBatches batches(files, preprocessing(), std::nullopt, 1, 2);
  CHECK(batches.kept() == 6);
  const Indices all{4, 0, 5};
  const std::vector<std::uint8_t> pixels = batches.pixels(all, 1);
  REQUIRE(pixels.size() == 3 * batches.bytes_per_image());
  CHECK(pixels == batches.pixels(all, 2));
  for (std::size_t i = 0; i < 2; ++i) {
    const images::Image expected =
        data::input_pixels(images::decode(files[static_cast<std::size_t>(all[i])]), preprocessing());
    CHECK(std::equal(expected.pixels.begin(), expected.pixels.end(),
                     pixels.begin() + static_cast<std::ptrdiff_t>(i * batches.bytes_per_image())));
  }
  const std::size_t grey = 2 * batches.bytes_per_image();
  CHECK(pixels[grey] == pixels[grey + 1]);
  CHECK(pixels[grey] == pixels[grey + 2]);
}

TEST_CASE("a varied picture depends on seed, epoch and example alone, not on what is kept or who asks") {
  const TestFolder folder;
  const std::vector<fs::path> files = pictures(folder);
  const ImageBatches kept(files, preprocessing(), everything(), 7, 2),
      decoding(files, preprocessing(), everything(), 7, 1, /*kept_bytes=*/0),
      some(files, preprocessing(), everything(), 7, 1, /*kept_bytes=*/9000),
      other(files, preprocessing(), everything(), 8, 1);
  CHECK(decoding.kept() == 0);
  CHECK(some.kept() > 0);
  CHECK(some.kept() < 6);
  const Indices all{0, 1, 2, 3, 4, 5};
  const std::vector<std::uint8_t> pixels = kept.pixels(all, 3);
  CHECK(pixels == kept.pixels(all, 3, /*threads=*/3));
  CHECK(pixels == decoding.pixels(all, 3));
  CHECK(pixels == some.pixels(all, 3));
  CHECK(pixels != kept.pixels(all, 4));
  CHECK(pixels != other.pixels(all, 3));
  const std::vector<std::uint8_t> alone = kept.pixels(Indices{2}, 3);
  CHECK(std::equal(alone.begin(), alone.end(),
                   pixels.begin() + static_cast<std::ptrdiff_t>(2 * kept.bytes_per_image())));
  std::vector<std::vector<std::uint8_t>> at_once(4);
  {
    std::vector<std::jthread> threads;
    for (auto& result : at_once) threads.emplace_back([&] { result = kept.pixels(all, 3); });
  }
  for (const auto& result : at_once) CHECK(result == pixels);
}

TEST_CASE("with nothing to vary a picture is what evaluation sees, within a few grey levels") {
  const TestFolder folder;
  const auto file = folder.path() / "a.jpg";
  photograph(texture(2, 120), 0, 0, 100, 90, 3, file);
  Augmentation nothing;
  nothing.random_crop = nothing.horizontal_flip = false;
  const ImageBatches varied({file}, preprocessing(), nothing, 1, 1),
      exact({file}, preprocessing(), std::nullopt, 1, 1);
  const std::vector<std::uint8_t> one = varied.pixels(Indices{0}, 1), other = exact.pixels(Indices{0}, 1);
  double sum = 0;
  for (std::size_t i = 0; i < one.size(); ++i) sum += std::abs(int{one[i]} - int{other[i]});
  CHECK(sum / static_cast<double>(one.size()) < 2);
}

TEST_CASE("pictures that cannot be decoded are named all at once, or when they are asked for") {
  const TestFolder folder;
  std::vector<fs::path> files = pictures(folder);
  const std::string whole = tune::read_file(files[1]);
  for (const char* name : {"x.png", "y.png"})
    files.push_back(folder.write(name, whole.substr(0, whole.size() / 2)));
  const std::string message =
      message_of(ExitCode::kBadData, [&] { ImageBatches(files, preprocessing(), everything(), 1, 2); });
  CHECK(contains(message, "images cannot be decoded: 2 problems"));
  CHECK(contains(message, "x.png is a truncated or damaged PNG"));
  std::rotate(files.begin(), files.begin() + 1, files.end());
  const ImageBatches none(files, preprocessing(), everything(), 1, 1, /*kept_bytes=*/0);
  CHECK(contains(message_of(ExitCode::kBadData, [&] { none.pixels(Indices{5, 6}, 1); }), "is a truncated"));
}
