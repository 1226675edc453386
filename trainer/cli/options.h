#pragma once
// Option parsing that every command shares: Boost.Program_options with our errors (exit 2) and --help.
#include <boost/program_options.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/cli/command.h"
#include "trainer/tasks/detection/data_parts.h"

namespace tune::trainer::cli {

// Parses `arguments` into `options` (to which --help is added). Abbreviated and positional arguments are
// refused. nullopt: --help was asked for and the help of `command` has been printed to console.out; return 0.
// Throws Error(kUsage) naming the option and the command's --help.
std::optional<boost::program_options::variables_map> parse_options(
    std::string_view command, boost::program_options::options_description& options,
    const std::vector<std::string>& arguments, Console& console);

// --split and --part, which choose a part of a data set as training cuts it or as the set itself has it, and
// --images.
void add_part_options(boost::program_options::options_description& options);
// What was given for the first two; nullopt for the whole set. Throws Error(kUsage) when a split comes
// without a part or is not understood.
std::optional<detection::PartChoice> part_choice(const boost::program_options::variables_map& values);
// What was given for --images, else an empty path.
std::filesystem::path images_choice(const boost::program_options::variables_map& values);

}  // namespace tune::trainer::cli
