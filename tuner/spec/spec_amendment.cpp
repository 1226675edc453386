#include "tuner/spec/spec_amendment.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"
#include "tuner/spec/placeholder.h"
#include "tuner/spec/spec.h"

namespace tune {
namespace {

using Names = std::set<std::string>;

Json section_of(const Json& document, const char* name) {
  return document.is_object() && document.contains(name) && document.at(name).is_object() ? document.at(name)
                                                                                          : Json::object();
}

Names keys_of(const Json& object) {
  Names names;
  for (const auto& item : object.items()) names.insert(item.key());
  return names;
}

bool names_one_of(const std::string& element, const Names& names) {
  const std::vector<Placeholder> places = find_placeholders(element);
  return std::any_of(places.begin(), places.end(),
                     [&](const Placeholder& place) { return names.contains(place.name); });
}

// The command without the elements that hand over these parameters, and the options that wait for them.
std::vector<Json> command_without(const Json& command, const Names& names) {
  std::vector<Json> rest;
  if (!command.is_array()) return rest;
  for (const Json& element : command) {
    const std::string text = element.is_string() ? element.get<std::string>() : std::string();
    if (!names_one_of(text, names)) {
      rest.push_back(element);
      continue;
    }
    const bool has_option = is_one_placeholder(text, find_placeholders(text)) && rest.size() > 1 &&
                            rest.back().is_string() && is_bare_option(rest.back().get<std::string>());
    if (has_option) rest.pop_back();
  }
  return rest;
}

bool is_in(const std::string& pointer, const std::string& place) {
  return pointer.starts_with(place) && (pointer.size() == place.size() || pointer[place.size()] == '/');
}

// Why a section is not amended.
std::string why_not(const std::string& pointer) {
  constexpr std::array<std::pair<const char*, const char*>, 9> kWhy{{
      {"/objective", "the values of earlier trials would be of something else"},
      {"/metrics", "`tune rescan STUDY --spec FILE` reads the stored logs again with other metrics"},
      {"/trainer", "earlier trials were trained otherwise"},
      {"/environment", "earlier trials were trained otherwise"},
      {"/command", "beside the parameters that come or go, earlier trials were started otherwise"},
      {"/fixed",
       "earlier trials had another value; a fixed value may become a parameter, whose earlier value it is"},
      {"/warm_start", "what a study learns from others is copied when it begins"},
      {"/strategy", "a study keeps its strategy and its seed"},
      {"/resources", "a trial on other devices may train otherwise"},
  }};
  for (const auto& [place, why] : kWhy)
    if (is_in(pointer, place)) return why;
  return "it is no part of the search space";
}

}  // namespace

SpecAmendment spec_amendment(const Json& old_document, const Json& new_document) {
  const Json old_fixed = section_of(old_document, "fixed"), new_fixed = section_of(new_document, "fixed");
  const Names before = keys_of(section_of(old_document, "parameters")),
              after = keys_of(section_of(new_document, "parameters"));
  SpecAmendment amendment;
  Names moved;  // parameters that come or go
  for (const std::string& name : after) {
    if (before.contains(name)) continue;
    moved.insert(name);
    amendment.added.push_back(name);
    if (old_fixed.contains(name)) amendment.were_fixed[name] = old_fixed.at(name);
  }
  for (const std::string& name : before) {
    if (after.contains(name)) continue;
    moved.insert(name);
    if (!new_fixed.contains(name))
      amendment.objections.push_back(member_pointer("/parameters", name) + ": " + in_quotes(name) +
                                     " is no longer searched: give its value under \"fixed\"");
  }
  Names fixed_names = keys_of(old_fixed);
  fixed_names.merge(keys_of(new_fixed));
  const bool fixed_as_before = std::all_of(fixed_names.begin(), fixed_names.end(), [&](const auto& name) {
    return moved.contains(name) ||
           (old_fixed.contains(name) && new_fixed.contains(name) && old_fixed.at(name) == new_fixed.at(name));
  });
  const auto command_of = [&](const Json& document) {
    return command_without(document.is_object() ? document.value("command", Json()) : Json(), moved);
  };
  const bool command_as_before = command_of(old_document) == command_of(new_document);
  for (const SpecChange& change : spec_changes(old_document, new_document)) {
    amendment.lines.push_back(change.line);
    const std::string& pointer = change.pointer;
    const bool may_change =
        change.is_harmless || is_in(pointer, "/parameters") || is_in(pointer, "/strategy/try_first") ||
        (is_in(pointer, "/fixed") && fixed_as_before) || (is_in(pointer, "/command") && command_as_before);
    if (!may_change) amendment.objections.push_back(change.line + " (" + why_not(pointer) + ")");
  }
  return amendment;
}

}  // namespace tune
