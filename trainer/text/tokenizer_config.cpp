#include "trainer/text/tokenizer_config.h"

#include <array>
#include <charconv>

#include "trainer/text/json_object.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text {
namespace {

using Specials = Tokenizer::Specials;

struct Role {
  const char* key;
  std::optional<std::int64_t> Specials::*id;
};
constexpr std::array<Role, 7> kRoles = {{{"pad_token", &Specials::pad},
                                         {"unk_token", &Specials::unknown},
                                         {"bos_token", &Specials::begin},
                                         {"eos_token", &Specials::end},
                                         {"sep_token", &Specials::separator},
                                         {"cls_token", &Specials::classifier},
                                         {"mask_token", &Specials::mask}}};

// A length beyond this is written where there is no limit (transformers' VERY_LARGE_INTEGER is 1e30).
constexpr double kNoLimit = 1e12;

// {"128000": {"content": "...", "special": true, ...}, ...}: tokens that tokenizer.json may lack.
void read_added(JsonObject& config, Tokenizer::Parts& parts) {
  if (config.find("added_tokens_decoder") == nullptr) return;
  JsonObject table = config.object("added_tokens_decoder");
  for (const auto& [key, entry] : config.need("added_tokens_decoder").items()) {
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id >= kMostIds)
      throw table.wrong("`" + visible_text(key) + "` is no id below " + std::to_string(kMostIds));
    JsonObject object = table.object(key.c_str());
    AddedToken token;
    token.text = object.text("content");
    token.id = id;
    token.is_special = object.flag_or("special", false);
    token.is_normalized = object.flag_or("normalized", !token.is_special);
    token.strips_left = object.flag_or("lstrip", false);
    token.strips_right = object.flag_or("rstrip", false);
    token.is_single_word = object.flag_or("single_word", false);
    if (token.text.empty()) throw object.wrong_at("content", "an empty text is no token");
    if (parts.added.id_of(token.text) == id) continue;
    const std::optional<std::uint32_t> known = parts.id_of(token.text);
    const std::optional<std::string_view> other = parts.token_of(id);
    if (known && *known != id)
      throw object.wrong(in_quotes(token.text) + " has the id " + std::to_string(*known) +
                         " in the tokenizer");
    if (other && *other != token.text)
      throw object.wrong("this is the id of " + in_quotes(*other) + " in the tokenizer");
    parts.added.add(std::move(token));
  }
}

// tokenizer_config.json comes first, as in `transformers`.
void read_roles(const Json& config, const Json& specials, const std::string& folder,
                Tokenizer::Parts& parts) {
  for (const Role& role : kRoles) {
    std::string text = token_text(config, role.key), file = folder + "tokenizer_config.json";
    if (text.empty()) {
      text = token_text(specials, role.key);
      file = folder + "special_tokens_map.json";
    }
    if (text.empty()) continue;
    const std::optional<std::uint32_t> id = parts.id_of(text);
    if (!id)
      throw bad_json(file, member_pointer("", role.key), in_quotes(text) + " is no token of the tokenizer",
                     "name one that is, or write null");
    parts.specials.*(role.id) = *id;
    const AddedToken* const known = parts.added.token_of(*id);
    if (known != nullptr && known->is_special) continue;
    AddedToken token = known == nullptr ? AddedToken{text, *id} : *known;
    token.is_special = true;
    parts.added.add(std::move(token));
  }
}

// A text, or a list of {"name": ..., "template": ...} of which the default counts.
std::string chat_template_of(JsonObject& config) {
  const Json* const found = config.find("chat_template");
  if (found == nullptr) return "";
  if (found->is_string()) return found->get<std::string>();
  for (std::size_t i = 0; i < config.array("chat_template").size(); ++i) {
    JsonObject named = config.element("chat_template", i);
    if (named.text("name") == "default") return named.text("template");
  }
  throw config.wrong_at("chat_template", "none of these templates has the name `default`");
}

}  // namespace

std::string token_text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return "";
  const Json& token = object[key];
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return "";
}

void read_tokenizer_config(const Json& config, const Json& specials, const std::string& folder,
                           Tokenizer::Parts& parts) {
  if (!config.is_null()) {
    JsonObject object(config, folder + "tokenizer_config.json", "");
    read_added(object, parts);
    if (parts.chat_template.empty()) parts.chat_template = chat_template_of(object);
    const std::string side = object.text_or("truncation_side", "right");
    if (side != "left" && side != "right")
      throw object.wrong_at("truncation_side", "`" + visible_text(side) + "` is no side", "left or right");
    parts.cuts_left = side == "left";
    if (const Json* length = object.find("model_max_length"); length != nullptr) {
      if (!length->is_number() || !(length->get<double>() >= 1))
        throw object.wrong_at("model_max_length", "a number of tokens is expected here");
      if (length->get<double>() < kNoLimit) parts.model_max_length = length->get<std::size_t>();
    }
  }
  if (!specials.is_null()) {
    const JsonObject object(specials, folder + "special_tokens_map.json", "");
  }
  read_roles(config, specials, folder, parts);
  parts.added.settle(parts.normalizer);
}

}  // namespace tune::trainer::text
