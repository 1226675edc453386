#pragma once
// What `tune models` does besides listing: one function an action, each returns the exit code.
#include <filesystem>
#include <string>
#include <vector>

#include "tuner/cli/command_line/options.h"

namespace tune::cli {

// The words behind the action, and the options.
struct ModelsCall {
  std::filesystem::path store;  // absolute
  std::vector<std::string> arguments;
  const Parsed& options;
  Console& console;

  bool as_json() const { return options.has("json"); }
  // "" where there are fewer.
  std::string argument(std::size_t index) const {
    return index < arguments.size() ? arguments[index] : std::string();
  }
};

// models_look.cpp: nothing changes.
int list_models(const ModelsCall& call);    // of all models, or of one
int show_version(const ModelsCall& call);   // NAME@V
int verify_models(const ModelsCall& call);  // reads every file of every version
int show_lineage(const ModelsCall& call);   // NAME@V: what it came from, and what came from it

// models_change.cpp
int set_model_alias(const ModelsCall& call);     // NAME@V ALIAS
int remove_model_alias(const ModelsCall& call);  // NAME ALIAS
int approve_version(const ModelsCall& call);     // NAME@V
int reject_version(const ModelsCall& call);
int reopen_version(const ModelsCall& call);   // its approval is pending again
int note_version(const ModelsCall& call);     // NAME@V TEXT
int promote_model(const ModelsCall& call);    // NAME@V --to ALIAS
int roll_model_back(const ModelsCall& call);  // NAME --alias ALIAS
int delete_model(const ModelsCall& call);     // NAME@V
int clean_up_models(const ModelsCall& call);

}  // namespace tune::cli
