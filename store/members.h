#pragma once
// Reads a JSON object of a database cell, member by member, into a struct. Internal to the store.
#include <concepts>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "tuner/core/json.h"

namespace tune::store {

// A value as this program writes it; std::invalid_argument for any other type, which Query::cell() makes
// DamagedFile. Numbers are not cut to fit, and true is none.
template <typename T>
T strictly(const Json& json, const std::string& name) {
  const auto expect = [&name](bool is_as_written, const char* expected) {
    if (!is_as_written) throw std::invalid_argument("\"" + name + "\" is not " + expected);
  };
  if constexpr (std::same_as<T, bool>) {
    expect(json.is_boolean(), "true or false");
  } else if constexpr (std::integral<T>) {
    expect(json.is_number_integer(), "a whole number");
    expect(json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                     : std::in_range<T>(json.get<std::int64_t>()),
           "a number of its range");
  } else if constexpr (std::floating_point<T>) {
    expect(json.is_number(), "a number");
  } else if constexpr (std::same_as<T, std::string>) {
    expect(json.is_string(), "a text");
  } else {
    expect(json.is_structured(), "an object or a list");
  }
  return json.get<T>();
}

// What a struct does not take stays in rest(), so that the struct can be written as it was read: members that
// this version does not know, and optional ones that are null or empty.
class Members {
 public:
  explicit Members(const Json& json) : rest_(json) {
    if (!json.is_object()) throw std::invalid_argument("it is not a JSON object");
  }

  // Throws std::invalid_argument where the member is missing.
  template <typename T>
  void must(const char* name, T& value) {
    const auto place = rest_.find(name);
    if (place == rest_.end()) throw std::invalid_argument(std::string("\"") + name + "\" is missing");
    value = strictly<T>(*place, name);
    rest_.erase(place);
  }

  template <typename T>
  void may(const char* name, T& value) {
    const auto place = rest_.find(name);
    if (place != rest_.end() && !place->empty()) must(name, value);
  }

  template <typename T>
  void may(const char* name, std::optional<T>& value) {
    const auto place = rest_.find(name);
    if (place != rest_.end() && !place->empty()) must(name, value.emplace());
  }

  Json rest() { return std::move(rest_); }

 private:
  Json rest_;
};

// The inverse of may().
template <typename T>
void put(Json& json, const char* name, const T& value) {
  if (!value.empty()) json[name] = value;
}
template <typename T>
void put(Json& json, const char* name, const std::optional<T>& value) {
  if (value) json[name] = *value;
}

}  // namespace tune::store
