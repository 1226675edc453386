#pragma once
// Text into token ids and back, as the library `tokenizers` of Hugging Face does it.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::text {

struct Encoding {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> type_ids;  // of the same length: 0 and 1, which text of a pair a token is of
  std::vector<bool> is_special;        // of the same length: that the template put there, not the text
  std::size_t cut = 0;                 // tokens of the text that a limit cut
};

// Files of a tokenizer as texts, for one that does not come out of a folder (GGUF).
struct TokenizerFiles {
  std::string tokenizer_json;      // tokenizer.json
  std::string config_json;         // tokenizer_config.json; empty: there is none
  std::string name = "tokenizer";  // what errors call it
};

// A tokenizer, immutable once it is made: copies share what they know, and any number of threads may use one.
// Texts are UTF-8; bytes that are not are read as U+FFFD, one for each maximal part of a character, as
// Python's decode(errors="replace") does. `truncation` and `padding` of a tokenizer.json are passed over:
// lengths and padding are the caller's. What a file asks for and this class does not know is refused by its
// name.
class Tokenizer {
 public:
  // Reads a folder as Hugging Face writes it: `tokenizer.json`, else `vocab.txt` (WordPiece), else
  // `tokenizer.model` (sentencepiece), with `tokenizer_config.json`, `special_tokens_map.json`,
  // `added_tokens.json` and `chat_template.jinja` where they are. Throws Error(kNotFound) where there is none
  // of the three, and Error(kBadData) with file and place for what is damaged, contradictory or unknown.
  static Tokenizer open(const std::filesystem::path& folder);
  // The same of texts; `files()` is empty then.
  static Tokenizer from_files(const TokenizerFiles& files);

  // Ids of a text without any that the template adds; added tokens that stand in the text are found.
  std::vector<std::int64_t> encode(std::string_view text) const;
  // With the tokens of the template around it ([CLS] .. [SEP]). With a `max_length`, which counts those too,
  // what is longer is cut at the side that tokenizer_config.json names (the right one without it). Throws
  // Error(kBadData) where `max_length` leaves no room for the template itself.
  Encoding encode_one(std::string_view text, std::optional<std::size_t> max_length) const;
  // Two texts; the longer one is cut first ("longest_first").
  Encoding encode_pair(std::string_view first, std::string_view second,
                       std::optional<std::size_t> max_length) const;
  // The text of the ids; those of no token are passed over. With `skip_special`, special tokens are left out.
  std::string decode(std::span<const std::int64_t> ids, bool skip_special) const;

  // The bytes of one id, special or not, of which several may make one character.
  std::string bytes_of(std::int64_t id) const;

  std::optional<std::int64_t> id_of(std::string_view token) const;
  std::string token_of(std::int64_t id) const;  // "" for the id of no token
  bool is_special(std::int64_t id) const;       // whether decode() with `skip_special` leaves it out
  // Rows that an embedding needs: the highest id and one, added tokens among them.
  std::size_t size() const;

  struct Specials {
    std::optional<std::int64_t> pad, unknown, begin, end, separator, classifier, mask;
  };
  // From tokenizer_config.json and special_tokens_map.json, else by the names in use for the kind of model.
  const Specials& specials() const;
  // The chat template (Jinja) of chat_template.jinja or tokenizer_config.json; "" where there is none.
  const std::string& chat_template() const;
  // `model_max_length` of tokenizer_config.json; none where it is absent or stands for "no limit" (1e30).
  std::optional<std::size_t> model_max_length() const;
  // The files that were read: they travel with a model, unchanged.
  const std::vector<std::filesystem::path>& files() const;

  // Whether it belongs to weights whose embedding has `rows` rows; `weights` names them. Throws
  // Error(kBadData) where an id has no row. Returns a sentence of warning where far fewer tokens than rows
  // make it doubtful (padding of rows to a round number is usual), else "".
  std::string check_rows(std::size_t rows, const std::string& weights) const;

  struct Parts;  // inside trainer/text/ only
  explicit Tokenizer(std::shared_ptr<const Parts> parts);

 private:
  std::shared_ptr<const Parts> parts_;
};

// Ids into text one by one, as a model makes them: gives back whole characters only. Of one thread.
class StreamDecoder {
 public:
  StreamDecoder(Tokenizer tokenizer, bool skip_special);
  // The text that this id completes; "" while a character is open. All pieces together are decode() of all
  // ids.
  std::string push(std::int64_t id);
  // What is left at the end, an open character as U+FFFD. The decoder is as new afterwards.
  std::string finish();

 private:
  Tokenizer tokenizer_;
  bool skip_special_;
  std::vector<std::int64_t> ids_;
  std::string given_;  // the text of `ids_` that was given back
};

}  // namespace tune::trainer::text
