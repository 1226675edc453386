// What requests come to, without a loop.
#include "tuner/engine/loop/steering.h"

#include "tuner/engine/loop/history_book.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

using Catch::Matchers::Contains;
using engine::Request;

// "momentum" of an optimizer is written before it.
SearchSpace conditional_space() {
  Parameter momentum = float_parameter("momentum", 0, 1);
  momentum.when = {{"optimizer", {"sgd"}}};
  Parameter optimizer;
  optimizer.name = "optimizer";
  optimizer.type = ParameterType::kCategorical;
  optimizer.values = {"sgd", "adam"};
  return SearchSpace({momentum, optimizer, float_parameter("lr", 0, 1)});
}

struct SteeringFixture : LoopFixture {
  explicit SteeringFixture(bool has_two_objectives = false)
      : LoopFixture([=] {
          Spec conditional = small_spec();
          conditional.space = conditional_space();
          if (!has_two_objectives) return conditional;
          conditional.second_objective = Objective{"latency", Goal::kMinimize, Reduce::kBest};
          conditional.document["objectives"] = Json::array(
              {{{"metric", "loss"}, {"goal", "minimize"}}, {{"metric", "latency"}, {"goal", "minimize"}}});
          return conditional;
        }()),
        inbox(folder.path()),
        journal(store, clock, status, [] { return false; }),
        row(store.study()) {}
  void completed(ParameterSet parameters, std::vector<double> values) {
    store::TrialRow trial;
    trial.number = store.trial_count() + 1;
    trial.parameters = std::move(parameters);
    trial.state = TrialState::kCompleted;
    trial.values = std::move(values);
    store.insert_trial(trial);
  }
  Json asks(const std::string& command, Json arguments) {
    const std::string id = inbox.send({{}, command, std::move(arguments), "ada@host", clock.wall_now()});
    obey();
    return inbox.take_answer(id).value_or(Json());
  }
  void obey() {
    std::optional<History> history;
    engine::obey_requests(inbox, {spec,
                                  store,
                                  clock,
                                  journal,
                                  row,
                                  answers,
                                  [this] { return spec.limits; },
                                  [&]() -> const History& {
                                    history = engine::history_in(store, spec.space);
                                    return *history;
                                  },
                                  {},
                                  {}});
  }
  Json enqueue(Json point) { return asks("enqueue", {{"points", Json::array({std::move(point)})}}); }

  engine::Inbox inbox;
  engine::Journal journal;
  store::StudyRow row;
  std::map<std::string, Json> answers;
};

TEST_CASE("a point is filled in from the best trial where it is active, whatever the order of the spec") {
  SteeringFixture f;
  f.completed({{"optimizer", "sgd"}, {"momentum", 0.9}, {"lr", 0.5}}, {0.1});
  const Json adam = f.enqueue({{"optimizer", "adam"}});
  CHECK(adam.value("done", "") == "trial 2 is enqueued, with the best trial's lr");
  CHECK(f.store.trial(2)->parameters == ParameterSet{{"optimizer", "adam"}, {"lr", 0.5}});
  CHECK(f.enqueue({{"lr", 0.25}}).value("done", "") ==
        "trial 3 is enqueued, with the best trial's momentum, optimizer");
  CHECK(f.store.trial(3)->parameters == ParameterSet{{"optimizer", "sgd"}, {"momentum", 0.9}, {"lr", 0.25}});
}

TEST_CASE("before a trial has completed there is none to fill a point in from, and that is said") {
  SteeringFixture f;
  CHECK(f.enqueue({{"optimizer", "adam"}})
            .dump()
            .find("the point is no point of the space: it has no \\\"lr\\\", and no trial has completed yet "
                  "to take it from") != std::string::npos);
  CHECK(f.enqueue({{"optimizer", "adam"}, {"lr", 0.25}}).contains("done"));
}

TEST_CASE("with two objectives a point is filled in from the trial that the spec prefers") {
  SteeringFixture f(/*has_two_objectives=*/true);
  f.completed({{"optimizer", "adam"}, {"lr", 0.1}}, {0.1, 30});
  f.completed({{"optimizer", "adam"}, {"lr", 0.2}}, {0.2, 10});
  CHECK_THAT(f.enqueue({{"optimizer", "adam"}}).value("error", ""),
             Contains("with two objectives no trial is the best one to take it from"));
  f.spec.prefer = Preference{};
  f.spec.prefer->best = 1;
  CHECK(f.enqueue({{"optimizer", "adam"}}).value("done", "") ==
        "trial 3 is enqueued, with the preferred trial's lr");
  CHECK(f.store.trial(3)->parameters.at("lr") == 0.2);
  f.spec.prefer->bounds[0] = 0.05;  // none is so good
  CHECK_THAT(f.enqueue({{"optimizer", "adam"}}).value("error", ""),
             Contains("no trial of the front is what promote.prefer asks for"));
}

TEST_CASE("convergence is set where the strategy expects something of a trial, and refused elsewhere") {
  SteeringFixture f;
  f.spec.strategy.name = "random";
  CHECK_THAT(f.asks("set", {{"convergence", 0.01}}).value("error", ""),
             Contains("the strategy \"random\" does not say what it expects of a trial"));
  CHECK(f.asks("set", {{"trials", 40}}).contains("done"));
  f.spec.strategy.name = "auto";
  CHECK(f.asks("set", {{"convergence", 0.01}}).contains("done"));
}

TEST_CASE("a point is filled in with what was assumed of a parameter that came later") {
  SteeringFixture f;
  f.completed({{"optimizer", "sgd"}, {"lr", 0.5}}, {0.1});
  store::AmendmentFacts amendment;
  amendment.trials = 1;
  amendment.assumed = {{"momentum", 0.9}};
  f.row.facts.amendments.push_back(amendment);
  f.store.update_study(f.row);
  CHECK(f.enqueue({{"lr", 0.25}}).contains("done"));
  CHECK(f.store.trial(2)->parameters == ParameterSet{{"optimizer", "sgd"}, {"momentum", 0.9}, {"lr", 0.25}});
}

TEST_CASE("a request whose answer cannot be written is obeyed and refused once") {
  SteeringFixture f;
  int looked = 0;
  const std::string id =
      f.inbox.send({{}, "enqueue", {{"points", {{{"lr", 7}}}}}, "ada@host", f.clock.wall_now()});
  const auto answer = f.folder.path() / "inbox" / (id + ".answer");
  std::filesystem::create_directories(answer / "in the way");
  const auto obey = [&] {
    engine::obey_requests(f.inbox, {f.spec,
                                    f.store,
                                    f.clock,
                                    f.journal,
                                    f.row,
                                    f.answers,
                                    [&f] { return f.spec.limits; },
                                    [&]() -> const History& {
                                      static const History none;
                                      ++looked;
                                      return none;
                                    },
                                    {},
                                    {}});
  };
  obey();
  obey();
  CHECK(looked == 1);
  std::filesystem::remove_all(answer);
  obey();
  CHECK_THAT(f.inbox.take_answer(id)->value("error", ""), Contains("no point of the space"));
}

TEST_CASE("a request that an earlier process obeyed is known by its event") {
  SteeringFixture f;
  const std::string id = f.inbox.send({{}, "set", {{"trials", 9}}, "ada@host", f.clock.wall_now()});
  f.store.append_event({0, f.clock.wall_now(), "request", 0, 0, {{"request", id}}});
  f.obey();
  CHECK(f.inbox.take_answer(id) == Json{{"done", "it was done"}});
  CHECK(f.row.limits == f.store.study().limits);
}

TEST_CASE("a stop of the study from before it went on is refused, and a later one is not") {
  Request request;
  request.when = WallTime(Milliseconds(1'000));
  engine::Effect stop;
  stop.drains = true;
  CHECK_THROWS_AS(engine::refuse_old_stop(request, stop, WallTime(Milliseconds(2'000))), Error);
  CHECK_NOTHROW(engine::refuse_old_stop(request, stop, WallTime(Milliseconds(500))));
  CHECK_NOTHROW(engine::refuse_old_stop(request, {}, WallTime(Milliseconds(2'000))));
}

}  // namespace
}  // namespace tune::tests
