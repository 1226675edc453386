#pragma once
// A terminal as small as the live display needs: text, CR, LF, cursor up, erasing, colours, wrapping,
// resizing.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"

namespace tune::cli {

class SmallTerminal {
 public:
  explicit SmallTerminal(std::size_t columns) : columns_(columns) {}

  void write(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto byte = static_cast<unsigned char>(bytes[i]);
      if (byte == 0x1B) {
        i = escape(bytes, i);
      } else if (byte == '\r') {
        column_ = 0;
      } else if (byte == '\n') {
        ++row_;
        column_ = 0;
        line();
      } else if ((byte & 0xC0u) == 0x80u) {
        continue;  // the rest of a character that has its cell
      } else {
        put(byte < 0x80 ? bytes[i] : '?');
      }
    }
  }

  // What a terminal does when it becomes narrower: lines that are too long are wrapped, the cursor stays on
  // its text.
  void resize(std::size_t columns) {
    std::vector<std::string> wrapped;
    std::size_t cursor = 0;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      if (r == row_) cursor = wrapped.size();
      std::string text = rows_[r];
      do {
        wrapped.push_back(text.substr(0, columns));
        text.erase(0, columns);
      } while (!text.empty());
    }
    rows_ = std::move(wrapped);
    row_ = cursor;
    columns_ = columns;
  }

  // The lines with text, trailing spaces and trailing empty lines left out.
  std::vector<std::string> screen() const {
    std::vector<std::string> lines = rows_;
    for (std::string& text : lines) text.erase(text.find_last_not_of(' ') + 1);
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
  }

 private:
  std::string& line() {
    if (rows_.size() <= row_) rows_.resize(row_ + 1);
    return rows_[row_];
  }
  void put(char c) {
    if (column_ == columns_) ++row_, column_ = 0;
    std::string& text = line();
    if (text.size() <= column_) text.resize(column_ + 1, ' ');
    text[column_++] = c;
  }
  std::size_t escape(std::string_view bytes, std::size_t at) {
    TUNE_CHECK(bytes.substr(at).starts_with("\x1b["));
    std::size_t end = at + 2;
    while ((bytes[end] >= '0' && bytes[end] <= '9') || bytes[end] == ';') ++end;
    const std::string number(bytes.substr(at + 2, end - at - 2));
    switch (bytes[end]) {
      case 'A':
        row_ -= std::min<std::size_t>(row_, static_cast<std::size_t>(std::stoi(number)));
        break;
      case 'K':
        line().resize(std::min(line().size(), column_));
        break;
      case 'J':
        line().resize(std::min(line().size(), column_));
        rows_.resize(row_ + 1);
        break;
      case 'm':
        break;
      default:
        TUNE_CHECK(false, "a sequence that this terminal does not know");
    }
    return end;
  }

  std::size_t columns_, row_ = 0, column_ = 0;
  std::vector<std::string> rows_{1};
};

}  // namespace tune::cli
