#pragma once
// The commands that detection offers, each in a file of its own.
#include "trainer/loop/task.h"

namespace tune::trainer::detection {

loop::Offer evaluate_offer();  // COCO's numbers of a model on a data set, and which classes it mixes up
loop::Offer predict_offer();   // detections of a model in COCO's results format
loop::Offer score_offer();     // COCO's and VOC's numbers for anybody's detections
loop::Offer audit_offer();     // duplicates, overlapping crops, bad boxes

}  // namespace tune::trainer::detection
