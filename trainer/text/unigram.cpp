#include "trainer/text/unigram.h"

#include <algorithm>

#include "trainer/text/utf8.h"
#include "tuner/core/error.h"

namespace tune::trainer::text {
Unigram::Unigram(const std::vector<Token>& tokens, const Vocabulary& vocabulary, Settings settings)
    : settings_(settings), scores_(vocabulary.end()) {
  std::vector<std::pair<std::string, std::uint32_t>> texts;
  texts.reserve(tokens.size());
  for (const auto& [text, id, score] : tokens) {
    texts.emplace_back(text, id);
    scores_[id] = score;
  }
  tree_ = PrefixTree(std::move(texts));
  for (std::size_t byte = 0; byte < 256; ++byte) byte_ids_[byte] = vocabulary.id_of(byte_token(byte));
}

void Unigram::append_ids(std::string_view word, std::vector<std::int64_t>& ids) const {
  constexpr std::uint32_t kUnknown = 0xFFFFFFFFU;
  struct Node {
    double score = 0;
    std::size_t begin = std::string_view::npos;  // of the token that ends here on the best path
    std::uint32_t id = 0;
  };
  std::vector<Node> best(word.size() + 1);
  const auto rounded = [&](double sum) {
    return settings_.rounds_sums ? static_cast<double>(static_cast<float>(sum)) : sum;
  };
  const auto offer = [&](std::size_t begin, std::size_t end, double score, std::uint32_t id) {
    Node& node = best[end];
    if (node.begin == std::string_view::npos || score > node.score) node = {rounded(score), begin, id};
  };
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t bytes = character_at(word, at).bytes;
    bool is_known = false;
    tree_.each_prefix(word.substr(at), [&](std::size_t length, std::uint32_t id) {
      offer(at, at + length, scores_[id] + best[at].score, id);
      is_known = is_known || length == bytes;
    });
    if (!is_known) offer(at, at + bytes, rounded(settings_.unknown_score + best[at].score), kUnknown);
    at += bytes;
  }
  struct Piece {
    std::size_t begin, end;
    std::uint32_t id;
  };
  std::vector<Piece> pieces;
  for (std::size_t end = word.size(); end > 0; end = best[end].begin) {
    const Node& node = best[end];
    const bool is_unknown = node.id == kUnknown || node.id == settings_.unknown;
    if (is_unknown && !pieces.empty() && pieces.back().id == kUnknown)
      pieces.back().begin = node.begin;
    else
      pieces.push_back({node.begin, end, is_unknown ? kUnknown : node.id});
  }
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    const std::string_view text = word.substr(piece->begin, piece->end - piece->begin);
    if (piece->id != kUnknown) {
      ids.push_back(piece->id);
    } else if (settings_.falls_back && std::all_of(text.begin(), text.end(), [&](char byte) {
                 return byte_ids_[static_cast<unsigned char>(byte)].has_value();
               })) {
      for (const char byte : text) ids.push_back(*byte_ids_[static_cast<unsigned char>(byte)]);
    } else if (settings_.unknown) {
      ids.push_back(*settings_.unknown);
    } else {
      throw Error(ExitCode::kBadData,
                  "the tokenizer has no token for `" + std::string(text) + "`, nor an unknown token",
                  "give the model of its tokenizer.json an `unk_id`");
    }
  }
}

}  // namespace tune::trainer::text
