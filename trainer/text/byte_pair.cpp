#include "trainer/text/byte_pair.h"

#include <algorithm>

#include "trainer/text/pair_merging.h"
#include "trainer/text/pre_tokenizer.h"
#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

std::uint64_t pair_of(std::uint32_t left, std::uint32_t right) { return std::uint64_t{left} << 32U | right; }

std::size_t slot_of(std::uint64_t pair) {
  const std::uint64_t hash = pair * 0x9E3779B97F4A7C15ULL;  // 2^64 divided by the golden ratio
  return hash ^ hash >> 32U;
}

}  // namespace

BytePair::BytePair(const Vocabulary& vocabulary,
                   const std::vector<std::pair<std::string, std::string>>& merges, Settings settings,
                   std::optional<BadMerge>& bad)
    : settings_(settings),
      vocabulary_(vocabulary),
      whole_words_(std::make_unique<std::atomic<WholeWord>[]>(vocabulary.end())) {
  if (settings_.of_bytes)
    for (std::uint32_t id = 0; id < vocabulary.end(); ++id)
      if (const std::optional<std::string_view> token = vocabulary.token_of(id))
        if (const std::optional<std::string> bytes = bytes_of_letters(*token)) by_bytes_.add(*bytes, id);
  for (std::size_t byte = 0; byte < 256; ++byte)
    byte_ids_[byte] = settings_.of_bytes ? by_bytes_.find(std::string(1, static_cast<char>(byte)))
                                         : vocabulary.id_of(byte_token(byte));
  std::size_t slots = 64;
  while (slots < 2 * merges.size()) slots *= 2;
  merges_.resize(slots);
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const auto first = vocabulary.id_of(left), second = vocabulary.id_of(right),
               joined = vocabulary.id_of(left + right);
    if (!first || !second || !joined) {
      bad = {rank, "no token `" + (!first ? left : !second ? right : left + right) + "` in the vocabulary"};
      return;
    }
    add_merge(pair_of(*first, *second), static_cast<std::uint32_t>(rank), *joined);
  }
}

void BytePair::add_merge(std::uint64_t pair, std::uint32_t rank, std::uint32_t id) {
  std::size_t slot = slot_of(pair) & (merges_.size() - 1);
  while (merges_[slot].pair != kNoPair && merges_[slot].pair != pair)
    slot = (slot + 1) & (merges_.size() - 1);
  merges_[slot] = {pair, rank, id};  // of a pair that is there twice, the later place counts
}

const BytePair::Merge* BytePair::merge_of(std::uint32_t left, std::uint32_t right) const {
  const std::uint64_t pair = pair_of(left, right);
  for (std::size_t slot = slot_of(pair) & (merges_.size() - 1); merges_[slot].pair != kNoPair;
       slot = (slot + 1) & (merges_.size() - 1))
    if (merges_[slot].pair == pair) return &merges_[slot];
  return nullptr;
}

void BytePair::append_ids(std::string_view word, std::vector<std::int64_t>& ids) const {
  const std::optional<std::uint32_t> whole =
      settings_.of_bytes ? by_bytes_.find(word) : vocabulary_.id_of(word);
  if (whole && settings_.ignores_merges) {
    ids.push_back(*whole);
    return;
  }
  if (whole && whole_words_[*whole].load(std::memory_order_relaxed) == WholeWord::kYes) {
    ids.push_back(*whole);
    return;
  }
  thread_local std::vector<Symbol> symbols;
  symbols.clear();
  split(word, symbols);
  merge_pairs(symbols, [this](Symbol& left, const Symbol& right) {
    const Merge* const merge = merge_of(left.id, right.id);
    left.rank = merge == nullptr ? kNoRank : merge->rank;
    if (merge != nullptr) left.merged = merge->id;
  });
  if (whole)
    whole_words_[*whole].store(
        symbols.size() == 1 && symbols[0].id == *whole ? WholeWord::kYes : WholeWord::kNo,
        std::memory_order_relaxed);
  for (const Symbol& symbol : symbols) ids.push_back(symbol.id);
}

void BytePair::split(std::string_view word, std::vector<Symbol>& symbols) const {
  bool is_unknown = false;  // what came last, for which there is no symbol yet
  const auto settle_unknown = [&] {
    if (is_unknown) symbols.push_back({*settings_.unknown});
    is_unknown = false;
  };
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t bytes = settings_.of_bytes ? 1 : character_at(word, at).bytes;
    const std::string_view character = word.substr(at, bytes);
    at += bytes;
    const std::optional<std::uint32_t> id = settings_.of_bytes
                                                ? byte_ids_[static_cast<unsigned char>(character[0])]
                                                : vocabulary_.id_of(character);
    if (id) {
      settle_unknown();
      symbols.push_back({*id});
      continue;
    }
    if (settings_.falls_back && std::all_of(character.begin(), character.end(), [&](char byte) {
          return byte_ids_[static_cast<unsigned char>(byte)].has_value();
        })) {
      // Unknown characters before it come behind it, as in `tokenizers`.
      for (const char byte : character) symbols.push_back({*byte_ids_[static_cast<unsigned char>(byte)]});
      continue;
    }
    if (!settings_.unknown) continue;
    if (!settings_.fuses_unknown) settle_unknown();
    is_unknown = true;
  }
  settle_unknown();
}

}  // namespace tune::trainer::text
