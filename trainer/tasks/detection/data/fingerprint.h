#pragma once
// What a data set is known by in lineage and checkpoints.
#include <string>

#include "trainer/tasks/detection/data/dataset.h"

namespace tune::trainer::detection {

// SHA-256 over the classes and, in order, each example's id, file name, file content and objects:
// "sha256:...". The same images and annotations give the same text whatever their folder and annotation
// format. Reads every image once. Throws Error(kBadData) for an image that cannot be read.
std::string fingerprint(const Dataset& dataset);

}  // namespace tune::trainer::detection
