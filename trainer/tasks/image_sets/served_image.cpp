#include "trainer/tasks/image_sets/served_image.h"

#include <algorithm>
#include <cmath>

#include "trainer/images/decode_bytes.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_sets {
namespace {

// A picture of that many pixels takes 200 MB while it is decoded; cameras that make larger ones are rare.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;

images::Image decoded(const served::EncodedImage& image) {
  return images::decode_bytes({reinterpret_cast<const std::uint8_t*>(image.bytes.data()), image.bytes.size()},
                              "the image", kMostPixels);
}

images::Image copied(const served::RawPixels& raw) {
  const std::int64_t count = std::int64_t{raw.width} * raw.height;
  if (raw.width < 1 || raw.height < 1 || count > kMostPixels ||
      count * 3 != static_cast<std::int64_t>(raw.bytes.size()))
    throw Error(ExitCode::kBadData,
                "an image of " + std::to_string(raw.width) + "x" + std::to_string(raw.height) +
                    " pixels has " + std::to_string(raw.bytes.size()) + " values",
                "send height x width x 3 of them");
  return {raw.width, raw.height, 3, {raw.bytes.begin(), raw.bytes.end()}};
}

}  // namespace

std::unique_ptr<const served::Prepared> prepare_image(
    const served::Input& input, int size, const std::function<images::Image(const images::Image&)>& scaled) {
  auto prepared = std::make_unique<ServedImage>();
  const auto side = static_cast<std::size_t>(size);
  if (const auto* ready = std::get_if<served::NormalisedPixels>(&input)) {
    if (ready->values.size() != 3 * side * side)
      throw Error(ExitCode::kBadData,
                  "a normalised image has " + std::to_string(ready->values.size()) +
                      " numbers, and the model takes 3x" + std::to_string(size) + "x" + std::to_string(size),
                  "send an image, which is scaled here");
    if (!std::all_of(ready->values.begin(), ready->values.end(), [](float x) { return std::isfinite(x); }))
      throw Error(ExitCode::kBadData, "a normalised image has numbers that are not finite",
                  "send finite numbers");
    prepared->width = prepared->height = size;
    prepared->seen = {size, size};
    prepared->normalised.assign(ready->values.begin(), ready->values.end());
    return prepared;
  }
  images::Image image;
  if (const auto* encoded = std::get_if<served::EncodedImage>(&input))
    image = decoded(*encoded);
  else if (const auto* raw = std::get_if<served::RawPixels>(&input))
    image = copied(*raw);
  else
    throw Error(ExitCode::kBadData, "this model looks at images, and was sent a text", "send an image");
  prepared->width = image.width;
  prepared->height = image.height;
  const images::Image seen = scaled(images::narrow_if_grey(std::move(image)));
  prepared->seen = {seen.width, seen.height};
  prepared->pixels.resize(3 * static_cast<std::size_t>(seen.width) * static_cast<std::size_t>(seen.height));
  std::uint8_t* to = prepared->pixels.data();
  if (seen.channels == 3)
    std::copy(seen.pixels.begin(), seen.pixels.end(), to);
  else
    for (const std::uint8_t grey : seen.pixels) to = std::fill_n(to, 3, grey);
  return prepared;
}

const ServedImage& served_image(const served::Prepared& example) {
  return dynamic_cast<const ServedImage&>(example);
}

torch::Tensor network_input(const std::vector<const served::Prepared*>& examples,
                            const nn::Normaliser& normalise) {
  const auto count = static_cast<std::int64_t>(examples.size());
  int size = 1;
  for (const served::Prepared* example : examples) {
    const images::Size seen = served_image(*example).seen;
    size = std::max({size, seen.width, seen.height});
  }
  const torch::Tensor pixels = torch::zeros({count, size, size, 3}, torch::kByte);
  const std::size_t row = static_cast<std::size_t>(size) * 3;
  auto* to = pixels.data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const ServedImage& image = served_image(*examples[i]);
    if (!image.normalised.empty()) continue;
    const std::size_t bytes = static_cast<std::size_t>(image.seen.width) * 3;
    for (std::size_t y = 0; y < static_cast<std::size_t>(image.seen.height); ++y)
      std::copy_n(image.pixels.data() + y * bytes, bytes,
                  to + (i * static_cast<std::size_t>(size) + y) * row);
  }
  const torch::Tensor input = normalise(pixels);
  for (std::size_t i = 0; i < examples.size(); ++i)
    if (const ServedImage& image = served_image(*examples[i]); !image.normalised.empty())
      input[static_cast<std::int64_t>(i)]
          .narrow(1, 0, image.seen.height)
          .narrow(2, 0, image.seen.width)
          .copy_(torch::tensor(at::ArrayRef<float>(image.normalised))
                     .view({3, image.seen.height, image.seen.width}));
  return input;
}

std::unique_ptr<const served::Prepared> grey_square(int size) {
  auto square = std::make_unique<ServedImage>();
  square->width = square->height = size;
  square->seen = {size, size};
  const auto side = static_cast<std::size_t>(size);
  square->pixels.assign(side * side * 3, 128);
  return square;
}

}  // namespace tune::trainer::image_sets
