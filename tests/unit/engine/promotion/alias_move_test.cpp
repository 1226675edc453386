// Aliases: the gate, compare-and-swap, rollback.
#include "tuner/engine/promotion/alias_move.h"

#include <sys/stat.h>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "unit/engine/promotion/promotable_study.h"

namespace tune::tests {
namespace {

using namespace engine;
namespace fs = std::filesystem;

// A model "m" with versions of trials 1, 2 and 3; `current` names the last.
class ThreeVersions {
 public:
  ThreeVersions() : study_(folder_.path(), "s", {0.1, 0.2, 0.3}) {
    for (int trial = 1; trial <= 3; ++trial) promote_trial(study_.store(), {folder_.path(), "m", trial});
  }
  AliasRequest request(const std::string& alias, std::optional<int> expected = std::nullopt) const {
    return {folder_.path(), "m", alias, expected};
  }
  store::ModelRegistry registry() const {
    return {registry_file(models_folder(folder_.path())), store::OpenMode::kWrite};
  }
  int named(const std::string& alias) const { return registry().alias("m", alias); }
  fs::path link() const { return current_link(models_folder(folder_.path()) / "m"); }
  fs::path version_files(int version) const {
    return version_folder(models_folder(folder_.path()) / "m", version);
  }
  PromotableStudy& study() { return study_; }
  fs::path store() const { return folder_.path(); }

 private:
  ScratchFolder folder_;
  PromotableStudy study_;
};

ExitCode code_when(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return ExitCode::kOk;
}

// A gate that says yes or no, and does something first.
GateRules scripted_gate(bool passes, const std::function<void(const GateCase&)>& first = {}) {
  Requirement requirement;
  requirement.smoke = {"in"};
  return {requirement, [=](const Requirement&, const GateCase& subject) {
            if (first) first(subject);
            return GateVerdict{
                passes, passes ? "it passed the gate: fine" : "the gate refused it: bad", {{"number", 7}}};
          }};
}

TEST_CASE("an alias is set, moved and taken away by a person's word, and the log says so") {
  const ThreeVersions models;
  CHECK(set_alias(models.request("champion", 0), {"m", 1, ""}) == 1);
  CHECK(set_alias(models.request("champion", 1), {"m", 0, "current"}) == 3);
  CHECK(code_when([&] { set_alias(models.request("champion", 1), {"m", 2, ""}); }) == ExitCode::kConflict);
  CHECK(code_when([&] { set_alias(models.request("champion"), {"m", 9, ""}); }) == ExitCode::kNotFound);
  CHECK(code_when([&] { set_alias(models.request("Champion"), {"m", 1, ""}); }) == ExitCode::kUsage);
  CHECK(models.named("champion") == 3);
  CHECK(models.named("current") == 3);
  CHECK(remove_alias(models.request("champion")) == 3);
  CHECK(models.named("champion") == 0);
  CHECK(code_when([&] { remove_alias(models.request("champion")); }) == ExitCode::kNotFound);
  const auto log = models.registry().promotions("m");
  CHECK(log.back().outcome == store::PromotionOutcome::kRemoved);
  CHECK_FALSE(log.back().who.empty());
  CHECK(log[log.size() - 2].reason == "set by a person");
}

TEST_CASE("the link leads where the alias current does") {
  const ThreeVersions models;
  CHECK(fs::read_symlink(models.link()) == "versions/3");
  set_alias(models.request("current"), {"m", 1, ""});
  CHECK(fs::read_symlink(models.link()) == "versions/1");
  set_alias(models.request("other"), {"m", 2, ""});
  CHECK(fs::read_symlink(models.link()) == "versions/1");
  remove_alias(models.request("current"));
  CHECK_FALSE(fs::is_symlink(models.link()));
}

TEST_CASE("a version that the gate lets pass is promoted with its evidence, another is refused with it") {
  const ThreeVersions models;
  GateCase seen;
  const auto look = [&](const GateCase& subject) { seen = subject; };
  auto result = promote_version(models.request("champion"), {"m", 1, ""}, scripted_gate(true, look));
  CHECK(result.promoted);
  CHECK(seen.version.version == 1);
  CHECK(seen.folder == models.version_files(1));
  CHECK_FALSE(seen.against);
  result = promote_version(models.request("champion"), {"m", 2, ""}, scripted_gate(false, look));
  CHECK_FALSE(result.promoted);
  CHECK(result.reason == "the gate refused it: bad");
  REQUIRE(seen.against);
  CHECK(seen.against->version == 1);
  CHECK(models.named("champion") == 1);
  const auto log = models.registry().promotions("m");
  const store::Promotion &moved = log[log.size() - 2], &refused = log.back();
  CHECK(moved.reason == "promoted by a person; it passed the gate: fine");
  CHECK(moved.evidence.at("gate").at("number") == 7);
  CHECK(moved.evidence.at("gate").at("passes") == true);
  CHECK(refused.outcome == store::PromotionOutcome::kRefused);
  CHECK(refused.from == 1);
  CHECK(refused.to == 2);
  CHECK(refused.evidence.at("gate").at("passes") == false);
  CHECK(refused.evidence.at("gate").at("require").at("smoke").size() == 1);
  // What it names already needs no gate.
  CHECK(promote_version(models.request("champion"), {"m", 1, ""}, scripted_gate(false)).promoted);
}

TEST_CASE("a version is held against the alias that the requirement names") {
  const ThreeVersions models;
  GateRules gate = scripted_gate(true, [&](const GateCase& subject) {
    REQUIRE(subject.against);
    CHECK(subject.against->version == 3);
  });
  gate.requirement->not_worse = NotWorse{"mAP", 0.1, Goal::kMaximize, "current"};
  CHECK(promote_version(models.request("champion"), {"m", 1, ""}, gate).promoted);
}

TEST_CASE("of two that promote at once the one whose alias moved meanwhile gets a conflict") {
  const ThreeVersions models;
  const auto meanwhile = [&](const GateCase&) { set_alias(models.request("champion"), {"m", 3, ""}); };
  CHECK(code_when([&] {
          promote_version(models.request("champion"), {"m", 1, ""}, scripted_gate(true, meanwhile));
        }) == ExitCode::kConflict);
  CHECK(models.named("champion") == 3);
}

TEST_CASE("files that are not what was recorded are not promoted, set or rolled back to") {
  const ThreeVersions models;
  set_alias(models.request("champion"), {"m", 1, ""});
  set_alias(models.request("champion"), {"m", 2, ""});
  std::fstream weights(models.version_files(1) / "weights", std::ios::in | std::ios::out | std::ios::binary);
  weights.put('b');  // one bit of it: 'a' is 0x61
  weights.close();
  const auto ask = [](const GateCase&) { FAIL("the gate is not asked"); };
  CHECK(code_when([&] {
          promote_version(models.request("p"), {"m", 1, ""}, scripted_gate(true, ask));
        }) == ExitCode::kEnvironment);
  CHECK(code_when([&] { set_alias(models.request("p"), {"m", 1, ""}); }) == ExitCode::kEnvironment);
  CHECK(code_when([&] { roll_back(models.request("champion")); }) == ExitCode::kEnvironment);
  CHECK(models.named("champion") == 2);
  CHECK(models.named("p") == 0);
}

TEST_CASE("a rollback goes back step by step, and is no step itself") {
  const ThreeVersions models;
  for (const int version : {1, 2, 3, 2}) set_alias(models.request("champion"), {"m", version, ""});
  CHECK(roll_back(models.request("champion")) == 3);
  CHECK(roll_back(models.request("champion")) == 2);
  CHECK(code_when([&] { roll_back(models.request("champion", 7)); }) == ExitCode::kConflict);
  CHECK(roll_back(models.request("champion", 2)) == 1);
  CHECK(code_when([&] { roll_back(models.request("champion")); }) == ExitCode::kNotFound);
  set_alias(models.request("champion"), {"m", 3, ""});  // a step again
  CHECK(roll_back(models.request("champion")) == 1);
  set_alias(models.request("fresh"), {"m", 1, ""});
  CHECK(code_when([&] { roll_back(models.request("fresh")); }) == ExitCode::kNotFound);
  CHECK(code_when([&] { roll_back(models.request("none")); }) == ExitCode::kNotFound);
  CHECK(models.registry().promotions("m").back().alias == "fresh");
}

TEST_CASE("a rollback to what is gone or was rejected is refused, and names it") {
  const ThreeVersions models;
  set_alias(models.request("champion"), {"m", 1, ""});
  set_alias(models.request("champion"), {"m", 2, ""});
  models.registry().remark({"m", 1, store::RemarkKind::kRejected, "", "ada@host", WallTime()});
  CHECK_THROWS_WITH(roll_back(models.request("champion")),
                    Catch::Matchers::Contains("version 1 before, which was rejected"));
  CHECK(code_when([&] { promote_version(models.request("p"), {"m", 1, ""}, {}); }) == ExitCode::kConflict);
  models.registry().remark({"m", 1, store::RemarkKind::kDeleted, "", "ada@host", WallTime()});
  CHECK_THROWS_WITH(roll_back(models.request("champion")), Catch::Matchers::Contains("which was deleted"));
  CHECK(models.named("champion") == 2);
}

TEST_CASE("a study's trial goes through the gate, and what is refused stays a version without the alias") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.2, 0.6});
  PromotionRequest request{folder.path(), "m", std::nullopt};
  request.gate = scripted_gate(false);
  const store::PromotionDecision refused = promote_trial(study.store(), request);
  CHECK_FALSE(refused.promoted);
  CHECK(refused.version == 1);
  CHECK(refused.reason == "the gate refused it: bad");
  CHECK(promoted_text(refused.folder / "weights") == "abc");
  {
    const store::ModelRegistry registry(folder.path() / "models/registry.db", store::OpenMode::kRead);
    CHECK_FALSE(registry.current("m"));
    CHECK(registry.promotions("m").at(0).outcome == store::PromotionOutcome::kRefused);
    CHECK(registry.version("m", 1)->lineage.at("require").at("smoke").size() == 1);
  }
  // Its study's requirement counts for people too, unless they bring another one.
  GateRules own = scripted_gate(true, [](const GateCase& subject) { CHECK(subject.version.version == 1); });
  own.requirement.reset();
  const store::PromotionDecision by_hand =
      promote_version({folder.path(), "m", "champion"}, {"m", 1, ""}, own);
  CHECK(by_hand.promoted);
  CHECK(by_hand.reason == "promoted by a person; it passed the gate: fine");
  // Asked again, the same version is judged again.
  request.gate = scripted_gate(true);
  const store::PromotionDecision again = promote_trial(study.store(), request);
  CHECK(again.promoted);
  CHECK(again.version == 1);
  CHECK(again.reason == "first version, with mAP 0.6; it passed the gate: fine");
}

TEST_CASE("a promotion of a trial moves the alias that was asked for, and holds against what that names") {
  ScratchFolder folder;
  PromotableStudy good(folder.path(), "good", {0.9}), bad(folder.path(), "bad", {0.1});
  promote_trial(good.store(), {folder.path(), "m", std::nullopt});
  PromotionRequest request{folder.path(), "m", std::nullopt};
  request.alias = "candidate";
  const store::PromotionDecision result = promote_trial(bad.store(), request);
  CHECK(result.promoted);
  CHECK(result.version == 2);
  CHECK(fs::read_symlink(folder.path() / "models/m/current") == "versions/1");
  const store::ModelRegistry registry(folder.path() / "models/registry.db", store::OpenMode::kRead);
  CHECK(registry.alias("m", "candidate") == 2);
  CHECK(registry.current("m")->version == 1);
}

TEST_CASE("a trial whose version a person has rejected is not promoted again") {
  ThreeVersions models;
  set_alias(models.request("current"), {"m", 1, ""});
  models.registry().remark({"m", 3, store::RemarkKind::kRejected, "it sees ghosts", "ada@host", WallTime()});
  const store::PromotionDecision result =
      promote_trial(models.study().store(), {models.store(), "m", std::nullopt});
  CHECK_FALSE(result.promoted);
  CHECK(result.reason == "version 3 was made of this trial, and a person has rejected it");
  CHECK(models.named("current") == 1);
}

}  // namespace
}  // namespace tune::tests
