#include "trainer/text/added_tokens.h"

#include <algorithm>

#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

bool has(std::string_view text, std::size_t at, Trait trait) {
  return Unicode::tables().has(character_at(text, at).code, trait);
}

}  // namespace

void AddedTokens::add(AddedToken token) {
  if (const auto known = ids_.find(token.text); known != ids_.end()) tokens_.erase(known->second);
  ids_[token.text] = token.id;
  tokens_[token.id] = std::move(token);
}

void AddedTokens::settle(const Normalizer& normalizer) {
  std::vector<std::pair<std::string, std::uint32_t>> before, after;
  for (const auto& [id, token] : tokens_) {
    bool keeps_begin = true;
    if (token.is_normalized)
      after.emplace_back(normalizer.apply(token.text, keeps_begin), id);
    else
      before.emplace_back(token.text, id);
  }
  before_ = before.empty() ? PrefixTree() : PrefixTree(std::move(before));
  after_ = after.empty() ? PrefixTree() : PrefixTree(std::move(after));
}

std::vector<AddedTokens::Stretch> AddedTokens::cut(std::string_view text, bool normalized) const {
  const PrefixTree& tree = normalized ? after_ : before_;
  std::vector<Stretch> stretches;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!tree.has_first(static_cast<unsigned char>(text[at]))) {
      ++at;
      continue;
    }
    const auto [length, id] = tree.longest_prefix(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_.at(id);
    std::size_t begin = at, end = at + length;
    at = end;
    if (token.is_single_word && ((begin > 0 && has(text, previous_character(text, begin), Trait::kWord)) ||
                                 (end < text.size() && has(text, end, Trait::kWord))))
      continue;
    while (token.strips_left && begin > done && has(text, previous_character(text, begin), Trait::kSpace))
      begin = previous_character(text, begin);
    while (token.strips_right && end < text.size() && has(text, end, Trait::kSpace))
      end += character_at(text, end).bytes;
    if (done < begin) stretches.push_back({text.substr(done, begin - done), std::nullopt});
    stretches.push_back({text.substr(begin, end - begin), id});
    done = end;
  }
  if (done < text.size()) stretches.push_back({text.substr(done), std::nullopt});
  return stretches;
}

std::optional<std::uint32_t> AddedTokens::id_of(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

const AddedToken* AddedTokens::token_of(std::uint64_t id) const {
  const auto found = id > 0xFFFFFFFFU ? tokens_.end() : tokens_.find(static_cast<std::uint32_t>(id));
  return found == tokens_.end() ? nullptr : &found->second;
}

}  // namespace tune::trainer::text
