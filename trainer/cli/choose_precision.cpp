#include "trainer/cli/choose_precision.h"

#include <ostream>

#include "trainer/loop/checkpoint.h"
#include "trainer/loop/probe.h"
#include "trainer/loop/stop_signal.h"

namespace tune::trainer::cli {
namespace {

constexpr double kProbeSeconds = 2;

loop::Precision precision_of(const std::string& name) {
  return name == "bf16" ? loop::Precision::kBf16 : loop::Precision::kFp32;
}

}  // namespace

loop::Precision choose_precision(const std::string& asked,
                                 const std::optional<std::filesystem::path>& checkpoints,
                                 const std::function<std::unique_ptr<loop::Training>()>& make,
                                 const loop::Compute& compute, const std::string& unit, std::ostream& err) {
  if (asked != "auto") return precision_of(asked);
  if (checkpoints) {
    std::vector<std::string> notes;
    if (const auto checkpoint = loop::CheckpointStore(*checkpoints).load_newest(notes))
      return precision_of(checkpoint->precision);
  }
  const loop::ProbeResult result = loop::probe(*make(), compute, kProbeSeconds, loop::stop_requested);
  err << "precision: " << loop::precision_name(result.precision) << ", by a short probe";
  for (const loop::ProbeCandidate& candidate : result.candidates)
    err << "; " << loop::precision_name(candidate.precision) << ' ' << candidate.units_per_second << ' '
        << unit << "/s";
  err << std::endl;
  return result.precision;
}

}  // namespace tune::trainer::cli
