#include "trainer/text/token_decoder.h"

#include <algorithm>
#include <array>

#include "trainer/text/utf8.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {
namespace {

using Tokens = std::vector<std::string>;

// What WordPiece's decoder joins again, in its order.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kCleanUps = {{{" .", "."},
                                                                                      {" ?", "?"},
                                                                                      {" !", "!"},
                                                                                      {" ,", ","},
                                                                                      {" ' ", "'"},
                                                                                      {" n't", "n't"},
                                                                                      {" 'm", "'m"},
                                                                                      {" do not", " don't"},
                                                                                      {" 's", "'s"},
                                                                                      {" 've", "'ve"},
                                                                                      {" 're", "'re"}}};

Tokens decode_by(const WordPieceDecoder& step, Tokens tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) {
      if (tokens[i].starts_with(step.prefix))
        tokens[i].erase(0, step.prefix.size());
      else
        tokens[i].insert(0, " ");
    }
    if (step.cleans_up && tokens[i].find(' ') != std::string::npos)
      for (const auto& [dirty, clean] : kCleanUps)
        if (tokens[i].find(dirty) != std::string::npos)
          tokens[i] = Replace{std::string(dirty), std::string(clean)}.apply(tokens[i]);
  }
  return tokens;
}

Tokens decode_by(const ByteLevelDecoder&, const Tokens& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += bytes_of_letters(token).value_or(token);
  return {valid_utf8(bytes)};
}

Tokens decode_by(const ByteFallbackDecoder&, const Tokens& tokens) {
  Tokens result;
  std::string bytes;
  const auto settle = [&] {
    if (bytes.empty()) return;
    if (std::string text = valid_utf8(bytes); text == bytes)
      result.push_back(std::move(text));
    else
      result.insert(result.end(), bytes.size(), "\xEF\xBF\xBD");  // U+FFFD for each of them
    bytes.clear();
  };
  for (const std::string& token : tokens) {
    if (const std::optional<char> byte = byte_of_token(token)) {
      bytes.push_back(*byte);
    } else {
      settle();
      result.push_back(token);
    }
  }
  settle();
  return result;
}

Tokens decode_by(const FuseDecoder&, const Tokens& tokens) {
  std::string whole;
  for (const std::string& token : tokens) whole += token;
  return {whole};
}

Tokens decode_by(const StripDecoder& step, Tokens tokens) {
  for (std::string& token : tokens) {
    std::size_t begin = 0, end = token.size();
    const std::size_t length = step.character.size();
    for (std::size_t i = 0; i < step.start && token.compare(begin, length, step.character) == 0; ++i)
      begin += length;
    for (std::size_t i = 0;
         i < step.stop && end >= begin + length && token.compare(end - length, length, step.character) == 0;
         ++i)
      end -= length;
    token = token.substr(begin, end - begin);
  }
  return tokens;
}

Tokens decode_by(const MetaspaceDecoder& step, Tokens tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = Replace{step.replacement, i == 0 && step.drops_first ? "" : " "}.apply(tokens[i]);
  return tokens;
}

Tokens decode_by(const Replace& step, Tokens tokens) {
  for (std::string& token : tokens) token = step.apply(token);
  return tokens;
}

}  // namespace

std::string TokenDecoder::decode(std::vector<std::string> tokens) const {
  std::string text;
  if (steps_)
    for (const DecoderStep& step : *steps_)
      tokens = std::visit([&](const auto& what) { return decode_by(what, std::move(tokens)); }, step);
  for (std::size_t i = 0; i < tokens.size(); ++i) text += (i > 0 && !steps_ ? " " : "") + tokens[i];
  return text;
}

}  // namespace tune::trainer::text
