#include "tuner/report/page/markup.h"

#include "tuner/report/page/escape.h"

namespace tune::report {
namespace {

std::string row_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += ' ' + markdown_escaped(cell) + " |";
  return line + '\n';
}

}  // namespace

std::string element(const std::string& name, const std::string& attributes, const std::string& content) {
  return '<' + name + (attributes.empty() ? "" : " ") + attributes + '>' + content + "</" + name + '>';
}

std::string attribute(const std::string& name, const std::string& value) {
  return name + "=\"" + html_escaped(value) + '"';
}

std::string markdown_table(const Table& table) {
  std::vector<std::string> titles;
  std::string rule = "|";
  for (const Column& column : table.columns) {
    titles.push_back(column.title);
    rule += column.align == Align::kRight ? " ---: |" : " --- |";
  }
  std::string text = row_line(titles) + rule + '\n';
  for (const auto& row : table.rows) text += row_line(row);
  return text;
}

std::string captioned(const std::string& caption, const std::string& content) {
  return (caption.empty() ? "" : "**" + markdown_escaped(caption) + "**\n\n") + content + '\n';
}

}  // namespace tune::report
