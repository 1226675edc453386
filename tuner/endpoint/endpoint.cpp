#include "tuner/endpoint/endpoint.h"

#include <array>
#include <cstdio>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/shell_text.h"
#include "tuner/core/visible_text.h"

namespace tune::endpoint {
namespace {

constexpr int kMinutesOfDay = 24 * 60;

Json milliseconds_json(const std::optional<Milliseconds>& time) {
  return time ? Json(time->count()) : Json(nullptr);
}

std::optional<Milliseconds> milliseconds_in(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return Milliseconds(json.get<std::int64_t>());
}

// As parse_duration() reads it back, and exactly: "1h30m20s".
std::string duration_argument(Milliseconds time) {
  std::string text;
  std::int64_t left = time.count();
  for (const auto& [unit, length] :
       {std::pair{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}) {
    if (left >= length) text += std::to_string(left / length) + unit;
    left %= length;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace

void require_endpoint_name(const std::string& name) {
  if (!is_model_name(name))
    throw Error(
        ExitCode::kUsage, in_quotes(name) + " cannot be an endpoint's name",
        "it starts with a letter or digit, goes on with letters, digits, \"_\", \".\" and \"-\", and has "
        "at most 64 characters");
}

Json endpoint_json(const Endpoint& endpoint) {
  Json adapters = Json::object();
  for (const auto& [name, model] : endpoint.adapters) adapters[name] = reference_text(model);
  return {{"schema", 1},
          {"name", endpoint.name},
          {"model", reference_text(endpoint.model)},
          {"host", endpoint.host},
          {"port", endpoint.port},
          {"hosts", endpoint.hosts},
          {"undeploy_after_ms", milliseconds_json(endpoint.undeploy.after)},
          {"schedule", endpoint.undeploy.time_of_day ? Json(time_of_day_text(*endpoint.undeploy.time_of_day))
                                                     : Json(nullptr)},
          {"idle_ms", milliseconds_json(endpoint.undeploy.idle)},
          {"adapters", adapters},
          {"memory_gib", endpoint.memory_gib ? Json(*endpoint.memory_gib) : Json(nullptr)},
          {"limits", endpoint.limits},
          {"token_file", endpoint.token_file},
          {"worker", endpoint.worker}};
}

Endpoint endpoint_from_json(const Json& json, const std::filesystem::path& file) try {
  if (json.at("schema") != 1) throw std::invalid_argument("its schema is not 1");
  Endpoint endpoint;
  endpoint.name = json.at("name");
  endpoint.model = parse_model_reference(json.at("model"));
  endpoint.host = json.at("host");
  endpoint.port = json.at("port");
  endpoint.hosts = json.at("hosts").get<std::vector<std::string>>();
  endpoint.undeploy.after = milliseconds_in(json.at("undeploy_after_ms"));
  if (const Json& schedule = json.at("schedule"); !schedule.is_null())
    endpoint.undeploy.time_of_day = parse_time_of_day(schedule);
  endpoint.undeploy.idle = milliseconds_in(json.at("idle_ms"));
  for (const auto& [name, model] : json.at("adapters").items())
    endpoint.adapters[name] = parse_model_reference(model);
  if (const Json& memory = json.at("memory_gib"); !memory.is_null()) endpoint.memory_gib = memory;
  if (json.contains("limits"))  // what was deployed before there were any has none
    endpoint.limits = json.at("limits").get<std::map<std::string, std::int64_t>>();
  endpoint.token_file = json.at("token_file");
  endpoint.worker = json.at("worker");
  return endpoint;
} catch (const std::exception& problem) {
  throw Error(ExitCode::kEnvironment,
              file.string() + " is not what `tune deploy` wrote: " + visible_text(problem.what()),
              "deploy the endpoint again, or remove it with `tune undeploy NAME --delete`");
}

std::chrono::minutes parse_time_of_day(const std::string& text) {
  const auto digit = [&](std::size_t at) { return text[at] - '0'; };
  const bool has_form = text.size() == 5 && text[2] == ':' && is_digit(text[0]) && is_digit(text[1]) &&
                        is_digit(text[3]) && is_digit(text[4]);
  const int minutes = has_form ? 60 * (10 * digit(0) + digit(1)) + 10 * digit(3) + digit(4) : kMinutesOfDay;
  if (minutes >= kMinutesOfDay || digit(3) > 5)
    throw Error(ExitCode::kUsage, in_quotes(text) + " is not a time of day",
                "write it as 19:00, in this machine's time zone");
  return std::chrono::minutes(minutes);
}

std::string time_of_day_text(std::chrono::minutes time) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d", static_cast<int>(time.count() / 60),
                static_cast<int>(time.count() % 60));
  return text.data();
}

std::string asked_again(const Endpoint& endpoint) {
  std::string text = reference_text(endpoint.model);
  if (endpoint.name != endpoint.model.model) text += " --name " + endpoint.name;
  if (endpoint.host != Endpoint().host) text += " --addr " + endpoint.host;
  if (endpoint.port > 0) text += " --port " + std::to_string(endpoint.port);
  for (const std::string& host : endpoint.hosts) text += " --host " + shell_word(host);
  if (endpoint.undeploy.after) text += " --undeploy-after " + duration_argument(*endpoint.undeploy.after);
  if (endpoint.undeploy.time_of_day)
    text += " --schedule " + time_of_day_text(*endpoint.undeploy.time_of_day);
  if (endpoint.undeploy.idle) text += " --idle " + duration_argument(*endpoint.undeploy.idle);
  std::string adapters;
  for (const auto& [name, model] : endpoint.adapters)
    adapters += (adapters.empty() ? "" : ",") + name + "=" + reference_text(model);
  if (!adapters.empty()) text += " --adapters " + adapters;
  if (endpoint.memory_gib) text += " --memory-gib " + shortest(*endpoint.memory_gib);
  for (const auto& [name, most] : endpoint.limits) text += " --" + name + " " + std::to_string(most);
  if (!endpoint.token_file.empty()) text += " --token-file " + shell_word(endpoint.token_file);
  if (!endpoint.worker.empty()) text += " --worker " + shell_word(endpoint.worker);
  return text;
}

}  // namespace tune::endpoint
