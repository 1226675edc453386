#pragma once
// The class names of a data set with YOLO labels, and what its data.yaml says of its parts.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tune::trainer::detection {

struct DataYaml {
  std::vector<std::string> names;  // class c of the labels is names[c]
  std::string root;                // `path`; "" where it is absent
  // "train", "validation", "test": folders or lists. A `train` that is there and names nothing is empty, as
  // that is to be said; parts are often left empty that a set lacks.
  std::map<std::string, std::vector<std::string>> parts;
};

// Keys other than names, nc, path, train, val and test are passed over. `place` is the file's name in errors.
// Throws Error(kBadData) with the line: no YAML, no or doubtful names, `nc` that disagrees.
DataYaml parse_data_yaml(const std::string& text, const std::string& place);

struct YoloNames {
  std::filesystem::path file;      // where they were found
  std::vector<std::string> names;  // class c of the labels is names[c]
  std::vector<std::string> warnings;
};

// The data.yaml (or another .yaml or .yml, where it is the only one) of a folder; empty where there is none.
std::filesystem::path find_data_yaml(const std::filesystem::path& folder);

// Looks for data.yaml, classes.txt and obj.names in `folder` and for classes.txt in its labels/, then for
// those beside the folder (where train/ and valid/ share one). Throws Error(kBadData) where there is none,
// where two of one folder contradict each other, or naming file and line.
YoloNames find_yolo_names(const std::filesystem::path& folder);

}  // namespace tune::trainer::detection
