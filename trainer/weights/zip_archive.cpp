#include "trainer/weights/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tuner/core/error.h"

namespace tune::trainer::weights {
namespace {

constexpr std::string_view kEnd{"PK\5\6"}, kEnd64{"PK\6\6"}, kLocator64{"PK\6\7"}, kCentral{"PK\1\2"},
    kLocal{"PK\3\4"};
constexpr std::size_t kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20, kCentralBytes = 46,
                      kLocalBytes = 30;
constexpr std::size_t kLongestComment = 65535;
constexpr std::uint64_t kSee64 = 0xffffffff;  // the true number is in the zip64 extension

struct Member {
  std::string name;
  std::uint32_t checksum = 0;  // CRC-32 of the data
  std::uint64_t bytes = 0, stored = 0, local_header = 0;
  bool is_encrypted = false, is_compressed = false;
};

struct Checksum {
  std::string name;
  std::string_view data;
  std::uint32_t stated = 0;
};

class ZipReader {
 public:
  ZipReader(std::string_view archive, const std::string& place) : archive_(archive), place_(place) {}

  std::map<std::string, std::string_view> read() {
    find_directory();
    std::map<std::string, std::string_view> entries;
    std::vector<Checksum> checksums;
    std::size_t at = directory_;
    while (at < directory_end_) {
      const Member entry = read_entry(at);
      require_plain(entry);
      const auto [known, added] = entries.emplace(entry.name, data_of(entry));
      if (!added) refuse("the entry \"" + entry.name + "\" appears twice");
      checksums.push_back({entry.name, known->second, entry.checksum});
    }
    refuse_overlaps(entries);
    refuse_damage(checksums);
    return entries;
  }

  std::vector<std::string> names() {
    find_directory();
    std::vector<std::string> names;
    for (std::size_t at = directory_; at < directory_end_;) names.push_back(read_entry(at).name);
    return names;
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(ExitCode::kBadData, place_ + ": not a valid zip archive: " + reason,
                "copy or download the file again");
  }

  // `count` bytes at `at`, which need not lie within the archive.
  std::string_view take(std::uint64_t at, std::uint64_t count) const {
    if (at > archive_.size() || count > archive_.size() - at) refuse("it is cut short");
    return archive_.substr(at, count);
  }

  template <typename Number>
  static Number number(std::string_view bytes, std::size_t at) {
    Number value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }

  void find_directory() {
    const std::size_t end = find_end();
    const std::string_view record = take(end, kEndBytes);
    std::uint64_t bytes = number<std::uint32_t>(record, 12), offset = number<std::uint32_t>(record, 16);
    if (end >= kLocator64Bytes && archive_.substr(end - kLocator64Bytes, kLocator64.size()) == kLocator64) {
      const std::uint64_t end64 = number<std::uint64_t>(take(end - kLocator64Bytes, kLocator64Bytes), 8);
      const std::string_view record64 = take(end64, kEnd64Bytes);
      if (!record64.starts_with(kEnd64)) refuse("its zip64 record is missing");
      bytes = number<std::uint64_t>(record64, 40);
      offset = number<std::uint64_t>(record64, 48);
    }
    take(offset, bytes);
    if (offset + bytes > end) refuse("its directory runs into its end");
    directory_ = offset;
    directory_end_ = offset + bytes;
  }

  // The end record is last, with a comment behind it.
  std::size_t find_end() const {
    if (archive_.size() < kEndBytes) refuse("it is cut short");
    const std::size_t last = archive_.size() - kEndBytes, first = last - std::min(last, kLongestComment);
    for (std::size_t at = last + 1; at-- > first;)
      if (archive_.substr(at, kEnd.size()) == kEnd &&
          number<std::uint16_t>(archive_, at + 20) == archive_.size() - at - kEndBytes)
        return at;
    refuse("it has no directory: it is cut short, or still being written");
  }

  // Reads the directory's entry at `at` and moves to the next.
  Member read_entry(std::size_t& at) const {
    const std::string_view header = take(at, kCentralBytes);
    if (!header.starts_with(kCentral)) refuse("its directory is damaged");
    const std::size_t name = number<std::uint16_t>(header, 28), extra = number<std::uint16_t>(header, 30),
                      comment = number<std::uint16_t>(header, 32);
    Member entry{std::string(take(at + kCentralBytes, name)), number<std::uint32_t>(header, 16),
                 number<std::uint32_t>(header, 24),           number<std::uint32_t>(header, 20),
                 number<std::uint32_t>(header, 42),           (number<std::uint16_t>(header, 8) & 1U) != 0,
                 number<std::uint16_t>(header, 10) != 0};
    read_zip64(take(at + kCentralBytes + name, extra), entry);
    at += kCentralBytes + name + extra + comment;
    if (at > directory_end_) refuse("its directory is damaged");
    return entry;
  }

  // Whether its bytes are the data themselves.
  void require_plain(const Member& entry) const {
    const std::string what = "the entry \"" + entry.name + "\" is ";
    if (entry.is_encrypted) refuse(what + "encrypted");
    if (entry.is_compressed)
      throw Error(ExitCode::kBadData,
                  place_ + ": " + what + "compressed, which PyTorch never does to weights",
                  "unpack the archive and give the weights file that is in it");
    if (entry.stored != entry.bytes) refuse(what + "of two sizes");
  }

  // The numbers that do not fit into 32 bits stand in the extra field 1, in this order.
  void read_zip64(std::string_view extra, Member& entry) const {
    while (extra.size() >= 4) {
      const std::size_t bytes = number<std::uint16_t>(extra, 2);
      if (bytes > extra.size() - 4) refuse("an extra field is cut short");
      if (number<std::uint16_t>(extra, 0) == 1) {
        std::string_view field = extra.substr(4, bytes);
        for (std::uint64_t* value : {&entry.bytes, &entry.stored, &entry.local_header}) {
          if (*value != kSee64) continue;
          if (field.size() < 8) refuse("a zip64 field is cut short");
          *value = number<std::uint64_t>(field, 0);
          field.remove_prefix(8);
        }
        return;
      }
      extra.remove_prefix(4 + bytes);
    }
  }

  std::string_view data_of(const Member& entry) const {
    const std::string_view header = take(entry.local_header, kLocalBytes);
    if (!header.starts_with(kLocal)) refuse("the entry \"" + entry.name + "\" is not where it should be");
    const std::uint64_t name = number<std::uint16_t>(header, 26), extra = number<std::uint16_t>(header, 28);
    if (take(entry.local_header + kLocalBytes, name) != entry.name)
      refuse("the entry \"" + entry.name + "\" has another name in its own header");
    const std::string_view data = take(entry.local_header + kLocalBytes + name + extra, entry.bytes);
    if (data.data() + data.size() > archive_.data() + directory_)
      refuse("the entry \"" + entry.name + "\" runs into the directory");
    return data;
  }

  // PyTorch leaves them out, as zeros, after torch.serialization.set_crc32_options(False).
  void refuse_damage(const std::vector<Checksum>& checksums) const {
    const bool stated = std::any_of(checksums.begin(), checksums.end(),
                                    [](const Checksum& entry) { return entry.stated != 0; });
    for (const auto& [name, data, checksum] : checksums)
      if (stated && crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()) != checksum)
        refuse("the entry \"" + name + "\" is damaged, as its checksum tells");
  }

  // Many entries over the same bytes would be read many times over.
  void refuse_overlaps(const std::map<std::string, std::string_view>& entries) const {
    std::vector<std::string_view> data;
    for (const auto& [name, bytes] : entries)
      if (!bytes.empty()) data.push_back(bytes);
    std::sort(data.begin(), data.end(), [](auto a, auto b) { return a.data() < b.data(); });
    for (std::size_t i = 1; i < data.size(); ++i)
      if (data[i - 1].data() + data[i - 1].size() > data[i].data()) refuse("two entries overlap");
  }

  std::string_view archive_;
  const std::string& place_;
  std::size_t directory_ = 0, directory_end_ = 0;
};

}  // namespace

std::map<std::string, std::string_view> read_zip(std::string_view archive, const std::string& place) {
  return ZipReader(archive, place).read();
}

std::vector<std::string> names_in_zip(std::string_view archive, const std::string& place) {
  return ZipReader(archive, place).names();
}

}  // namespace tune::trainer::weights
