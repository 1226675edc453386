#include "tuner/cli/ask_tell_line.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"

namespace tune::cli {
namespace {

constexpr int kMostAsked = 1000;        // in one line: a slip of a zero should not draw a million points
constexpr std::size_t kMostShown = 60;  // characters of what was sent, in an answer

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
  throw Error(ExitCode::kUsage, message, hint);
}

// Control characters as escapes: an exception's text would end at a NUL.
std::string cut(const std::string& text, std::size_t most = kMostShown) {
  return visible_text(shortened(text, most));
}

std::string shown(const Json& value) {
  return cut(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Json parse_request(const std::string& line) {
  if (line.size() > kLongestLine)
    refuse("the line is longer than " + std::to_string(kLongestLine) + " bytes, and was not read",
           "write one object a line");
  if (line.find_first_not_of(" \t\r") == std::string::npos)
    refuse("the line is empty", "write one object a line");
  PositionedJson parsed = parse_with_positions(with_quoted_non_finite(line), "line");
  if (!parsed.problems.empty()) {
    const Problem& problem = parsed.problems.front();
    const bool concerns_line = problem.message.starts_with("the line ");
    refuse((parsed.is_complete ? "" : "the line is not JSON: ") + cut(problem.message) + ", in column " +
               std::to_string(problem.column),
           concerns_line        ? problem.hint
           : parsed.is_complete ? ""
                                : "write one object a line, and null for a value that is not finite");
  }
  return Json(std::move(parsed.value));
}

void check_keys(const std::string& request, const Json& body, const std::vector<std::string>& known) {
  if (!body.is_object())
    refuse(request + " takes an object, not " + shown(body),
           "for example {\"" + request + "\": {\"trial\": 1}}");
  for (const auto& [name, value] : body.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      refuse(request + ": unknown key \"" + cut(name) + "\"", name_hint(cut(name), known, "valid keys"));
}

std::int64_t whole_number(const std::string& place, const Json& value, std::int64_t least,
                          std::int64_t most) {
  if (value.is_number_integer()) {
    const bool fits =
        !value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    if (fits && value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most)
      return value.get<std::int64_t>();
  }
  // A float that is whole, as "n": 3.0 of a parameter; up to 2^53 it is exact.
  if (value.is_number_float()) {
    constexpr double kExact = 9007199254740992;
    const double number = value.get<double>();
    const double highest = std::min(kExact, static_cast<double>(most));
    if (number == std::floor(number) && number >= static_cast<double>(least) && number <= highest)
      return static_cast<std::int64_t>(number);
  }
  refuse(place + " is a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
         ", not " + shown(value));
}

int trial_number(const std::string& request, const Json& body) {
  if (!body.contains("trial")) refuse(request + ": \"trial\" is missing");
  return static_cast<int>(
      whole_number(request + ": \"trial\"", body["trial"], 1, std::numeric_limits<int>::max()));
}

// null, "NaN", "Infinity" and "-Infinity" are results that are not finite.
double result_value(const std::string& request, const Json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  try {
    return number_from_json(value);
  } catch (const std::invalid_argument&) {
    refuse(request + ": \"value\" is a number or null, not " + shown(value));
  }
}

std::string text_of(const std::string& request, const Json& body, const char* key) {
  if (!body.contains(key)) return {};
  if (!body[key].is_string()) refuse(request + ": \"" + key + "\" is a text, not " + shown(body[key]));
  return body[key].get<std::string>();
}

TrialState told_state(const std::string& request, const Json& body) {
  if (!body.contains("state")) return TrialState::kCompleted;
  const std::string text = text_of(request, body, "state");
  for (const TrialState state :
       {TrialState::kCompleted, TrialState::kFailed, TrialState::kStopped, TrialState::kPaused})
    if (text == to_string(state)) return state;
  refuse(request + ": \"" + cut(text) + "\" is not a state that a trial can be told",
         name_hint(cut(text), {"completed", "failed", "stopped", "paused"}, "valid states"));
}

OrderedJson trial_json(const engine::AskedTrial& trial) {
  OrderedJson json;
  json["trial"] = trial.trial;
  json["parameters"] = trial.parameters;
  if (trial.budget != 1) json["budget"] = trial.budget;
  if (trial.is_resumed) json["resume_trial"] = trial.trial;
  if (trial.replicate_of) json["replicate_of"] = *trial.replicate_of;
  return json;
}

OrderedJson trials_json(const std::vector<engine::AskedTrial>& trials) {
  OrderedJson list = OrderedJson::array();
  for (const engine::AskedTrial& trial : trials) list.push_back(trial_json(trial));
  return list;
}

OrderedJson ask(engine::AskTell& session, const Json& body) {
  std::optional<int> most;
  if (body.is_object()) check_keys("ask", body, {"count", "trials"});
  if (body.is_object() && body.contains("trials"))
    most =
        static_cast<int>(whole_number("ask: \"trials\"", body["trials"], 0, std::numeric_limits<int>::max()));
  const Json wanted = body.is_object() ? body.value("count", Json(1)) : body;
  const auto count = whole_number(body.is_object() ? "ask: \"count\"" : "ask", wanted, 1, kMostAsked);
  const engine::Asked asked = session.ask(static_cast<int>(count), most);
  OrderedJson answer;
  answer["trials"] = trials_json(asked.trials);
  if (asked.kind == engine::Asked::Kind::kWait) answer["wait"] = true;
  if (asked.kind == engine::Asked::Kind::kExhausted) answer["exhausted"] = true;
  return answer;
}

OrderedJson report(engine::AskTell& session, const Json& body) {
  check_keys("report", body, {"trial", "step", "value", "seconds"});
  const int trial = trial_number("report", body);
  std::optional<std::int64_t> step;
  if (body.contains("step")) step = whole_number("report: \"step\"", body["step"], 0, std::int64_t{1} << 53);
  if (!body.contains("value")) refuse("report: \"value\" is missing");
  std::optional<double> seconds;
  if (body.contains("seconds")) {
    if (!body["seconds"].is_number() || !(body["seconds"].get<double>() > 0))
      refuse("report: \"seconds\" is not a number above 0");
    seconds = body["seconds"].get<double>();
  }
  const strategies::Verdict verdict =
      session.report(trial, step, result_value("report", body["value"]), seconds);
  OrderedJson answer;
  switch (verdict.action) {
    case strategies::Action::kGoOn:
      answer["decision"] = "continue";
      return answer;
    case strategies::Action::kStop:
      answer["decision"] = "stop";
      break;
    case strategies::Action::kPause:
      answer["decision"] = "pause";
      break;
  }
  answer["reason"] = verdict.reason;
  return answer;
}

// How a trial ended, its number apart.
engine::Told told_end(const std::string& request, const Json& body) {
  engine::Told told;
  told.state = told_state(request, body);
  told.reason = text_of(request, body, "reason");
  if (body.contains("value")) {
    if (told.state == TrialState::kFailed && !body["value"].is_null())
      refuse(request + ": a failed trial has no value", "leave out \"value\", or the state");
    told.value = result_value(request, body["value"]);
  }
  return told;
}

OrderedJson tell(engine::AskTell& session, const Json& body) {
  check_keys("tell", body, {"trial", "value", "state", "reason"});
  engine::Told told = told_end("tell", body);
  told.trial = trial_number("tell", body);
  session.tell(told);
  return {{"ok", true}};
}

// A trial that was not asked for: with a value or a state it has ended, else it runs, and is told later.
OrderedJson add(engine::AskTell& session, const Json& body) {
  check_keys("add", body, {"parameters", "value", "state", "reason"});
  if (!body.contains("parameters") || !body["parameters"].is_object())
    refuse("add: \"parameters\" is missing, or no object",
           "for example {\"add\": {\"parameters\": {\"lr\": 0.003}, \"value\": 0.93}}");
  engine::Told told = told_end("add", body);
  const bool has_ended = body.contains("value") || body.contains("state");
  if (told.state == TrialState::kPaused)
    refuse("add: a trial that was not asked for cannot be paused",
           "valid states: completed, failed, stopped");
  if (has_ended && told.state != TrialState::kFailed && !told.value)
    refuse("add: a trial that has ended has a value",
           "add \"value\": null if its result is not finite, or \"state\": \"failed\"");
  if (!has_ended && !told.reason.empty())
    refuse("add: \"reason\" is for a trial that has ended", "add \"state\" or \"value\"");
  told.trial = session.add(body["parameters"].get<ParameterSet>()).trial;
  if (has_ended) session.tell(told);
  return {{"trial", told.trial}};
}

OrderedJson best(engine::AskTell& session) {
  const TrialView* trial = session.best();
  OrderedJson answer;
  answer["trial"] = trial == nullptr ? OrderedJson() : OrderedJson(trial->number);
  if (trial == nullptr) return answer;
  answer["value"] = trial->values.front();
  answer["parameters"] = trial->parameters;
  const auto repeated = session.over_seeds(trial->number);
  if (!repeated) return answer;
  answer["seeds"] = repeated->fresh.size() + 1;
  answer["mean"] = repeated->mean;
  if (repeated->bound) answer["bound"] = *repeated->bound;
  answer["luck"] = *repeated->luck;
  return answer;
}

void require_true(const std::string& request, const Json& body) {
  if (body != Json(true)) refuse(request + " takes true, not " + shown(body));
}

OrderedJson answer_request(engine::AskTell& session, const Json& request) {
  static const std::vector<std::string> kRequests{"ask", "report", "tell", "add", "best", "pending"};
  if (!request.is_object() || request.size() != 1)
    refuse("a request is an object with one key, not " + shown(request),
           "for example {\"ask\": 1}; there are ask, report, tell, add, best and pending");
  const std::string& name = request.begin().key();
  const Json& body = request.begin().value();
  if (name == "ask") return ask(session, body);
  if (name == "report") return report(session, body);
  if (name == "tell") return tell(session, body);
  if (name == "add") return add(session, body);
  if (name == "best") return require_true(name, body), best(session);
  if (name == "pending")
    return require_true(name, body), OrderedJson{{"trials", trials_json(session.pending())}};
  refuse("there is no request \"" + cut(name) + "\"", name_hint(cut(name), kRequests, "valid requests"));
}

}  // namespace

std::string answer_line(engine::AskTell& session, const std::string& line) {
  OrderedJson answer;
  try {
    answer = answer_request(session, parse_request(line));
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInternal) throw;
    const std::string hint = error.hint().empty() ? std::string() : "; " + error.hint();
    // A message about a value may hold all of it.
    constexpr std::size_t kLongestMessage = 400;
    answer = {{"error", {{"message", cut(error.what(), kLongestMessage) + hint}}}};
  }
  return answer.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace tune::cli
