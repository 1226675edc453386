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

void add_part_options(po::options_description& options) {
  options.add_options()("split", po::value<std::string>()->value_name("JSON"),
                        "cut the data as trainer.split of a spec does, as in {\"fractions\": [0.8, 0.2]}")(
      "part", po::value<std::string>()->value_name("PART"),
      "train, validation or test: of the cut data, or without --split of a data set that has such parts")(
      "images", po::value<std::string>()->value_name("FOLDER"),
      "where the images lie, for annotations whose images lie elsewhere");
}

std::filesystem::path images_choice(const po::variables_map& values) {
  return values.contains("images") ? values["images"].as<std::string>() : std::string();
}

std::optional<detection::PartChoice> part_choice(const po::variables_map& values) {
  if (!values.contains("split") && !values.contains("part")) return std::nullopt;
  if (!values.contains("part"))
    throw Error(ExitCode::kUsage, "--split without --part", "add --part train, validation or test");
  const std::string part = values["part"].as<std::string>();
  if (part != "train" && part != "validation" && part != "test")
    throw Error(ExitCode::kUsage, "--part \"" + part + "\" is none of train, validation, test",
                "name the part to look at");
  if (!values.contains("split")) return detection::PartChoice{std::nullopt, part};
  try {
    const Json split = Json::parse(values["split"].as<std::string>());
    detection::parse_split(split);
    return detection::PartChoice{split, part};
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kUsage, std::string("--split is not JSON: ") + error.what(),
                R"(write it as in a spec: --split '{"fractions": [0.8, 0.2], "seed": 0}')");
  } catch (const Error& error) {
    throw Error(ExitCode::kUsage, std::string("--split: ") + error.what(), error.hint());
  }
}

}  // namespace tune::trainer::cli
