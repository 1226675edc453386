#pragma once
// Option parsing that every command shares: Boost.Program_options with our errors (exit 2) and --help.
#include <boost/program_options.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/cli/command.h"

namespace tune::trainer::cli {

// Parses `arguments` into `options` (to which --help is added). Abbreviated and positional arguments are
// refused. nullopt: --help was asked for and the help of `command` has been printed to console.out; return 0.
// Throws Error(kUsage) naming the option and the command's --help.
std::optional<boost::program_options::variables_map> parse_options(
    std::string_view command, boost::program_options::options_description& options,
    const std::vector<std::string>& arguments, Console& console);

}  // namespace tune::trainer::cli
