#pragma once
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/text/model.h"
#include "trainer/text/prefix_tree.h"

namespace tune::trainer::text {

// The tokens whose scores (logarithms of probabilities) add up to most, by Viterbi's algorithm (Kudo 2018,
// arXiv 1804.10959). Unknown characters side by side are one unknown token, or the tokens <0x..> of their
// bytes.
class Unigram : public Model {
 public:
  struct Settings {
    std::optional<std::uint32_t> unknown;
    bool falls_back = false;
  };
  // Tokens by id, with their scores.
  Unigram(const std::vector<std::pair<std::string, double>>& tokens, Settings settings);
  // Throws Error(kBadData) for an unknown character where there is no unknown token.
  void append_ids(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  Settings settings_;
  PrefixTree tree_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  std::array<std::optional<std::uint32_t>, 256> byte_ids_;
};

}  // namespace tune::trainer::text
