#pragma once
// What a language model is to learn from: prompts and completions, conversations, plain texts.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/language_model/data/chat_template.h"

namespace tune::trainer::language_model {

struct Example {
  std::string place = {};  // "data.jsonl, line 3"
  // A prompt and what is to come behind it; of a plain text the prompt is empty.
  std::string prompt = {};
  std::optional<std::string> completion = std::nullopt;  // absent where predictions are asked for
  std::vector<Message> messages = {};                    // of a conversation; then the two above are empty
};

struct ExampleForm {
  std::string prompt = "prompt", completion = "completion";  // columns
  std::filesystem::path prompt_template;                     // a JSON file; "" for none
  bool needs_completions = true;
};

// A CSV (with the two columns' names on top, or two columns without), or JSON Lines; a column "messages" of
// JSON Lines holds conversations ([{"role", "content"}]), a column "text" alone plain texts. The template is
// {"prompt": "..{column}..", "completion": "..{column}.."}, whose braces name columns. Throws Error(kBadData)
// with file, line and cure, also for an empty completion.
std::vector<Example> read_examples(const std::filesystem::path& file, const ExampleForm& form);

}  // namespace tune::trainer::language_model
