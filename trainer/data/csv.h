#pragma once
// Tables as spreadsheets and scripts write them.
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::data {

struct CsvRecord {
  std::size_t line = 0;  // where it begins, from 1
  std::vector<std::string> cells;
};

// What white space around a cell without quotes is.
enum class Around { kNothing, kText };

// RFC 4180: commas, cells in double quotes may hold commas, ends of lines and doubled quotes; lines end in
// any way, and empty ones are passed over. `name` names the file in errors. Throws Error(kBadData) with the
// line of a quote that is not closed, or that has something else behind it.
std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& name,
                                 Around around = Around::kNothing);
// The same of a file, whose text is read as read_text() does.
std::vector<CsvRecord> read_csv(const std::filesystem::path& file);

}  // namespace tune::trainer::data
