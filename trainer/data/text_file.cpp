#include "trainer/data/text_file.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "tuner/core/characters.h"
#include "tuner/core/json_positions.h"
#include "tuner/os/regular_file.h"

namespace tune::trainer::data {

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr std::string_view kBlank = " \t\r\n\f\v";

struct Mark {
  std::string_view bytes;
  const char* encoding;  // nullptr: UTF-8 already
};
// UTF-32's first, since UTF-16's is its beginning.
constexpr std::array<Mark, 5> kMarks{{{"\xff\xfe\0\0"sv, "UTF-32LE"},
                                      {"\0\0\xfe\xff"sv, "UTF-32BE"},
                                      {"\xef\xbb\xbf"sv, nullptr},
                                      {"\xff\xfe"sv, "UTF-16LE"},
                                      {"\xfe\xff"sv, "UTF-16BE"}}};

std::string read_regular(const fs::path& file) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1}
                                       << 34;  // COCO files of millions of outlines are below
  FileContent content;
  try {
    content = read_regular_file(file, kMostBytes, Links::kFollow);
  } catch (const Error& error) {
    throw Error(ExitCode::kBadData, error.what(), "Check the file and its permissions.");
  }
  if (content.is_there) return std::move(content.bytes);
  if (content.spoilt.empty())
    throw Error(ExitCode::kBadData, file.string() + " does not exist", "Check the path.");
  const bool forbidden = content.spoilt.ends_with(std::strerror(EACCES));
  throw Error(
      ExitCode::kBadData, content.spoilt,
      forbidden ? "Allow this user to read it." : "Put a file with its content there, or take it away.");
}

std::string to_utf8(std::string_view bytes, const std::string& encoding, const std::string& place) {
  struct Close {
    void operator()(void* handle) const { iconv_close(handle); }
  };
  const iconv_t opened = iconv_open("UTF-8", encoding.c_str());
  if (opened == reinterpret_cast<iconv_t>(-1))
    throw Error(ExitCode::kBadData,
                place + " says that its encoding is \"" + encoding + "\", which is unknown",
                "Write the file as UTF-8.");
  const std::unique_ptr<void, Close> converter(opened);
  std::string text(bytes.size() * 3 + 16, '\0'), from(bytes);
  char *in = from.data(), *out = text.data();
  std::size_t in_left = from.size(), out_left = text.size();
  if (iconv(converter.get(), &in, &in_left, &out, &out_left) == static_cast<std::size_t>(-1))
    throw Error(ExitCode::kBadData,
                place + " is no " + encoding + " at byte " + std::to_string(from.size() - in_left),
                "Write the file as UTF-8.");
  text.resize(text.size() - out_left);
  return text;
}

// Whether there was a mark; then `bytes` are UTF-8 without it.
bool take_mark(std::string& bytes, const std::string& place) {
  for (const Mark& mark : kMarks) {
    if (!bytes.starts_with(mark.bytes)) continue;
    const std::string_view rest = std::string_view(bytes).substr(mark.bytes.size());
    bytes = mark.encoding ? to_utf8(rest, mark.encoding, place) : std::string(rest);
    return true;
  }
  return false;
}

// The encoding that <?xml version="1.0" encoding="..."?> says; "" where it says none.
std::string declared_encoding(std::string_view text) {
  if (!text.starts_with("<?xml")) return "";
  const std::string_view declaration = text.substr(0, text.find("?>"));
  const std::size_t key = declaration.find("encoding");
  if (key == declaration.npos) return "";
  const std::size_t open = declaration.find_first_of("\"'", key);
  if (open == declaration.npos) return "";
  const std::size_t close = declaration.find(declaration[open], open + 1);
  return close == declaration.npos ? "" : std::string(declaration.substr(open + 1, close - open - 1));
}

// Bytes of the character of UTF-8 that a text begins with; 0 where it begins with none (Unicode 15, table
// 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!continues_character(text[i])) return 0;
  const bool narrow = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) ||
                      (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
  return narrow ? 0 : length;
}

}  // namespace

std::string read_text(const fs::path& file) {
  std::string bytes = read_regular(file);
  take_mark(bytes, file.string());
  return bytes;
}

std::string read_xml(const fs::path& file) {
  std::string bytes = read_regular(file);
  if (take_mark(bytes, file.string())) return bytes;
  if (bytes.starts_with("<\0"sv)) return to_utf8(bytes, "UTF-16LE", file.string());
  if (bytes.starts_with("\0<"sv)) return to_utf8(bytes, "UTF-16BE", file.string());
  const std::string encoding = declared_encoding(bytes);
  const std::string lower = lower_case(encoding);
  // A file that can be read byte by byte is none of UTF-16, whatever it declares.
  if (lower.empty() || lower == "utf-8" || lower == "utf8" || lower.starts_with("utf-16")) return bytes;
  return to_utf8(bytes, encoding, file.string());
}

Json read_json(const fs::path& file, std::string_view passed_over) {
  const std::string text = read_text(file);
  if (trimmed(text).empty())
    throw Error(ExitCode::kBadData, file.string() + " is not JSON: it is empty", "Write the file again.");
  StrictJson json = parse_strictly(text, passed_over);
  if (json.fault) throw not_json(file, *json.fault);
  return std::move(json.value);
}

Error not_json(const fs::path& file, const JsonFault& fault) {
  const Problem& problem = fault.problem;
  return {ExitCode::kBadData,
          file.string() + (fault.is_syntax ? " is not JSON: line " : ", line ") +
              std::to_string(problem.line) + ", column " + std::to_string(problem.column) + ": " +
              problem.message,
          problem.hint.empty() ? "Write the file again." : problem.hint + "."};
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    lines.emplace_back(text.substr(0, end));
    const bool two = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(text.size(), end + (two ? 2 : 1)));
  }
  return lines;
}

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  for (std::size_t at = line.find_first_not_of(kBlank); at < line.size();
       at = line.find_first_not_of(kBlank, at)) {
    const std::size_t end = std::min(line.find_first_of(kBlank, at), line.size());
    words.emplace_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

std::string with_slashes(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  return path;
}

bool is_utf8(std::string_view text) { return end_of_utf8(text) == text.size(); }

std::size_t end_of_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text.substr(at));
    if (length == 0) return at;
    at += length;
  }
  return text.size();
}

}  // namespace tune::trainer::data
