#pragma once
// A first spec for a Python script that declares its arguments by argparse: what may be searched is guessed
// by names, and all that was guessed, or not understood, is said.
#include <map>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/import/script/argparse_arguments.h"
#include "tuner/import/script/metric_guess.h"

namespace tune::script {

// What becomes of one argument.
enum class Fate {
  kSearched,  // a range under `parameters`
  kFixed,     // a value under `fixed`
  kFilled,    // {{seed}}, {{output_dir}}, {{checkpoint_dir}}
  kLeft,      // the script's default
  kLacking,   // the script requires it, and nobody knows it
};
const char* to_string(Fate fate);  // "searched", "fixed", "filled", "left", "lacking"

struct Decision {
  std::string name, option;
  Fate fate = Fate::kLeft;
  std::string reason;
  int line = 0;
};

struct ScriptSpec {
  OrderedJson spec;
  std::vector<Decision> decisions;  // in the order of the script
  GuessedMetrics metrics;
  std::vector<Unread> unread;
  std::vector<std::string> lacking;  // what a person has to add before it runs, a sentence each
};

// `path` is the script's as the spec is to name it. `given` are values of arguments by their names, which are
// fixed. Throws Error(kBadSpec) where the source declares no argument, Error(kUsage) for a name in `given`
// that no argument has.
ScriptSpec spec_of_script(const std::string& source, const std::string& path,
                          const std::map<std::string, std::string>& given);

}  // namespace tune::script
