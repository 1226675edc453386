#pragma once
// Which examples make up each batch of an epoch: orders and cuts that tasks share. All of them give the same
// for the same arguments.
#include <cstdint>
#include <vector>

namespace tune::trainer::loop {

// A seeded order of 0..examples-1 for an epoch, the same whatever came before.
std::vector<std::int64_t> epoch_order(std::uint64_t seed, std::int64_t epoch, std::int64_t examples);

// What becomes of a last batch of fewer examples: it is left out, unless it is the only one, or kept.
enum class LastBatch { kDropped, kKept };

// Batches of `size` in the order given.
std::vector<std::vector<std::int64_t>> cut_into_batches(const std::vector<std::int64_t>& order,
                                                        std::int64_t size, LastBatch last);

// Batches of examples about as long as each other, every example in one: the order is sorted by `lengths` (of
// each example) within windows of 50 batches, as Hugging Face's LengthGroupedSampler has it, and the batches
// are then shuffled, so that short ones do not come together.
std::vector<std::vector<std::int64_t>> batches_by_length(std::vector<std::int64_t> order,
                                                         const std::vector<std::int64_t>& lengths,
                                                         std::int64_t size, std::uint64_t seed,
                                                         std::int64_t epoch);

}  // namespace tune::trainer::loop
