#pragma once
// The commands that text classification offers, each in a file of its own.
#include "trainer/loop/task.h"

namespace tune::trainer::text_classification {

loop::Offer evaluate_offer();  // all numbers of a model on labelled texts
loop::Offer predict_offer();   // what a model says of texts, as a file
loop::Offer score_offer();     // such files against the truth

}  // namespace tune::trainer::text_classification
