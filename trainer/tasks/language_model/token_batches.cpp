#include "trainer/tasks/language_model/token_batches.h"

#include <algorithm>
#include <numeric>

namespace tune::trainer::language_model {
namespace {

std::int64_t rounded_up(std::int64_t number, std::int64_t multiple) {
  return (number + multiple - 1) / multiple * multiple;
}

torch::Tensor as_tensor(const std::vector<std::int64_t>& numbers) {
  return torch::tensor(at::ArrayRef<std::int64_t>(numbers), torch::kLong);
}

}  // namespace

std::int64_t length_of(const std::vector<TokenSequence>& sequences, const Row& row) {
  std::int64_t length = 0;
  for (const std::size_t sequence : row) length += static_cast<std::int64_t>(sequences[sequence].ids.size());
  return length;
}

loop::Batch batch_of(const std::vector<TokenSequence>& sequences, const std::vector<const Row*>& rows,
                     bool packed, std::int64_t length_multiple) {
  std::int64_t length = 0, tokens = 0;
  for (const Row* row : rows) {
    length = std::max(length, length_of(sequences, *row));
    tokens += length_of(sequences, *row);
  }
  length = rounded_up(length, length_multiple);
  const auto count = static_cast<std::int64_t>(rows.size());
  torch::Tensor ids = torch::zeros({count, length}, torch::kLong), positions, texts;
  if (packed) {
    positions = torch::zeros_like(ids);
    texts = torch::full_like(ids, -1);
  }
  std::vector<std::int64_t> places, targets;
  for (std::int64_t r = 0; r < count; ++r) {
    std::int64_t at = r * length, text = 0;  // in the rows laid end to end
    for (const std::size_t index : *rows[static_cast<std::size_t>(r)]) {
      const TokenSequence& sequence = sequences[index];
      for (std::size_t t = 0; t < sequence.ids.size(); ++t, ++at) {
        ids.data_ptr<std::int64_t>()[at] = sequence.ids[t];
        if (packed) {
          positions.data_ptr<std::int64_t>()[at] = static_cast<std::int64_t>(t);
          texts.data_ptr<std::int64_t>()[at] = text;
        }
        if (t == 0 || !sequence.learned[t]) continue;
        places.push_back(at - 1);
        targets.push_back(sequence.ids[t]);
      }
      ++text;
    }
  }
  loop::Batch batch{{{"ids", ids}, {"places", as_tensor(places)}, {"targets", as_tensor(targets)}},
                    static_cast<double>(targets.size()),
                    tokens};
  if (packed) {
    batch.tensors["positions"] = positions;
    batch.tensors["texts"] = texts;
  }
  return batch;
}

torch::Tensor hidden_at_places(nn::Decoder& decoder, const weights::TensorMap& tensors) {
  nn::DecoderInput input{.ids = tensors.at("ids")};
  if (const auto positions = tensors.find("positions"); positions != tensors.end()) {
    input.positions = positions->second;
    input.texts = tensors.at("texts");
  }
  const torch::Tensor hidden = decoder->forward(input);
  return hidden.reshape({-1, hidden.size(-1)}).index_select(0, tensors.at("places"));
}

std::optional<TokenMeasures> measure_tokens(nn::Decoder& decoder, const std::vector<TokenSequence>& sequences,
                                            std::int64_t batch, const torch::Device& device,
                                            const std::function<bool()>& interrupted,
                                            const parallel::Team& team) {
  const torch::NoGradGuard no_grad;
  std::vector<Row> rows(sequences.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = {i};
  std::stable_sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    return length_of(sequences, a) > length_of(sequences, b);
  });
  torch::Tensor losses = torch::zeros({}, torch::TensorOptions(device).dtype(torch::kDouble)),
                right = torch::zeros({}, torch::TensorOptions(device).dtype(torch::kLong));
  TokenMeasures measures;
  // In turn, since those of long sequences take longest.
  const auto step = static_cast<std::size_t>(team.is_linked() ? batch * team.size() : batch),
             first = static_cast<std::size_t>(team.is_linked() ? batch * team.rank() : 0);
  bool stops = false;
  for (std::size_t begin = first; begin < rows.size(); begin += step) {
    stops = interrupted();
    if (stops) break;
    std::vector<const Row*> some;
    for (std::size_t i = begin; i < std::min(rows.size(), begin + static_cast<std::size_t>(batch)); ++i)
      some.push_back(&rows[i]);
    loop::Batch made = batch_of(sequences, some, /*packed=*/false, 1);
    measures.tokens += made.tensors.at("targets").size(0);
    for (auto& [name, tensor] : made.tensors) tensor = tensor.to(device);
    const nn::TokenScores scores = nn::token_scores(hidden_at_places(decoder, made.tensors),
                                                    decoder->output(), made.tensors.at("targets"));
    losses += scores.losses;
    right += scores.right;
  }
  if (team.any(stops)) return std::nullopt;
  const std::vector<double> sums = team.sums({static_cast<double>(measures.tokens), losses.item<double>(),
                                              static_cast<double>(right.item<std::int64_t>())});
  measures.tokens = static_cast<std::int64_t>(sums[0]);
  measures.loss = sums[1] / std::max(1.0, sums[0]);
  measures.token_accuracy = sums[2] / std::max(1.0, sums[0]);
  return measures;
}

}  // namespace tune::trainer::language_model
