#pragma once
// Names of metrics that have a meaning of their own, whoever prints them.

namespace tune {

// Metrics whose names begin so are bookkeeping: only their sums matter, to the bill, and they are left out of
// what people read about a trial's metrics. A trial that begins anew keeps what its earlier attempts said of
// them, and both values of a repeated step count.
inline constexpr const char* kBookkeeping = "seconds:";
// How many seconds of wall time a validation took.
inline constexpr const char* kValidationSeconds = "seconds:validation";

// As the second of two objectives: how many seconds a trial's attempts have held their devices in all. No
// program prints it.
inline constexpr const char* kDeviceSeconds = "device_seconds";

}  // namespace tune
