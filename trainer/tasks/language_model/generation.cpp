#include "trainer/tasks/language_model/generation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::trainer::language_model {
namespace {

// One answer under way.
struct Answer {
  std::vector<std::int64_t> before;  // the prompt
  GeneratedAnswer made;
  text::StreamDecoder decoder;
  Rng rng;
  bool done = false;
};

std::int64_t most_probable(const std::vector<float>& logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

void penalise(std::vector<float>& logits, const Answer& answer, double penalty) {
  std::set<std::int64_t> seen(answer.before.begin(), answer.before.end());
  seen.insert(answer.made.ids.begin(), answer.made.ids.end());
  for (const std::int64_t id : seen) {
    float& logit = logits[static_cast<std::size_t>(id)];
    logit = static_cast<float>(logit < 0 ? logit * penalty : logit / penalty);
  }
}

// One token of the distribution that temperature, top_k and top_p leave.
std::int64_t drawn(const std::vector<float>& logits, const GenerationSettings& settings, Rng& rng) {
  std::vector<std::int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto above = [&](std::int64_t a, std::int64_t b) {
    const float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  if (settings.top_k > 0 && settings.top_k < static_cast<std::int64_t>(order.size())) {
    std::nth_element(order.begin(), order.begin() + settings.top_k, order.end(), above);
    order.resize(static_cast<std::size_t>(settings.top_k));
  }
  std::sort(order.begin(), order.end(), above);
  const double largest = logits[static_cast<std::size_t>(order.front())];
  std::vector<double> weights;
  double all = 0;
  for (const std::int64_t id : order) {
    weights.push_back(std::exp((logits[static_cast<std::size_t>(id)] - largest) / settings.temperature));
    all += weights.back();
  }
  double kept = 0;
  std::size_t count = 0;
  while (count < weights.size() && (count == 0 || kept < settings.top_p * all)) kept += weights[count++];
  double at = rng.uniform() * kept;
  for (std::size_t i = 0; i < count; ++i)
    if ((at -= weights[i]) < 0) return order[i];
  return order[count - 1];
}

// Takes the next token in, and ends the answer where that does.
void take(Answer& answer, std::int64_t token, const std::vector<std::int64_t>& ends,
          const GenerationSettings& settings) {
  if (std::find(ends.begin(), ends.end(), token) != ends.end()) {
    answer.made.is_complete = answer.done = true;
    return;
  }
  answer.made.ids.push_back(token);
  answer.made.text += answer.decoder.push(token);
  for (const std::string& stop : settings.stops) {
    const std::size_t at = answer.made.text.find(stop);
    if (at == std::string::npos) continue;
    answer.made.text.resize(at);
    answer.made.is_complete = answer.done = true;
  }
  if (static_cast<std::int64_t>(answer.made.ids.size()) >= settings.max_new_tokens) answer.done = true;
}

void check_room(const std::vector<std::int64_t>& prompt, std::size_t number, std::int64_t positions) {
  if (prompt.empty())
    throw Error(ExitCode::kBadData, "prompt " + std::to_string(number + 1) + " is empty", "say something");
  if (static_cast<std::int64_t>(prompt.size()) >= positions)
    throw Error(ExitCode::kBadData,
                "prompt " + std::to_string(number + 1) + " has " + std::to_string(prompt.size()) +
                    " tokens, and the model sees " + std::to_string(positions) + " with its answer",
                "shorten the prompt, or take a model with a longer context");
}

// The answers of one batch. False: interrupted.
bool answer_batch(nn::Decoder& decoder, std::vector<Answer*> answers, const std::vector<std::int64_t>& ends,
                  const GenerationSettings& settings, const torch::Device& device,
                  const std::function<bool()>& interrupted) {
  const auto count = static_cast<std::int64_t>(answers.size());
  std::int64_t length = 0;
  bool padded = false;
  for (const Answer* answer : answers) {
    const auto own = static_cast<std::int64_t>(answer->before.size());
    padded = padded || (length > 0 && own != length);
    length = std::max(length, own);
  }
  // Prompts end together: padding is on the left.
  torch::Tensor ids = torch::zeros({count, length}, torch::kLong),
                is_token = torch::ones({count, length}, torch::kBool),
                next_position = torch::zeros({count, 1}, torch::kLong), positions = torch::zeros_like(ids);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::vector<std::int64_t>& prompt = answers[static_cast<std::size_t>(i)]->before;
    const auto own = static_cast<std::int64_t>(prompt.size());
    ids[i].slice(0, length - own).copy_(torch::tensor(at::ArrayRef<std::int64_t>(prompt), torch::kLong));
    is_token[i].slice(0, 0, length - own).fill_(false);
    positions[i].slice(0, length - own).copy_(torch::arange(own));
    next_position[i][0] = own;
  }
  ids = ids.to(device);
  positions = positions.to(device);
  is_token = is_token.to(device);
  next_position = next_position.to(device);
  nn::KeyValueCache cache;
  while (true) {
    if (interrupted()) return false;
    nn::DecoderInput input{.ids = ids, .positions = positions, .cache = &cache};
    if (padded) input.is_token = is_token;
    const torch::Tensor hidden = decoder->forward(input).select(1, ids.size(1) - 1);
    const torch::Tensor logits = nn::logits_of(hidden, decoder->output()).cpu().contiguous();
    std::vector<std::int64_t> next(answers.size(), 0);
    bool all_done = true;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      Answer& answer = *answers[i];
      if (answer.done) continue;
      const float* row = logits.const_data_ptr<float>() + static_cast<std::int64_t>(i) * logits.size(1);
      std::vector<float> own(row, row + logits.size(1));
      if (settings.repetition_penalty != 1) penalise(own, answer, settings.repetition_penalty);
      next[i] = settings.temperature > 0 ? drawn(own, settings, answer.rng) : most_probable(own);
      take(answer, next[i], ends, settings);
      if (static_cast<std::int64_t>(answer.before.size() + answer.made.ids.size()) >=
          decoder->shape().positions)
        answer.done = true;
      all_done = all_done && answer.done;
    }
    if (all_done) return true;
    ids = torch::tensor(at::ArrayRef<std::int64_t>(next), torch::kLong).unsqueeze(1).to(device);
    positions = next_position;
    next_position = next_position + 1;
    is_token = torch::cat({is_token, torch::ones({count, 1}, is_token.options())}, 1);
  }
}

}  // namespace

std::vector<GeneratedAnswer> generate(nn::Decoder& decoder, const text::Tokenizer& tokenizer,
                                      const std::vector<std::int64_t>& ends,
                                      const std::vector<std::vector<std::int64_t>>& prompts,
                                      const GenerationSettings& settings, std::int64_t batch,
                                      const torch::Device& device, const std::function<bool()>& interrupted) {
  const torch::NoGradGuard no_grad;
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    check_room(prompts[i], i, decoder->shape().positions);
    answers.push_back(
        {prompts[i], {}, text::StreamDecoder(tokenizer, /*skip_special=*/true), Rng(settings.seed, i)});
  }
  // Prompts of about the same length share a batch.
  std::vector<Answer*> order;
  for (Answer& answer : answers) order.push_back(&answer);
  std::stable_sort(order.begin(), order.end(),
                   [](const Answer* a, const Answer* b) { return a->before.size() < b->before.size(); });
  for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(batch)) {
    const std::size_t end = std::min(order.size(), begin + static_cast<std::size_t>(batch));
    const std::vector<Answer*> some(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                    order.begin() + static_cast<std::ptrdiff_t>(end));
    if (!answer_batch(decoder, some, ends, settings, device, interrupted)) return {};
  }
  std::vector<GeneratedAnswer> made;
  for (Answer& answer : answers) {
    if (answer.made.is_complete == false || settings.stops.empty())
      answer.made.text += answer.decoder.finish();
    made.push_back(std::move(answer.made));
  }
  return made;
}

}  // namespace tune::trainer::language_model
