#include "tuner/engine/promotion/alias_move.h"

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/model_files.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/user.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRolledBack = "rolled_back";  // of the evidence: such a move is no step of its own

std::string name_of(const store::ModelVersion& version) {
  return version.model + "@" + std::to_string(version.version);
}

store::Promotion logged(const AliasMove& move) {
  return {move.model, move.from,    move.to, move.reason, move.evidence, SystemClock().wall_now(),
          move.alias, asking_user()};
}

store::ModelRegistry registry_of(const fs::path& store_folder) {
  return {registry_file(models_folder(store_folder)), store::OpenMode::kWrite};
}

fs::path folder_of(const fs::path& store_folder, const store::ModelVersion& version) {
  return version_folder(models_folder(store_folder) / version.model, version.version);
}

// Nobody is to be given files that are not what was recorded.
void require_whole(const fs::path& folder, const store::ModelVersion& version, const ModelHooks& hooks) {
  const std::vector<std::string> damage = damage_of(folder, version.files, hooks.is_interrupted);
  if (damage.empty()) return;
  throw Error(ExitCode::kEnvironment,
              name_of(version) + " is damaged: " + damage.front() +
                  (damage.size() > 1 ? ", and " + std::to_string(damage.size() - 1) + " more" : ""),
              "restore its folder from a copy; `tune models verify " + version.model + "` says all");
}

// What the alias names now; it must be what the person expects.
int expected_from(const store::ModelRegistry& registry, const AliasRequest& request) {
  require_alias_name(request.alias);
  const int from = registry.alias(request.model, request.alias);
  if (!request.expected || *request.expected == from) return from;
  const auto text = [](int version) {
    return version == 0 ? "no version" : "version " + std::to_string(version);
  };
  throw Error(ExitCode::kConflict,
              request.alias + " of " + request.model + " names " + text(from) + ", not " +
                  text(*request.expected) + " any more",
              "somebody else has moved it; look at `tune models " + request.model + "`, and decide again");
}

// What the alias named before the version of now came; 0: nothing. A move back takes the last move away, so
// that the next one goes further.
int named_before(const std::vector<store::Promotion>& log, const std::string& alias) {
  std::vector<int> named{0};
  for (const store::Promotion& promotion : log) {
    if (promotion.alias != alias || promotion.outcome == store::PromotionOutcome::kRefused) continue;
    if (promotion.evidence.contains(kRolledBack))
      named.pop_back();
    else
      named.push_back(promotion.to);
    TUNE_CHECK(!named.empty(), alias);
  }
  return named.size() < 2 ? 0 : named[named.size() - 2];
}

std::string with_note(std::string reason, const std::string& note) {
  return note.empty() ? reason : reason + ": " + note;
}

void do_move(const AliasMove& move, const ModelHooks& hooks) {
  HeldModels models(move.store_folder, hooks);
  move_alias(models, move);
}

}  // namespace

void move_alias(HeldModels& models, const AliasMove& move) {
  models.registry().promote(logged(move));
  crash_point("promote_switch");
  models.repair_link(move.model);
}

GateVerdict judge_and_move(const AliasMove& move, const GateRules& gate, const ModelHooks& hooks) {
  GateVerdict verdict{true, {}, Json::object()};
  store::ModelRegistry registry = registry_of(move.store_folder);
  GateCase subject{registry.resolve({move.model, move.to, {}}), {}, std::nullopt, {}};
  subject.folder = folder_of(move.store_folder, subject.version);
  require_whole(subject.folder, subject.version, hooks);
  if (gate.requirement) {
    const auto& rule = gate.requirement->not_worse;
    const bool is_other = rule && !rule->than.empty();
    const int against = is_other ? registry.alias(move.model, rule->than) : move.from;
    subject.against = registry.version(move.model, against);
    if (subject.against) subject.against_folder = folder_of(move.store_folder, *subject.against);
    if (rule && subject.against) require_whole(subject.against_folder, *subject.against, hooks);
    verdict = gate.judge(*gate.requirement, subject);
  }
  crash_point("promote_judged");
  AliasMove judged = move;
  if (gate.requirement) {
    judged.reason =
        verdict.passes && !move.reason.empty() ? move.reason + "; " + verdict.reason : verdict.reason;
    judged.evidence["gate"] = verdict.evidence;
    judged.evidence["gate"]["passes"] = verdict.passes;
    judged.evidence["gate"]["require"] = requirement_json(*gate.requirement);
  }
  if (verdict.passes)
    do_move(judged, hooks);
  else
    registry.record_refusal(logged(judged));
  return verdict;
}

store::PromotionDecision promote_version(const AliasRequest& request, const ModelReference& version,
                                         GateRules gate) {
  store::ModelRegistry registry = registry_of(request.store_folder);
  const store::ModelVersion candidate = registry.resolve(version);
  const int from = expected_from(registry, request);
  store::PromotionDecision result{request.model,     false, candidate.trial,
                                  candidate.version, {},    folder_of(request.store_folder, candidate)};
  if (from == candidate.version) {
    result.promoted = true;
    result.reason = "it is the " + request.alias + " version already";
    return result;
  }
  if (candidate.approval == store::Approval::kRejected)
    throw Error(ExitCode::kConflict, name_of(candidate) + " was rejected",
                "`tune models show " + name_of(candidate) +
                    "` says by whom and why; `tune models approve` takes that back");
  if (!gate.requirement && candidate.lineage.contains("require"))
    gate.requirement = requirement_from(candidate.lineage.at("require"), {});
  result.reason = with_note("promoted by a person", request.note);
  const GateVerdict verdict = judge_and_move({request.store_folder, request.model, request.alias, from,
                                              candidate.version, result.reason, Json::object()},
                                             gate, request.hooks);
  result.promoted = verdict.passes;
  if (!verdict.passes)
    result.reason = verdict.reason;
  else if (!verdict.reason.empty())
    result.reason += "; " + verdict.reason;
  return result;
}

int set_alias(const AliasRequest& request, const ModelReference& version) {
  store::ModelRegistry registry = registry_of(request.store_folder);
  const store::ModelVersion candidate = registry.resolve(version);
  const int from = expected_from(registry, request);
  if (from == candidate.version) return from;
  require_whole(folder_of(request.store_folder, candidate), candidate, request.hooks);
  do_move({request.store_folder, request.model, request.alias, from, candidate.version,
           with_note("set by a person", request.note), Json::object()},
          request.hooks);
  return candidate.version;
}

int remove_alias(const AliasRequest& request) {
  HeldModels models(request.store_folder, request.hooks);
  const int from = expected_from(models.registry(), request);
  models.registry().remove_alias(logged({request.store_folder, request.model, request.alias, from, 0,
                                         with_note("removed by a person", request.note), Json::object()}));
  crash_point("alias_removed");
  models.repair_link(request.model);
  return from;
}

int roll_back(const AliasRequest& request) {
  store::ModelRegistry registry = registry_of(request.store_folder);
  const int from = expected_from(registry, request);
  const std::string what = "the " + request.alias + " version of " + request.model;
  if (from == 0)
    throw Error(ExitCode::kNotFound, request.model + " has no " + request.alias + " version",
                "`tune models " + request.model + "` lists its aliases");
  const int to = named_before(registry.promotions(request.model), request.alias);
  if (to == 0)
    throw Error(ExitCode::kNotFound, what + " was none before version " + std::to_string(from),
                "name one: tune models promote " + request.model + "@N --to " + request.alias);
  const auto before = registry.version(request.model, to);
  if (!before || before->approval == store::Approval::kRejected)
    throw Error(ExitCode::kConflict,
                what + " was version " + std::to_string(to) + " before, which " +
                    (before ? "was rejected" : "was deleted"),
                "name another one: tune models promote " + request.model + "@N --to " + request.alias);
  require_whole(folder_of(request.store_folder, *before), *before, request.hooks);
  do_move({request.store_folder,
           request.model,
           request.alias,
           from,
           to,
           with_note("rolled back from version " + std::to_string(from), request.note),
           {{kRolledBack, true}}},
          request.hooks);
  return to;
}

}  // namespace tune::engine
