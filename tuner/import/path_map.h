#pragma once
// Where on this machine lies what a request names by its place in S3.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tune::amt {

// Made from the options of a command; remembers which of its entries were of use.
class PathMap {
 public:
  // Relative folders start where the command was typed, and are written as seen from `spec_folder`.
  explicit PathMap(std::filesystem::path spec_folder) : spec_folder_(std::move(spec_folder)) {}
  PathMap() = default;  // as they are typed
  // "s3://bucket/prefix=folder". Throws Error(kUsage) for anything else.
  void add(const std::string& entry);
  // The local path of a URI by the longest prefix that ends where a part of it ends; nullopt without one.
  std::optional<std::string> local(const std::string& uri) const;
  // Entries that no URI has asked for.
  std::vector<std::string> unused() const;

 private:
  struct Entry {
    std::string text, prefix, folder;
    mutable bool is_used = false;
  };
  std::filesystem::path spec_folder_;
  std::vector<Entry> entries_;
};

}  // namespace tune::amt
