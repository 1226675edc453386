#pragma once
// Object detection as a row of the task table.
#include "trainer/loop/task.h"

namespace tune::trainer::detection {

const loop::Task& detection_task();

// The commands that it offers, each in a file of its own.
loop::Offer evaluate_offer();  // COCO's numbers of a model on a data set, and which classes it mixes up
loop::Offer predict_offer();   // detections of a model in COCO's results format
loop::Offer score_offer();     // COCO's and VOC's numbers for anybody's detections
loop::Offer audit_offer();     // duplicates, overlapping crops, bad boxes

}  // namespace tune::trainer::detection
