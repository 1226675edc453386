#pragma once
// Whether a regex captured all of a number: 3.1 of 3.1e-05, 1 of 1,234.56 and 5 of -5 are other numbers.
#include <string>
#include <string_view>

namespace tune::metrics {

struct NumberReach {
  enum class Kind {
    kWhole,
    kUnit,  // whole, with a unit behind it, 93.5 of 93.5%, or what it is a part of, 45 of 45/50
    kTime,  // of a time, 0 of 0:01:23; where steps are read, a pair of numbers, 3 of 3:10
    kCut    // another number than the line's
  };
  Kind kind = Kind::kWhole;
  std::string_view whole;  // as the line has it, with its unit
  std::string_view unit;   // "%", "ms", "/50"; without the blank before it
};

// A step is a count, and what stands behind a blank is no part of it: "1 123.456" is an epoch and its loss.
enum class NumberIs { kValue, kStep };

// `captured` is a number and a part of `line`; `match_end` is where the regex's match ends, as an offset into
// the line. What the regex itself matched behind its group is no unit of the number: its author knows of it.
NumberReach reach_of(std::string_view line, std::string_view captured, std::size_t match_end,
                     NumberIs is = NumberIs::kValue);

// "the regex reads 3.1 of 3.1e-05: ..." with what helps, for a person.
std::string cut_text(std::string_view captured, const NumberReach& reach);
std::string unit_text(std::string_view captured, const NumberReach& reach);

}  // namespace tune::metrics
