#pragma once
// Collects what is wrong with a spec, and where. Part of spec_reader.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"

namespace tune {

// One document under examination. Made on the stack by parse_spec; keeps a reference to the parsed text.
// Every part of the reader reads values through find(), which hides what was already found to be wrong, so
// that one mistake is reported once.
class SpecProblems {
 public:
  explicit SpecProblems(const PositionedJson& source) : source_(source) {}

  // The problem is with the value at `pointer`; if there is none, with the nearest value around it.
  void add(const std::string& pointer, std::string message, std::string hint = {});
  // The problem is with the key itself.
  void add_at_key(const std::string& pointer, std::string message, std::string hint = {});
  void warn(const std::string& pointer, std::string message, std::string hint = {});

  // The value, or nullptr when it is absent or has a problem of its own (its members may still have some).
  const OrderedJson* find(const std::string& pointer) const;
  bool contains(const std::string& pointer) const { return source_.values.contains(pointer); }
  // Whether neither the value nor anything within it has a problem.
  bool is_sound(const std::string& pointer) const;
  // The line of a value; 0 where there is none.
  int line_of(const std::string& pointer) const;

  // Where the value is, or the nearest value around it.
  Position place_of(std::string pointer) const;

  // In the order of the text.
  std::vector<Problem> take_problems();
  std::vector<Problem> take_warnings();
  // Throws SpecError of the file `name` with all problems, those of its syntax too, if there are any.
  void refuse_any(const std::string& name);

 private:
  const PositionedJson& source_;
  std::vector<Problem> problems_, warnings_;
  std::set<std::string> unsound_;
};

// In the order of the text; those of one place stay as they are.
void sort_by_place(std::vector<Problem>& problems);

// Checks kinds, choices, ranges and names of the whole document, `what` ("a spec"), against its table of
// keys.
struct ObjectTable;
void check_against_table(const OrderedJson& document, const ObjectTable& table, const std::string& what,
                         SpecProblems& problems);

}  // namespace tune
