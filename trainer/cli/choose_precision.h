#pragma once
// fp32 or bf16, for the commands that train.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "trainer/loop/device.h"
#include "trainer/loop/training.h"

namespace tune::trainer::cli {

// What `asked` says: "fp32", "bf16", or "auto". A run that goes on from `checkpoints` keeps the precision
// that it began with, whatever a new probe would say; else "auto" is a short probe of a task of `make`, which
// is then thrown away, and its figures, in that unit, go to `err`.
loop::Precision choose_precision(const std::string& asked,
                                 const std::optional<std::filesystem::path>& checkpoints,
                                 const std::function<std::unique_ptr<loop::Training>()>& make,
                                 const loop::Compute& compute, const std::string& unit, std::ostream& err);

}  // namespace tune::trainer::cli
