#pragma once
// The commands of `tune`: the table, and the entry point of each. One file each: tuner/cli/NAME_command.cpp.
#include "tuner/cli/command_line/command_line.h"

namespace tune::cli {

// The command line of `tune`.
const CommandLine& command_line();

int run_command(const Arguments& arguments, Console& console);  // also `tune --spec FILE`, without a name
int resume_command(const Arguments& arguments, Console& console);
int set_command(const Arguments& arguments, Console& console);
int enqueue_command(const Arguments& arguments, Console& console);
int rerun_command(const Arguments& arguments, Console& console);
int pause_command(const Arguments& arguments, Console& console);
int continue_command(const Arguments& arguments, Console& console);
int stop_command(const Arguments& arguments, Console& console);
int delete_command(const Arguments& arguments, Console& console);
int amend_command(const Arguments& arguments, Console& console);
int rescan_command(const Arguments& arguments, Console& console);
int compare_command(const Arguments& arguments, Console& console);
int ask_tell_command(const Arguments& arguments, Console& console);
int init_command(const Arguments& arguments, Console& console);
int import_command(const Arguments& arguments, Console& console);
int check_command(const Arguments& arguments, Console& console);
int estimate_command(const Arguments& arguments, Console& console);
int schema_command(const Arguments& arguments, Console& console);
int doctor_command(const Arguments& arguments, Console& console);
int promote_command(const Arguments& arguments, Console& console);
int status_command(const Arguments& arguments, Console& console);
int watch_command(const Arguments& arguments, Console& console);
int trials_command(const Arguments& arguments, Console& console);
int explain_command(const Arguments& arguments, Console& console);
int show_command(const Arguments& arguments, Console& console);
int report_command(const Arguments& arguments, Console& console);
int best_command(const Arguments& arguments, Console& console);
int logs_command(const Arguments& arguments, Console& console);
int serve_command(const Arguments& arguments, Console& console);
int catalog_command(const Arguments& arguments, Console& console);
int models_command(const Arguments& arguments, Console& console);
int export_command(const Arguments& arguments, Console& console);
int import_model_command(const Arguments& arguments, Console& console);
int deploy_command(const Arguments& arguments, Console& console);
int undeploy_command(const Arguments& arguments, Console& console);
int endpoints_command(const Arguments& arguments, Console& console);

}  // namespace tune::cli
