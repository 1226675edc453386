#pragma once
// How a language model writes on.
#include <cstdint>
#include <string>
#include <vector>

namespace tune::trainer::served {

struct GenerationSettings {
  std::int64_t max_new_tokens = 64;
  double temperature = 0;  // 0: the most probable token each time
  double top_p = 1;        // tokens are drawn from the fewest that have so much of the probability
  std::int64_t top_k = 0;  // and from so many at most; 0: any
  double repetition_penalty =
      1;  // above 1: tokens that were there before become less probable (Keskar et al., arXiv 1909.05858)
  // What is taken from the logit of a token that the answer has already: once, and for each time.
  double presence_penalty = 0, frequency_penalty = 0;
  std::vector<std::string> stops = {};  // texts that end an answer, and are no part of it
  std::uint64_t seed = 0;
};

}  // namespace tune::trainer::served
