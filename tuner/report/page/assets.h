#pragma once
// The files of assets/ and the chart library, as the build embedded them.
#include <string_view>

namespace tune::report {

std::string_view page_template();  // HTML with {{placeholders}}
std::string_view page_style();
std::string_view page_script();
std::string_view chart_library();          // Chart.js, minified
std::string_view chart_library_licence();  // its copyright and permission notice

}  // namespace tune::report
