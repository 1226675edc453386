#pragma once
// Requests to a study that nobody runs at the moment: they are obeyed at once.
#include <filesystem>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Obeys all that waits in the study's inbox, and answers it. `spec` is the stored one. Throws
// Error(kConflict) when another process works on the study: that one reads its inbox itself, or will when its
// command is done; the store's own errors.
void obey_at_rest(const std::filesystem::path& store, const Spec& spec, const Clock& clock);

}  // namespace tune::engine
