#include "tuner/serve/request_body.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "tuner/core/bounded_json.h"
#include "tuner/core/clock.h"
#include "tuner/core/model_reference.h"
#include "tuner/core/visible_text.h"
#include "tuner/http/message.h"

namespace tune::serve {
namespace {

using http::HttpError;

Json object_in(const std::string& text) {
  BoundedJson body = parse_bounded_json(text);
  if (!body.problem.empty()) throw HttpError(400, "the body cannot be read: " + body.problem);
  if (!body.value.is_object()) throw HttpError(400, "the body is no JSON object");
  return std::move(body.value);
}

void require_keys(const Json& object, const std::string& place, const std::vector<std::string>& known) {
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw HttpError(400, place + " has no key " + in_quotes(key));
}

bool is_count(const Json& value) {
  return value.is_number_integer() && value.is_number_unsigned() && value > 0 && value <= 1'000'000'000;
}

Json checked_limits(const Json& limits) {
  if (!limits.is_object() || limits.empty())
    throw HttpError(400, "\"limits\" must be an object with the limits to set",
                    "for example {\"trials\": 40}");
  require_keys(
      limits, "limits",
      {"trials", "parallel", "time", "gpu_hours", "cost_usd", "target", "no_improvement", "convergence"});
  Json checked = Json::object();
  for (const auto& [name, value] : limits.items()) {
    checked[name] = value;
    if (name == "time") {
      try {
        if (!value.is_string() || parse_duration(value.get<std::string>()).count() == 0)
          throw std::invalid_argument("it must be a duration longer than nothing");
      } catch (const std::invalid_argument& problem) {
        throw HttpError(400, std::string("limits.time: ") + problem.what(), "for example 90s, 20m, 2h or 1d");
      }
    } else if (name == "trials" || name == "parallel" || name == "no_improvement") {
      if (!is_count(value)) throw HttpError(400, "limits." + name + " must be a whole number above 0");
    } else {
      const bool is_amount = value.is_number() && std::isfinite(value.get<double>());
      const bool may_be_negative = name == "target";
      if (!is_amount || (!may_be_negative && value < 0))
        throw HttpError(400, "limits." + name + " must be a number" + (may_be_negative ? "" : " from 0 on"));
    }
  }
  return checked;
}

Json trial_in(const Json& arguments) {
  require_keys(arguments, "arguments", {"trial"});
  if (!is_count(arguments.value("trial", Json())))
    throw HttpError(400, "arguments.trial must be a trial's number");
  return {{"trial", arguments["trial"].get<int>()}};
}

}  // namespace

StudyRequest study_request_of(const std::string& text) {
  const Json body = object_in(text);
  require_keys(body, "the body", {"command", "arguments"});
  const Json command = body.value("command", Json()), arguments = body.value("arguments", Json::object());
  static constexpr std::array<const char*, 6> kCommands{"set",  "enqueue", "rerun",
                                                        "stop", "pause",   "continue"};
  if (std::find(kCommands.begin(), kCommands.end(), command) == kCommands.end())
    throw HttpError(400, "\"command\" must be one of set, enqueue, rerun, stop, pause and continue");
  if (!arguments.is_object()) throw HttpError(400, "\"arguments\" must be an object");
  StudyRequest request{command.get<std::string>()};
  if (request.command == "set") {
    require_keys(arguments, "arguments", {"limits"});
    request.arguments = checked_limits(arguments.value("limits", Json()));
  } else if (request.command == "enqueue") {
    require_keys(arguments, "arguments", {"parameters"});
    const Json parameters = arguments.value("parameters", Json());
    if (!parameters.is_object())
      throw HttpError(400, "arguments.parameters must be an object of hyperparameters");
    request.arguments = {{"points", Json::array({parameters})}};
  } else if (request.command == "rerun" || (request.command == "stop" && !arguments.empty())) {
    request.arguments = trial_in(arguments);
  } else {
    require_keys(arguments, "arguments", {});
  }
  return request;
}

AliasMove alias_move_of(const std::string& text) {
  const Json body = object_in(text);
  require_keys(body, "the body", {"alias", "version", "expected"});
  const Json alias = body.value("alias", Json());
  if (!alias.is_string() || !is_alias_name(alias.get<std::string>()))
    throw HttpError(400, "\"alias\" must be a name such as champion or production");
  if (!is_count(body.value("version", Json())))
    throw HttpError(400, "\"version\" must be a version's number");
  AliasMove move{alias.get<std::string>(), body["version"].get<int>()};
  const auto expected = body.find("expected");
  if (expected == body.end()) return move;
  if (!expected->is_null() && *expected != 0 && !is_count(*expected))
    throw HttpError(400, "\"expected\" must be a version's number, or null");
  move.expected = expected->is_null() ? 0 : expected->get<int>();
  return move;
}

}  // namespace tune::serve
