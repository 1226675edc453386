#pragma once
// Text of users, fit for the places of a page that it is put into. Control characters become spaces, bytes
// that are not UTF-8 the replacement character.
#include <string>
#include <string_view>

#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::report {

// For a line or a table cell of Markdown (CommonMark with GitHub's tables): shown as it is, never markup.
std::string markdown_escaped(std::string_view text);

// JSON that can stand inside a <script> element: no '<' leaves a string of it, so no tag can end the element.
std::string script_json(const Json& json);

}  // namespace tune::report
