#pragma once
// A command line as it is typed, cut into arguments.
#include <string>
#include <vector>

namespace tune::amt {

// As a shell cuts it: at blanks, with '...', "..." and \. Throws Error(kUsage) for a quote that is not
// closed, and for what only a shell would do, such as pipes and variables.
std::vector<std::string> command_words(const std::string& text);

}  // namespace tune::amt
