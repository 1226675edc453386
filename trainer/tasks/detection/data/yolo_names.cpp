#include "trainer/tasks/detection/data/yolo_names.h"

#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "trainer/tasks/detection/data/annotation_checks.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

constexpr const char* kYamlHint =
    "`names` is a list or a map of numbers from 0, as in `names: [scratch, pit]` or one `  0: scratch` a "
    "line.";

std::optional<std::size_t> whole_number(const std::string& text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Reads the value of `names` character by character, counting lines.
class NamesParser {
 public:
  NamesParser(const std::string& text, const std::string& place) : text_(text), place_(place) {}

  std::vector<std::string> parse() {
    while (position_ < text_.size()) read_top_level_line();
    if (!found_) refuse("has no `names`");
    if (stated_count_ && *stated_count_ != names_.size())
      refuse("says nc: " + std::to_string(*stated_count_) + ", but names " + std::to_string(names_.size()) +
             " classes");
    std::vector<std::string> names;
    std::set<std::string> seen;
    for (const auto& [index, name] : names_) {
      if (index != names.size())
        refuse("names no class " + std::to_string(names.size()) + ", but a class " + std::to_string(index));
      if (!is_utf8(name)) refuse("is not UTF-8");
      if (!seen.insert(name).second) refuse("names the class \"" + name + "\" twice");
      names.push_back(name);
    }
    if (names.empty()) refuse("names no class");
    return names;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ExitCode::kBadData, place_ + " " + what, kYamlHint);
  }
  [[noreturn]] void refuse_here(const std::string& what) const {
    throw Error(ExitCode::kBadData, place_ + ", line " + std::to_string(line_) + ": " + what, kYamlHint);
  }

  char peek() const { return position_ < text_.size() ? text_[position_] : '\n'; }
  bool at_end() const { return position_ >= text_.size(); }
  char take() {
    const char taken = text_[position_++];
    if (taken == '\n') ++line_;
    return taken;
  }
  void skip_blanks() {
    while (!at_end() && (peek() == ' ' || peek() == '\t' || peek() == '\r')) take();
  }
  void skip_line() {
    while (!at_end() && take() != '\n') {
    }
  }
  // The rest of a line may hold a comment alone.
  void end_line() {
    const bool blank_before = position_ > 0 && (text_[position_ - 1] == ' ' || text_[position_ - 1] == '\t');
    skip_blanks();
    if (!at_end() && peek() == '#' && (blank_before || text_[position_ - 1] == ' ')) return skip_line();
    if (!at_end() && peek() != '\n') refuse_here("what follows the value is not understood");
    if (!at_end()) take();
  }
  // Spaces, line ends and comments within [ ] and { }.
  void skip_flow_space() {
    while (!at_end()) {
      skip_blanks();
      if (peek() == '#') {
        skip_line();
      } else if (peek() == '\n' && !at_end()) {
        take();
      } else {
        return;
      }
    }
  }

  void read_top_level_line() {
    if (peek() == ' ' || peek() == '\t' || peek() == '#' || peek() == '\r' || peek() == '\n' || peek() == '-')
      return skip_line();
    const std::size_t line_end = std::min(text_.find('\n', position_), text_.size());
    const std::size_t colon = text_.find(':', position_);
    if (colon >= line_end) return skip_line();
    std::string key = text_.substr(position_, colon - position_);
    key.erase(key.find_last_not_of(' ') + 1);
    if (key == "\"names\"" || key == "'names'") key = "names";
    if (key != "names" && key != "nc") return skip_line();
    position_ = colon + 1;
    if (key == "nc") return read_count();
    if (found_) refuse_here("`names` appears twice");
    found_ = true;
    read_names();
  }

  void read_count() {
    skip_blanks();
    const std::string text = scalar(/*in_flow=*/false);
    stated_count_ = whole_number(text);
    if (!stated_count_) refuse_here("nc is \"" + text + "\", not a number of classes");
    end_line();
  }

  void read_names() {
    if (peek() != ' ' && peek() != '\n' && peek() != '\r' && peek() != '\t')
      refuse_here("a space is missing after `names:`");
    skip_blanks();
    if (peek() == '[' || peek() == '{') {
      read_flow(take());
      return end_line();
    }
    if (!at_end() && peek() != '\n' && peek() != '#') refuse_here("`names` is neither a list nor a map");
    skip_line();
    read_block();
  }

  void read_flow(char opening) {
    const bool is_map = opening == '{';
    const char closing = is_map ? '}' : ']';
    skip_flow_space();
    while (peek() != closing || at_end()) {
      if (at_end()) refuse_here(std::string("`names` has no closing ") + closing);
      std::size_t index = names_.size();
      if (is_map) index = map_key(/*in_flow=*/true);
      skip_flow_space();
      add(index, scalar(/*in_flow=*/true));
      skip_flow_space();
      if (!at_end() && peek() == ',') {
        take();
        skip_flow_space();
      } else if (at_end()) {
        continue;  // refused above
      } else if (peek() != closing) {
        refuse_here(std::string("expected a comma or ") + closing);
      }
    }
    take();
  }

  void read_block() {
    std::optional<std::size_t> indent;
    std::optional<bool> is_map;
    while (!at_end()) {
      const std::size_t start = position_;
      while (!at_end() && peek() == ' ') take();
      const std::size_t depth = position_ - start;
      if (peek() == '\t') refuse_here("tabs do not indent in YAML; use spaces");
      if (at_end() || peek() == '\n' || peek() == '\r' || peek() == '#') {
        skip_line();
        continue;
      }
      const bool item = peek() == '-' && position_ + 1 < text_.size() && text_[position_ + 1] == ' ';
      // A list may stand as far left as its key; anything else there is the next key.
      if (depth == 0 && (!item || is_map == true)) {
        position_ = start;
        return;
      }
      if (indent && *indent != depth) refuse_here("this line is indented unlike the names before it");
      if (is_map && *is_map == item) refuse_here("`names` mixes a list and a map");
      indent = depth;
      is_map = !item;
      std::size_t index = names_.size();
      if (item)
        take();
      else
        index = map_key(/*in_flow=*/false);
      skip_blanks();
      add(index, scalar(/*in_flow=*/false));
      end_line();
    }
  }

  std::size_t map_key(bool in_flow) {
    const std::size_t start = position_;
    while (!at_end() && peek() != ':' && peek() != '\n' && peek() != ',' && peek() != '}') take();
    std::string key = text_.substr(start, position_ - start);
    key.erase(key.find_last_not_of(' ') + 1);
    const std::optional<std::size_t> index = whole_number(key);
    if (at_end() || peek() != ':') refuse_here("`" + key + "` is followed by no colon");
    if (!index) refuse_here("`" + key + "` is no class number");
    take();
    if (!in_flow && peek() > ' ') refuse_here("a space is missing after the colon");
    return *index;
  }

  std::string scalar(bool in_flow) {
    if (!at_end() && peek() == '\'') return single_quoted();
    if (!at_end() && peek() == '"') return double_quoted();
    if (std::string("&*!|>%@`[]{}#,?-:").find(peek()) != std::string::npos &&
        !(peek() == '-' && plain_dash()))
      refuse_here(std::string("a class name cannot begin with ") + peek() + " unless it is quoted");
    const std::size_t start = position_;
    while (!at_end() && peek() != '\n') {
      const char next = position_ + 1 < text_.size() ? text_[position_ + 1] : '\n';
      if (in_flow && std::string(",[]{}").find(peek()) != std::string::npos) break;
      if ((peek() == ' ' || peek() == '\t') && next == '#') break;
      if (peek() == ':' && (next == ' ' || next == '\n' || next == '\r'))
        refuse_here("a class name with a colon must be quoted");
      take();
    }
    std::string value = text_.substr(start, position_ - start);
    value.erase(value.find_last_not_of(" \t\r") + 1);
    if (value.empty()) refuse_here("a class has no name");
    return value;
  }
  bool plain_dash() const { return position_ + 1 < text_.size() && text_[position_ + 1] > ' '; }

  std::string single_quoted() {
    std::string value;
    take();
    while (true) {
      if (at_end() || peek() == '\n') refuse_here("a quote is not closed");
      const char c = take();
      if (c != '\'') {
        value += c;
      } else if (!at_end() && peek() == '\'') {
        value += take();
      } else {
        return value;
      }
    }
  }

  std::string double_quoted() {
    std::string value;
    take();
    while (true) {
      if (at_end() || peek() == '\n') refuse_here("a quote is not closed");
      char c = take();
      if (c == '"') return value;
      if (c == '\\') {
        c = peek();
        if (c != '"' && c != '\\') refuse_here("of the escapes in quotes only \\\" and \\\\ are read");
        take();
      }
      value += c;
    }
  }

  void add(std::size_t index, std::string name) {
    if (name.empty()) refuse_here("a class has no name");
    if (!names_.emplace(index, std::move(name)).second)
      refuse_here("the class " + std::to_string(index) + " is named twice");
  }

  const std::string& text_;
  std::string place_;
  std::size_t position_ = 0;
  int line_ = 1;
  bool found_ = false;
  std::optional<std::size_t> stated_count_;
  std::map<std::size_t, std::string> names_;
};

std::string content_of(const fs::path& file) {
  try {
    return read_file(file);
  } catch (const Error& error) {
    throw Error(ExitCode::kBadData, error.what(), "Check its permissions.");
  }
}

std::vector<std::string> parse_classes_txt(const std::string& text, const std::string& place) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  std::istringstream lines(text);
  std::string line;
  bool ended = false;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.erase(0, line.find_first_not_of(" \t\r"));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    const std::string where = place + ", line " + std::to_string(number);
    if (line.empty()) {
      ended = true;
      continue;
    }
    if (ended)
      throw Error(ExitCode::kBadData, where + ": an empty line comes before this name",
                  "One name a line; the first is class 0, so a gap would shift the others.");
    if (!is_utf8(line))
      throw Error(ExitCode::kBadData, where + ": the name is not UTF-8", "Write the file as UTF-8.");
    if (!seen.insert(line).second)
      throw Error(ExitCode::kBadData, where + ": the name \"" + line + "\" appears twice",
                  "Give each class a name of its own.");
    names.push_back(line);
  }
  if (names.empty())
    throw Error(ExitCode::kBadData, place + " names no class",
                "Write one name a line, the first for class 0.");
  return names;
}

}  // namespace

std::vector<std::string> parse_data_yaml(const std::string& text, const std::string& place) {
  return NamesParser(text, place).parse();
}

YoloNames find_yolo_names(const fs::path& folder) {
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  const fs::path own = absolute.has_filename() ? absolute : absolute.parent_path();
  for (const fs::path& file : {folder / "data.yaml", folder / "classes.txt",
                               folder / "labels" / "classes.txt", own.parent_path() / "data.yaml"}) {
    if (!fs::exists(file)) continue;
    const std::string text = content_of(file), place = file.string();
    return {file,
            file.extension() == ".yaml" ? parse_data_yaml(text, place) : parse_classes_txt(text, place)};
  }
  throw Error(ExitCode::kBadData, folder.string() + " holds YOLO labels, but no names of their classes",
              "Put data.yaml with `names` there, or classes.txt with one name a line.");
}

}  // namespace tune::trainer::detection
