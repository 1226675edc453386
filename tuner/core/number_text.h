#pragma once
// Numbers as people read them.
#include <string>

namespace tune {

// Six significant digits, in the shorter of two ways to write them: "0.4125", "1e-04"; "nan", "inf", "-inf".
std::string number_text(double value);
// The number that it shows, of a finite one.
double rounded_for_people(double value);

}  // namespace tune
