#include "trainer/text/piece_merges.h"

#include <algorithm>

#include "trainer/text/pair_merging.h"
#include "trainer/text/piece_normalizer.h"
#include "trainer/text/utf8.h"

namespace tune::trainer::text {
namespace {

using Kind = SentencePieceFile::Kind;

// Where the word at `begin` ends: the marks of spaces before it are its own.
std::size_t end_of_word(std::string_view text, std::size_t begin) {
  while (text.substr(begin).starts_with(kSpaceMark)) begin += kSpaceMark.size();
  return std::min(text.find(kSpaceMark, begin), text.size());
}

}  // namespace

PieceMerges::PieceMerges(const std::vector<SentencePieceFile::Piece>& pieces, const Vocabulary& vocabulary,
                         const PrefixTree& whole, Settings settings)
    : settings_(settings),
      vocabulary_(vocabulary),
      whole_(whole),
      ranks_(pieces.size(), kNoRank),
      whole_words_(std::make_unique<std::atomic<WholeWord>[]>(pieces.size())) {
  std::vector<float> scores;
  for (const SentencePieceFile::Piece& piece : pieces) scores.push_back(piece.score);
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    const auto& [text, score, kind] = pieces[id];
    if (kind == Kind::kUnused) {
      is_unused_.resize(pieces.size());
      is_unused_[id] = true;
    }
    if (end_of_word(text, 0) != text.size()) cuts_at_spaces_ = false;
    if (settings_.joins && (kind == Kind::kNormal || kind == Kind::kUnused))
      ranks_[id] = static_cast<std::uint32_t>(
          std::lower_bound(scores.begin(), scores.end(), score, std::greater<>()) - scores.begin());
  }
  // Where a piece may be taken apart again, what else is in the text says how.
  if (!is_unused_.empty()) cuts_at_spaces_ = false;
  if (settings_.falls_back)
    for (std::size_t byte = 0; byte < 256; ++byte)
      byte_ids_[byte] = vocabulary.id_of(byte_token(byte)).value();
}

void PieceMerges::append_ids(std::string_view text, std::vector<std::int64_t>& ids) const {
  bool is_after_unknown = false;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = cuts_at_spaces_ ? end_of_word(text, begin) : text.size();
    append_word(text.substr(begin, end - begin), ids, is_after_unknown);
    begin = end;
  }
}

void PieceMerges::append_word(std::string_view word, std::vector<std::int64_t>& ids,
                              bool& is_after_unknown) const {
  const std::optional<std::uint32_t> whole = vocabulary_.id_of(word);
  if (whole && whole_words_[*whole].load(std::memory_order_relaxed) == WholeWord::kYes) {
    append_piece(word, whole, ids, is_after_unknown);
    return;
  }
  thread_local std::vector<Symbol> symbols;
  symbols.clear();
  split(word, symbols);
  Joints joints;
  merge_pairs(symbols, [&](Symbol& left, const Symbol& right) {
    left.rank = kNoRank;
    if (left.is_whole || right.is_whole) return;
    const std::string_view both = word.substr(left.begin, right.end - left.begin);
    const std::optional<std::uint32_t> id = vocabulary_.id_of(both);
    if (!id) return;
    left.rank = ranks_[*id];
    left.merged = *id;
    if (!is_unused_.empty() && is_unused_[*id]) joints[both] = left.end - left.begin;
  });
  if (whole)
    whole_words_[*whole].store(symbols.size() == 1 && is_unused_.empty() ? WholeWord::kYes : WholeWord::kNo,
                               std::memory_order_relaxed);
  for (const Symbol& symbol : symbols) {
    const std::string_view piece = word.substr(symbol.begin, symbol.end - symbol.begin);
    if (!is_unused_.empty())
      append_parts(piece, joints, ids, is_after_unknown);
    else
      append_piece(piece, symbol.id == kNoId ? vocabulary_.id_of(piece) : symbol.id, ids, is_after_unknown);
  }
}

void PieceMerges::split(std::string_view word, std::vector<Symbol>& symbols) const {
  for (std::size_t at = 0; at < word.size();) {
    Symbol symbol;
    symbol.begin = at;
    const std::size_t whole = whole_.has_first(static_cast<unsigned char>(word[at]))
                                  ? whole_.longest_prefix(word.substr(at)).first
                                  : 0;
    symbol.is_whole = whole > 0;
    symbol.end = at += whole > 0 ? whole : character_at(word, at).bytes;
    symbols.push_back(symbol);
  }
}

void PieceMerges::append_piece(std::string_view piece, std::optional<std::uint32_t> id,
                               std::vector<std::int64_t>& ids, bool& is_after_unknown) const {
  const bool is_unknown = !id || *id == settings_.unknown;
  if (!is_unknown)
    ids.push_back(*id);
  else if (settings_.falls_back)
    for (const char byte : piece) ids.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
  else if (!is_after_unknown)
    ids.push_back(settings_.unknown);
  is_after_unknown = is_unknown;
}

// A piece that is unused is the two that it was joined of, and so are these.
void PieceMerges::append_parts(std::string_view piece, const Joints& joints, std::vector<std::int64_t>& ids,
                               bool& is_after_unknown) const {
  std::vector<std::string_view> open{piece};
  while (!open.empty()) {
    const std::string_view part = open.back();
    open.pop_back();
    const std::optional<std::uint32_t> id = vocabulary_.id_of(part);
    const auto joint = id && is_unused_[*id] ? joints.find(part) : joints.end();
    if (joint == joints.end()) {
      append_piece(part, id, ids, is_after_unknown);
    } else {
      open.push_back(part.substr(joint->second));
      open.push_back(part.substr(0, joint->second));
    }
  }
}

}  // namespace tune::trainer::text
