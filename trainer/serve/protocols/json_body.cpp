#include "trainer/serve/protocols/json_body.h"

#include <array>
#include <cmath>

#include "trainer/serve/protocols/refusal.h"
#include "tuner/core/bounded_json.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::serve {
namespace {

std::string shown(const Json& value) { return shortened(describe_value(OrderedJson(value)), 80); }

bool asks_for_nothing(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value.get<double>() == 0;
  return value.is_null() || value.empty() || value == "";
}

}  // namespace

JsonMembers::JsonMembers(const Json& object, std::string place) : object_(object), place_(std::move(place)) {
  if (!object.is_object())
    throw Refusal(
        (place_.empty() ? "the body" : place_) + " is " + shown(object) + ", and has to be an object",
        place_);
}

std::string JsonMembers::at(const std::string& name) const {
  return place_.empty() ? name : place_ + "." + name;
}

const Json* JsonMembers::find(const char* name) {
  known_.insert(name);
  const auto member = object_.find(name);
  return member == object_.end() || member->is_null() ? nullptr : &*member;
}

std::optional<std::string> JsonMembers::text(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string())
    throw Refusal(at(name) + " is " + shown(*value) + ", and has to be a text", at(name));
  return value->get<std::string>();
}

std::string JsonMembers::required_text(const char* name) {
  std::optional<std::string> value = text(name);
  if (!value) throw Refusal(at(name) + " is missing", at(name), "missing_required_parameter");
  return *std::move(value);
}

std::optional<std::int64_t> JsonMembers::whole(const char* name, std::int64_t least, std::int64_t most) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const std::string range =
      ", and has to be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  if (!value->is_number() || !is_whole(OrderedJson(*value)))
    throw Refusal(at(name) + " is " + shown(*value) + range, at(name));
  const double wide = value->get<double>();
  if (!(wide >= static_cast<double>(least) && wide <= static_cast<double>(most)))
    throw Refusal(at(name) + " is " + shown(*value) + range, at(name));
  return value->is_number_integer() ? value->get<std::int64_t>() : static_cast<std::int64_t>(wide);
}

std::optional<double> JsonMembers::number(const char* name, double least, double most) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const double wide = value->is_number() ? value->get<double>() : std::nan("");
  if (!(wide >= least && wide <= most))
    throw Refusal(at(name) + " is " + shown(*value) + ", and has to be a number from " + shortest(least) +
                      " to " + shortest(most),
                  at(name));
  return wide;
}

std::optional<bool> JsonMembers::flag(const char* name) {
  const Json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean())
    throw Refusal(at(name) + " is " + shown(*value) + ", and has to be true or false", at(name));
  return value->get<bool>();
}

void JsonMembers::pass_over(std::initializer_list<const char*> names) {
  for (const char* name : names) known_.insert(name);
}

void JsonMembers::refuse_unless_empty(const char* name, const std::string& why) {
  const Json* value = find(name);
  if (value != nullptr && !asks_for_nothing(*value))
    throw Refusal(at(name) + " is " + shown(*value) + ": " + why, at(name), "unsupported_parameter");
}

void JsonMembers::finish() const {
  for (const auto& [name, value] : object_.items())
    if (!known_.contains(name))
      throw Refusal("unknown member " + in_quotes(at(name)) + ": " +
                        name_hint(name, {known_.begin(), known_.end()}, "members"),
                    at(name), "unknown_parameter");
}

Json json_body(std::string_view body) {
  BoundedJson read = parse_bounded_json(body);
  if (!read.problem.empty()) throw Refusal("the body: " + read.problem, {}, "invalid_json");
  return std::move(read.value);
}

std::string base64_bytes(const Json& value, const std::string& place) {
  if (!value.is_string())
    throw Refusal(place + " is " + shown(value) + ", and has to be a text of base64", place);
  std::string_view text = value.get_ref<const std::string&>();
  if (text.starts_with("data:"))
    if (const std::size_t comma = text.find(";base64,"); comma != std::string_view::npos)
      text.remove_prefix(comma + std::string_view(";base64,").size());
  static const std::array<int, 256> digits = [] {
    std::array<int, 256> table{};
    table.fill(-1);
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < kDigits.size(); ++i)
      table[static_cast<unsigned char>(kDigits[i])] = static_cast<int>(i);
    return table;
  }();
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t held = 0;
  std::size_t count = 0, padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int digit = digits[static_cast<unsigned char>(c)];
    if (digit < 0 || padding > 0) throw Refusal(place + " is no base64", place);
    held = (held << 6) | static_cast<std::uint32_t>(digit);
    if (++count % 4 == 0)
      for (const int shift : {16, 8, 0}) bytes += static_cast<char>((held >> shift) & 0xFF);
  }
  const std::size_t rest = count % 4;
  if (rest == 1 || padding > 2 || (padding > 0 && (count + padding) % 4 != 0))
    throw Refusal(place + " is no base64: it is cut off", place);
  if (rest == 2) bytes += static_cast<char>((held >> 4) & 0xFF);
  if (rest == 3) {
    bytes += static_cast<char>((held >> 10) & 0xFF);
    bytes += static_cast<char>((held >> 2) & 0xFF);
  }
  return bytes;
}

}  // namespace tune::trainer::serve
