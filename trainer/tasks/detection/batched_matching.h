#pragma once
// match() and encode_box() for a batch, in operations of a device.
#include "trainer/tasks/detection/matching.h"
#include "trainer/tasks/detection/ssd_loss.h"

namespace tune::trainer::detection {

// `objects` float [B, M, 4] and `categories` int64 [B, M], 0 where an image has fewer than M objects;
// `default_boxes` float [N, 4]; corners in fractions of the image. Takes M rounds over [B, M, N] and asks no
// tensor for a number, so Targets::most_in_an_image is left open.
Targets match_batch(const torch::Tensor& objects, const torch::Tensor& categories,
                    const torch::Tensor& default_boxes, Matching matching);

}  // namespace tune::trainer::detection
