#include "trainer/cli/options.h"

#include <ostream>

#include "tuner/core/error.h"

namespace tune::trainer::cli {
namespace po = boost::program_options;

namespace {

// Boost reads -1 as the largest number of an unsigned type.
void refuse_negative_seed(const po::parsed_options& parsed) {
  for (const po::option& option : parsed.options)
    if (option.string_key == "seed" && !option.value.empty() && option.value.front().starts_with('-'))
      throw Error(ExitCode::kUsage, "--seed is " + option.value.front(), "a whole number of at least 0");
}

}  // namespace

std::optional<po::variables_map> parse_options(std::string_view command, po::options_description& options,
                                               const std::vector<std::string>& arguments, Console& console) {
  options.add_options()("help,h", "this text");
  for (const std::string& argument : arguments) {
    if (argument != "--help" && argument != "-h") continue;
    for (const Command& row : command_table())
      if (row.name == command)
        console.out << "tune-train " << row.synopsis << "\n\n"
                    << row.summary << "\n\n"
                    << options << "\nexample:\n  " << row.example << "\n";
    return std::nullopt;
  }
  const std::string hint = "`tune-train " + std::string(command) + " --help` lists its options";
  try {
    namespace style = po::command_line_style;
    const po::parsed_options parsed = po::command_line_parser(arguments)
                                          .options(options)
                                          .positional(po::positional_options_description{})
                                          .style(style::unix_style & ~style::allow_guessing)
                                          .run();
    refuse_negative_seed(parsed);
    po::variables_map values;
    po::store(parsed, values);
    po::notify(values);
    return values;
  } catch (const po::error& error) {
    throw Error(ExitCode::kUsage, error.what(), hint);
  }
}

}  // namespace tune::trainer::cli
