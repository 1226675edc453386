#pragma once
// What the store knows of the events that its callers record.

namespace tune::store {

// How the message of a notice begins that ends a run which pauses.
inline constexpr const char* kPausedNotice = "paused: ";

}  // namespace tune::store
