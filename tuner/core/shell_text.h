#pragma once
// Command lines that a person may copy into a shell.
#include <string>
#include <vector>

namespace tune {

// The argument as a shell reads it back: in single quotes where it would see more than a word.
std::string shell_word(const std::string& argument);
// All of them, on one line where none of them holds a line's end.
std::string shell_text(const std::vector<std::string>& arguments);

}  // namespace tune
