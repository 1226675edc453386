// What augmentation does to pixels, each operation by itself.
#include "trainer/tasks/image_classification/data/augmentation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/catch.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tune::Rng;

namespace {

using Bytes = std::vector<std::uint8_t>;

images::Image random_image(int width, int height, int channels, std::uint64_t seed = 1) {
  Rng rng(seed);
  images::Image image{width, height, channels, {}};
  for (int i = 0; i < width * height * channels; ++i)
    image.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  return image;
}

// Slow waves, which survive being sampled.
images::Image smooth_image(int width, int height) {
  images::Image image{width, height, 3, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(
            static_cast<std::uint8_t>(128 + 50 * std::sin(x * .07 + c) + 50 * std::cos(y * .05 - c)));
  return image;
}

Bytes sampled(const Crop& crop, const images::Image& image, int size) {
  Bytes pixels(static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3);
  sample_crop(crop, image, size, pixels.data());
  return pixels;
}

int worst_difference(const Bytes& one, const Bytes& other) {
  REQUIRE(one.size() == other.size());
  int worst = 0;
  for (std::size_t i = 0; i < one.size(); ++i) worst = std::max(worst, std::abs(int{one[i]} - int{other[i]}));
  return worst;
}

Bytes changed(const ColourOperation& operation, Bytes pixels, int size) {
  apply(operation, {pixels, size});
  return pixels;
}

ColourOperation operation(ColourKind kind, double amount = 0) {
  ColourOperation made;
  made.kind = kind;
  made.amount = amount;
  return made;
}

data::Preprocessing preprocessing(int resize, int size) {
  data::Preprocessing made;
  made.resize = resize;
  made.size = size;
  return made;
}

}  // namespace

TEST_CASE("a whole picture at its own size comes back as it is, and grey as three equal channels") {
  const images::Image image = random_image(16, 16, 3), grey = random_image(16, 16, 1);
  const Crop whole{0, 0, 16, 16};
  CHECK(sampled(whole, image, 16) == image.pixels);
  const Bytes coloured = sampled(whole, grey, 16);
  for (std::size_t i = 0; i < grey.pixels.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c) REQUIRE(coloured[3 * i + c] == grey.pixels[i]);
}

TEST_CASE("a crop is what resizing the cut-out part gives, larger and smaller, within two grey levels") {
  const images::Image image = random_image(60, 50, 3);
  images::Image part{30, 40, 3, {}};
  for (int y = 0; y < 40; ++y)
    part.pixels.insert(part.pixels.end(), image.row(5 + y) + 3 * 12, image.row(5 + y) + 3 * 42);
  // Of the middle, since a crop looks at the pixels beyond its edges.
  for (const int size : {20, 64}) {
    const Bytes crop = sampled({12, 5, 30, 40}, image, size);
    const images::Image expected = images::resize(part, {size, size});
    const int edge = size / 8;
    int worst = 0;
    for (int y = edge; y < size - edge; ++y)
      for (int x = edge; x < size - edge; ++x)
        for (int c = 0; c < 3; ++c) {
          const auto at = static_cast<std::size_t>((y * size + x) * 3 + c);
          worst = std::max(worst, std::abs(int{crop[at]} - int{expected.pixels[at]}));
        }
    CAPTURE(size);
    CHECK(worst <= 2);
  }
}

TEST_CASE("flips reverse rows and columns") {
  const images::Image image = random_image(24, 24, 3);
  const Bytes plain = sampled({0, 0, 24, 24}, image, 24), mirrored = sampled({0, 0, 24, 24, true}, image, 24),
              turned = sampled({0, 0, 24, 24, true, true}, image, 24);
  for (std::size_t y = 0; y < 24; ++y)
    for (std::size_t x = 0; x < 24; ++x) {
      REQUIRE(mirrored[(y * 24 + x) * 3] == plain[(y * 24 + 23 - x) * 3]);
      REQUIRE(turned[(y * 24 + x) * 3 + 1] == plain[((23 - y) * 24 + 23 - x) * 3 + 1]);
    }
}

TEST_CASE("a turn by 90 degrees exchanges rows and columns, and two bends are one after the other") {
  const images::Image image = random_image(20, 20, 3);
  Crop crop{0, 0, 20, 20};
  const Bytes plain = sampled(crop, image, 20);
  crop.bend = turned_by(90);
  const Bytes turned = sampled(crop, image, 20);
  for (std::size_t y = 0; y < 20; ++y)
    for (std::size_t x = 0; x < 20; ++x)
      REQUIRE(std::abs(int{turned[(y * 20 + x) * 3]} - int{plain[(x * 20 + 19 - y) * 3]}) <= 1);
  crop.bend = composed(turned_by(30), turned_by(60));
  CHECK(worst_difference(sampled(crop, image, 20), turned) <= 1);
  crop.bend = Bend{1, 0, 0.25, 0, 1, 0};  // a quarter of the width, from the right
  const Bytes shifted = sampled(crop, image, 20);
  CHECK(shifted[0] == plain[5 * 3]);
  CHECK(shifted[16 * 3] == plain[18 * 3]);  // beyond the edge the picture goes on mirrored: 21 is 18
}

TEST_CASE("a bend without an effect gives what sampling without one gives") {
  const images::Image image = smooth_image(70, 60);
  const Crop straight{10, 8, 40, 44, true, false};
  Crop bent = straight;
  bent.bend.c = 1e-9;
  CHECK(worst_difference(sampled(straight, image, 48), sampled(bent, image, 48)) <= 2);
}

TEST_CASE("brightness and contrast are affine in each value, and contrast keeps the mean grey") {
  ColourOperation jitter;
  const Bytes pixels{0, 0, 0, 200, 200, 200, 100, 100, 100, 100, 100, 100};  // mean grey 100
  jitter.brightness = 1.2;
  CHECK(changed(jitter, pixels, 2) == Bytes{0, 0, 0, 240, 240, 240, 120, 120, 120, 120, 120, 120});
  jitter.brightness = 1;
  jitter.contrast = 0.5;
  CHECK(changed(jitter, pixels, 2) == Bytes{50, 50, 50, 150, 150, 150, 100, 100, 100, 100, 100, 100});
  jitter.contrast = 3;
  CHECK(changed(jitter, pixels, 2) == Bytes{0, 0, 0, 255, 255, 255, 100, 100, 100, 100, 100, 100});
}

TEST_CASE("without saturation a picture is grey by its luminance, and a turn of the hue leaves grey alone") {
  ColourOperation jitter;
  jitter.saturation = 0;
  const Bytes colours{255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30};
  CHECK(changed(jitter, colours, 2) == Bytes{76, 76, 76, 150, 150, 150, 29, 29, 29, 18, 18, 18});
  jitter.saturation = 1;
  jitter.hue = 0.3;
  const Bytes greys{7, 7, 7, 90, 90, 90, 180, 180, 180, 255, 255, 255};
  CHECK(changed(jitter, greys, 2) == greys);
  CHECK(worst_difference(changed(jitter, colours, 2), colours) > 60);
  jitter.hue = 1;  // a whole turn
  CHECK(worst_difference(changed(jitter, Bytes{90, 120, 60, 80, 90, 100, 40, 50, 60, 70, 70, 90}, 2),
                         Bytes{90, 120, 60, 80, 90, 100, 40, 50, 60, 70, 70, 90}) <= 1);
}

TEST_CASE("posterize, solarize, autocontrast and equalize do what their names say") {
  const Bytes pixels{0, 64, 255, 100, 127, 128, 31, 200, 1, 17, 80, 254};
  CHECK(changed(operation(ColourKind::kPosterize, 2), pixels, 2) ==
        Bytes{0, 64, 192, 64, 64, 128, 0, 192, 0, 0, 64, 192});
  CHECK(changed(operation(ColourKind::kSolarize, 128), pixels, 2) ==
        Bytes{0, 64, 0, 100, 127, 127, 31, 55, 1, 17, 80, 1});
  CHECK(changed(operation(ColourKind::kAutoContrast), {10, 5, 7, 20, 5, 7, 30, 5, 9, 60, 5, 8}, 2) ==
        Bytes{0, 5, 0, 51, 5, 0, 102, 5, 255, 255, 5, 127});
  // A channel of equal parts of four values is spread over all; one value stays.
  Bytes few;
  for (int i = 0; i < 32 * 32; ++i)
    for (const int value : {100 + i % 4, 50, 200 - i % 2}) few.push_back(static_cast<std::uint8_t>(value));
  const Bytes equal = changed(operation(ColourKind::kEqualize), few, 32);
  CHECK(equal[0] == 0);
  CHECK(equal[3] == 85);
  CHECK(equal[6] == 171);
  CHECK(equal[9] == 255);
  CHECK(equal[1] == 50);
}

TEST_CASE("sharpness 0 smooths, 1 leaves all, more exaggerates, and edges stay") {
  const images::Image image = random_image(9, 9, 3);
  CHECK(changed(operation(ColourKind::kSharpness, 1), image.pixels, 9) == image.pixels);
  Bytes dot(9 * 9 * 3, 0);
  dot[(4 * 9 + 4) * 3] = 130;
  const Bytes smooth = changed(operation(ColourKind::kSharpness, 0), dot, 9);
  CHECK(smooth[(4 * 9 + 4) * 3] == 50);
  CHECK(smooth[(3 * 9 + 4) * 3] == 10);
  CHECK(changed(operation(ColourKind::kSharpness, 1.5), dot, 9)[(4 * 9 + 4) * 3] == 170);
  const Bytes smoothed = changed(operation(ColourKind::kSharpness, 0), image.pixels, 9);
  CHECK(std::equal(smoothed.begin(), smoothed.begin() + 27, image.pixels.begin()));
}

TEST_CASE("random crops lie within the picture, with the asked share of it and sides not too unlike") {
  Augmentation augmentation;
  augmentation.min_crop_area = 0.4;
  Rng rng(3);
  std::vector<double> shares;
  int mirrored = 0;
  for (int i = 0; i < 2000; ++i) {
    const Crop crop = draw_look(augmentation, {320, 256}, preprocessing(256, 224), rng).crop;
    REQUIRE(crop.x >= 0);
    REQUIRE(crop.y >= 0);
    REQUIRE(crop.x + crop.width <= 320 + 1e-9);
    REQUIRE(crop.y + crop.height <= 256 + 1e-9);
    REQUIRE(std::abs(std::log(crop.width / crop.height)) <= std::log(4.0 / 3) + 1e-9);
    shares.push_back(crop.width * crop.height / (320 * 256));
    mirrored += crop.mirrored ? 1 : 0;
    REQUIRE_FALSE(crop.upside_down);
    REQUIRE(crop.bend == Bend{});
  }
  CHECK(*std::min_element(shares.begin(), shares.end()) >= 0.4 - 1e-9);
  CHECK(*std::min_element(shares.begin(), shares.end()) < 0.42);
  CHECK(*std::max_element(shares.begin(), shares.end()) > 0.9);
  CHECK(std::abs(mirrored - 1000) < 100);
}

TEST_CASE("a picture too long for any such crop is cut in its middle") {
  Rng rng(1);
  Augmentation augmentation;
  augmentation.min_crop_area = 1;
  const Crop crop = draw_look(augmentation, {1000, 100}, preprocessing(256, 224), rng).crop;
  CHECK(crop.width == Approx(400.0 / 3));
  CHECK(crop.x == Approx(500 - 200.0 / 3));
  CHECK(crop.height == 100);
}

TEST_CASE("without a random crop the part is that of evaluation, whatever else varies") {
  Augmentation augmentation;
  augmentation.random_crop = false;
  augmentation.rotation = 20;
  augmentation.color_jitter = 0.4;
  augmentation.random_erasing = 1;
  augmentation.vertical_flip = true;
  Rng rng(1);
  const Look look = draw_look(augmentation, {300, 200}, preprocessing(256, 224), rng);
  const double side = 200.0 * 224 / 256;
  CHECK(look.crop.width == Approx(side));
  CHECK(look.crop.height == Approx(side));
  CHECK(look.crop.x == Approx(150 - side / 2));
  CHECK_FALSE(look.crop.bend == Bend{});
  REQUIRE(look.colours.size() == 1);
  CHECK(look.colours[0].brightness != 1);
  REQUIRE(look.erased);
  const double area = (look.erased->x2 - look.erased->x1) * (look.erased->y2 - look.erased->y1);
  CHECK(area >= 0.015 * 224 * 224);
  CHECK(area <= 0.35 * 224 * 224);
}

TEST_CASE("RandAugment draws all of its operations, and none changes a picture at magnitude 0 but three") {
  Augmentation augmentation;
  augmentation.random_crop = augmentation.horizontal_flip = false;
  augmentation.randaugment = 2;
  augmentation.randaugment_magnitude = 15;
  Rng rng(5);
  std::array<int, 6> kinds{};
  int bent = 0;
  for (int i = 0; i < 500; ++i) {
    const Look look = draw_look(augmentation, {64, 64}, preprocessing(0, 64), rng);
    bent += look.crop.bend == Bend{} ? 0 : 1;
    REQUIRE(look.colours.size() <= 2);
    for (const ColourOperation& each : look.colours) ++kinds[static_cast<std::size_t>(each.kind)];
  }
  CHECK(bent > 150);
  for (const int count : kinds) CHECK(count > 30);

  // Autocontrast, equalize and solarize (from 255 on) have no strength.
  augmentation.randaugment_magnitude = 0;
  const images::Image image = smooth_image(64, 64);
  Bytes plain = sampled({0, 0, 64, 64}, image, 64), pixels(plain.size());
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    const Look look = draw_look(augmentation, {64, 64}, preprocessing(0, 64), rng);
    make_pixels(look, image, 64, {.5, .5, .5}, pixels.data());
    const bool is_free =
        std::none_of(look.colours.begin(), look.colours.end(), [](const ColourOperation& each) {
          return each.kind == ColourKind::kAutoContrast || each.kind == ColourKind::kEqualize;
        });
    if (is_free) CHECK(pixels == plain);
    same += pixels == plain ? 1 : 0;
  }
  CHECK(same > 50);
}

TEST_CASE("what is erased has the mean colour, and nothing else changes") {
  const images::Image image = random_image(40, 40, 3);
  Look look;
  look.crop = {0, 0, 40, 40};
  look.erased = Rectangle{5, 10, 15, 12};
  Bytes pixels(40 * 40 * 3);
  make_pixels(look, image, 40, {.2, .4, 1}, pixels.data());
  int others = 0;
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 40; ++x) {
      const auto at = static_cast<std::size_t>((y * 40 + x) * 3);
      if (x >= 5 && x < 15 && y >= 10 && y < 12)
        CHECK((pixels[at] == 51 && pixels[at + 1] == 102 && pixels[at + 2] == 255));
      else
        others += pixels[at] == image.pixels[at] ? 1 : 0;
    }
  CHECK(others == 40 * 40 - 20);
}
