#pragma once
// unicode_tables.txt, as it is built into the program.
#include <string_view>

namespace tune::trainer::text {

std::string_view unicode_tables_text();  // the bytes of unicode_tables.txt

}  // namespace tune::trainer::text
