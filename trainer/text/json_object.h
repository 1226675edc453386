#pragma once
// An object of a JSON file that anybody may have written, read key by key.
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::text {

// Every function throws Error(kBadData) with the file and the JSON pointer of what is not as asked for. A key
// that is absent and one that is null are the same. Keeps a reference to the value.
class JsonObject {
 public:
  // `file` is the name in errors, `place` the pointer of the value in it ("" for the whole).
  JsonObject(const Json& value, std::string file, std::string place);

  const Json* find(const char* key);  // null where it is absent
  const Json& need(const char* key);
  std::string text(const char* key);
  std::string text_or(const char* key, const std::string& fallback);
  bool flag_or(const char* key, bool fallback);
  std::uint64_t count(const char* key, std::uint64_t most);
  std::uint64_t count_or(const char* key, std::uint64_t most, std::uint64_t fallback);
  std::string one_character(const char* key);  // a text of exactly one character
  JsonObject object(const char* key);
  const Json& array(const char* key);
  JsonObject element(const char* key, std::size_t index);   // of an array, which is an object
  void pass_over(std::initializer_list<const char*> keys);  // they say nothing about tokens

  // After all else: what was not asked for is not known, and refused.
  void finish() const;

  std::string place_of(const char* key) const;
  // An error about this object, or about a key of it.
  Error wrong(const std::string& what, const std::string& hint = {}) const;
  Error wrong_at(const char* key, const std::string& what, const std::string& hint = {}) const;
  const std::string& file() const { return file_; }
  const std::string& place() const { return place_; }

 private:
  const Json& value_;
  std::string file_, place_;
  std::set<std::string> asked_;
};

// The error that every one of them throws.
Error bad_json(const std::string& file, const std::string& place, const std::string& what,
               const std::string& hint);

}  // namespace tune::trainer::text
