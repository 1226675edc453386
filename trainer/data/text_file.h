#pragma once
// Files that people and their tools wrote, as text: one place for all that editors, systems and years add to
// it.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"

namespace tune::trainer::data {

// The file as UTF-8 without a byte order mark. UTF-16 and UTF-32 are converted where a mark says so; what has
// no mark comes as it is. Throws Error(kBadData) naming the file: missing, no regular file (a FIFO or a
// device is never opened), unreadable.
std::string read_text(const std::filesystem::path& file);

// The same for XML, whose declaration may name any encoding that iconv(3) knows. The text is UTF-8, whatever
// its declaration goes on saying.
std::string read_xml(const std::filesystem::path& file);

// The file as JSON; the values of keys of the name `passed_over` come as null. Throws Error(kBadData) with
// line and column, for a key that is twice in one object too.
Json read_json(const std::filesystem::path& file, std::string_view passed_over = {});
// That error, for a fault of the file's text.
Error not_json(const std::filesystem::path& file, const JsonFault& fault);

// Without white space at both ends.
std::string trimmed(std::string_view text);
// Ends of lines in all their forms: "\n", "\r\n", "\r". The lines are not trimmed.
std::vector<std::string> lines_of(std::string_view text);
// What white space separates.
std::vector<std::string> words_of(std::string_view line);

// A path as Windows writes it, with slashes.
std::string with_slashes(std::string path);

// JSON and most tools hold nothing else.
bool is_utf8(std::string_view text);
// The byte at which a text stops being UTF-8; its size where it is UTF-8 to the end.
std::size_t end_of_utf8(std::string_view text);

}  // namespace tune::trainer::data
