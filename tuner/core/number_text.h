#pragma once
// Numbers as people read and write them.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tune {

// Six significant digits, in the shorter of two ways to write them: "0.4125", "1e-04"; "nan", "inf", "-inf".
std::string number_text(double value);
// The number that it shows, of a finite one.
double rounded_for_people(double value);
std::string gib_text(std::uint64_t bytes);  // "3.2 GiB"

// The whole of a text as a finite number; nullopt for any other text.
std::optional<double> finite_number_in(std::string_view text);

}  // namespace tune
