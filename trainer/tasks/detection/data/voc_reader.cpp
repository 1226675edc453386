#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <pugixml.hpp>

#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/reader.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

std::size_t count_of(const pugi::xml_node& parent, const char* name) {
  const auto children = parent.children(name);
  return static_cast<std::size_t>(std::distance(children.begin(), children.end()));
}

// Whether "#228" or "#xe4" stands for a character that a text can hold: NUL ends texts, and halves of UTF-16
// and what lies beyond Unicode are none.
bool is_character(std::string_view reference) {
  const bool hexadecimal = reference.starts_with("#x");
  const std::string_view digits = reference.substr(hexadecimal ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hexadecimal ? 16 : 10);
  return !digits.empty() && error == std::errc() && end == digits.data() + digits.size() && code > 0 &&
         code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

// "&x;" of the first reference to an entity that XML does not bring along, or to no character. pugixml leaves
// the first as they stand.
std::string unresolved_entity(std::string_view raw) {
  for (std::size_t at = raw.find('&'); at != raw.npos; at = raw.find('&', at + 1)) {
    const std::string_view rest = raw.substr(at + 1);
    const std::string_view name = rest.substr(0, rest.find(';'));
    if (name.size() == rest.size() || name.empty() || name.find_first_of(" \t\r\n&") != name.npos) continue;
    const bool known = name == "lt" || name == "gt" || name == "amp" || name == "apos" || name == "quot";
    if (!known && !(name[0] == '#' && is_character(name))) return "&" + std::string(name) + ";";
  }
  return "";
}

// Reads the VOC files of a layout; lives for one call of read(), on its thread. Opens images for their size
// alone.
class VocReader {
 public:
  VocReader(const fs::path& data, const Layout& layout, const ReadOptions& options)
      : data_(data), layout_(layout), options_(options), classes_(options.classes) {}

  Dataset read() {
    dataset_.examples = examples_of(layout_, options_.part);
    for (Example& example : dataset_.examples) read_example(example);
    for (const fs::path& file : layout_.orphans) report_orphan(file);
    no_size_.tell(" width or height in <size> is none, and not compared with the image",
                  " widths and heights in <size> are none, and not compared with the images",
                  dataset_.warnings);
    flags_.tell(" flag is written as a word, and taken as it reads",
                " flags are written as words, and taken as they read", dataset_.warnings);
    other_names_.tell(" annotation names another file in <filename>",
                      " annotations name another file in <filename>", dataset_.warnings);
    checks_.finish();
    problems_.settle(options_.problems, data_.string() + " cannot be used",
                     "Correct the files named above. Each image needs an annotation of its name; an image "
                     "without defects has one with no <object>.");
    classes_.finish(dataset_);
    return std::move(dataset_);
  }

 private:
  void read_example(Example& example) {
    const fs::path& file = layout_.images[static_cast<std::size_t>(example.image_id) - 1].annotation;
    const auto [other, added] = image_of_annotation_.try_emplace(file, example.image);
    if (!added)
      return problems_.add(example.image.string() + " and " + other->second.filename().string() +
                           " share the annotation " + file.filename().string() + "; rename or remove one");
    std::error_code ignored;
    if (!fs::exists(file, ignored))
      return problems_.add(example.image.string() + " has no annotation " + file.string());
    read_annotation(file, example);
  }

  void read_annotation(const fs::path& file, Example& example) {
    pugi::xml_document document;
    try {
      text_ = data::read_xml(file);
    } catch (const Error& error) {
      return problems_.add(std::string(error.what()) + ". " + error.hint());
    }
    // For pugixml it would be the end.
    if (const std::size_t nul = text_.find('\0'); nul != text_.npos)
      return problems_.add(file.string() + " is not well-formed XML (byte " + std::to_string(nul) +
                           "): a NUL; write the file again");
    // With the blanks between two comments, and with what stands beside the root.
    constexpr unsigned kParse = pugi::parse_default | pugi::parse_ws_pcdata | pugi::parse_fragment;
    const auto parsed = document.load_buffer(text_.data(), text_.size(), kParse, pugi::encoding_utf8);
    if (!parsed)
      return problems_.add(file.string() + " is not well-formed XML (byte " + std::to_string(parsed.offset) +
                           "): " + parsed.description());
    const pugi::xml_node root = document.child("annotation");
    if (!root) return problems_.add(file.string() + " has no <annotation>: it is not PASCAL VOC");
    if (count_of(document, "annotation") > 1)
      return problems_.add(file.string() + " has several <annotation>; keep the one of its image");
    for (const pugi::xml_node& beside : document.children())
      if (beside != root && (beside.type() == pugi::node_element || !data::trimmed(beside.value()).empty()))
        return problems_.add(file.string() + " is not well-formed XML: outside <annotation> stands " +
                             (beside.type() == pugi::node_element
                                  ? "<" + std::string(beside.name()) + ">"
                                  : "\"" + data::trimmed(beside.value()) + "\"") +
                             "; take it out");
    read_root(root, file, example);
  }

  void read_root(const pugi::xml_node& root, const fs::path& file, Example& example) {
    const std::string where = file.string();
    const pugi::xml_node size = root.child("size");
    if (!has_once(root, {"filename", "size"}, where, "an annotation") ||
        !has_once(size, {"width", "height"}, where, "a size"))
      return;
    const auto named = text_of(root, "filename", where), width = text_of(size, "width", where),
               height = text_of(size, "height", where);
    if (!named || !width || !height) return;
    if (refuses_stray_box(root, where)) return;
    compare_name(*named, file, example);
    if (!checks_.measure(example, side(*width, "width", file), side(*height, "height", file))) return;
    int count = 0;
    for (const pugi::xml_node& object : root.children("object")) read_object(object, file, ++count, example);
  }

  // Boxes that lie elsewhere than VOC's would be no objects, in silence.
  bool refuses_stray_box(const pugi::xml_node& root, const std::string& where) {
    for (const pugi::xml_node& child : root.children()) {
      const bool is_object = std::string_view(child.name()) == "object";  // with parts that have boxes too
      const auto is_stray = [&](const pugi::xml_node& node) {
        const std::string_view name = node.name();
        return name == "object" || (name == "bndbox" && !is_object);
      };
      const bool is_itself = !is_object && is_stray(child);
      const pugi::xml_node stray = is_itself ? child : child.find_node(is_stray);
      if (!stray) continue;
      problems_.add(where + ": a <" + stray.name() + "> lies in <" + stray.parent().name() + ">" +
                    (is_object ? "; write one object after the other"
                               : "; write each object as <object> directly in <annotation>"));
      return true;
    }
    return false;
  }

  bool has_once(const pugi::xml_node& parent, std::initializer_list<const char*> names,
                const std::string& where, const std::string& owner) {
    for (const char* once : names)
      if (count_of(parent, once) > 1) {
        problems_.add(where + ": it has several <" + once + ">; " + owner + " has one");
        return false;
      }
    return true;
  }

  // The text of that child, whole, whatever comments and CDATA cut it into; "" where there is none. A problem
  // and nullopt for what is no text. Offsets of nodes are those of the file's text, which was given as UTF-8.
  std::optional<std::string> text_of(const pugi::xml_node& parent, const char* name,
                                     const std::string& where) {
    std::string text;
    const auto refuse = [&](const std::string& cause) {
      problems_.add(where + ": its " + name + " holds " + cause);
      return std::nullopt;
    };
    for (const pugi::xml_node& part : parent.child(name).children()) {
      if (part.type() == pugi::node_element)
        return refuse("the element <" + std::string(part.name()) + ">; write its text alone");
      text += part.value();
      if (part.type() != pugi::node_pcdata || part.offset_debug() < 0) continue;
      const std::string_view rest =
          std::string_view(text_).substr(static_cast<std::size_t>(part.offset_debug()));
      const std::string entity = unresolved_entity(rest.substr(0, rest.find('<')));
      if (entity.starts_with("&#")) return refuse(entity + ", which is no character; take it out");
      if (!entity.empty() && std::string_view(name) == "name")
        return refuse(entity + ", an entity that is not resolved here; write what it stands for");
    }
    return text;
  }

  // The width or height that the annotation states; 0 where it states none.
  int side(const std::string& written, const char* name, const fs::path& file) {
    const std::string text = data::trimmed(written);
    const std::optional<std::int64_t> pixels = data::whole_number(std::string_view(text));
    if (pixels && *pixels > 0 && *pixels < 1'000'000'000) return static_cast<int>(*pixels);
    if (!text.empty()) no_size_.add(file.string() + ": <" + name + "> is \"" + text + "\"");
    return 0;
  }

  // Extensions and folders change as images are converted and moved; another name is another image.
  void compare_name(const std::string& written, const fs::path& file, const Example& example) {
    const fs::path named = data::with_slashes(data::trimmed(written));
    if (named.filename().empty() || named.stem() == example.image.stem() ||
        named.filename() == example.image.stem())
      return;
    other_names_.add(file.string() + ": it says " + named.filename().string() + ", and is read as that of " +
                     example.image.filename().string());
  }

  void read_object(const pugi::xml_node& object, const fs::path& file, int count, Example& example) {
    const std::string numbered = file.string() + ", object " + std::to_string(count);
    const std::optional<std::string> written = text_of(object, "name", numbered);
    if (!written) return;
    const std::string name = data::trimmed(*written);
    const std::string where = numbered + (name.empty() ? "" : " (" + name + ")");
    const pugi::xml_node box = object.child("bndbox");
    if (!has_once(object, {"name", "bndbox", "difficult"}, where, "an object") ||
        !has_once(box, {"xmin", "ymin", "xmax", "ymax"}, where, "a box"))
      return;
    GroundTruth labels;
    labels.category = classes_.category(name, where, problems_);
    const std::optional<std::string> difficult = text_of(object, "difficult", where);
    if (!difficult) return;
    const std::optional<bool> flag = data::flag_of(std::string_view(*difficult));
    if (!flag)
      return problems_.add(where + ": <difficult> is \"" + data::trimmed(*difficult) + "\", neither 0 nor 1");
    labels.difficult = *flag;
    if (const std::string word = data::trimmed(*difficult);
        !word.empty() && !data::number_of(std::string_view(word)))
      flags_.add(where + ": <difficult> is \"" + word + "\"");
    data::Corners corners;
    for (const auto& [key, value] : {std::pair{"xmin", &corners.x1},
                                     {"ymin", &corners.y1},
                                     {"xmax", &corners.x2},
                                     {"ymax", &corners.y2}}) {
      const std::optional<std::string> text = text_of(box, key, where);
      if (!text) return;
      const std::optional<double> edge = data::number_of(std::string_view(*text));
      if (!edge)
        return problems_.add(where + ": <" + key +
                             "> is missing or no number; give the box its four edges in pixels");
      *value = *edge;
    }
    if (labels.category > 0) checks_.add_object(corners, labels, -1, where, example);
  }

  void report_orphan(const fs::path& file) {
    problems_.add(file.string() + ": its image " + file.stem().string() +
                  ".jpg (or .png, .bmp, .tif, .webp) does not exist; put it there or remove the annotation");
  }

  fs::path data_;
  const Layout& layout_;
  const ReadOptions& options_;
  std::string text_;  // of the annotation that is being read
  ClassNames classes_;
  Dataset dataset_;
  data::Problems problems_;
  AnnotationChecks checks_{dataset_, problems_};
  data::Tally other_names_, no_size_, flags_;
  std::map<fs::path, fs::path> image_of_annotation_;
};

}  // namespace

Dataset read_voc(const fs::path& data, const Layout& layout, const ReadOptions& options) {
  return VocReader(data, layout, options).read();
}

}  // namespace tune::trainer::detection
