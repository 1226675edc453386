#pragma once
// What is done to images before a network sees them.
#include <array>
#include <string>

#include "trainer/images/image.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::data {

// What images must look like before they enter a network. Travels with the weights. Colours are red, green,
// blue: weights made for blue first are converted (their first layer's input channels exchanged), not the
// images.
struct Preprocessing {
  int size = 0;  // pixels of each side of the square input; of the shorter side where there is a `longest`
  // Per channel red, green, blue, of pixels scaled to [0, 1]: those of torchvision's ImageNet weights.
  std::array<double, 3> mean{0.485, 0.456, 0.406}, std{0.229, 0.224, 0.225};
  // 0: the image is stretched to the square. Else its shorter side is brought to so many pixels (at least
  // `size`), and the middle is cut out.
  int resize = 0;
  // Not 0: the image keeps its shape, its shorter side is brought to `size` pixels, or fewer where its longer
  // one would have more than this, and images of a batch are padded to one size.
  int longest = 0;
  images::Interpolation interpolation = images::Interpolation::kBilinear;  // antialiased
  bool operator==(const Preprocessing&) const = default;
};

OrderedJson to_json(const Preprocessing& preprocessing);
// `place` names the file in errors. Throws Error(kBadData). Files of versions that knew no `resize` are read
// as what they meant.
Preprocessing preprocessing_from_json(const Json& json, const std::string& place);

// What images become, but for their normalisation: "224x224 pixels, cut out of a shorter side of 256,
// bilinear".
std::string form_of(const Preprocessing& preprocessing);

// The size of an image with a `longest` side: as torchvision's GeneralizedRCNNTransform, in its arithmetic.
images::Size resized_within(images::Size size, const Preprocessing& preprocessing);
// The size at which such an image is kept: that, unless the image is smaller.
images::Size kept_size(images::Size size, const Preprocessing& preprocessing);
// The size of an image whose shorter side has `shorter` pixels: as torchvision's Resize, the longer one is
// rounded down.
images::Size resized_by_shorter_side(images::Size size, int shorter);
// The pixels that a network with this preprocessing is given of an image, of as many channels: stretched,
// resized by its shorter side with the middle cut out, or brought to kept_size(). As torchvision's
// Resize(antialias=True) and CenterCrop of a tensor of bytes, within one grey level.
images::Image input_pixels(const images::Image& image, const Preprocessing& preprocessing);
// The middle of an image at least that large, as torchvision's CenterCrop takes it (a half rounds to even).
images::Part centre_of(images::Size image, int size);

}  // namespace tune::trainer::data
