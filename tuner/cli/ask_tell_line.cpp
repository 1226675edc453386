#include "tuner/cli/ask_tell_line.h"

#include <algorithm>
#include <limits>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::cli {
namespace {

constexpr int kMostAsked = 1000;  // in one line: a slip of a zero should not draw a million points

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
  throw Error(ExitCode::kUsage, message, hint);
}

std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 60) + "..." : text;
}

Json parse_request(const std::string& line) {
  try {
    return Json::parse(line);
  } catch (const Json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: ..."
    const std::string text = error.what();
    const std::size_t begin = text.find("] ");
    refuse("the line is not JSON: " + (begin == std::string::npos ? text : text.substr(begin + 2)),
           "write one object a line, and null for a value that is not finite");
  }
}

void check_keys(const std::string& request, const Json& body, const std::vector<std::string>& known) {
  if (!body.is_object())
    refuse(request + " takes an object, not " + shown(body),
           "for example {\"" + request + "\": {\"trial\": 1}}");
  for (const auto& [name, value] : body.items())
    if (std::find(known.begin(), known.end(), name) == known.end())
      refuse(request + ": unknown key \"" + name + "\"", name_hint(name, known, "valid keys"));
}

std::int64_t whole_number(const std::string& place, const Json& value, std::int64_t least,
                          std::int64_t most) {
  if (value.is_number_integer()) {
    const bool fits =
        !value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most);
    if (fits && value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most)
      return value.get<std::int64_t>();
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

TrialState told_state(const Json& body) {
  if (!body.contains("state")) return TrialState::kCompleted;
  const std::string text = text_of("tell", body, "state");
  for (const TrialState state :
       {TrialState::kCompleted, TrialState::kFailed, TrialState::kStopped, TrialState::kPaused})
    if (text == to_string(state)) return state;
  refuse("tell: \"" + text + "\" is not a state that a trial can be told",
         name_hint(text, {"completed", "failed", "stopped", "paused"}, "valid states"));
}

OrderedJson trial_json(const engine::AskedTrial& trial) {
  OrderedJson json;
  json["trial"] = trial.trial;
  json["parameters"] = trial.parameters;
  if (trial.budget != 1) json["budget"] = trial.budget;
  if (trial.is_resumed) json["resume_trial"] = trial.trial;
  return json;
}

OrderedJson trials_json(const std::vector<engine::AskedTrial>& trials) {
  OrderedJson list = OrderedJson::array();
  for (const engine::AskedTrial& trial : trials) list.push_back(trial_json(trial));
  return list;
}

OrderedJson ask(engine::AskTell& session, const Json& body) {
  const auto count = whole_number("ask", body, 1, kMostAsked);
  const engine::Asked asked = session.ask(static_cast<int>(count));
  OrderedJson answer;
  answer["trials"] = trials_json(asked.trials);
  if (asked.kind == engine::Asked::Kind::kWait) answer["wait"] = true;
  if (asked.kind == engine::Asked::Kind::kExhausted) answer["exhausted"] = true;
  return answer;
}

OrderedJson report(engine::AskTell& session, const Json& body) {
  check_keys("report", body, {"trial", "step", "value"});
  const int trial = trial_number("report", body);
  std::optional<std::int64_t> step;
  if (body.contains("step")) step = whole_number("report: \"step\"", body["step"], 1, std::int64_t{1} << 53);
  if (!body.contains("value")) refuse("report: \"value\" is missing");
  const strategies::Verdict verdict = session.report(trial, step, result_value("report", body["value"]));
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

OrderedJson tell(engine::AskTell& session, const Json& body) {
  check_keys("tell", body, {"trial", "value", "state", "reason"});
  engine::Told told;
  told.trial = trial_number("tell", body);
  told.state = told_state(body);
  told.reason = text_of("tell", body, "reason");
  if (body.contains("value")) {
    if (told.state == TrialState::kFailed && !body["value"].is_null())
      refuse("tell: a failed trial has no value", "leave out \"value\", or the state");
    told.value = result_value("tell", body["value"]);
  }
  session.tell(told);
  return {{"ok", true}};
}

OrderedJson best(engine::AskTell& session) {
  const TrialView* trial = session.best();
  OrderedJson answer;
  answer["trial"] = trial == nullptr ? OrderedJson() : OrderedJson(trial->number);
  if (trial == nullptr) return answer;
  answer["value"] = trial->values.front();
  answer["parameters"] = trial->parameters;
  return answer;
}

void require_true(const std::string& request, const Json& body) {
  if (body != Json(true)) refuse(request + " takes true, not " + shown(body));
}

OrderedJson answer_request(engine::AskTell& session, const Json& request) {
  static const std::vector<std::string> kRequests{"ask", "report", "tell", "best", "pending"};
  if (!request.is_object() || request.size() != 1)
    refuse("a request is an object with one key, not " + shown(request),
           "for example {\"ask\": 1}; there are ask, report, tell, best and pending");
  const std::string& name = request.begin().key();
  const Json& body = request.begin().value();
  if (name == "ask") return ask(session, body);
  if (name == "report") return report(session, body);
  if (name == "tell") return tell(session, body);
  if (name == "best") return require_true(name, body), best(session);
  if (name == "pending")
    return require_true(name, body), OrderedJson{{"trials", trials_json(session.pending())}};
  refuse("there is no request \"" + name + "\"", name_hint(name, kRequests, "valid requests"));
}

}  // namespace

std::string answer_line(engine::AskTell& session, const std::string& line) {
  OrderedJson answer;
  try {
    answer = answer_request(session, parse_request(line));
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInternal) throw;
    const std::string hint = error.hint().empty() ? std::string() : "; " + error.hint();
    answer = {{"error", {{"message", error.what() + hint}}}};
  }
  return answer.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace tune::cli
