#include "trainer/tasks/text_classification/encoded_texts.h"

#include <algorithm>
#include <numeric>

#include "trainer/data/in_parallel.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::text_classification {

namespace {

std::vector<text::Encoding> encodings_of(const text::Tokenizer& tokenizer, const Dataset& dataset,
                                         std::size_t max_length, int threads) {
  std::vector<text::Encoding> encoded(dataset.examples.size());
  data::in_parallel(encoded.size(), threads, [&](std::size_t i) {
    const Example& example = dataset.examples[i];
    encoded[i] = dataset.pairs ? tokenizer.encode_pair(example.text, example.second, max_length)
                               : tokenizer.encode_one(example.text, max_length);
  });
  return encoded;
}

std::vector<const text::Encoding*> each_of(const std::vector<text::Encoding>& encoded) {
  std::vector<const text::Encoding*> each;
  for (const text::Encoding& one : encoded) each.push_back(&one);
  return each;
}

}  // namespace

EncodedTexts::EncodedTexts(const text::Tokenizer& tokenizer, const Dataset& dataset, std::size_t max_length,
                           int threads)
    : EncodedTexts(each_of(encodings_of(tokenizer, dataset, max_length, threads))) {}

EncodedTexts::EncodedTexts(const std::vector<const text::Encoding*>& encoded) {
  starts_.push_back(0);
  for (const text::Encoding* each : encoded) {
    const text::Encoding& one = *each;
    const auto length = static_cast<std::int64_t>(one.ids.size());
    starts_.push_back(starts_.back() + length);
    lengths_.push_back(length);
    longest_ = std::max(longest_, length);
    cut_texts_ += one.cut > 0;
    cut_tokens_ += static_cast<std::int64_t>(one.cut);
    for (const std::int64_t type : one.type_ids)
      largest_type_ = std::max(largest_type_, static_cast<int>(type));
  }
  const bool has_types = largest_type_ > 0;
  ids_.reserve(static_cast<std::size_t>(starts_.back()));
  for (const text::Encoding* each : encoded) {
    const text::Encoding& one = *each;
    for (const std::int64_t id : one.ids) {
      ids_.push_back(static_cast<std::int32_t>(id));
      largest_id_ = std::max(largest_id_, id);
    }
    if (has_types)
      for (const std::int64_t type : one.type_ids) types_.push_back(static_cast<std::uint8_t>(type));
  }
}

std::vector<std::string> EncodedTexts::contents() const {
  std::vector<std::string> hashes;
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    const auto from = static_cast<std::size_t>(starts_[i]), count = static_cast<std::size_t>(lengths_[i]);
    Sha256 hash;
    hash.add({reinterpret_cast<const char*>(ids_.data() + from), count * sizeof(std::int32_t)});
    if (!types_.empty()) hash.add({reinterpret_cast<const char*>(types_.data() + from), count});
    hashes.push_back(hash.hex());
  }
  return hashes;
}

weights::TensorMap EncodedTexts::batch(const std::vector<std::int64_t>& examples, std::int64_t padding,
                                       std::int64_t multiple) const {
  const auto count = static_cast<std::int64_t>(examples.size());
  std::int64_t longest = 0, shortest = longest_;
  for (const std::int64_t example : examples) {
    longest = std::max(longest, lengths_[static_cast<std::size_t>(example)]);
    shortest = std::min(shortest, lengths_[static_cast<std::size_t>(example)]);
  }
  longest = (longest + multiple - 1) / multiple * multiple;
  weights::TensorMap tensors;
  const torch::Tensor ids = torch::full({count, longest}, padding, torch::kLong);
  torch::Tensor mask, types;
  // A device that repeats recorded steps wants the same tensors in each.
  if (shortest < longest || multiple > 1) mask = torch::zeros({count, longest}, torch::kBool);
  if (!types_.empty()) types = torch::zeros({count, longest}, torch::kLong);
  for (std::int64_t row = 0; row < count; ++row) {
    const auto example = static_cast<std::size_t>(examples[static_cast<std::size_t>(row)]);
    const auto from = static_cast<std::size_t>(starts_[example]);
    const auto length = static_cast<std::size_t>(lengths_[example]);
    std::copy_n(ids_.data() + from, length, ids.data_ptr<std::int64_t>() + row * longest);
    if (mask.defined()) std::fill_n(mask.data_ptr<bool>() + row * longest, length, true);
    if (types.defined())
      std::copy_n(types_.data() + from, length, types.data_ptr<std::int64_t>() + row * longest);
  }
  tensors[kIds] = ids;
  if (mask.defined()) tensors[kMask] = mask;
  if (types.defined()) tensors[kTypes] = types;
  return tensors;
}

std::vector<std::vector<std::int64_t>> batches_to_measure(const std::vector<std::int64_t>& lengths,
                                                          std::int64_t most_tokens) {
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  const auto length = [&](std::int64_t example) { return lengths[static_cast<std::size_t>(example)]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return length(a) < length(b); });
  std::vector<std::vector<std::int64_t>> batches;
  for (const std::int64_t example : order) {
    const bool fits = !batches.empty() &&
                      (static_cast<std::int64_t>(batches.back().size()) + 1) * length(example) <= most_tokens;
    if (!fits) batches.emplace_back();
    batches.back().push_back(example);
  }
  return batches;
}

}  // namespace tune::trainer::text_classification
