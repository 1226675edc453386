#pragma once
// The secret of a server: 256 bits from the system, as 64 hexadecimal digits in a file that only its owner
// reads.
#include <filesystem>
#include <string>
#include <string_view>

namespace tune::http {

// As many random bytes as asked for, from the kernel, as hexadecimal digits.
std::string random_digits(std::size_t bytes);

// The token in that file. Where there is none, one is drawn and the file is made (mode 0600), whole or not at
// all. Throws Error(kUsage) for a file that holds something else or that others may read or write, and
// Error(kEnvironment) where it cannot be written, with `cure` as its hint.
std::string token_of(const std::filesystem::path& file, const std::string& cure = {});

// Whether they are equal; takes as long wherever they differ.
bool is_same_secret(std::string_view one, std::string_view other);

}  // namespace tune::http
