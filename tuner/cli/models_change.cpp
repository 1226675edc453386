// What `tune models` changes: aliases, what is said of versions, and which versions there are.
#include <charconv>
#include <ostream>

#include "tuner/cli/agreement.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/gate_options.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/models_actions.h"
#include "tuner/cli/served_versions.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/alias_move.h"
#include "tuner/engine/promotion/model_cleaning.h"
#include "tuner/os/user.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// The version that an argument names; where there is no registry, none is there.
ModelReference reference_in(const ModelsCall& call, const std::string& text) {
  ModelReference reference = parse_model_reference(text);
  std::error_code ignored;
  if (!fs::exists(registry_file(models_folder(call.store)), ignored))
    throw Error(ExitCode::kNotFound, "there is no model \"" + reference.model + "\"",
                "there are none in " + models_folder(call.store).string() +
                    ": `tune promote STUDY` or `tune import-model` makes the first one");
  return reference;
}

// --expected: a version's number, or "none".
std::optional<int> expected_version(const Parsed& options) {
  if (!options.has("expected")) return std::nullopt;
  const std::string text = options.text("expected");
  if (text == "none") return 0;
  int version = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (problem == std::errc() && end == text.data() + text.size() && version > 0) return version;
  throw Error(ExitCode::kUsage, "--expected takes the number of a version, or none, not " + in_quotes(text));
}

engine::AliasRequest alias_request(const ModelsCall& call, const std::string& model,
                                   const std::string& alias) {
  return {call.store,
          model,
          alias,
          expected_version(call.options),
          call.options.text("note"),
          model_hooks(call.console)};
}

int say_alias(const ModelsCall& call, const std::string& model, const std::string& alias, int version) {
  if (call.as_json())
    print_json({{"schema", 1},
                {"model", model},
                {"alias", alias},
                {"version", version == 0 ? Json() : Json(version)}},
               call.console);
  else if (version == 0)
    call.console.out << model << " has no alias " << alias << " any more\n";
  else
    call.console.out << model << '@' << alias << " is version " << version << '\n';
  return 0;
}

int say_of_version(const ModelsCall& call, store::RemarkKind kind, const std::string& text) {
  const ModelReference reference = reference_in(call, call.argument(0));
  store::ModelRegistry registry(registry_file(models_folder(call.store)), store::OpenMode::kWrite);
  const store::ModelVersion version = registry.resolve(reference);
  registry.remark({version.model, version.version, kind, text, asking_user(), SystemClock().wall_now()});
  const std::string approval = to_string(registry.version(version.model, version.version)->approval);
  if (call.as_json())
    print_json({{"schema", 1},
                {"model", version.model},
                {"version", version.version},
                {"approval", approval},
                {"note", text}},
               call.console);
  else if (kind == store::RemarkKind::kNote)
    call.console.out << version.model << " version " << version.version << " has the note\n";
  else
    call.console.out << version.model << " version " << version.version << " is " << approval << '\n';
  return 0;
}

// Which endpoint of the store answers with a version.
engine::EndpointOf endpoint_in(const fs::path& store) {
  return [store](const std::string& model, int version) {
    const std::vector<std::string> names = endpoints_of(store, model, version);
    return names.empty() ? std::string() : names.front();
  };
}

const char* what_of(engine::Cleaned kind) {
  switch (kind) {
    case engine::Cleaned::kStaging:
      return "half a copy";
    case engine::Cleaned::kLink:
      return "a link that led elsewhere";
    case engine::Cleaned::kDeleted:
      return "files of a deleted version";
    case engine::Cleaned::kOrphan:
      return "a folder without a record";
  }
  return "";
}

// "removed", or what is to be done: "would be removed".
std::string fate_of(const engine::CleanedPlace& one, bool only_looked) {
  if (one.is_kept) return "kept";
  const std::string done = one.adopted > 0 ? "adopted as version " + std::to_string(one.adopted)
                           : one.kind == engine::Cleaned::kLink ? "mended"
                                                                : "removed";
  return only_looked ? "would be " + done : done;
}

}  // namespace

int set_model_alias(const ModelsCall& call) {
  const SignalsCaught signals;
  const ModelReference version = reference_in(call, call.argument(0));
  const std::string alias = call.argument(1);
  return say_alias(call, version.model, alias,
                   engine::set_alias(alias_request(call, version.model, alias), version));
}

int remove_model_alias(const ModelsCall& call) {
  const SignalsCaught signals;
  const ModelReference model = reference_in(call, call.argument(0));
  if (model.version != 0 || model.alias != kCurrentAlias)
    throw Error(ExitCode::kUsage, in_quotes(call.argument(0)) + " names a version, and an alias is a model's",
                "for example: tune models alias remove steel champion");
  engine::remove_alias(alias_request(call, model.model, call.argument(1)));
  return say_alias(call, model.model, call.argument(1), 0);
}

int approve_version(const ModelsCall& call) {
  return say_of_version(call, store::RemarkKind::kApproved, call.options.text("note"));
}

int reject_version(const ModelsCall& call) {
  return say_of_version(call, store::RemarkKind::kRejected, call.options.text("note"));
}

int reopen_version(const ModelsCall& call) {
  return say_of_version(call, store::RemarkKind::kPending, call.options.text("note"));
}

int note_version(const ModelsCall& call) {
  return say_of_version(call, store::RemarkKind::kNote, call.argument(1));
}

int promote_model(const ModelsCall& call) {
  if (!call.options.has("to"))
    throw Error(ExitCode::kUsage, "--to ALIAS is missing",
                "for example: tune models promote " + call.argument(0) + " --to champion");
  const SignalsCaught signals;
  const ModelReference version = reference_in(call, call.argument(0));
  const std::string alias = call.options.text("to");
  const store::PromotionDecision result = engine::promote_version(
      alias_request(call, version.model, alias), version, gate_rules(call.options, call.console));
  if (call.as_json())
    print_json({{"schema", 1},
                {"model", result.model},
                {"alias", alias},
                {"promoted", result.promoted},
                {"version", result.version},
                {"reason", result.reason},
                {"folder", result.folder.string()}},
               call.console);
  else if (result.promoted)
    call.console.out << result.model << '@' << alias << " is version " << result.version << ": "
                     << visible_text(result.reason) << '\n';
  else
    call.console.out << "Not promoted: " << visible_text(result.reason) << '\n';
  return static_cast<int>(result.promoted ? ExitCode::kOk : ExitCode::kNothingToPromote);
}

int roll_model_back(const ModelsCall& call) {
  const SignalsCaught signals;
  const ModelReference model = reference_in(call, call.argument(0));
  if (model.version != 0)
    throw Error(ExitCode::kUsage, "a rollback goes to the version before, not to one by its number",
                "for example: tune models rollback steel --alias champion; or: tune models promote " +
                    call.argument(0) + " --to ALIAS");
  const std::string alias = call.options.has("alias") ? call.options.text("alias") : model.alias;
  return say_alias(call, model.model, alias, engine::roll_back(alias_request(call, model.model, alias)));
}

int delete_model(const ModelsCall& call) {
  const SignalsCaught signals;
  const ModelReference reference = reference_in(call, call.argument(0));
  const engine::EndpointOf endpoint_of = endpoint_in(call.store);
  if (reference.version == 0)
    throw Error(ExitCode::kUsage, "which version is to be deleted is missing",
                "for example: tune models delete " + reference.model + "@1");
  const std::uint64_t bytes = engine::bytes_to_delete(call.store, reference, endpoint_of);
  const std::string name = reference_text(reference);
  if (!call.options.has("yes") && !is_agreed(name + " (" + bytes_text(bytes) + ")", call.console)) {
    call.console.err << "Nothing was deleted.\n";
    return static_cast<int>(ExitCode::kInterrupted);
  }
  const std::uint64_t freed = engine::delete_version(call.store, reference, call.options.text("note"),
                                                     endpoint_of, model_hooks(call.console));
  if (call.as_json())
    print_json(
        {{"schema", 1}, {"model", reference.model}, {"version", reference.version}, {"freed_bytes", freed}},
        call.console);
  else
    call.console.out << name << " is deleted; " << bytes_text(freed) << " are free again\n";
  return 0;
}

int clean_up_models(const ModelsCall& call) {
  const Parsed& options = call.options;
  if (options.has("adopt") && options.has("remove"))
    throw Error(ExitCode::kUsage, "--adopt and --remove exclude each other", "give one of them");
  const SignalsCaught signals;
  const bool only_looks = options.has("dry-run");
  const auto orphans = options.has("adopt")    ? engine::Orphans::kAdopt
                       : options.has("remove") ? engine::Orphans::kRemove
                                               : engine::Orphans::kKeep;
  const std::vector<engine::CleanedPlace> found = engine::clean_models(
      call.store, orphans, only_looks, endpoint_in(call.store), model_hooks(call.console));
  Json list = Json::array();
  std::uint64_t freed = 0;
  for (const engine::CleanedPlace& one : found) {
    const std::string fate = fate_of(one, only_looks);
    if (!one.is_kept && one.adopted == 0 && one.kind != engine::Cleaned::kLink) freed += one.bytes;
    list.push_back({{"place", one.place.string()},
                    {"kind", what_of(one.kind)},
                    {"bytes", one.bytes},
                    {"fate", fate},
                    {"version", one.adopted > 0 ? Json(one.adopted) : Json()},
                    {"remark", one.remark}});
    if (!call.as_json())
      call.console.out << visible_text(one.place.string()) << ": " << what_of(one.kind) << ", " << fate
                       << (one.remark.empty() ? "" : ": " + visible_text(one.remark)) << '\n';
  }
  if (call.as_json())
    print_json({{"schema", 1}, {"dry_run", only_looks}, {"found", list}, {"freed_bytes", freed}},
               call.console);
  else
    call.console.out << (found.empty()
                             ? std::string("nothing to clean up")
                             : bytes_text(freed) + (only_looks ? " would be" : " are") + " free again")
                     << '\n';
  return 0;
}

}  // namespace tune::cli
