#pragma once
// The commands of `tune-train`: the table, and the entry point of each, in trainer/cli/NAME_command.cpp.
// What tasks offer (evaluate, predict, score, audit, advise, export) is dispatched by task_command.cpp, and
// done in NAME_offer.cpp of the task.
#include "tuner/cli/command_line/command_line.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"

namespace tune::trainer::cli {

using tune::cli::Arguments;
using tune::cli::Console;
using tune::cli::Option;
using tune::cli::Options;
using tune::cli::Parsed;
using tune::cli::print_ordered;

// The command line of `tune-train`.
const tune::cli::CommandLine& command_line();

int run_trial(const Arguments& arguments,
              Console& console);  // also `tune-train --trial FILE`, without a name
int run_evaluate(const Arguments& arguments, Console& console);
int run_predict(const Arguments& arguments, Console& console);
int run_score(const Arguments& arguments, Console& console);
int run_inspect_weights(const Arguments& arguments, Console& console);
int run_tokenize(const Arguments& arguments, Console& console);
int run_audit(const Arguments& arguments, Console& console);
int run_advise(const Arguments& arguments, Console& console);
int run_export(const Arguments& arguments, Console& console);
int run_serve(const Arguments& arguments, Console& console);
int run_synthesize(const Arguments& arguments, Console& console);
int run_pretrain(const Arguments& arguments, Console& console);
int run_probe(const Arguments& arguments, Console& console);
int run_estimate(const Arguments& arguments, Console& console);
int run_models(const Arguments& arguments, Console& console);
int run_describe(const Arguments& arguments, Console& console);

}  // namespace tune::trainer::cli
