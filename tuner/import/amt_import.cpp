#include "tuner/import/amt_import.h"

#include <algorithm>

#include "tuner/core/edit_distance.h"
#include "tuner/import/amt_fields.h"
#include "tuner/import/amt_request.h"
#include "tuner/import/search_draft.h"
#include "tuner/import/search_writer.h"
#include "tuner/spec/spec_text.h"

namespace tune::amt {
namespace {

// Problems of a spec that was written, at the places in the request that they come from. What comes from a
// field that has a problem of its own is left out.
void add_translated(const std::vector<Problem>& found, const SearchDraft& draft, bool are_warnings,
                    SpecProblems& problems) {
  for (const Problem& problem : found) {
    const std::string origin = draft.origin_of(problem.pointer);
    const bool is_option = origin.starts_with("--");
    if (!is_option && !origin.empty() && !problems.is_sound(origin) && problems.contains(origin)) continue;
    const std::string message = (is_option                                    ? origin + ": "
                                 : origin.empty() && !problem.pointer.empty() ? problem.pointer + ": "
                                                                              : "") +
                                problem.message;
    const std::string place = is_option ? "" : origin;
    if (are_warnings)
      problems.warn(place, message, problem.hint);
    else
      problems.add(place, message, problem.hint);
  }
}

// A spec without a trainer is a spec, but for that.
bool is_trainable(const OrderedJson& spec) { return spec.contains("command") || spec.contains("trainer"); }

// Reads what was written as `tune check` would, without asking a trainer.
void check_spec(const OrderedJson& spec, const SearchDraft& draft, bool was_sound, const RegexCheck& check,
                SpecProblems& problems) {
  try {
    const Spec read = parse_spec(spec_text(spec), "the spec", ".",
                                 is_trainable(spec) ? SpecUse::kRun : SpecUse::kAskTell, check);
    add_translated(read.warnings, draft, true, problems);
  } catch (const SpecError& error) {
    std::vector<Problem> found = error.problems();
    // A request with mistakes leaves gaps that are no mistakes of their own.
    if (!was_sound)
      std::erase_if(found, [&](const Problem& each) {
        return draft.origin_of(each.pointer).empty() || each.pointer.starts_with("/command");
      });
    add_translated(found, draft, false, problems);
  }
}

std::vector<Definition> chosen(const Request& request, const std::string& name) {
  if (name.empty()) return request.definitions;
  std::vector<Definition> found;
  std::vector<std::string> names;
  for (const Definition& definition : request.definitions) {
    names.push_back(definition.name);
    if (definition.name == name) found.push_back(definition);
  }
  const bool has_names =
      std::any_of(names.begin(), names.end(), [](const std::string& each) { return !each.empty(); });
  if (found.empty())
    throw Error(ExitCode::kUsage, "the request has no definition " + in_quotes(name),
                has_names ? name_hint(name, names, "its definitions are")
                          : "its definition has no name: leave --definition out");
  return found;
}

}  // namespace

Import import_request(const std::string& text, const std::string& name, const ImportOptions& options) {
  const PositionedJson source = parse_with_positions(text, "request");
  if (!source.is_complete) throw SpecError(name, source.problems);
  SpecProblems problems(source);
  Import import;
  check_fields(source.value, problems, import.report);
  if (!source.value.is_object()) problems.refuse_any(name);
  const Request request = read_request(problems, import.report);
  check_rules(request, problems);
  const std::vector<Definition> definitions = chosen(request, options.definition);
  for (std::size_t i = 0; i < definitions.size(); ++i) {
    const auto index =
        std::find_if(request.definitions.begin(), request.definitions.end(),
                     [&](const Definition& each) { return each.pointer == definitions[i].pointer; });
    const Share share{static_cast<std::size_t>(index - request.definitions.begin()),
                      request.definitions.size()};
    const std::string study = study_name(request, definitions[i], share);
    SearchDraft draft(study, import.report);
    write_search(request, definitions[i], share, options, problems, draft);
    const OrderedJson spec = draft.spec();
    check_spec(spec, draft, problems.is_sound(""), options.check, problems);
    import.searches.push_back({study, definitions[i].name, spec, is_trainable(spec)});
  }
  for (const std::string& entry : options.paths.unused())
    problems.warn("", "--map " + entry + " matches nothing in the request",
                  "give the beginning of an S3 URI in it");
  problems.refuse_any(name);
  for (Mapped& each : import.report.mapped)
    each.line = each.from.starts_with("--") ? 0 : problems.place_of(each.from).line;
  for (auto* list : {&import.report.ignored, &import.report.unmapped})
    for (LeftOut& each : *list) each.line = problems.place_of(each.from).line;
  import.report.warnings = problems.take_warnings();
  return import;
}

}  // namespace tune::amt
