#pragma once
// Images of requests as a network takes them: what models on images share when they are served.
#include <functional>
#include <memory>
#include <span>

#include "trainer/data/preprocessing.h"
#include "trainer/images/image.h"
#include "trainer/nn/normaliser.h"
#include "trainer/served/served_model.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::image_sets {

// Bytes, or numbers that are normalised already. Immutable.
struct ServedImage final : served::Prepared {
  int width = 0, height = 0;         // of the image before it was scaled
  images::Size seen;                 // and after that
  std::vector<std::uint8_t> pixels;  // seen.height * seen.width * 3, red, green, blue innermost
  std::vector<float> normalised;     // else these: [3, seen.height, seen.width]
};

// `scaled` makes the pixels that the network looks at, of one channel or of three; the same ones as from a
// file. Numbers that are normalised already are a square of `size`. Throws Error(kBadData) for what is no
// image of that kind.
std::unique_ptr<const served::Prepared> prepare_image(
    const served::Input& input, int size, const std::function<images::Image(const images::Image&)>& scaled);

// float [B, 3, S, S] on the normaliser's device, S the longest side of all: each image is in the upper left.
// All of them are prepare_image()'s.
torch::Tensor network_input(const std::vector<const served::Prepared*>& examples,
                            const nn::Normaliser& normalise);

const ServedImage& served_image(const served::Prepared& example);

// A grey square of that size, for smoke tests.
std::unique_ptr<const served::Prepared> grey_square(int size);

}  // namespace tune::trainer::image_sets
