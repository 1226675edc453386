#pragma once
// The functions behind the rows of the command table.
#include <string>
#include <vector>

#include "trainer/cli/command.h"

namespace tune::trainer::cli {

int run_trial(const std::vector<std::string>& arguments, Console& console);
int run_evaluate(const std::vector<std::string>& arguments, Console& console);
int run_predict(const std::vector<std::string>& arguments, Console& console);
int run_score(const std::vector<std::string>& arguments, Console& console);
int run_inspect_weights(const std::vector<std::string>& arguments, Console& console);
int run_audit(const std::vector<std::string>& arguments, Console& console);
int run_synthesize(const std::vector<std::string>& arguments, Console& console);
int run_pretrain(const std::vector<std::string>& arguments, Console& console);
int run_probe(const std::vector<std::string>& arguments, Console& console);
int run_describe(const std::vector<std::string>& arguments, Console& console);

}  // namespace tune::trainer::cli
