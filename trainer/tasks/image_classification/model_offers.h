#pragma once
// The commands that image classification offers for models and what they say, each in a file of its own.
#include "trainer/loop/task.h"

namespace tune::trainer::image_classification {

loop::Offer evaluate_offer();  // all numbers of a model on labelled images
loop::Offer predict_offer();   // what a model says of images, as a file
loop::Offer score_offer();     // such files against the truth

}  // namespace tune::trainer::image_classification
