#pragma once
// Labels that neighbours contradict, as one page with the pictures inside it.
#include <filesystem>

#include "trainer/tasks/image_classification/advice/report.h"

namespace tune::trainer::image_classification {

// Each doubtful image beside the nearest three of those that contradict it, the strongest doubts first.
// Throws Error(kEnvironment) where the file cannot be written.
void write_doubts_page(const AdvisedSet& advised, const std::filesystem::path& file);

}  // namespace tune::trainer::image_classification
