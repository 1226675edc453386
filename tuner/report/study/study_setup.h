#pragma once
// What a study searched, on what, and where: the part of its document that was known before the first trial.
#include "tuner/report/study/study_document.h"

namespace tune::report {

Section setup_section(const StudyMaterial& material);

// "vm: 2 cores, 4 x NVIDIA A100 (driver 550.54)", one for each machine that has worked on the study.
std::vector<std::string> machine_lines(const store::StudyFacts& facts);

}  // namespace tune::report
