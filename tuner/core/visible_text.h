#pragma once
// Text of unknown origin made fit for a person to read, on a terminal or a page.
#include <cstddef>
#include <string>
#include <string_view>

#include "tuner/core/json.h"

namespace tune {

enum class LineBreaks { kEscape, kKeep };

// Controls and turns of direction as escapes such as \n or \u001b, and bytes that are not UTF-8 as \xff.
std::string visible_text(std::string_view text, LineBreaks breaks = LineBreaks::kEscape);

// The first `most` bytes, to a whole UTF-8 character, and "..." for the rest.
std::string shortened(std::string_view text, std::size_t most);

// Without control characters, each replaced by a space, and with turns of direction as escapes: one line that
// reads as it is written, and no terminal sequences.
std::string one_line(std::string_view text);
// One line in which bytes that are not UTF-8 are the replacement character.
std::string valid_line(std::string_view text);
// Such a line for the content of an HTML element and for an attribute in quotes.
std::string html_escaped(std::string_view text);

// In quotes, as JSON writes them; cut where it is long.
std::string in_quotes(std::string_view text);
// What a value is, for messages: "the text \"abc\"", "the number 3", "an object".
std::string describe_value(const OrderedJson& value);

}  // namespace tune
