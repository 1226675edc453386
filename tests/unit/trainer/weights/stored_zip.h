#pragma once
// Archives like those of torch.save, with whatever is wrong with them that a test wants.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace tune::trainer::tests {

template <typename Number>
std::string little_endian(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

struct ZipEntry {
  std::string name, data;
  std::uint16_t flags = 0, method = 0;
  std::string name_in_header = name;
  std::uint32_t more_bytes = 0;      // that the directory claims beyond the data
  std::uint32_t header_earlier = 0;  // how far before the entry's header the directory points
  std::uint32_t checksum = 0;        // CRC-32; that of no data here
};

inline std::string stored_zip(const std::vector<ZipEntry>& entries, const std::string& comment = {}) {
  std::string archive, directory;
  for (const ZipEntry& entry : entries) {
    const auto at = static_cast<std::uint32_t>(archive.size()) - entry.header_earlier;
    const auto bytes = static_cast<std::uint32_t>(entry.data.size());
    const std::string sizes =
        little_endian(bytes + entry.more_bytes) + little_endian(bytes + entry.more_bytes);
    const auto name_bytes = static_cast<std::uint16_t>(entry.name.size());
    archive += "PK\3\4" + std::string("\0\0", 2) + little_endian(entry.flags) + little_endian(entry.method) +
               std::string(8, '\0') + sizes +
               little_endian(static_cast<std::uint16_t>(entry.name_in_header.size())) + std::string(2, '\0') +
               entry.name_in_header + entry.data;
    directory += "PK\1\2" + std::string(4, '\0') + little_endian(entry.flags) + little_endian(entry.method) +
                 std::string(4, '\0') + little_endian(entry.checksum) + sizes + little_endian(name_bytes) +
                 std::string(12, '\0') + little_endian(at) + entry.name;
  }
  const auto count = static_cast<std::uint16_t>(entries.size());
  return archive + directory + "PK\5\6" + std::string(4, '\0') + little_endian(count) + little_endian(count) +
         little_endian(static_cast<std::uint32_t>(directory.size())) +
         little_endian(static_cast<std::uint32_t>(archive.size())) +
         little_endian(static_cast<std::uint16_t>(comment.size())) + comment;
}

}  // namespace tune::trainer::tests
