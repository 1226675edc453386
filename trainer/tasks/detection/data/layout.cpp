#include "trainer/tasks/detection/data/layout.h"

#include <algorithm>
#include <map>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "trainer/tasks/detection/data/annotation_places.h"
#include "trainer/tasks/detection/data/coco_places.h"
#include "trainer/tasks/detection/data/listed_images.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;
using Kind = Layout::Kind;

constexpr const char* kExpected =
    "Expected images with PASCAL VOC XML (images/ and annotations/, JPEGImages/ and Annotations/, or side by "
    "side), with YOLO text (images/ and labels/, or what data.yaml names), or with a COCO JSON "
    "(annotations.json, annotations/instances_*.json, _annotations.coco.json, result.json), whole or as "
    "train/, valid/ and test/; or the path of a COCO JSON or a data.yaml.";

bool holds(const fs::path& folder, std::initializer_list<std::string_view> extensions) {
  const std::vector<fs::path> files = data::files_below(folder);
  return std::any_of(files.begin(), files.end(),
                     [&](const fs::path& file) { return data::has_extension(file, extensions); });
}

// Recognises one data set; lives for one call, on its thread.
class Recogniser {
 public:
  Recogniser(const fs::path& data, const LayoutOptions& options)
      : data_(data.has_filename() ? data : data.parent_path()), options_(options), listed_(options.labels) {}

  Layout file() {
    require_images();
    if (data::has_extension(data_, {".yaml", ".yml"})) {
      if (auto layout = listed_.of_yaml(data_, data_.parent_path())) return finish(std::move(*layout));
      throw Error(ExitCode::kBadData, data_.string() + " names no folder of images that exists",
                  "Its keys train, val and test name folders or lists, below `path` or the file's folder.");
    }
    if (data::has_extension(data_, {".txt"})) return finish(by_list());
    if (!data::has_extension(data_, {".json"}) && images::is_picture(data_)) return one_picture();
    return finish(coco({data_}, data_.parent_path()));
  }

  Layout folder() {
    require_images();
    if (auto layout = known(data_)) return finish(std::move(*layout));
    if (options_.labels) refuse();
    const auto images = data::folder_named(data_, {"images", "jpegimages"});
    const fs::path place = images && !data::pictures_of(*images).empty() ? *images : data_;
    Layout layout;
    layout.words = "images alone";
    for (const fs::path& image : data::pictures_of(place)) layout.add(image, {}, place);
    return finish(std::move(layout));
  }

 private:
  void require_images() const {
    if (!options_.images.empty() && !data::is_folder(options_.images))
      throw Error(ExitCode::kBadData, "the folder of images " + options_.images.string() + " does not exist",
                  "Relative paths start in the working folder, " + fs::current_path().string() + ".");
  }

  [[noreturn]] void refuse() const {
    std::string inside;
    for (const fs::path& entry : data::entries_of(data_)) {
      if (!data::is_folder(entry)) continue;
      try {
        if (!Recogniser(entry, options_).known(entry)) continue;
      } catch (const Error&) {
        continue;
      }
      inside += (inside.empty() ? "" : ", ") + entry.string();
    }
    throw Error(
        ExitCode::kBadData, data_.string() + " holds no data set with annotations",
        (inside.empty() ? "" : "A data set lies in " + inside + "; name that. ") + std::string(kExpected));
  }

  // What a folder is by its content; nullopt where it is none of the forms.
  std::optional<Layout> known(const fs::path& folder) {
    if (!options_.images.empty())
      if (auto layout = annotations_alone(folder)) return layout;
    if (const auto files = named_coco_files(folder); !files.empty()) return coco(files, folder);
    // Without labels the names are nobody's concern.
    if (const fs::path yaml = find_data_yaml(folder); !yaml.empty()) try {
        if (auto layout = listed_.of_yaml(yaml, folder)) return layout;
      } catch (const Error&) {
        if (options_.labels) throw;
      }
    if (auto layout = image_and_annotation_folders(folder)) return layout;
    if (auto layout = parts_in_folders(folder)) return layout;
    if (auto layout = side_by_side(folder)) return layout;
    if (auto layout = labels_in_parallel(folder)) return layout;
    if (const auto files = other_coco_files(folder); !files.empty()) return coco(files, folder);
    return std::nullopt;
  }

  Layout coco(const std::vector<fs::path>& files, const fs::path& base) const {
    return coco_layout(files, base, options_.images);
  }

  Layout one_picture() {
    Layout layout;
    if (options_.labels)
      throw Error(ExitCode::kBadData, data_.string() + " is one image, without annotations",
                  "Name the folder of the data set.");
    layout.words = "one image";
    layout.add(data_, {}, data_.parent_path());
    return layout;
  }

  // Images and annotations in folders of their own.
  Layout paired(Kind kind, const fs::path& images, const fs::path& annotations, const fs::path& base) {
    Layout layout;
    layout.kind = kind;
    const bool voc = kind == Kind::kVoc;
    layout.words = std::string(voc ? "PASCAL VOC" : "YOLO labels") + ": " + data::shown_path(images, base) +
                   "/ with " + data::shown_path(annotations, base) + "/";
    AnnotationFiles known(annotations, voc ? ".xml" : ".txt");
    for (const fs::path& image : data::pictures_of(images)) {
      const std::string stem = stem_of(image.lexically_relative(images));
      fs::path annotation = known.take(stem);
      if (annotation.empty()) annotation = annotations / (stem + (voc ? ".xml" : ".txt"));
      layout.add(image, annotation, images);
    }
    if (voc || images != annotations) add_deeper(layout, known, images);
    layout.orphans = known.left();
    if (!voc && options_.labels) layout.names = find_yolo_names(base);
    return layout;
  }

  // Images below the folder of others, where annotations are left for them. Others lie there for other ends.
  static void add_deeper(Layout& layout, AnnotationFiles& known, const fs::path& images) {
    const std::vector<fs::path> files = known.left();
    const std::set<fs::path> left(files.begin(), files.end());
    if (left.empty()) return;
    std::set<fs::path> added;
    for (const ImagePlace& image : layout.images) added.insert(image.image);
    for (const fs::path& image : data::files_below(images)) {
      if (added.contains(image) || data::has_extension(image, {".xml", ".txt", ".json"})) continue;
      const std::string stem = stem_of(image.lexically_relative(images));
      if (left.contains(known.of(stem)) && images::is_picture(image))
        layout.add(image, known.take(stem), images);
    }
  }

  std::optional<Layout> image_and_annotation_folders(const fs::path& folder) {
    const auto images = data::folder_named(folder, {"images", "jpegimages", "imgs", "img"});
    const auto annotations = data::folder_named(folder, {"annotations", "xmls", "xml"});
    const auto labels = data::folder_named(folder, {"labels"});
    if (annotations && (!images || !holds(*annotations, {".xml"})))
      if (const auto files = coco_files_in(*annotations); !files.empty()) return coco(files, folder);
    if (!images) return std::nullopt;
    if (annotations) return with_image_sets(paired(Kind::kVoc, *images, *annotations, folder), folder);
    if (!labels) return std::nullopt;
    const bool voc = holds(*labels, {".xml"}) && !holds(*labels, {".txt"});
    Layout layout = paired(voc ? Kind::kVoc : Kind::kYolo, *images, *labels, folder);
    for (ImagePlace& place : layout.images)
      if (const fs::path inside = fs::path(place.name); inside.has_parent_path())
        if (const std::string part = data::part_of_folder(inside.begin()->string()); !part.empty())
          place.parts.insert(part);
    return layout;
  }

  // Annotations whose images were said to lie elsewhere.
  std::optional<Layout> annotations_alone(const fs::path& folder) {
    for (const auto& name : {"annotations", "labels", "xmls"})
      if (const auto inside = data::folder_named(folder, {name}))
        if (holds(*inside, {".xml", ".txt"}) && !holds(*inside, {".json"}))
          return paired(holds(*inside, {".xml"}) ? Kind::kVoc : Kind::kYolo, options_.images, *inside,
                        folder);
    if (!named_coco_files(folder).empty() || data::folder_named(folder, {"annotations"})) return std::nullopt;
    if (holds(folder, {".xml"})) return paired(Kind::kVoc, options_.images, folder, folder);
    if (holds(folder, {".txt"})) return paired(Kind::kYolo, options_.images, folder, folder);
    return std::nullopt;
  }

  // Each image with a.xml, or with a.txt and a list of class names, beside it.
  std::optional<Layout> side_by_side(const fs::path& folder) {
    for (const fs::path& place : {folder, folder / "obj_train_data"}) {
      if (!data::is_folder(place)) continue;
      const std::vector<fs::path> pictures = data::pictures_of(place);
      if (pictures.empty() || pictures.front().parent_path() != place) continue;
      for (const Kind kind : {Kind::kVoc, Kind::kYolo}) {
        const std::string end = kind == Kind::kVoc ? ".xml" : ".txt";
        const bool any = std::any_of(pictures.begin(), pictures.end(), [&](const fs::path& picture) {
          return data::is_there(fs::path(picture).replace_extension(end));
        });
        if (!any) continue;
        Layout layout = paired(kind, place, place, folder);
        layout.words = std::string(kind == Kind::kVoc ? "PASCAL VOC" : "YOLO labels") +
                       ": beside the images" +
                       (place == folder ? "" : " in " + data::shown_path(place, folder) + "/");
        // Other texts lie about.
        if (kind == Kind::kYolo) layout.orphans.clear();
        return layout;
      }
    }
    return std::nullopt;
  }

  // ImageSets/Main/train.txt and its like name the images of the parts.
  Layout with_image_sets(Layout layout, const fs::path& folder) {
    const auto sets = data::folder_named(folder, {"imagesets"});
    const auto lists = sets ? data::folder_named(*sets, {"main"}) : std::nullopt;
    if (!lists) return layout;
    const auto list = [&](const char* name) { return data::file_named(*lists, {std::string_view(name)}); };
    bool any = false;
    const auto mark = [&](const fs::path& file, const char* part) {
      any = true;
      for (ImagePlace* image : listed_in(file, layout)) image->parts.insert(part);
    };
    for (const auto& [name, part] :
         {std::pair{"train.txt", "train"}, {"val.txt", "validation"}, {"test.txt", "test"}})
      if (const auto file = list(name)) mark(*file, part);
    const bool trained = list("train.txt").has_value();
    if (const auto file = list("trainval.txt"); file && !trained) mark(*file, "train");
    if (any) layout.words += ", parts of " + data::shown_path(*lists, folder) + "/";
    return layout;
  }

  // The images of `layout` that the list names; what it names beyond is among the problems.
  static std::set<ImagePlace*> listed_in(const fs::path& file, Layout& layout) {
    std::map<std::string, ImagePlace*> by_stem;
    for (ImagePlace& place : layout.images) {
      by_stem.emplace(stem_of(place.name), &place);
      by_stem.emplace(fs::path(stem_of(place.name)).filename().generic_string(), &place);
    }
    std::set<ImagePlace*> listed;
    std::size_t number = 0;
    for (const std::string& line : data::lines_of(data::read_text(file))) {
      ++number;
      const std::vector<std::string> words = data::words_of(line);
      if (words.empty()) continue;
      std::string name = data::with_slashes(words.front());
      if (images::format_of_name(name)) name = stem_of(name);
      if (const auto found = by_stem.find(name); found != by_stem.end())
        listed.insert(found->second);
      else
        layout.problems.push_back({file.string() + ", line " + std::to_string(number) +
                                       ": there is no image " + name + "; put it there or take the line out",
                                   {},
                                   std::nullopt});
    }
    return listed;
  }

  // A folder of images whose labels lie in a folder beside it: images/val, or images/ itself.
  std::optional<Layout> labels_in_parallel(const fs::path& folder) {
    if (!options_.labels) return std::nullopt;
    const std::vector<fs::path> pictures = data::pictures_of(folder);
    if (pictures.empty()) return std::nullopt;
    const fs::path whole = fs::absolute(folder).lexically_normal();
    const fs::path place = whole.has_filename() ? whole : whole.parent_path();
    const fs::path labels = labels_.of(place / "x.jpg").parent_path();
    if (labels == place || !data::is_folder(labels)) return std::nullopt;
    Layout layout = paired(Kind::kYolo, folder, labels, place.parent_path());
    layout.words = "YOLO labels: " + labels.generic_string();
    return layout;
  }

  // A list of images as the data set: of ImageSets/Main, or of paths.
  Layout by_list() {
    const fs::path place = fs::absolute(data_).lexically_normal(), lists = place.parent_path();
    if (lower_case(lists.filename().string()) == "main" &&
        lower_case(lists.parent_path().filename().string()) == "imagesets") {
      const fs::path root = lists.parent_path().parent_path();
      auto layout = image_and_annotation_folders(root);
      if (layout && layout->kind == Kind::kVoc) {
        layout->problems.clear();
        const std::set<ImagePlace*> listed = listed_in(data_, *layout);
        std::vector<ImagePlace> kept;
        for (ImagePlace& image : layout->images)
          if (listed.contains(&image)) kept.push_back({image.image, image.annotation, image.name, {}});
        layout->images = std::move(kept);
        layout->orphans.clear();
        return std::move(*layout);
      }
    }
    return listed_.of_list(data_);
  }

  // train/, valid/ and test/, each a data set of the same form.
  std::optional<Layout> parts_in_folders(const fs::path& folder) {
    std::vector<std::pair<std::string, fs::path>> folders;
    for (const fs::path& entry : data::entries_of(folder))
      if (const std::string part = data::part_of_folder(entry.filename().string());
          !part.empty() && data::is_folder(entry))
        folders.emplace_back(part, entry);
    std::optional<Layout> whole;
    for (const auto& [part, place] : folders) {
      std::optional<Layout> layout = known(place);
      if (!layout || !layout->parts.empty()) continue;
      for (ImagePlace& image : layout->images) {
        image.name = image.image.lexically_relative(folder).generic_string();
        image.parts = {part};
      }
      for (CocoPlace& file : layout->files) file.part = part;
      if (!whole) {
        layout->words = data::shown_path(place, folder) + "/ (" + layout->words + ")";
        whole = std::move(layout);
        continue;
      }
      if (whole->kind != layout->kind)
        throw Error(ExitCode::kBadData,
                    folder.string() + " holds parts of different forms: " + whole->words + "; " +
                        data::shown_path(place, folder) + "/ (" + layout->words + ")",
                    "Name the parts one by one.");
      whole->words += ", " + data::shown_path(place, folder) + "/";
      join(*whole, std::move(*layout), place);
    }
    if (!whole) return std::nullopt;
    for (const char* part : data::kPartNames)
      if (std::any_of(whole->files.begin(), whole->files.end(),
                      [&](const CocoPlace& file) { return file.part == part; }))
        whole->parts.emplace_back(part);
    return whole;
  }

  static void join(Layout& whole, Layout more, const fs::path& place) {
    if (whole.names && more.names && whole.names->names != more.names->names)
      throw Error(ExitCode::kBadData,
                  place.string() + " has other class names (" + more.names->file.string() + ") than " +
                      whole.names->file.string(),
                  "The same number must mean the same class in every part.");
    const auto append = [](auto& to, auto& from) {
      to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    };
    append(whole.images, more.images);
    append(whole.files, more.files);
    append(whole.orphans, more.orphans);
    append(whole.problems, more.problems);
    append(whole.warnings, more.warnings);
  }

  static std::size_t count_of(const Layout& layout, const std::string& part) {
    return static_cast<std::size_t>(
        std::count_if(layout.images.begin(), layout.images.end(),
                      [&](const auto& image) { return image.parts.contains(part); }));
  }

  Layout finish(Layout layout) const {
    std::sort(layout.images.begin(), layout.images.end(),
              [](const ImagePlace& a, const ImagePlace& b) { return a.name < b.name; });
    if (layout.kind != Kind::kCoco)
      for (const char* part : data::kPartNames)
        if (count_of(layout, part) > 0) layout.parts.emplace_back(part);
    drop_repeated_parts(layout);
    // A lone part is the whole set.
    const bool all = std::all_of(layout.images.begin(), layout.images.end(),
                                 [](const ImagePlace& image) { return !image.parts.empty(); });
    if (layout.parts.size() == 1 && all) layout.parts.clear();
    if (layout.names)
      for (std::string& warning : layout.names->warnings) layout.warnings.push_back(std::move(warning));
    if (layout.kind == Kind::kYolo && !listed_.unused().empty()) layout.warnings.push_back(listed_.unused());
    warn_of_shared(layout);
    std::string parts;
    for (const std::string& part : layout.parts)
      parts += (parts.empty() ? "; parts: " : ", ") + part +
               (layout.kind == Kind::kCoco ? "" : " (" + std::to_string(count_of(layout, part)) + ")");
    layout.words += parts;
    return layout;
  }

  // A part that is the training images again is none.
  static void drop_repeated_parts(Layout& layout) {
    if (layout.kind == Kind::kCoco || !layout.has_part("train")) return;
    for (const char* part : {"validation", "test"}) {
      const auto found = std::find(layout.parts.begin(), layout.parts.end(), part);
      if (found == layout.parts.end()) continue;
      const auto differs = [&](const ImagePlace& image) {
        return image.parts.contains(part) != image.parts.contains("train");
      };
      if (std::any_of(layout.images.begin(), layout.images.end(), differs)) continue;
      layout.parts.erase(found);
      layout.warnings.push_back(std::string("the ") + part +
                                " part of the set is its training part again, and counts as none");
    }
  }

  static void warn_of_shared(Layout& layout) {
    const auto shared = [](const ImagePlace& image) { return image.parts.size() > 1; };
    const auto count = std::count_if(layout.images.begin(), layout.images.end(), shared);
    if (count == 0 || layout.parts.empty()) return;
    const auto first = std::find_if(layout.images.begin(), layout.images.end(), shared);
    layout.warnings.push_back(std::to_string(count) + (count == 1 ? " image is" : " images are") +
                              " in more than one part, the first being " + first->name);
  }

  fs::path data_;
  LayoutOptions options_;
  LabelPlaces labels_;
  ListedImages listed_;
};

}  // namespace

void Layout::add(const fs::path& image, const fs::path& annotation, const fs::path& base) {
  const std::string name_below = image.lexically_relative(base).generic_string();
  images.push_back({image, annotation, name_below.empty() ? image.generic_string() : name_below, {}});
}

bool Layout::has_part(const std::string& part) const {
  return std::find(parts.begin(), parts.end(), part) != parts.end();
}

Layout recognise(const fs::path& data, const LayoutOptions& options) {
  Recogniser recogniser(data, options);
  return data::is_folder(data) ? recogniser.folder() : recogniser.file();
}

}  // namespace tune::trainer::detection
