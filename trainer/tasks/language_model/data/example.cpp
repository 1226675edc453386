#include "trainer/tasks/language_model/data/example.h"

#include "trainer/data/table.h"
#include "trainer/data/text_file.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::language_model {
namespace {

namespace fs = std::filesystem;

constexpr const char *kMessages = "messages", *kText = "text";

// A text with the names of columns in braces; doubled braces are braces.
class Pattern {
 public:
  struct Piece {
    std::string text;
    bool is_column = false;
  };
  Pattern(const std::string& text, const std::string& place) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
        plain += c;
        ++i;
      } else if (c == '{') {
        const std::size_t end = text.find('}', i);
        if (end == std::string::npos)
          throw Error(ExitCode::kBadData, place + ": a brace is not closed",
                      "write {column}, or {{ for a brace");
        pieces_.push_back({plain, false});
        pieces_.push_back({text.substr(i + 1, end - i - 1), true});
        plain.clear();
        i = end;
      } else {
        plain += c;
      }
    }
    pieces_.push_back({plain, false});
  }
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  std::vector<Piece> pieces_;
};

std::string cell_text(const data::Table& table, const data::Row& row, std::size_t column) {
  const std::optional<std::string> text = data::text_of(row.cells[column]);
  if (text) return *text;
  throw Error(ExitCode::kBadData,
              table.place(row) + ": \"" + table.columns[column] + "\" is " +
                  row.cells[column].dump().substr(0, 60) + ", no text",
              "give a text, or take the row out");
}

// One side of a template, filled in.
std::string filled(const Pattern& pattern, const data::Table& table, const data::Row& row,
                   const std::string& key) {
  std::string text;
  for (const Pattern::Piece& piece : pattern.pieces())
    text += piece.is_column ? cell_text(table, row, table.column(piece.text, key)) : piece.text;
  return text;
}

struct Template {
  Pattern prompt, completion;
};
Template read_template(const fs::path& file) {
  const Json json = data::read_json(file);
  const auto side = [&](const char* key) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_string())
      throw Error(ExitCode::kBadData, file.string() + ": no text \"" + key + "\"",
                  R"(as in {"prompt": "Q: {question}\nA: ", "completion": "{answer}"})");
    return Pattern(json[key].get<std::string>(), file.string() + ": \"" + key + "\"");
  };
  return {side("prompt"), side("completion")};
}

std::vector<Message> messages_of(const data::Table& table, const data::Row& row, std::size_t column) {
  const Json& cell = row.cells[column];
  const auto refuse = [&](const std::string& what) {
    throw Error(
        ExitCode::kBadData, table.place(row) + ": \"messages\" " + what,
        R"(as in "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}])");
  };
  if (!cell.is_array() || cell.empty()) refuse("is no list of messages");
  std::vector<Message> messages;
  for (const Json& message : cell) {
    if (!message.is_object() || !message.contains("role") || !message["role"].is_string() ||
        !message.contains("content") || !message["content"].is_string())
      refuse("holds " + message.dump().substr(0, 60) + ", which has no texts \"role\" and \"content\"");
    messages.push_back({message["role"], message["content"]});
  }
  return messages;
}

void check_conversation(const Example& example, bool needs_answer) {
  const std::string& last = example.messages.back().role;
  if (needs_answer && last != "assistant")
    throw Error(ExitCode::kBadData,
                example.place + ": the conversation ends with a message of \"" + last + "\"",
                "the last message is what is learned: an assistant's");
}

}  // namespace

std::vector<Example> read_examples(const fs::path& file, const ExampleForm& form) {
  const data::Table table =
      data::read_table(file, {data::Header::kIfNamed, {form.prompt, form.completion, kMessages, kText}});
  std::vector<Example> examples;
  const auto templates =
      form.prompt_template.empty() ? std::nullopt : std::optional(read_template(form.prompt_template));
  const auto messages = table.find(kMessages), plain = table.find(kText);
  std::optional<std::size_t> prompt, completion;
  const bool is_conversation = !templates && messages && table.has_header,
             is_plain = !templates && !is_conversation && plain && !table.find(form.prompt);
  if (!templates && !is_conversation && !is_plain) {
    if (!table.has_header && table.columns.size() == 2) {
      prompt = 0;
      completion = 1;
    } else if (!table.has_header && table.columns.size() == 1 && !form.needs_completions) {
      prompt = 0;
    } else {
      prompt = table.column(form.prompt, "trainer.prompt_column");
      completion = form.needs_completions
                       ? std::optional(table.column(form.completion, "trainer.completion_column"))
                       : table.find(form.completion);
    }
  }
  for (const data::Row& row : table.rows) {
    Example example;
    example.place = table.place(row);
    if (is_conversation) {
      example.messages = messages_of(table, row, *messages);
      check_conversation(example, form.needs_completions);
    } else if (is_plain) {
      example.completion = cell_text(table, row, *plain);
    } else if (templates) {
      example.prompt = filled(templates->prompt, table, row, "the template's prompt");
      if (form.needs_completions)
        example.completion = filled(templates->completion, table, row, "the template's completion");
    } else {
      example.prompt = cell_text(table, row, *prompt);
      if (completion && (form.needs_completions || !row.cells[*completion].is_null()))
        example.completion = cell_text(table, row, *completion);
    }
    if (form.needs_completions && example.messages.empty() && example.completion->empty())
      throw Error(ExitCode::kBadData, example.place + ": the completion is empty",
                  "take the row out, or complete it");
    examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace tune::trainer::language_model
