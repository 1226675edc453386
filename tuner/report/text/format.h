#pragma once
// Values, times and costs as people read them.
#include <optional>
#include <string>

#include "store/study_store.h"
#include "tuner/report/numbers/cost.h"

namespace tune::report {

std::string value_text(const store::TrialRow& trial, std::size_t objective = 0);  // "" without one
// Why it ended as it did: "crash: exit code 3"; "" where the state says it all.
std::string reason_text(const store::TrialRow& trial);
// A sentence about a trial that a limit cut short.
std::string cut_text(const store::TrialRow& trial);
std::string seconds_text(double seconds);                // "3m 20s"
std::string hours_text(double hours);                    // "1.25 h"; below an hour "3m 20s"
std::string percent_text(double share);                  // "62 %"
std::string usd_text(const std::optional<double>& usd);  // "$1.23"; "" without a price
std::string cost_text(const Cost& cost);                 // "device time 1.25 h, $3.83"
std::string parameter_text(const Json& value);           // one value of a trial, its digits as above
// An end or a step of its range, exact and as its values are written: 1000000 of an int, 1e+06 of a float.
std::string bound_text(const Parameter& parameter, double number);
std::string parameters_text(const ParameterSet& parameters);  // "learning_rate=0.001 optimizer=sgd"
// The same of a trial; what it ran with in place of some of them stands behind: "batch=8 (ran with batch=4)".
std::string parameters_text(const store::TrialRow& trial);
// A sentence about a trial that ran with others; "" for any other.
std::string overrides_text(const store::TrialRow& trial);

// An indented line for each; of one that a trial ran with another value, that value before the suggested one.
std::string parameter_lines(const ParameterSet& parameters, const Json& overrides = Json::object());

// Wall time from the first start to the end; nullopt before the end.
std::optional<double> trial_seconds(const store::TrialRow& trial);

Json cost_json(const Cost& cost);
Json time_json(const std::optional<WallTime>& time);  // RFC 3339, or null
Json value_json(const store::TrialRow& trial);        // its first objective, or null

}  // namespace tune::report
