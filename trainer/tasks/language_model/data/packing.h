#pragma once
// Several short texts in one row, so that little of a batch is padding.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tune::trainer::language_model {

// Indices of texts that share a row of at most `room` tokens, none of which is longer than that: the longest
// texts first, each where least room is left behind it (best-fit decreasing: Johnson, 1973). The same lengths
// give the same rows.
std::vector<std::vector<std::size_t>> pack(const std::vector<std::int64_t>& lengths, std::int64_t room);

}  // namespace tune::trainer::language_model
