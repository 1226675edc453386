#include "trainer/text/json_object.h"

#include "trainer/text/utf8.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text {

Error bad_json(const std::string& file, const std::string& place, const std::string& what,
               const std::string& hint) {
  return {ExitCode::kBadData, file + ": " + (place.empty() ? "" : place + ": ") + what,
          hint.empty()
              ? "the file is damaged or not one of a tokenizer; take it anew from where the model is from"
              : hint};
}

JsonObject::JsonObject(const Json& value, std::string file, std::string place)
    : value_(value), file_(std::move(file)), place_(std::move(place)) {
  if (!value_.is_object()) throw wrong("an object is expected here");
}

std::string JsonObject::place_of(const char* key) const { return member_pointer(place_, key); }
Error JsonObject::wrong(const std::string& what, const std::string& hint) const {
  return bad_json(file_, place_, what, hint);
}
Error JsonObject::wrong_at(const char* key, const std::string& what, const std::string& hint) const {
  return bad_json(file_, place_of(key), what, hint);
}

const Json* JsonObject::find(const char* key) {
  asked_.insert(key);
  const auto found = value_.find(key);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

const Json& JsonObject::need(const char* key) {
  const Json* const found = find(key);
  if (found == nullptr) throw wrong(std::string("there is no `") + key + "`");
  return *found;
}

std::string JsonObject::text(const char* key) {
  const Json& found = need(key);
  if (!found.is_string()) throw wrong_at(key, "a text is expected here");
  return found.get<std::string>();
}

std::string JsonObject::text_or(const char* key, const std::string& fallback) {
  return find(key) == nullptr ? fallback : text(key);
}

bool JsonObject::flag_or(const char* key, bool fallback) {
  const Json* const found = find(key);
  if (found == nullptr) return fallback;
  if (!found->is_boolean()) throw wrong_at(key, "true or false is expected here");
  return found->get<bool>();
}

std::uint64_t JsonObject::count(const char* key, std::uint64_t most) {
  const Json& found = need(key);
  if (!found.is_number_unsigned() || found.get<std::uint64_t>() > most)
    throw wrong_at(key, "a whole number from 0 to " + std::to_string(most) + " is expected here");
  return found.get<std::uint64_t>();
}

std::uint64_t JsonObject::count_or(const char* key, std::uint64_t most, std::uint64_t fallback) {
  return find(key) == nullptr ? fallback : count(key, most);
}

std::string JsonObject::one_character(const char* key) {
  std::string found = text(key);
  if (count_characters(found) != 1) throw wrong_at(key, "one character is expected here");
  return found;
}

JsonObject JsonObject::object(const char* key) { return {need(key), file_, place_of(key)}; }

const Json& JsonObject::array(const char* key) {
  const Json& found = need(key);
  if (!found.is_array()) throw wrong_at(key, "a list is expected here");
  return found;
}

JsonObject JsonObject::element(const char* key, std::size_t index) {
  return {array(key)[index], file_, element_pointer(place_of(key), index)};
}

void JsonObject::pass_over(std::initializer_list<const char*> keys) {
  asked_.insert(keys.begin(), keys.end());
}

void JsonObject::finish() const {
  for (const auto& [key, value] : value_.items())
    if (asked_.count(key) == 0)
      throw bad_json(file_, member_pointer(place_, key),
                     "this version does not know what `" + visible_text(key) + "` asks for",
                     "a tokenizer without it is read; so is its sentencepiece model, if it has one");
}

}  // namespace tune::trainer::text
