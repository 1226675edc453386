#pragma once
// What a set of labelled images is known by in lineage and checkpoints.
#include <string>

#include "trainer/tasks/image_classification/data/dataset.h"

namespace tune::trainer::image_classification {

// SHA-256 over the classes and, in order, each example's file name, file content and labels: "sha256:...".
// The same images and labels give the same text whatever their folder and the form of the set, as long as
// their order is the same. Reads every image once. Throws Error(kBadData) for an image that cannot be read.
std::string fingerprint(const Dataset& dataset);

}  // namespace tune::trainer::image_classification
