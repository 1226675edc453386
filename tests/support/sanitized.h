#pragma once
// Whether this is a build with sanitizers: they slow a program up to ten times down, so there what repeats
// only for breadth repeats less. The release build's tests repeat in full.

namespace tune::tests {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace tune::tests
