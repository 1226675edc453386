#pragma once
// The entry points of the commands, for the table. One file each: tuner/cli/NAME_command.cpp.
#include <string>
#include <vector>

#include "tuner/cli/command.h"

namespace tune::cli {

using Arguments = std::vector<std::string>;

int run_command(const Arguments& arguments, Console& console);  // also `tune --spec FILE`, without a name
int resume_command(const Arguments& arguments, Console& console);
int rescan_command(const Arguments& arguments, Console& console);
int compare_command(const Arguments& arguments, Console& console);
int ask_tell_command(const Arguments& arguments, Console& console);
int check_command(const Arguments& arguments, Console& console);
int schema_command(const Arguments& arguments, Console& console);
int doctor_command(const Arguments& arguments, Console& console);
int promote_command(const Arguments& arguments, Console& console);
int status_command(const Arguments& arguments, Console& console);
int trials_command(const Arguments& arguments, Console& console);
int show_command(const Arguments& arguments, Console& console);
int report_command(const Arguments& arguments, Console& console);
int best_command(const Arguments& arguments, Console& console);
int logs_command(const Arguments& arguments, Console& console);
int models_command(const Arguments& arguments, Console& console);

}  // namespace tune::cli
