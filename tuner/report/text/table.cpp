#include "tuner/report/text/table.h"

#include <algorithm>
#include <numeric>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::report {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 8;  // a flexible column keeps at least this much

std::size_t total_width(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), std::size_t{0}) +
         kGap * (widths.empty() ? 0 : widths.size() - 1);
}

void shrink_flexible(const Table& table, std::size_t room, std::vector<std::size_t>& widths) {
  while (total_width(widths) > room) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      const bool shrinks = table.columns[i].flexible && widths[i] > kNarrowest;
      if (shrinks && (widest == widths.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == widths.size()) return;
    const std::size_t excess = total_width(widths) - room;
    widths[widest] -= std::min(excess, widths[widest] - kNarrowest);
  }
}

std::string padded(const std::string& cell, std::size_t width, Align align) {
  const std::string text = cut_to_width(cell, width);
  const std::string space(width - display_width(text), ' ');
  return align == Align::kRight ? space + text : text + space;
}

std::string line_of(const Table& table, const std::vector<std::string>& cells,
                    const std::vector<std::size_t>& widths, int width) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    line += padded(cells[i], widths[i], table.columns[i].align);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  if (width > 0) line = cut_to_width(line, static_cast<std::size_t>(width));
  return line + '\n';
}

// What a trainer printed stands in some cells, and the table may go to a terminal.
std::string csv_cell(const std::string& raw) {
  const std::string cell = visible_text(raw, LineBreaks::kKeep);
  if (cell.find_first_of("\",\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !continues_character(byte); }));
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t columns = 0, end = 0;
  for (; end < text.size(); ++end) {
    if (continues_character(text[end])) continue;
    if (columns == width - 1) break;
    ++columns;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string text_table(const Table& table, int width) {
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(one_line(column.title));
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> widths;
  for (const std::string& title : titles) widths.push_back(display_width(title));
  for (const auto& row : table.rows) {
    TUNE_CHECK(row.size() == titles.size());
    auto& clean = rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      clean.push_back(one_line(row[i]));
      widths[i] = std::max(widths[i], display_width(clean.back()));
    }
  }
  if (width > 0) shrink_flexible(table, static_cast<std::size_t>(width), widths);
  std::string text = line_of(table, titles, widths, width);
  for (const auto& row : rows) text += line_of(table, row, widths, width);
  return text;
}

std::string csv_table(const Table& table) {
  std::string text;
  const auto append = [&text](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? "," : "") + csv_cell(cells[i]);
    text += "\r\n";
  };
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  append(titles);
  for (const auto& row : table.rows) append(row);
  return text;
}

}  // namespace tune::report
