#pragma once
// Pieces of HTML and Markdown that the blocks of a document are made of.
#include <string>
#include <string_view>

#include "tuner/report/text/table.h"

namespace tune::report {

// <name attributes>content</name>; the content is HTML already.
std::string element(const std::string& name, const std::string& attributes, const std::string& content);
std::string attribute(const std::string& name, const std::string& value);  // name="value", escaped

std::string markdown_table(const Table& table);
std::string captioned(const std::string& caption, const std::string& content);  // of Markdown

}  // namespace tune::report
