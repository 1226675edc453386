#pragma once
// An alias begins to name another version: after the gate, once, with its reason in the log.
#include <filesystem>
#include <optional>
#include <string>

#include "store/study_facts.h"
#include "tuner/core/model_reference.h"
#include "tuner/engine/promotion/gate.h"
#include "tuner/engine/promotion/held_models.h"

namespace tune::engine {

struct AliasMove {
  std::filesystem::path store_folder;
  std::string model, alias;
  int from = 0, to = 0;  // versions; 0: none
  std::string reason = {};
  Json evidence = Json::object();
};

// Moves it if it still names `from`, by this user; then the link `current`, if that is the alias. Throws
// Error(kConflict) otherwise, and for a version that was rejected.
void move_alias(HeldModels& models, const AliasMove& move);

// Has the gate judge the version, with no lock held, then moves the alias or logs the refusal. The files of
// the version must be as they were recorded: Error(kEnvironment). Throws what move_alias() and the judge
// throw.
GateVerdict judge_and_move(const AliasMove& move, const GateRules& gate, const ModelHooks& hooks);

// What a person asks to be done with an alias.
struct AliasRequest {
  std::filesystem::path store_folder;
  std::string model, alias;
  std::optional<int> expected = std::nullopt;  // what it must name now, 0: nothing; absent: whatever it names
  std::string note = {};                       // why, for the log
  ModelHooks hooks = {};
};

// Promotes a version: the gate, then the alias. Without a requirement in `gate` that of its study's spec, as
// its lineage has it, counts. Throws as judge_and_move() does, Error(kNotFound) without the version.
store::PromotionDecision promote_version(const AliasRequest& request, const ModelReference& version,
                                         GateRules gate);
// Points the alias at a version without the gate, whose files must be as they were recorded; "set by a
// person" in the log. Returns the version.
int set_alias(const AliasRequest& request, const ModelReference& version);
// Takes the alias away. Returns the version that it named.
int remove_alias(const AliasRequest& request);
// Points the alias at the version that it named before the one of now came, without the gate; again, at the
// one before that. Returns the version. Throws Error(kNotFound) where there was none, Error(kConflict) where
// it was deleted or rejected.
int roll_back(const AliasRequest& request);

}  // namespace tune::engine
