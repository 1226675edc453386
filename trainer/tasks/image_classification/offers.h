#pragma once
// The commands that image classification offers, each in a file of its own.
#include "trainer/loop/task.h"

namespace tune::trainer::image_classification {

loop::Offer evaluate_offer();  // all numbers of a model on labelled images
loop::Offer predict_offer();   // what a model says of images, as a file
loop::Offer score_offer();     // such files against the truth
loop::Offer advise_offer();    // what to train and to search, after a look at the images
loop::Offer audit_offer();     // duplicates, overlapping crops, classes that contradict each other

}  // namespace tune::trainer::image_classification
