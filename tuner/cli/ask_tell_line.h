#pragma once
// The lines of `tune ask-tell`: one JSON object in, one out.
#include <cstddef>
#include <string>

#include "tuner/engine/study/ask_tell.h"

namespace tune::cli {

// Longer lines are answered with an error. A caller need not keep more than one byte more of a line.
inline constexpr std::size_t kLongestLine = std::size_t{1} << 20;

// The answer to a line, without its end. What is wrong with the line, or cannot be done, is an answer too;
// broken invariants are thrown.
std::string answer_line(engine::AskTell& session, const std::string& line);

}  // namespace tune::cli
