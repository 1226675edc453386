#pragma once
// Tokens by their bytes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::text {

// A hash table from tokens to ids, much quicker than std::unordered_map. Filled by one thread, read by any
// number.
class TokenTable {
 public:
  // False where the token is there already; it keeps its id then.
  bool add(std::string_view token, std::uint32_t id);
  std::optional<std::uint32_t> find(std::string_view token) const;
  std::size_t size() const { return entries_.size(); }
  // The tokens in the order in which they were added.
  std::string_view token_at(std::size_t index) const {
    return std::string_view(bytes_).substr(entries_[index].begin, entries_[index].size);
  }
  std::size_t longest() const { return longest_; }  // bytes of the longest token

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::size_t begin = 0;  // in bytes_
    std::size_t size = 0;
    std::uint32_t id = 0;
  };
  const Entry* entry_of(std::string_view token, std::uint64_t hash) const;
  void grow();

  std::string bytes_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // an entry and one, or 0; their number is a power of two
  std::size_t longest_ = 0;
};

}  // namespace tune::trainer::text
