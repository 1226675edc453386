#include "tuner/engine/study/steer_study.h"

#include "tuner/engine/loop/inbox.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using namespace engine;

// A study on the disk that nobody works on, with one paused trial that has reached 0.25 and 3.
struct PausedStudy : LoopFixture {
  PausedStudy() : LoopFixture(small_spec(3), 7, Place::kDisk) {
    spec.study = folder.path().filename();
    spec.second_objective = Objective{"size", Goal::kMinimize, Reduce::kBest};
    store::StudyRow row = store.study();
    row.name = spec.study;  // as in a store
    row.spec["objectives"] = Json::parse(R"([{"metric": "loss", "goal": "minimize"},
                                             {"metric": "size", "goal": "minimize"}])");
    row.state = store::StudyState::kInterrupted;
    store.replace_study(row);
    store::TrialRow trial;
    trial.number = 1;
    trial.parameters = {{"x", 0.5}, {"y", 0.5}};
    trial.state = TrialState::kPaused;
    store.insert_trial(trial);
    store.insert_metrics(
        {{1, 1, "loss", {1, 0.5}, {}}, {1, 1, "loss", {2, 0.25}, {}}, {1, 1, "size", {2, 3}, {}}});
  }
  Json ask(const std::string& command, const Json& arguments) {
    const Inbox inbox(folder.path());
    const std::string id = inbox.send({{}, command, arguments, "ada@host", clock.wall_now()});
    obey_at_rest(folder.path().parent_path(), spec, clock);
    return inbox.take_answer(id).value_or(Json());
  }
};

TEST_CASE("a paused trial that a person stops ends with what it had reached, in its event too") {
  PausedStudy study;
  CHECK(study.ask("stop", {{"trial", 1}}).at("done") ==
        "trial 1 is stopped (`tune resume " + study.spec.study + "` goes on with it)");
  CHECK(study.store.trial(1)->values == std::vector<double>{0.25, 3});
  Json ended;
  for (const store::EventRow& event : study.store.events(0))
    if (event.kind == "trial_finished") ended = event.data;
  CHECK(ended.at("value") == 0.25);
  CHECK(ended.at("values") == Json({0.25, 3}));
}

}  // namespace
}  // namespace tune::tests
