#pragma once
// The trial.json of a trial on one thread in fp32, whose objective is the largest `metric`. Its folders are
// under `folder`.
#include <string>

#include "tuner/core/json.h"

inline tune::OrderedJson trial_json(const tune::OrderedJson& trainer, const tune::OrderedJson& fixed,
                                    const std::string& metric, const std::string& folder = ".") {
  using tune::OrderedJson;
  return {{"schema", 1},
          {"study", "e2e"},
          {"trial", 1},
          {"attempt", 1},
          {"token", "t"},
          {"seed", 3},
          {"parameters", OrderedJson::object()},
          {"fixed", fixed},
          {"objective", {{"metric", metric}, {"goal", "maximize"}, {"reduce", "best"}}},
          {"trainer", trainer},
          {"budget", 1},
          {"threads", 1},
          {"devices", OrderedJson::array()},
          {"precision", "fp32"},
          {"checkpoint_dir", folder + "/checkpoints"},
          {"output_dir", folder + "/output"},
          {"resume_from", nullptr}};
}
