#include "trainer/tasks/language_model/generation.h"

#include <algorithm>

#include "trainer/tasks/language_model/answer_writer.h"
#include "trainer/tasks/language_model/decoding_batch.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

// One answer, and its text so far.
struct Answer {
  AnswerWriter writer;
  std::string text;
};

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
bool answer_batch(const nn::Decoder& decoder, std::vector<Answer*> answers, const torch::Device& device,
                  const std::function<bool()>& interrupted) {
  std::vector<std::vector<std::int64_t>> prompts;
  for (const Answer* answer : answers) prompts.push_back(answer->writer.prompt());
  DecodingBatch batch(decoder, device);
  if (interrupted()) return false;
  torch::Tensor logits = batch.join(prompts);
  while (true) {
    const auto words = static_cast<std::size_t>(logits.size(1));
    std::vector<Answer*> open;
    std::vector<std::int64_t> rows, tokens;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      answers[i]->text +=
          answers[i]->writer.advance({logits.const_data_ptr<float>() + i * words, words}).text;
      if (answers[i]->writer.is_done()) continue;
      open.push_back(answers[i]);
      rows.push_back(static_cast<std::int64_t>(i));
      tokens.push_back(answers[i]->writer.ids().back());
    }
    if (open.empty()) return true;
    if (interrupted()) return false;
    answers = std::move(open);
    batch.keep(rows);
    logits = batch.step(tokens);
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
        {AnswerWriter(tokenizer, prompts[i], settings, ends, decoder->shape().positions, i), {}});
  }
  // Prompts of about the same length share a batch.
  std::vector<Answer*> order;
  for (Answer& answer : answers) order.push_back(&answer);
  std::stable_sort(order.begin(), order.end(), [](const Answer* a, const Answer* b) {
    return a->writer.prompt().size() < b->writer.prompt().size();
  });
  for (std::size_t begin = 0; begin < order.size(); begin += static_cast<std::size_t>(batch)) {
    const std::size_t end = std::min(order.size(), begin + static_cast<std::size_t>(batch));
    const std::vector<Answer*> some(order.begin() + static_cast<std::ptrdiff_t>(begin),
                                    order.begin() + static_cast<std::ptrdiff_t>(end));
    if (!answer_batch(decoder, some, device, interrupted)) return {};
  }
  std::vector<GeneratedAnswer> made;
  for (Answer& answer : answers)
    made.push_back({std::move(answer.text), answer.writer.ids(), answer.writer.end() == served::End::kStop});
  return made;
}

}  // namespace tune::trainer::language_model
