#include "trainer/tasks/image_sets/own_parts.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::trainer::image_sets {

bool OwnParts::has(const std::string& part) const {
  return std::find(names.begin(), names.end(), part) != names.end();
}

OwnParts own_parts(const std::vector<std::string>& names, const std::string& words,
                   const std::filesystem::path& data, const Json& split) {
  OwnParts parts{names, ""};
  if (parts.names.empty()) return parts;
  if (split.contains("fractions") && parts.has("validation"))
    throw Error(
        ExitCode::kUsage,
        data.string() + " has a part of its own to validate on, which the fractions of `split` contradict",
        "Leave `split` out; --part names a part, and the path of a part's own folder is a data set too.");
  if (!parts.has("train"))
    throw Error(ExitCode::kBadData,
                data.string() + " has parts of its own, but none to train on (" + words + ")",
                "Name the part to train on by its own path.");
  parts.training = "train";
  return parts;
}

}  // namespace tune::trainer::image_sets
