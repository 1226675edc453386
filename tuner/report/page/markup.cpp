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

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
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
