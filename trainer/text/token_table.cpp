#include "trainer/text/token_table.h"

#include <algorithm>
#include <cstring>

namespace tune::trainer::text {
namespace {

// Eight bytes at a time by multiplication (factor: 2^64 divided by the golden ratio), each folded.
std::uint64_t hash_of(std::string_view token) {
  const auto mix = [](std::uint64_t hash, std::uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 32U;
  };
  std::uint64_t hash = token.size();
  std::size_t at = 0;
  for (; at + 8 <= token.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, token.data() + at, 8);
    hash = mix(hash, word);
  }
  std::uint64_t word = 0;
  std::memcpy(&word, token.data() + at, token.size() - at);
  return mix(mix(hash, word), 0);
}

}  // namespace

const TokenTable::Entry* TokenTable::entry_of(std::string_view token, std::uint64_t hash) const {
  for (std::size_t slot = hash & (slots_.size() - 1); slots_[slot] != 0;
       slot = (slot + 1) & (slots_.size() - 1)) {
    const Entry& entry = entries_[slots_[slot] - 1];
    if (entry.hash == hash && entry.size == token.size() &&
        std::memcmp(bytes_.data() + entry.begin, token.data(), token.size()) == 0)
      return &entry;
  }
  return nullptr;
}

bool TokenTable::add(std::string_view token, std::uint32_t id) {
  if (2 * (entries_.size() + 1) > slots_.size()) grow();
  const std::uint64_t hash = hash_of(token);
  if (entry_of(token, hash) != nullptr) return false;
  entries_.push_back({hash, bytes_.size(), token.size(), id});
  bytes_.append(token);
  longest_ = std::max(longest_, token.size());
  std::size_t slot = hash & (slots_.size() - 1);
  while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
  return true;
}

void TokenTable::grow() {
  slots_.assign(std::max<std::size_t>(64, 2 * slots_.size()), 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::size_t slot = entries_[i].hash & (slots_.size() - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = static_cast<std::uint32_t>(i + 1);
  }
}

std::optional<std::uint32_t> TokenTable::find(std::string_view token) const {
  if (token.size() > longest_ || slots_.empty()) return std::nullopt;
  const Entry* const entry = entry_of(token, hash_of(token));
  return entry == nullptr ? std::nullopt : std::optional(entry->id);
}

}  // namespace tune::trainer::text
