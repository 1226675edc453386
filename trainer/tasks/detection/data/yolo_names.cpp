#include "trainer/tasks/detection/data/yolo_names.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& place, const std::string& cause,
                         const std::string& cure =
                             "Write `names: [first, second]`, or one name a line in "
                             "classes.txt.") {
  throw Error(ExitCode::kBadData, place + cause, cure);
}

// Reads one data.yaml; lives for one call.
class YamlReader {
 public:
  YamlReader(const std::string& text, const std::string& place) : place_(place) {
    try {
      const std::vector<YAML::Node> documents = YAML::LoadAll(text);
      if (documents.size() > 1)
        refuse(at(documents[1].Mark()), " begins a second document, which nobody would read",
               "Write one document, without `---` within.");
      if (!documents.empty()) root_ = documents.front();
    } catch (const YAML::Exception& error) {
      refuse(at(error.mark), " is no YAML: " + error.msg, "Correct the line; quote names with colons.");
    }
    if (!root_.IsMap()) refuse(place_, " has no `names`");
  }

  DataYaml read() {
    DataYaml yaml;
    std::set<std::string> seen;
    for (const auto& entry : root_) {
      const std::string key = scalar(entry.first, "a key");
      if (!seen.insert(key).second) refuse(at(entry.first.Mark()), ": `" + key + "` appears twice");
    }
    read_names(yaml.names);
    if (const YAML::Node root = root_["path"]; root && !root.IsNull()) yaml.root = scalar(root, "`path`");
    for (const auto& [key, part] : {std::pair{"train", "train"}, {"val", "validation"}, {"test", "test"}})
      read_places(key, yaml.parts[part]);
    std::erase_if(yaml.parts, [this](const auto& part) {
      return part.second.empty() && !(part.first == "train" && root_["train"]);
    });
    return yaml;
  }

 private:
  std::string at(const YAML::Mark& mark) const {
    return mark.is_null() ? place_ : place_ + ", line " + std::to_string(mark.line + 1);
  }

  // Other tags make something else of what they stand before, as !!binary does.
  void require_no_tag(const YAML::Node& node) const {
    const std::string& tag = node.Tag();
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    const std::string name = tag.starts_with(kCore) ? tag.substr(kCore.size()) : "";
    for (const char* known : {"str", "int", "float", "bool", "null", "seq", "map"})
      if (name == known) return;
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse(at(node.Mark()), ": the tag " + (name.empty() ? tag : "!!" + name) + " is not read",
           "Take the tag out, or write what it stands for.");
  }

  std::string scalar(const YAML::Node& node, const std::string& what) const {
    require_no_tag(node);
    if (!node.IsScalar()) refuse(at(node.Mark()), ": " + what + " is no plain text");
    return data::trimmed(node.Scalar());
  }

  void read_names(std::vector<std::string>& names) const {
    const YAML::Node node = root_["names"];
    if (!node || node.IsNull()) refuse(place_, " has no `names`");
    require_no_tag(node);
    if (!node.IsSequence() && !node.IsMap())
      refuse(at(node.Mark()), ": `names` is neither a list nor a map of numbers");
    if (node.IsSequence())
      for (const YAML::Node& name : node) names.push_back(scalar(name, "a class name"));
    else
      read_numbered(node, names);
    if (names.empty()) refuse(at(node.Mark()), ": `names` names no class");
    std::set<std::string> seen;
    for (const std::string& name : names) {
      if (name.empty()) refuse(at(node.Mark()), ": a class has no name");
      if (!data::is_utf8(name))
        refuse(at(node.Mark()), ": a class name is not UTF-8", "Write the file as UTF-8.");
      if (!seen.insert(name).second)
        refuse(at(node.Mark()), ": `names` names the class \"" + name + "\" twice");
    }
    check_count(names.size());
  }

  void read_numbered(const YAML::Node& node, std::vector<std::string>& names) const {
    std::map<std::int64_t, std::string> numbered;
    for (const auto& entry : node) {
      const std::string key = scalar(entry.first, "a class number");
      const auto number = data::whole_number(std::string_view(key));
      if (!number || *number < 0) refuse(at(entry.first.Mark()), ": `" + key + "` is no class number");
      if (!numbered.emplace(*number, scalar(entry.second, "a class name")).second)
        refuse(at(entry.first.Mark()), ": the class " + key + " is named twice");
    }
    for (const auto& [number, name] : numbered) {
      if (number != static_cast<std::int64_t>(names.size()))
        refuse(at(node.Mark()), ": `names` names no class " + std::to_string(names.size()));
      names.push_back(name);
    }
  }

  void check_count(std::size_t count) const {
    const YAML::Node node = root_["nc"];
    if (!node || node.IsNull()) return;
    const std::string text = scalar(node, "nc");
    const auto number = data::whole_number(std::string_view(text));
    if (!number) refuse(at(node.Mark()), ": nc is \"" + text + "\", no number of classes");
    if (*number != static_cast<std::int64_t>(count))
      refuse(at(node.Mark()), " says nc: " + text + ", but names " + std::to_string(count) + " classes");
  }

  void read_places(const char* key, std::vector<std::string>& places) const {
    const YAML::Node node = root_[key];
    if (!node || node.IsNull()) return;
    if (node.IsSequence())
      for (const YAML::Node& place : node) places.push_back(scalar(place, std::string("an entry of ") + key));
    else
      places.push_back(scalar(node, std::string("`") + key + "`"));
    std::erase_if(places, [](const std::string& place) { return place.empty(); });
  }

  std::string place_;
  YAML::Node root_;
};

std::vector<std::string> parse_classes_txt(const fs::path& file) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  std::size_t number = 0, empty = 0;
  for (const std::string& line : data::lines_of(data::read_text(file))) {
    const std::string name = data::trimmed(line),
                      place = file.string() + ", line " + std::to_string(++number);
    if (name.empty()) {
      if (empty == 0) empty = number;
      continue;
    }
    // Empty lines at the end are none of the list; one before a name would shift the numbers.
    if (empty > 0)
      refuse(place, ": an empty line stands before it, in line " + std::to_string(empty),
             "Take the empty line out, or name that class.");
    if (!data::is_utf8(name)) refuse(place, ": the name is not UTF-8", "Write the file as UTF-8.");
    if (!seen.insert(name).second)
      refuse(place, ": the name \"" + name + "\" appears twice", "Name each class once.");
    names.push_back(name);
  }
  if (names.empty()) refuse(file.string(), " names no class");
  return names;
}

bool is_yaml(const fs::path& file) { return data::has_extension(file, {".yaml", ".yml"}); }

YoloNames read_names(const fs::path& file) {
  if (is_yaml(file)) return {file, parse_data_yaml(data::read_text(file), file.string()).names, {}};
  return {file, parse_classes_txt(file), {}};
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The same number must mean the same class in a data.yaml and beside it. The nearer of two lists is the newer
// one, as annotation tools leave their own in labels/.
void require_agreement(YoloNames& first, const YoloNames& other) {
  if (first.names == other.names) return;
  const std::size_t both = std::min(first.names.size(), other.names.size());
  if (is_yaml(first.file) &&
      !std::equal(first.names.begin(), first.names.begin() + static_cast<std::ptrdiff_t>(both),
                  other.names.begin()))
    refuse(first.file.string(),
           " and " + other.file.string() + " contradict each other: " + listed(first.names) + "; " +
               listed(other.names),
           "Which is right cannot be told from the labels: remove the other, or make them equal.");
  first.warnings.push_back(first.file.string() + " names the classes " + listed(first.names) + ", " +
                           other.file.string() + " " + listed(other.names) + "; the first is used");
}

// Other YAML than a data set's lies about, too.
bool names_classes(const fs::path& file) {
  std::error_code ignored;
  if (!is_yaml(file) || !fs::is_regular_file(file, ignored)) return false;
  const std::vector<std::string> lines = data::lines_of(data::read_text(file));
  return std::any_of(lines.begin(), lines.end(),
                     [](const std::string& line) { return line.starts_with("names:"); });
}

std::vector<fs::path> names_files(const fs::path& folder) {
  std::vector<fs::path> files;
  if (const fs::path yaml = find_data_yaml(folder); !yaml.empty()) files.push_back(yaml);
  for (const char* name : {"classes.txt", "obj.names"})
    if (const auto file = data::file_named(folder, {name})) files.push_back(*file);
  if (const auto labels = data::folder_named(folder, {"labels"}))
    if (const auto file = data::file_named(*labels, {"classes.txt"})) files.push_back(*file);
  return files;
}

}  // namespace

DataYaml parse_data_yaml(const std::string& text, const std::string& place) {
  return YamlReader(text, place).read();
}

fs::path find_data_yaml(const fs::path& folder) {
  if (const auto known = data::file_named(folder, {"data.yaml", "data.yml", "dataset.yaml", "dataset.yml"}))
    return *known;
  std::vector<fs::path> files = data::files_in(folder);
  std::erase_if(files, [](const fs::path& file) { return !names_classes(file); });
  return files.size() == 1 ? files.front() : fs::path{};
}

YoloNames find_yolo_names(const fs::path& folder) {
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path parent = whole.has_filename() ? whole.parent_path() : whole.parent_path().parent_path();
  std::vector<fs::path> files = names_files(folder);
  if (files.empty())
    if (const auto shared = data::file_named(parent, {"data.yaml", "data.yml", "classes.txt"}))
      files.push_back(*shared);
  if (!files.empty()) {
    YoloNames names = read_names(files.front());
    for (std::size_t i = 1; i < files.size(); ++i) require_agreement(names, read_names(files[i]));
    return names;
  }
  refuse(folder.string(), " holds YOLO labels, but no names of their classes",
         "Put a data.yaml with `names: [first, second]` or a classes.txt with one name a line there.");
}

}  // namespace tune::trainer::detection
