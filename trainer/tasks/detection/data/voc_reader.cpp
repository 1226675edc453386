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

// "&x;" of the first reference to an entity that XML does not bring along. pugixml leaves those, and
// references to no character, as they stand.
std::string unresolved_entity(std::string_view raw) {
  for (std::size_t at = raw.find('&'); at != raw.npos; at = raw.find('&', at + 1)) {
    const std::string_view rest = raw.substr(at + 1);
    const std::string_view name = rest.substr(0, rest.find(';'));
    if (name.size() == rest.size() || name.empty() || name.find_first_of(" \t\r\n&") != name.npos) continue;
    const bool hexadecimal = name.starts_with("#x");
    const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
    const bool known = name == "lt" || name == "gt" || name == "amp" || name == "apos" || name == "quot";
    const bool character =
        name[0] == '#' && !digits.empty() &&
        digits.find_first_not_of(hexadecimal ? "0123456789abcdefABCDEF" : "0123456789") == digits.npos;
    if (!known && !character) return "&" + std::string(name) + ";";
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
    std::string text;
    try {
      text = data::read_xml(file);
    } catch (const Error& error) {
      return problems_.add(std::string(error.what()) + ". " + error.hint());
    }
    const auto parsed =
        document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!parsed)
      return problems_.add(file.string() + " is not well-formed XML (byte " + std::to_string(parsed.offset) +
                           "): " + parsed.description());
    const pugi::xml_node root = document.child("annotation");
    if (!root) return problems_.add(file.string() + " has no <annotation>: it is not PASCAL VOC");
    if (count_of(document, "annotation") > 1)
      return problems_.add(file.string() + " has several <annotation>; keep the one of its image");
    compare_name(root.child("filename").text().get(), file, example);
    const pugi::xml_node size = root.child("size");
    if (!checks_.measure(example, side(size, "width", file), side(size, "height", file))) return;
    int count = 0;
    for (const pugi::xml_node& object : root.children("object"))
      if (is_resolved(object.child("name"), text, file, ++count)) read_object(object, file, count, example);
  }

  // The width or height that the annotation states; 0 where it states none, as many write, too.
  int side(const pugi::xml_node& size, const char* name, const fs::path& file) {
    const std::string text = data::trimmed(size.child(name).text().get());
    const std::optional<double> pixels = data::number_of(std::string_view(text));
    if (pixels && *pixels > 0 && *pixels < 1e9) return static_cast<int>(*pixels);
    if (!text.empty() && pixels.value_or(-1) != 0)
      no_size_.add(file.string() + ": <" + name + "> is \"" + text + "\"");
    return 0;
  }

  // Offsets of nodes are those of the text, which was given as UTF-8.
  bool is_resolved(const pugi::xml_node& name, std::string_view text, const fs::path& file, int count) {
    for (const pugi::xml_node& part : name.children()) {
      if (part.type() != pugi::node_pcdata || part.offset_debug() < 0) continue;
      const std::string_view rest = text.substr(static_cast<std::size_t>(part.offset_debug()));
      const std::string entity = unresolved_entity(rest.substr(0, rest.find('<')));
      if (entity.empty()) continue;
      problems_.add(file.string() + ", object " + std::to_string(count) + ": its name holds " + entity +
                    ", an entity that is not resolved here; write what it stands for");
      return false;
    }
    return true;
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
    const std::string name = data::trimmed(object.child("name").text().get());
    const std::string where =
        file.string() + ", object " + std::to_string(count) + (name.empty() ? "" : " (" + name + ")");
    for (const char* once : {"name", "bndbox", "difficult"})
      if (count_of(object, once) > 1)
        return problems_.add(where + ": it has several <" + once + ">; an object has one");
    GroundTruth labels;
    labels.category = classes_.category(name, where, problems_);
    const std::string difficult = object.child("difficult").text().get();
    const std::optional<bool> flag = data::flag_of(std::string_view(difficult));
    if (!flag)
      return problems_.add(where + ": <difficult> is \"" + data::trimmed(difficult) + "\", neither 0 nor 1");
    labels.difficult = *flag;
    const pugi::xml_node box = object.child("bndbox");
    data::Corners corners;
    for (const auto& [key, value] : {std::pair{"xmin", &corners.x1},
                                     {"ymin", &corners.y1},
                                     {"xmax", &corners.x2},
                                     {"ymax", &corners.y2}}) {
      const std::optional<double> edge = data::number_of(std::string_view(box.child(key).text().get()));
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
  ClassNames classes_;
  Dataset dataset_;
  data::Problems problems_;
  AnnotationChecks checks_{dataset_, problems_};
  Tally other_names_, no_size_;
  std::map<fs::path, fs::path> image_of_annotation_;
};

}  // namespace

Dataset read_voc(const fs::path& data, const Layout& layout, const ReadOptions& options) {
  return VocReader(data, layout, options).read();
}

}  // namespace tune::trainer::detection
