#pragma once
// Detections drawn on their images, for people.
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/images/draw.h"
#include "trainer/metrics/confusion.h"
#include "trainer/tasks/detection/data/dataset.h"

namespace tune::trainer::detection {

// Classes (from 1) take in turn six colours that most kinds of colour blindness tell apart.
images::Colour class_colour(int category);

// As the confusion of classes counts them: below, nobody would call it a detection.
inline constexpr double kPicturedScore = metrics::kConfusionScore;

// Each image of `dataset` with its detections of at least that score, best first in the caption, and an
// index.html. The folder is there and empty. Gives the number of pictures.
std::size_t draw_detections(const std::filesystem::path& folder, const Dataset& dataset,
                            const std::vector<std::string>& classes,
                            const std::vector<metrics::DetectedBox>& detections);

}  // namespace tune::trainer::detection
