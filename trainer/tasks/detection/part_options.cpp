#include "trainer/tasks/detection/part_options.h"

#include "tuner/core/error.h"

namespace tune::trainer::detection {

void add_part_options(std::vector<loop::Option>& options) {
  options.push_back(
      {"split", "JSON", "cut the data as trainer.split of a spec does, as in {\"fractions\": [0.8, 0.2]}"});
  options.push_back({"part", "PART", "of the cut data: train, validation or test"});
}

std::optional<PartChoice> part_choice(const loop::Request& request) {
  if (!request.has("split") && !request.has("part")) return std::nullopt;
  if (!request.has("split"))
    throw Error(ExitCode::kUsage, "--part without --split", "say how the data was cut, as in --split '{}'");
  if (!request.has("part"))
    throw Error(ExitCode::kUsage, "--split without --part", "add --part train, validation or test");
  const std::string part = request.text("part");
  if (part != "train" && part != "validation" && part != "test")
    throw Error(ExitCode::kUsage, "--part \"" + part + "\" is none of train, validation, test",
                "name the part to look at");
  try {
    const Json split = Json::parse(request.text("split"));
    parse_split(split);
    return PartChoice{split, part};
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kUsage, std::string("--split is not JSON: ") + error.what(),
                R"(write it as in a spec: --split '{"fractions": [0.8, 0.2], "seed": 0}')");
  } catch (const Error& error) {
    throw Error(ExitCode::kUsage, std::string("--split: ") + error.what(), error.hint());
  }
}

}  // namespace tune::trainer::detection
