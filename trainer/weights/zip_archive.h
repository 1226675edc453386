#pragma once
// The entries of a zip archive that holds them uncompressed, as PyTorch writes them (PKWARE's APPNOTE 6.3,
// with the zip64 extension). Nothing is inflated, so no archive can grow while it is read.
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::weights {

// Entry names with their bytes, which lie within `archive`. `place` names the file in errors. Throws
// Error(kBadData) for compressed, encrypted, overlapping or doubled entries, and for whatever lies outside.
std::map<std::string, std::string_view> read_zip(std::string_view archive, const std::string& place);

// The entries' names alone, as the directory has them, of an archive that may be compressed: enough to say
// whose it is.
std::vector<std::string> names_in_zip(std::string_view archive, const std::string& place);

}  // namespace tune::trainer::weights
