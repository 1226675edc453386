#include "trainer/text/tokenizer.h"

#include <algorithm>

#include "trainer/text/tokenizer_parts.h"
#include "trainer/text/utf8.h"
#include "tuner/core/error.h"

namespace tune::trainer::text {
namespace {

using Ids = std::vector<std::int64_t>;

constexpr std::string_view kOpen = "\xEF\xBF\xBD";  // U+FFFD: how the bytes of an open character are decoded

std::size_t count_specials(const std::vector<PostProcessor::Item>& items) {
  std::size_t count = 0;
  for (const PostProcessor::Item& item : items)
    if (const auto* ids = std::get_if<std::vector<std::int64_t>>(&item.what)) count += ids->size();
  return count;
}

void cut_to(Ids& ids, std::size_t length, bool from_left) {
  if (ids.size() <= length) return;
  const auto gone = static_cast<std::ptrdiff_t>(ids.size() - length);
  if (from_left)
    ids.erase(ids.begin(), ids.begin() + gone);
  else
    ids.erase(ids.end() - gone, ids.end());
}

// How many tokens are left of two texts so that both together fit: the longer one is cut to the length of the
// shorter one, then both alike, an odd place going to the longer one.
std::pair<std::size_t, std::size_t> longest_first(std::size_t first, std::size_t second, std::size_t most) {
  if (first + second <= most) return {first, second};
  const bool is_swapped = first > second;
  std::size_t shorter = std::min(first, second);
  std::size_t longer = shorter > most ? shorter : std::max(shorter, most - shorter);
  if (shorter + longer > most) {
    shorter = most / 2;
    longer = shorter + most % 2;
  }
  return is_swapped ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

Encoding assemble(const std::vector<PostProcessor::Item>& items, const Ids& first, const Ids& second) {
  Encoding encoding;
  for (const PostProcessor::Item& item : items) {
    const auto* text = std::get_if<PostProcessor::Text>(&item.what);
    const Ids& ids = text == nullptr                        ? std::get<Ids>(item.what)
                     : *text == PostProcessor::Text::kFirst ? first
                                                            : second;
    encoding.ids.insert(encoding.ids.end(), ids.begin(), ids.end());
    encoding.type_ids.resize(encoding.ids.size(), item.type_id);
    encoding.is_special.resize(encoding.ids.size(), text == nullptr);
  }
  return encoding;
}

// The room that a limit leaves for texts.
std::size_t room(const Tokenizer::Parts& parts, const std::vector<PostProcessor::Item>& items,
                 std::size_t max_length) {
  const std::size_t specials = count_specials(items);
  if (max_length < specials)
    throw Error(ExitCode::kBadData,
                parts.name + ": a length of " + std::to_string(max_length) + " tokens has no room for the " +
                    std::to_string(specials) + " that the tokenizer puts round a text",
                "a greater length");
  return max_length - specials;
}

}  // namespace

Tokenizer::Tokenizer(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

std::vector<std::int64_t> Tokenizer::encode(std::string_view text) const {
  Ids ids;
  const std::string valid = valid_utf8(text);
  for (const AddedTokens::Stretch& stretch : parts_->added.cut(valid, false)) {
    if (stretch.id) {
      ids.push_back(*stretch.id);
      continue;
    }
    bool keeps_begin = true;
    const std::string normalized = parts_->normalizer.apply(std::string(stretch.text), keeps_begin);
    const bool begins_input = keeps_begin && stretch.text.data() == valid.data();
    for (const AddedTokens::Stretch& piece : parts_->added.cut(normalized, true)) {
      if (piece.id) {
        ids.push_back(*piece.id);
        continue;
      }
      Words words;
      words.words.push_back({piece.text, begins_input && piece.text.data() == normalized.data()});
      parts_->pre_tokenizer.apply(words);
      for (const Words::Word& word : words.words) parts_->model->append_ids(word.text, ids);
    }
  }
  return ids;
}

Encoding Tokenizer::encode_one(std::string_view text, std::optional<std::size_t> max_length) const {
  Ids ids = encode(text);
  const std::size_t all = ids.size();
  if (max_length) cut_to(ids, room(*parts_, parts_->around.single, *max_length), parts_->cuts_left);
  Encoding encoding = assemble(parts_->around.single, ids, {});
  encoding.cut = all - ids.size();
  return encoding;
}

Encoding Tokenizer::encode_pair(std::string_view first, std::string_view second,
                                std::optional<std::size_t> max_length) const {
  Ids left = encode(first), right = encode(second);
  const std::size_t all = left.size() + right.size();
  if (max_length) {
    const auto [left_length, right_length] =
        longest_first(left.size(), right.size(), room(*parts_, parts_->around.pair, *max_length));
    cut_to(left, left_length, parts_->cuts_left);
    cut_to(right, right_length, parts_->cuts_left);
  }
  Encoding encoding = assemble(parts_->around.pair, left, right);
  encoding.cut = all - left.size() - right.size();
  return encoding;
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids, bool skip_special) const {
  std::vector<std::string> tokens;
  std::string text;                     // of a model that decodes by itself
  std::vector<std::uint32_t> sentence;  // its tokens that wait
  const SentencePiece* const itself = parts_->sentence_piece;
  const auto settle = [&] {
    if (itself != nullptr && !sentence.empty()) text += itself->decode(sentence);
    sentence.clear();
  };
  for (const std::int64_t id : ids) {
    if (id < 0) continue;
    const AddedToken* const added = parts_->added.token_of(static_cast<std::uint64_t>(id));
    const std::optional<std::string_view> token = parts_->token_of(static_cast<std::uint64_t>(id));
    const bool special = added != nullptr && added->is_special;
    if (!token || (skip_special && special)) continue;
    if (itself == nullptr) {
      tokens.emplace_back(*token);
    } else if (special || static_cast<std::size_t>(id) >= itself->size()) {
      settle();
      text += *token;
    } else {
      sentence.push_back(static_cast<std::uint32_t>(id));
    }
  }
  settle();
  return itself == nullptr ? parts_->decoder.decode(std::move(tokens)) : text;
}

std::optional<std::int64_t> Tokenizer::id_of(std::string_view token) const { return parts_->id_of(token); }

std::string Tokenizer::token_of(std::int64_t id) const {
  return std::string(id < 0 ? "" : parts_->token_of(static_cast<std::uint64_t>(id)).value_or(""));
}

std::string Tokenizer::bytes_of(std::int64_t id) const {
  std::string text = decode(std::vector{id}, /*skip_special=*/false);
  if (text.find(kOpen) == std::string::npos) return text;
  const std::string token = token_of(id);
  if (const std::optional<char> byte = byte_of_token(token)) return {*byte};
  return bytes_of_letters(token).value_or(std::move(text));
}

bool Tokenizer::is_special(std::int64_t id) const {
  const AddedToken* const token = id < 0 ? nullptr : parts_->added.token_of(static_cast<std::uint64_t>(id));
  return token != nullptr && token->is_special;
}

std::size_t Tokenizer::size() const {
  return std::max<std::size_t>(parts_->vocabulary.end(), parts_->added.end());
}

const Tokenizer::Specials& Tokenizer::specials() const { return parts_->specials; }
const std::string& Tokenizer::chat_template() const { return parts_->chat_template; }
std::optional<std::size_t> Tokenizer::model_max_length() const { return parts_->model_max_length; }
const std::vector<std::filesystem::path>& Tokenizer::files() const { return parts_->files; }

std::string Tokenizer::check_rows(std::size_t rows, const std::string& weights) const {
  const std::string sizes =
      std::to_string(size()) + " tokens for " + std::to_string(rows) + " rows of the embedding in " + weights;
  if (size() > rows)
    throw Error(ExitCode::kBadData, parts_->name + " does not belong to these weights: " + sizes,
                "put the tokenizer's files of that very model beside the weights, or train the embedding of "
                "added tokens");
  // Rows are rounded up to at most a multiple of 1024 (Qwen2's 151,665 tokens have 151,936 rows, of its large
  // models 152,064).
  if (rows - size() >= 1024 && rows - size() > rows / 20)
    return parts_->name + " may not belong to these weights: " + sizes;
  return "";
}

StreamDecoder::StreamDecoder(Tokenizer tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string StreamDecoder::push(std::int64_t id) {
  ids_.push_back(id);
  const std::string text = tokenizer_.decode(ids_, skip_special_);
  if (text.size() <= given_.size() || text.ends_with(kOpen) || !text.starts_with(given_)) return "";
  std::string fresh = text.substr(given_.size());
  // What comes next depends on the last token alone, unless that is one of several bytes or shows nothing by
  // itself.
  given_ = text;
  if (tokenizer_.token_of(id).starts_with("<0x")) return fresh;
  if (std::string alone = tokenizer_.decode(std::vector{id}, skip_special_); !alone.empty()) {
    ids_ = {id};
    given_ = std::move(alone);
  }
  return fresh;
}

std::string StreamDecoder::finish() {
  const std::string text = tokenizer_.decode(ids_, skip_special_);
  const std::string rest = text.substr(std::min(given_.size(), text.size()));
  ids_.clear();
  given_.clear();
  return rest;
}

}  // namespace tune::trainer::text
