#pragma once
// Bytes as text, for what a page carries inside it.
#include <string>
#include <string_view>

namespace tune {

std::string base64(std::string_view bytes);  // RFC 4648, with padding

}  // namespace tune
