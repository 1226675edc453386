#include "trainer/tasks/detection/part_options.h"

#include "tuner/core/error.h"

namespace tune::trainer::detection {

void add_part_options(std::vector<loop::Option>& options) {
  options.push_back(
      {"split", "JSON", "cut the data as trainer.split of a spec does, as in {\"fractions\": [0.8, 0.2]}"});
  options.push_back(
      {"part", "PART",
       "train, validation or test: of the cut data, or without --split of a data set that has such parts"});
  options.push_back({"images", "FOLDER", "where the images lie, for annotations whose images lie elsewhere"});
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
  try {
    const Json split = Json::parse(request.text("split"));
    data::parse_split(split);
    return PartChoice{split, part};
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kUsage, std::string("--split is not JSON: ") + error.what(),
                R"(write it as in a spec: --split '{"fractions": [0.8, 0.2], "seed": 0}')");
  } catch (const Error& error) {
    throw Error(ExitCode::kUsage, std::string("--split: ") + error.what(), error.hint());
  }
}

DataChoice data_choice(const loop::Request& request) {
  return {request.text("data"), part_choice(request), images_choice(request)};
}

}  // namespace tune::trainer::detection
