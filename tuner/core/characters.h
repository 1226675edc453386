#pragma once
// Classes of ASCII characters, whatever the locale.
namespace tune {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace tune
