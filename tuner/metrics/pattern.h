#pragma once
// How this project reads a regex: RE2's syntax and limits, with the named groups that other engines write.
#include <re2/re2.h>

#include <optional>
#include <string>

namespace tune::metrics {

// UTF-8, 1 MB of memory a pattern, nothing printed to stderr.
RE2::Options pattern_options();
// "(?<name>...)", the spelling of Perl, JavaScript and .NET, as RE2's "(?P<name>...)"; all else unchanged.
std::string with_re2_named_groups(const std::string& regex);

// The same regex with its first group for what the group leaves out of the numbers that programs print: nan
// and inf in their spellings. nullopt where the group takes them itself.
std::optional<std::string> with_group_for_non_finite(const std::string& regex);

}  // namespace tune::metrics
