#pragma once

namespace tune {

// The boot of an attempt that is a job of a cluster, as the store has it: no machine's. Whoever waits for a
// machine, or pays for one, tells such attempts by it.
inline constexpr const char* kSlurmBoot = "slurm";

}  // namespace tune
