#pragma once
// The commands that image classification offers, each in a file of its own.
#include "trainer/loop/task.h"

namespace tune::trainer::image_classification {

loop::Offer audit_offer();  // duplicates, overlapping crops, classes that contradict each other

}  // namespace tune::trainer::image_classification
