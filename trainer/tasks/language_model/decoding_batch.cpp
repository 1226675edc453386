#include "trainer/tasks/language_model/decoding_batch.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

torch::Tensor numbers(const std::vector<std::int64_t>& values) {
  return torch::tensor(at::ArrayRef<std::int64_t>(values), torch::kLong);
}

// Padding on the left, so that there are `tokens` of each row.
void pad(nn::KeyValueCache& cache, std::int64_t tokens) {
  const std::int64_t more = tokens - cache.tokens;
  if (more <= 0) return;
  for (nn::KeyValueCache::OfLayer& layer : cache.layers)
    for (torch::Tensor* part : {&layer.keys, &layer.values})
      *part = torch::constant_pad_nd(part->narrow(2, 0, cache.tokens), {0, 0, more, 0});
  cache.tokens = tokens;
}

}  // namespace

DecodingBatch::DecodingBatch(nn::Decoder decoder, torch::Device device)
    : decoder_(std::move(decoder)), device_(std::move(device)) {}

torch::Tensor DecodingBatch::forward(const torch::Tensor& ids, const torch::Tensor& positions,
                                     nn::KeyValueCache& cache, const std::vector<std::int64_t>& lengths) {
  nn::DecoderInput input{.ids = ids.to(device_), .positions = positions.to(device_), .cache = &cache};
  const std::int64_t tokens = cache.tokens + ids.size(1);
  if (std::any_of(lengths.begin(), lengths.end(), [&](std::int64_t length) { return length < tokens; }))
    input.is_token =
        (torch::arange(tokens).unsqueeze(0) >= (tokens - numbers(lengths)).unsqueeze(1)).to(device_);
  const torch::Tensor hidden = decoder_->forward(input).select(1, ids.size(1) - 1);
  return nn::logits_of(hidden, decoder_->output()).cpu().contiguous();
}

torch::Tensor DecodingBatch::join(const std::vector<std::vector<std::int64_t>>& prompts) {
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int64_t>& prompt : prompts)
    lengths.push_back(static_cast<std::int64_t>(prompt.size()));
  const auto count = static_cast<std::int64_t>(prompts.size());
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  TUNE_CHECK(*std::min_element(lengths.begin(), lengths.end()) > 0);
  const torch::Tensor ids = torch::zeros({count, longest}, torch::kLong), positions = torch::zeros_like(ids);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t own = lengths[static_cast<std::size_t>(i)];
    ids[i].slice(0, longest - own).copy_(numbers(prompts[static_cast<std::size_t>(i)]));
    positions[i].slice(0, longest - own).copy_(torch::arange(own));
  }
  nn::KeyValueCache fresh;
  torch::Tensor logits = forward(ids, positions, fresh, lengths);
  take_in(std::move(fresh), lengths);
  return logits;
}

torch::Tensor DecodingBatch::enter(Entering& text, std::int64_t most) {
  const std::int64_t begin = text.cache.tokens, all = static_cast<std::int64_t>(text.prompt.size()),
                     end = std::min(all, begin + most);
  const torch::Tensor ids = numbers({text.prompt.begin() + begin, text.prompt.begin() + end}).unsqueeze(0),
                      positions = torch::arange(begin, end).unsqueeze(0);
  torch::Tensor logits = forward(ids, positions, text.cache, {end});
  if (end < all) return {};
  take_in(std::move(text.cache), {all});
  return logits;
}

void DecodingBatch::take_in(nn::KeyValueCache fresh, const std::vector<std::int64_t>& lengths) {
  if (rows() == 0) {
    cache_ = std::move(fresh);
  } else {
    const std::int64_t tokens = std::max(cache_.tokens, fresh.tokens);
    pad(cache_, tokens);
    pad(fresh, tokens);
    for (std::size_t i = 0; i < cache_.layers.size(); ++i) {
      auto& [keys, values] = cache_.layers[i];
      keys = torch::cat({keys.narrow(2, 0, tokens), fresh.layers[i].keys.narrow(2, 0, tokens)});
      values = torch::cat({values.narrow(2, 0, tokens), fresh.layers[i].values.narrow(2, 0, tokens)});
    }
  }
  lengths_.insert(lengths_.end(), lengths.begin(), lengths.end());
}

torch::Tensor DecodingBatch::step(const std::vector<std::int64_t>& tokens) {
  TUNE_CHECK(static_cast<std::int64_t>(tokens.size()) == rows());
  const torch::Tensor positions = numbers(lengths_).unsqueeze(1);
  for (std::int64_t& length : lengths_) ++length;
  return forward(numbers(tokens).unsqueeze(1), positions, cache_, lengths_);
}

void DecodingBatch::keep(const std::vector<std::int64_t>& kept) {
  if (static_cast<std::int64_t>(kept.size()) == rows()) return;
  std::vector<std::int64_t> lengths;
  for (const std::int64_t row : kept) lengths.push_back(lengths_[static_cast<std::size_t>(row)]);
  lengths_ = std::move(lengths);
  if (lengths_.empty()) {
    cache_ = {};
    return;
  }
  // What is padding in every row that stays goes.
  const std::int64_t tokens = *std::max_element(lengths_.begin(), lengths_.end());
  const torch::Tensor index = numbers(kept).to(device_);
  for (nn::KeyValueCache::OfLayer& layer : cache_.layers)
    for (torch::Tensor* part : {&layer.keys, &layer.values})
      *part = part->narrow(2, cache_.tokens - tokens, tokens).index_select(0, index);
  cache_.tokens = tokens;
}

}  // namespace tune::trainer::language_model
