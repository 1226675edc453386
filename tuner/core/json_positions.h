#pragma once
// JSON text with the place of every value, since nlohmann/json 3.11.2 exposes none.
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune {

// Counts from 1; columns count characters (UTF-8), not bytes.
struct Position {
  int line = 0, column = 0;
};

// Turns byte offsets of a text into positions. Keeps a view of the text. Offsets that grow from call to call
// take one pass over the text together.
class LineTable {
 public:
  explicit LineTable(std::string_view text);
  Position at(std::size_t offset);

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  std::size_t last_offset_ = 0;
  std::ptrdiff_t last_column_ = 0;  // characters of its line before it
};

struct PositionedJson {
  OrderedJson value;                       // a duplicate key has its first value
  bool is_complete = false;                // false after a syntax error: `value` is then what came before it
  std::map<std::string, Position> values;  // by JSON pointer
  std::map<std::string, Position> keys;    // of the members of objects, by JSON pointer
  std::vector<Problem> problems;           // the syntax error, duplicate keys, a byte order mark
};

// Never throws for bad text: what is wrong with it comes back as problems. Nesting is limited to
// kDeepestJson. `source` is what messages call the text: "the file ends too early". A file is a spec.
PositionedJson parse_with_positions(std::string_view text, std::string_view source = "file");

struct JsonFault {
  Problem problem;         // without a pointer
  bool is_syntax = false;  // else a key that is there twice in one object, or nesting that is too deep
};

struct StrictJson {
  Json value;                      // null where something is wrong
  std::optional<JsonFault> fault;  // the first thing that is
};

// For texts of any size: places are looked for only where something is wrong. The values of keys of the name
// `passed_over` come as null. Never throws for bad text. Nesting is limited as above.
StrictJson parse_strictly(std::string_view text, std::string_view passed_over = {});

// That fault alone, for callers with a parser of their own; holds no value in memory.
std::optional<JsonFault> first_json_fault(std::string_view text);

// The pointer of a member or element of the value at `parent` (RFC 6901: "~" and "/" in a key are escaped).
std::string member_pointer(const std::string& parent, std::string_view key);
std::string element_pointer(const std::string& parent, std::size_t index);

}  // namespace tune
