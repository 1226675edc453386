#pragma once
// The commands that language models have, each in NAME_offer.cpp.
#include "trainer/loop/task.h"

namespace tune::trainer::language_model {

loop::Offer evaluate_offer();
loop::Offer predict_offer();
loop::Offer score_offer();
loop::Offer export_offer();

}  // namespace tune::trainer::language_model
