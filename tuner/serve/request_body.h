#pragma once
// What a page asks of a study, checked before anybody works with it.
#include <optional>
#include <string>

#include "tuner/core/json.h"

namespace tune::serve {

// A request as the study's inbox takes it.
struct StudyRequest {
  std::string command;
  Json arguments = Json::object();
};

// Of {"command": ..., "arguments": {...}}:
//   set       {"limits": {"trials": 40, "parallel": 2, "time": "2h", "gpu_hours": 8, "cost_usd": 30,
//   "target": 0.9,
//              "no_improvement": 20, "convergence": 0.01}}, any of them
//   enqueue   {"parameters": {"lr": 0.001}}
//   rerun     {"trial": 3}
//   stop      {} or {"trial": 3}
//   pause     {}
//   continue  {}
// Throws HttpError(400) that names what is wrong, for everything else and for every other key.
StudyRequest study_request_of(const std::string& body);

// {"alias": "champion", "version": 3, "expected": 2}: what it must name now; null or 0 for nothing, absent
// for anything.
struct AliasMove {
  std::string alias;
  int version = 0;
  std::optional<int> expected = std::nullopt;  // 0: nothing
};
// Throws HttpError(400).
AliasMove alias_move_of(const std::string& body);

}  // namespace tune::serve
