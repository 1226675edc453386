#pragma once
// Bodies of requests as JSON, member by member, with the place of what is wrong.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::serve {

// More tokens of an answer, and larger ids of tokens, nobody asks for.
inline constexpr std::int64_t kMostTokens = 1 << 20;

// One object of a body. Whoever reads it says which members it knows; others are refused at the end. `null`
// counts as absent. Throws Refusal for values of another kind or out of range. Owned by the function that
// reads the body, which the object must outlive.
class JsonMembers {
 public:
  // `place` is "" for the whole body, else "parameters", "messages[0]". Throws where it is no object.
  JsonMembers(const Json& object, std::string place);

  const Json* find(const char* name);  // nullptr: absent or null
  bool has(const char* name) { return find(name) != nullptr; }
  std::optional<std::string> text(const char* name);
  std::string required_text(const char* name);
  std::optional<std::int64_t> whole(const char* name, std::int64_t least, std::int64_t most);
  std::optional<double> number(const char* name, double least, double most);
  std::optional<bool> flag(const char* name);
  // Known and of no effect here, whatever it holds.
  void pass_over(std::initializer_list<const char*> names);
  // Known, and refused but for the values that ask for nothing: null, false, 0, 1 where `one` says so, "",
  // an empty list or object.
  void refuse_unless_empty(const char* name, const std::string& why);
  // Refuses members that nobody asked for, with the nearest name.
  void finish() const;

  std::string at(const std::string& name) const;  // "messages[0].role"

 private:
  const Json& object_;
  std::string place_;
  std::set<std::string> known_;
};

// The whole body. Throws Refusal for what is no JSON, or nested without end.
Json json_body(std::string_view body);
// A value's bytes. Throws Refusal, naming `place`, for what is no base64 (RFC 4648; line breaks are passed
// over, and "data:image/png;base64," before it).
std::string base64_bytes(const Json& value, const std::string& place);

}  // namespace tune::trainer::serve
