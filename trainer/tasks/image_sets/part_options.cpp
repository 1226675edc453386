#include "trainer/tasks/image_sets/part_options.h"

#include "trainer/data/split.h"
#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"

namespace tune::trainer::image_sets {

void add_part_options(std::vector<loop::Option>& options, const char* images) {
  options.push_back(
      {"split", "JSON", "cut the data as trainer.split of a spec does, as in {\"fractions\": [0.8, 0.2]}"});
  options.push_back(
      {"part", "PART",
       "train, validation or test: of the cut data, or without --split of a data set that has such parts"});
  options.push_back({"images", "FOLDER", images});
}

std::filesystem::path images_choice(const loop::Request& request) {
  return request.has("images") ? request.text("images") : std::string();
}

std::optional<PartChoice> part_choice(const loop::Request& request) {
  if (!request.has("split") && !request.has("part")) return std::nullopt;
  if (!request.has("part"))
    throw Error(ExitCode::kUsage, "--split without --part", "add --part train, validation or test");
  const std::string part = request.text("part");
  if (part != "train" && part != "validation" && part != "test")
    throw Error(ExitCode::kUsage, "--part \"" + part + "\" is none of train, validation, test",
                "name the part to look at");
  if (!request.has("split")) return PartChoice{std::nullopt, part};
  const StrictJson split = parse_strictly(request.text("split"));
  if (split.fault) {
    const Problem problem = parse_with_positions(request.text("split"), "text").problems.at(0);
    throw Error(ExitCode::kUsage,
                std::string("--split") + (split.fault->is_syntax ? " is not JSON" : "") + ": column " +
                    std::to_string(problem.column) + ": " + problem.message,
                R"(write it as in a spec: --split '{"fractions": [0.8, 0.2], "seed": 0}')");
  }
  try {
    data::parse_split(split.value);
    return PartChoice{split.value, part};
  } catch (const Error& error) {
    throw Error(ExitCode::kUsage, std::string("--split: ") + error.what(), error.hint());
  }
}

}  // namespace tune::trainer::image_sets
