#pragma once
// Whether a metric's regex can be used. Defined in pattern.cpp, beside what is known of patterns; this header
// shows no RE2.
#include <optional>
#include <string>

#include "tuner/core/regex_objection.h"

namespace tune::metrics {

inline constexpr std::size_t kPatternLimit = 1024;  // bytes of a regex

// Why a metric's regex cannot be used (no group, syntax, too long, look-around), with a cure; nullopt if it
// can.
std::optional<RegexObjection> regex_objection(const std::string& regex);

}  // namespace tune::metrics
