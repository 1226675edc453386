#pragma once
// How people name a model and one of its versions: "steel", "steel@3", "steel@champion".
#include <string>
#include <string_view>

namespace tune {

// The alias that promotions of studies move, and that a model's name alone means.
inline constexpr const char* kCurrentAlias = "current";

// One or the other: a version by its number, or whichever one an alias names at the time.
struct ModelReference {
  std::string model;
  int version = 0;    // 0: the one of `alias`
  std::string alias;  // "" with a version
  bool operator==(const ModelReference&) const = default;
};

bool is_model_name(std::string_view text);  // as promote.model in a spec
bool is_alias_name(std::string_view text);  // [a-z][a-z0-9-]{0,62}: so it is never a number

// "MODEL" (its alias `current`), "MODEL@3" or "MODEL@ALIAS". Error(kUsage) for anything else.
ModelReference parse_model_reference(const std::string& text);
// The same text again; the alias `current` is not written.
std::string reference_text(const ModelReference& reference);
// Error(kUsage) unless it is an alias's name.
void require_alias_name(const std::string& text);

}  // namespace tune
