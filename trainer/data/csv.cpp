#include "trainer/data/csv.h"

#include "trainer/data/text_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::data {
namespace {

// Reads one text from its beginning to its end; lives for one call.
class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& name, Around around)
      : text_(text), name_(name), around_(around) {}

  std::vector<CsvRecord> parse() {
    std::vector<CsvRecord> records;
    while (at_ < text_.size()) {
      CsvRecord record{line_, {}};
      do {
        record.cells.push_back(cell());
      } while (took_comma());
      take_end_of_line();
      if (record.cells.size() > 1 || !record.cells.front().empty()) records.push_back(std::move(record));
    }
    return records;
  }

 private:
  bool is_at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool is_at_end() const { return at_ == text_.size() || is_at('\n') || is_at('\r'); }

  std::string cell() {
    const std::size_t begin = at_;
    while (is_at(' ') || is_at('\t')) ++at_;
    if (is_at('"')) return quoted();
    while (!is_at_end() && !is_at(',')) ++at_;
    const std::string_view whole = text_.substr(begin, at_ - begin);
    return around_ == Around::kText ? std::string(whole) : trimmed(whole);
  }

  std::string quoted() {
    const std::size_t begun = line_;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      if (is_at('"')) {
        ++at_;
        if (!is_at('"')) {
          while (is_at(' ') || is_at('\t')) ++at_;
          if (!is_at_end() && !is_at(','))
            refuse(line_, "there is text behind a closing quote", "Double the quotes within a cell.");
          return cell;
        }
      }
      const bool second_of_two = is_at('\n') && text_[at_ - 1] == '\r';
      if ((is_at('\n') && !second_of_two) || is_at('\r')) ++line_;
      cell += text_[at_];
    }
    refuse(begun, "a quote is not closed", "Close it, or double the quotes within a cell.");
  }

  bool took_comma() {
    if (!is_at(',')) return false;
    ++at_;
    return true;
  }

  void take_end_of_line() {
    if (at_ == text_.size()) return;
    at_ += is_at('\r') && at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
    ++line_;
  }

  [[noreturn]] void refuse(std::size_t line, const std::string& cause, const std::string& cure) const {
    throw Error(ExitCode::kBadData, name_ + ", line " + std::to_string(line) + ": " + cause, cure);
  }

  std::string_view text_;
  const std::string& name_;
  Around around_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name, Around around) {
  return CsvParser(text, name, around).parse();
}

std::vector<CsvRecord> read_csv(const std::filesystem::path& file) {
  return parse_csv(read_text(file), file.string());
}

}  // namespace tune::trainer::data
