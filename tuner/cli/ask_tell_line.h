#pragma once
// The lines of `tune ask-tell`: one JSON object in, one out.
#include <string>

#include "tuner/engine/ask_tell.h"

namespace tune::cli {

// The answer to a line, without its end. What is wrong with the line, or cannot be done, is an answer too;
// broken invariants are thrown.
std::string answer_line(engine::AskTell& session, const std::string& line);

}  // namespace tune::cli
