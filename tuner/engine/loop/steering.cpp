#include "tuner/engine/loop/steering.h"

#include <array>
#include <set>

#include "tuner/engine/loop/completion.h"
#include "tuner/os/crash_point.h"
#include "tuner/spec/spec_keys.h"

namespace tune::engine {
namespace {

// The limits that a request may set, as limits_json() names them.
constexpr std::array kSettable{"trials",   "parallel", "time",           "gpu_hours",
                               "cost_usd", "target",   "no_improvement", "convergence"};

std::string shown(const Json& json, const char* name) {
  if (!json.contains(name)) return "none";
  return json[name].is_string() ? json[name].get<std::string>() : json[name].dump();
}

Effect set(const Request& request, const Spec& spec, const Limits& limits) {
  const Json before = limits_json(limits);
  Json after = before;
  for (const char* name : kSettable)
    if (request.arguments.contains(name)) after[name] = request.arguments[name];
  if (request.arguments.contains("cost_usd") && !spec.usd_per_hour)
    throw Error(ExitCode::kUsage, "--cost-usd needs a price, and the spec has none",
                "limit --gpu-hours, or add \"cost\": {\"usd_per_hour\": 3.06} to the spec and run it again");
  Effect effect;
  try {
    effect.limits = limits_from_json(after);
    if (effect.limits->parallel.value_or(1) > kMostParallel)
      throw std::invalid_argument("parallel is at most " + std::to_string(kMostParallel));
  } catch (const std::exception& problem) {
    throw Error(ExitCode::kUsage, std::string("the limits cannot be set: ") + problem.what());
  }
  check_limits(*effect.limits, spec);
  for (const char* name : kSettable)
    if (before.value(name, Json()) != after.value(name, Json())) {
      effect.said += effect.said.empty() ? "limits." : ", limits.";
      effect.said += std::string(name) + ": " + shown(before, name) + " -> " + shown(after, name);
    }
  if (effect.said.empty()) effect.said = "the limits are as they were";
  return effect;
}

Error no_parameter(const std::string& place, const std::string& name) {
  return {ExitCode::kUsage, place + ": there is no parameter \"" + name + "\"",
          "the spec's parameters are the ones to give"};
}

// The trial that points are filled up from: of two objectives the one of the front that the spec prefers.
// nullptr where there is none.
const TrialView* model_for_points(const Spec& spec, const History& history) {
  if (!history.second) return history.best();
  const auto number = spec.prefer ? preferred_trial(history, *spec.prefer) : std::nullopt;
  return number ? history.trials[static_cast<std::size_t>(*number) - 1].get() : nullptr;
}

// Why model_for_points() has none.
std::string lack_of_model(const Spec& spec, const History& history) {
  if (!history.second || history.best() == nullptr) return "no trial has completed yet to take it from";
  if (spec.prefer) return "no trial of the front is what promote.prefer asks for, to take it from";
  return "with two objectives no trial is the best one to take it from, since the spec has no promote.prefer";
}

// A point of the space; what it leaves out is as in `best`, and without that is missing for the reason
// `lack`.
ParameterSet whole_point(const Json& given, const std::string& place, const SearchSpace& space,
                         const TrialView* best, const std::string& lack, std::set<std::string>& filled) {
  ParameterSet point;
  for (const auto& [name, value] : given.items()) {
    const auto index = space.find(name);
    if (!index) throw no_parameter(place, name);
    point[name] = space.parameters()[*index].canonical(value);
  }
  // Parents first: they decide which others are part of the point.
  for (const std::size_t index : space.dependency_order()) {
    const std::string& name = space.parameters()[index].name;
    if (point.contains(name) || !space.is_active(index, point)) continue;
    if (best == nullptr)
      throw Error(ExitCode::kUsage,
                  place + " is no point of the space: it has no \"" + name + "\", and " + lack,
                  "give every active parameter a value of its range");
    const auto of_best = best->parameters.find(name);
    if (of_best == best->parameters.end()) continue;
    point[name] = of_best->second;
    filled.insert(name);
  }
  if (const auto why = space.objection(point))
    throw Error(ExitCode::kUsage, place + " is no point of the space: " + *why,
                "give every active parameter a value of its range");
  return point;
}

Effect enqueue(const Request& request, const Spec& spec, const store::StudyStore& store,
               const History& history, WallTime now) {
  const Json points = request.arguments.value("points", Json::array());
  const Json places = request.arguments.value("places", Json::array());
  if (!points.is_array() || points.empty()) throw Error(ExitCode::kUsage, "there is no point to enqueue");
  const TrialView* const best = model_for_points(spec, history);
  const std::string lack = best == nullptr ? lack_of_model(spec, history) : std::string();
  Effect effect;
  std::set<std::string> filled;
  int number = store.trial_count() + 1;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::string place = i < places.size()    ? places[i].get<std::string>()
                              : points.size() == 1 ? "the point"
                                                   : "point " + std::to_string(i + 1);
    if (!points[i].is_object()) throw Error(ExitCode::kUsage, place + " is no object of parameters");
    store::TrialRow row;
    row.number = number++;
    row.parameters = whole_point(points[i], place, spec.space, best, lack, filled);
    row.state = TrialState::kQueued;
    row.note = "enqueued by " + request.who;
    row.facts.explanation = {{"strategy", store::kEnqueued}};
    row.created = now;
    effect.enqueued.push_back(std::move(row));
  }
  const int first = effect.enqueued.front().number, last = effect.enqueued.back().number;
  effect.said = first == last
                    ? "trial " + std::to_string(first) + " is enqueued"
                    : "trials " + std::to_string(first) + " to " + std::to_string(last) + " are enqueued";
  std::string names;
  for (const std::string& name : filled) names += (names.empty() ? "" : ", ") + name;
  if (!names.empty())
    effect.said += std::string(", with the ") + (history.second ? "preferred" : "best") + " trial's " + names;
  return effect;
}

store::TrialRow trial_named(int number, const store::StudyStore& store) {
  auto trial = store.trial(number);
  if (trial) return *std::move(trial);
  const int count = store.trial_count();
  throw Error(ExitCode::kNotFound, "there is no trial " + std::to_string(number),
              count == 0 ? "the study has none yet" : "the last one is " + std::to_string(count));
}

// The same point with the same seed under a number of its own, to its end. A repeat is never repeated itself:
// the trial behind it is.
Effect rerun(int number, const Request& request, const store::StudyStore& store, WallTime now) {
  const store::TrialRow named = trial_named(number, store);
  const int first = named.facts.rerun_of.value_or(number);
  const store::TrialRow trial = first == number ? named : trial_named(first, store);
  if (trial.facts.deleted)
    throw Error(ExitCode::kConflict,
                "trial " + std::to_string(first) + " was deleted by " + trial.facts.deleted->who +
                    ", and nothing is left to compare with",
                "`tune enqueue` tries its hyperparameters as a point of their own");
  if (!is_finished(trial.state))
    throw Error(ExitCode::kConflict,
                "trial " + std::to_string(first) + " has not ended: it is " + to_string(trial.state),
                "repeat it when it has");
  store::TrialRow row;
  row.number = store.trial_count() + 1;
  row.parameters = trial.parameters;
  row.budget = trial.budget;
  row.state = TrialState::kQueued;
  row.note = "repeats trial " + std::to_string(first) + ", asked for by " + request.who;
  row.facts.rerun_of = first;
  row.facts.explanation = {{"strategy", "rerun"}};
  row.created = now;
  Effect effect;
  effect.said = "trial " + std::to_string(row.number) + " is enqueued, and repeats trial " +
                std::to_string(first) + " with its seed";
  effect.enqueued.push_back(std::move(row));
  return effect;
}

Effect stop_trial(int number, const Request& request, const Spec& spec, const store::StudyStore& store,
                  WallTime now) {
  std::optional<store::TrialRow> trial = trial_named(number, store);
  if (is_finished(trial->state))
    throw Error(ExitCode::kConflict,
                "trial " + std::to_string(number) + " has ended: it is " + to_string(trial->state));
  Effect effect;
  effect.said = "trial " + std::to_string(number) + " is stopped";
  if (trial->state == TrialState::kRunning) {
    effect.to_stop = number;
    return effect;
  }
  trial->state = TrialState::kStopped;
  trial->reason = "stopped by " + request.who;
  trial->ended = now;
  trial->values = reached_values(
      store.curve(number, spec.objective.metric),
      spec.second_objective ? store.curve(number, spec.second_objective->metric) : std::vector<MetricPoint>(),
      spec.objective, spec.second_objective);
  effect.ended = std::move(*trial);
  return effect;
}

// Into the store.
void write_effect(Journal::Entry& entry, const Request& request, const Effect& effect,
                  store::StudyRow& study) {
  if (effect.limits) study.limits = limits_json(*effect.limits);
  if (effect.held) study.facts.held = *effect.held ? std::optional(request.who) : std::nullopt;
  if (effect.to_stop) study.facts.stop_requests.insert(*effect.to_stop);
  for (const store::TrialRow& row : effect.enqueued) entry.store().insert_trial(row);
  if (effect.ended) entry.store().update_trial(*effect.ended);
  entry.store().update_study(study);
  StatusEvent event;
  event.kind = StatusKind::kRequest;
  event.message = request.who + ": " + effect.said;
  event.request = request.id;
  if (effect.limits) event.limits = study.limits;
  entry.event(event);
  if (!effect.ended) return;
  event = {};
  event.kind = StatusKind::kTrialFinished;
  event.trial = effect.ended->number;
  event.state = effect.ended->state;
  event.rerun_of = effect.ended->facts.rerun_of;
  event.message = effect.ended->reason;
  event.replicate_of = effect.ended->facts.replicate_of;
  const std::vector<double>& values = effect.ended->values;
  if (!values.empty()) event.value = values[0];
  if (values.size() > 1) event.second_value = values[1];
  entry.event(std::move(event));
}

Json refusal(const Error& error) {
  return {{"error", error.what()}, {"hint", error.hint()}, {"code", static_cast<int>(error.code())}};
}

Effect effect_of(const Request& request, const Obedience& who) {
  const Spec& spec = who.study.spec;
  const store::StudyStore& store = who.study.store;
  const WallTime now = who.study.clock.wall_now();
  if (request.command == "set") return set(request, spec, who.limits());
  if (request.command == "enqueue") return enqueue(request, spec, store, who.history(), now);
  if (request.command == "rerun") return rerun(request.arguments.at("trial").get<int>(), request, store, now);
  Effect effect;
  if (request.command == "stop" && request.arguments.contains("trial"))
    return stop_trial(request.arguments["trial"].get<int>(), request, spec, store, now);
  if (request.command == "stop") {
    effect.drains = true;
    effect.said = "the study is interrupted: its trials save their state";
  } else if (request.command == "pause") {
    effect.held = true;
    effect.said = "nothing new is begun; what runs goes on to its end";
  } else if (request.command == "continue") {
    effect.held = false;
    effect.said = "the study goes on";
  } else {
    throw Error(ExitCode::kUsage, "there is no request \"" + request.command + "\"",
                "tune and the program that asked must be of the same version");
  }
  return effect;
}

// The answer.
Json obey(const Request& request, const Obedience& who) {
  try {
    if (who.study.store.has_event(event_kind(StatusKind::kRequest), {{"request", request.id}}))
      return {{"done", "it was done"}};
    Effect effect = effect_of(request, who);
    if (who.adapt) who.adapt(request, effect);
    who.study.journal.commit(
        [&](Journal::Entry& entry) { write_effect(entry, request, effect, who.study.row); },
        Durability::kPower);
    crash_point("request_committed");
    if (who.then) who.then(request, effect);
    return {{"done", effect.said}};
  } catch (const Error& error) {
    if (error.code() == ExitCode::kEnvironment || error.code() == ExitCode::kInternal) throw;
    return refusal(error);
  } catch (const Json::exception& problem) {
    return refusal(Error(ExitCode::kUsage, std::string("the request is none: ") + problem.what()));
  }
}

}  // namespace

void refuse_old_stop(const Request& request, const Effect& effect, WallTime began) {
  if (effect.drains && request.when < began)
    throw Error(ExitCode::kConflict, "this was asked for before the study went on", "ask again");
}

void obey_requests(const Inbox& inbox, const Obedience& who) {
  std::vector<std::string> unreadable;
  const std::vector<Request> requests = inbox.requests(unreadable);
  for (const std::string& file : unreadable) {
    if (!who.study.answers.emplace(file, Json()).second) continue;  // it could not be moved, and was said
    who.study.journal.notice("a request from another terminal cannot be read, and is put aside: " + file);
  }
  for (const Request& request : requests) {
    if (!who.study.answers.contains(request.id)) who.study.answers[request.id] = obey(request, who);
    try {
      inbox.answer(request, who.study.answers[request.id]);
    } catch (const Error&) {
      continue;  // for lack of room: the request stays, and is answered when it is looked at again
    }
    crash_point("request_answered");
  }
}

}  // namespace tune::engine
