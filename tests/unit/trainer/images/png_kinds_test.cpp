// Every bit depth and colour type of PNG through the one decoder.
#include "unit/trainer/images/png_file.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::images;
using tests::PngColour;
using tests::PngFile;
using tests::TestFolder;

namespace {

struct Kind {
  PngColour colour;
  std::vector<int> depths;
};

const std::vector<Kind> kKinds{{PngColour::kGrey, {1, 2, 4, 8, 16}},
                               {PngColour::kRgb, {8, 16}},
                               {PngColour::kPalette, {1, 2, 4, 8}},
                               {PngColour::kGreyAlpha, {8, 16}},
                               {PngColour::kRgba, {8, 16}}};

PngFile picture(PngColour colour, int depth, bool interlaced) {
  PngFile png{13, 11, depth, colour, interlaced, {}, {}};
  const int most = (1 << depth) - 1;
  png.sample = [most](int x, int y, int channel) {
    return (x * 7919 + y * 104729 + channel * 31) % (most + 1);
  };
  if (colour == PngColour::kPalette)
    for (int i = 0; i <= most; ++i)
      png.palette.push_back({static_cast<std::uint8_t>(255 - i), static_cast<std::uint8_t>(i * 5),
                             static_cast<std::uint8_t>(i * 11)});
  return png;
}

// What a viewer shows of a sample, in 8 bits: value / (2^depth - 1) * 255, rounded.
int shown(const PngFile& png, int x, int y, int channel) {
  if (png.colour == PngColour::kPalette)
    return png.palette[static_cast<std::size_t>(png.sample(x, y, 0))][static_cast<std::size_t>(channel)];
  const bool grey = png.colour == PngColour::kGrey || png.colour == PngColour::kGreyAlpha;
  const double most = (1 << png.depth) - 1;
  return static_cast<int>(png.sample(x, y, grey ? 0 : channel) / most * 255 + 0.5);
}

}  // namespace

TEST_CASE(
    "a PNG of any bit depth and colour type, interlaced or not, becomes its 8-bit colours without alpha") {
  const TestFolder folder;
  for (const Kind& kind : kKinds)
    for (const int depth : kind.depths)
      for (const bool interlaced : {false, true}) {
        const PngFile png = picture(kind.colour, depth, interlaced);
        const auto file = folder.write("a.png", tests::encode(png));
        INFO("colour type " << static_cast<int>(kind.colour) << ", " << depth << " bits, interlaced "
                            << interlaced);
        CHECK(read_size(file).width == 13);
        const Image image = decode(file);
        REQUIRE(image.channels == 3);
        REQUIRE(image.height == 11);
        int differing = 0;
        for (int y = 0; y < image.height; ++y)
          for (int x = 0; x < image.width; ++x)
            for (int c = 0; c < 3; ++c) differing += image.row(y)[3 * x + c] != shown(png, x, y, c) ? 1 : 0;
        CHECK(differing == 0);
      }
}
