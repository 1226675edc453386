#pragma once
// The class names of a data set with YOLO labels.
#include <filesystem>
#include <string>
#include <vector>

namespace tune::trainer::detection {

struct YoloNames {
  std::filesystem::path file;      // where they were found
  std::vector<std::string> names;  // class c of the labels is names[c]
};

// Looks for data.yaml and classes.txt in `folder`, classes.txt in its labels/, then data.yaml beside the
// folder (where train/ and valid/ share one). Throws Error(kBadData) where there is none, or naming file and
// line.
YoloNames find_yolo_names(const std::filesystem::path& folder);

// `names` of a data.yaml: a list or a map of consecutive numbers from 0, in block or flow style, of plain or
// quoted scalars. Of the other keys only `nc` is looked at, which must agree. Everything else that YAML
// offers (anchors, tags, block scalars, nested values) is refused, not guessed. `place` is the file's name in
// errors.
std::vector<std::string> parse_data_yaml(const std::string& text, const std::string& place);

}  // namespace tune::trainer::detection
