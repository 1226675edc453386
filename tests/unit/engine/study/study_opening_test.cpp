#include "tuner/engine/study/study_opening.h"

#include "tuner/core/error.h"
#include "tuner/engine/study/run_study.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::engine {
namespace {

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Spec spec_with(const std::string& limits, const std::string& more = "", const std::string& max = "1") {
  return parse_spec(R"({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
                        "parameters": {"x": {"type": "float", "min": 0, "max": )" +
                        max + R"(}}, "limits": )" + limits + more + "}",
                    "search.json", "/somewhere", SpecUse::kAskTell);
}

// A store whose study "s" has begun: trial 1 is there.
class BegunStudy {
 public:
  explicit BegunStudy(const Spec& spec, const Overrides& overrides = {}) {
    OpenedStudy study = open_study(folder_.path(), spec, spec.text, overrides);
    store::TrialRow trial;
    trial.number = 1;
    trial.parameters = {{"x", 0.5}};
    trial.state = TrialState::kRunning;
    study.store.insert_trial(trial);
  }
  OpenedStudy open(const Spec& spec, const Overrides& overrides = {}) const {
    return open_study(folder_.path(), spec, spec.text, overrides);
  }
  // What it is refused with: message and hint.
  std::string refusal(const Spec& spec) const {
    try {
      open(spec);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kConflict);
      return std::string(error.what()) + " | " + error.hint();
    }
    return "";
  }

 private:
  tests::ScratchFolder folder_;
};

// What a study of an int from 1 to 3, finished by its limit after these points, says of going on.
std::string way_on(const std::string& strategy, const std::vector<int>& points) {
  const tests::ScratchFolder folder;
  const Spec spec = parse_spec(
      R"json({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
              "parameters": {"n": {"type": "int", "min": 1, "max": 3}},
              "command": ["true", "{{n}}"], "metrics": [{"name": "loss", "regex": "(.*)"}],
              "strategy": {"name": ")json" +
          strategy + R"("}, "limits": {"trials": )" + std::to_string(points.size()) + "}}",
      "search.json", "/somewhere");
  {
    OpenedStudy study = open_study(folder.path(), spec, spec.text, {});
    for (std::size_t i = 0; i < points.size(); ++i) {
      store::TrialRow trial;
      trial.number = static_cast<int>(i) + 1;
      trial.parameters = {{"n", points[i]}};
      trial.state = TrialState::kCompleted;
      trial.values = {0.5};
      study.store.insert_trial(trial);
    }
    study.row.state = store::StudyState::kFinished;
    study.row.finish_reason = "trial limit";
    study.store.update_study(study.row);
  }
  RunRequest request;
  request.store = folder.path();
  request.spec = spec;
  request.spec_text = spec.text;
  RunHooks hooks;
  hooks.make_status = [](const auto&, const auto&) { return std::make_unique<tests::RecordingStatus>(); };
  Interruption interruption;
  return run_study(std::move(request), hooks, SystemClock(), interruption).how_to_go_on;
}

}  // namespace

TEST_CASE("a study in a folder of another name is a copy, and is not gone on with") {
  const tests::ScratchFolder folder;
  const Spec spec = spec_with(R"({"trials": 1})");
  open_study(folder.path(), spec, spec.text, {});
  std::filesystem::rename(folder.path() / "s", folder.path() / "other");
  try {
    hold_study(folder.path(), "other");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kEnvironment);
    CHECK(says(error.what(), "the folder \"other\" holds the study \"s\": it is a copy"));
    CHECK(says(error.hint(), "name the folder \"s\" again"));
  }
}

TEST_CASE("a finished study is not told to resume where nothing, or only repeats, would come") {
  CHECK(way_on("grid", {1, 2}) ==
        "the study has ended (trial limit); `tune resume s --trials N` goes on with it (new totals), --name "
        "NAME starts another study");
  CHECK(way_on("grid", {1, 2, 3}) ==
        "the study has ended (trial limit); its space holds no other trial: --name NAME starts another "
        "study, which may have more levels or wider ranges");
  CHECK(says(way_on("random", {1, 2, 3, 1}),
             "(new totals) and repeats points, since every one has been tried"));
  CHECK_FALSE(says(way_on("random", {1, 1, 3, 1}), "repeats"));
}

TEST_CASE("limits that are damaged in the store are told as damage of its file") {
  const Spec spec = spec_with(R"({"trials": 4, "time": "1h"})");
  const BegunStudy study(spec);
  const Json damaged = GENERATE(Json{{"trials", "many"}}, Json{{"time", 7}}, Json{{"time", "soon"}});
  {
    OpenedStudy opened = study.open(spec);
    opened.row.limits = damaged;
    opened.store.update_study(opened.row);
  }
  CHECK_THROWS_AS(study.open(spec), DamagedFile);
}

TEST_CASE("a study goes on with a spec whose limits alone have changed, and says what has") {
  const BegunStudy study(spec_with(R"({"trials": 4, "time": "1h"})"));
  const Spec changed =
      spec_with(R"({"trials": 9, "trial_time": "5m", "cost_usd": 2})", R"(, "cost": {"usd_per_hour": 3})");
  {
    const OpenedStudy opened = study.open(changed);
    REQUIRE(opened.notices.size() == 1);
    CHECK(opened.notices[0] ==
          "the spec has changed, and the study goes on with it: /cost: (absent) -> {\"usd_per_hour\":3}; "
          "/limits/cost_usd: (absent) -> 2; /limits/time: \"1h\" -> (absent); /limits/trial_time: (absent) "
          "-> \"5m\"; "
          "/limits/trials: 4 -> 9");
    CHECK(opened.row.limits == Json({{"trials", 9}, {"trial_time", "300s"}, {"cost_usd", 2.0}}));
    CHECK(opened.store.study().limits == opened.row.limits);
  }
  // It is the study's spec now.
  const OpenedStudy again = study.open(changed);
  CHECK(again.notices.empty());
  CHECK(again.row.spec_text == changed.text);
  CHECK(again.row.spec.at("cost").at("usd_per_hour") == 3);
}

TEST_CASE("a limit that was raised on the command line stays until the spec says another") {
  Overrides raised;
  raised.limits.trials = 20;
  const BegunStudy study(spec_with(R"({"trials": 4})"), raised);
  CHECK(study.open(spec_with(R"({"trials": 4, "time": "1h"})")).row.limits ==
        Json({{"trials", 20}, {"time", "3600s"}}));
  CHECK(study.open(spec_with(R"({"trials": 6, "time": "1h"})")).row.limits ==
        Json({{"trials", 6}, {"time", "3600s"}}));
  raised.limits.trials = 30;
  CHECK(study.open(spec_with(R"({"trials": 8, "time": "1h"})"), raised).row.limits.at("trials") == 30);
}

TEST_CASE("a rule and the name of a model may change, and the new name has not been decided on") {
  const BegunStudy study(spec_with(R"({"trials": 4})", R"(, "promote": {"model": "a"})"));
  {
    OpenedStudy opened = study.open(spec_with(R"({"trials": 4})", R"(, "promote": {"model": "a"})"));
    opened.row.facts.promotion.emplace().model = "a";
    opened.store.update_study(opened.row);
  }
  const std::string rule = R"(, "early_stopping": {"rule": "median"})";
  CHECK(study.open(spec_with(R"({"trials": 4})", R"(, "promote": {"model": "a"})" + rule))
            .row.facts.promotion.has_value());
  const OpenedStudy renamed =
      study.open(spec_with(R"({"trials": 4})", R"(, "promote": {"model": "b"})" + rule));
  CHECK_FALSE(renamed.row.facts.promotion.has_value());
  CHECK(says(renamed.notices.at(0), "/promote/model: \"a\" -> \"b\""));
}

TEST_CASE("a changed space is refused whole, and warm_start is named as the cure") {
  const BegunStudy study(spec_with(R"({"trials": 4})"));
  const std::string refusal = study.refusal(spec_with(R"({"trials": 9})", "", "2"));
  CHECK(says(refusal, "/limits/trials: 4 -> 9\n  /parameters/x/max: 1 -> 2"));
  CHECK(says(refusal, R"("warm_start": [{"study": "s", "kind": "identical"}])"));
  CHECK(says(refusal, "\"assume\""));
  // Nothing of it was taken.
  CHECK(study.open(spec_with(R"({"trials": 4})")).notices.empty());
}

TEST_CASE("a changed seed or strategy is refused without talk of spaces") {
  const BegunStudy study(spec_with(R"({"trials": 4})"));
  const std::string refusal =
      study.refusal(spec_with(R"({"trials": 4})", R"(, "strategy": {"name": "random"})"));
  CHECK(says(refusal, "/strategy/name: \"auto\" -> \"random\""));
  CHECK_FALSE(says(refusal, "warm_start"));
}

}  // namespace tune::engine
