#include "trainer/tasks/detection/data/layout.h"

#include <algorithm>
#include <map>

#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "trainer/tasks/detection/data/annotation_places.h"
#include "trainer/tasks/detection/data/coco_places.h"
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

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path common_folder(const std::vector<fs::path>& folders) {
  fs::path common = folders.front().lexically_normal();
  for (const fs::path& folder : folders) {
    const fs::path other = folder.lexically_normal();
    const auto [a, b] = std::mismatch(common.begin(), common.end(), other.begin(), other.end());
    fs::path shared;
    for (auto at = common.begin(); at != a; ++at) shared /= *at;
    common = shared;
  }
  return common;
}

bool holds(const fs::path& folder, std::initializer_list<std::string_view> extensions) {
  const std::vector<fs::path> files = data::files_below(folder);
  return std::any_of(files.begin(), files.end(),
                     [&](const fs::path& file) { return data::has_extension(file, extensions); });
}

// Recognises one data set; lives for one call, on its thread.
class Recogniser {
 public:
  Recogniser(const fs::path& data, const LayoutOptions& options)
      : data_(data.has_filename() ? data : data.parent_path()), options_(options) {}

  Layout file() {
    require_images();
    if (data::has_extension(data_, {".yaml", ".yml"})) {
      if (auto layout = by_yaml(data_, data_.parent_path())) return finish(std::move(*layout));
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
    for (const fs::path& image : data::pictures_of(place)) add_image(layout, image, {}, place);
    return finish(std::move(layout));
  }

 private:
  void require_images() const {
    if (!options_.images.empty() && !is_folder(options_.images))
      throw Error(ExitCode::kBadData, "the folder of images " + options_.images.string() + " does not exist",
                  "Relative paths start in the working folder, " + fs::current_path().string() + ".");
  }

  [[noreturn]] void refuse() const {
    std::string inside;
    for (const fs::path& entry : data::entries_of(data_)) {
      if (!is_folder(entry)) continue;
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
        if (auto layout = by_yaml(yaml, folder)) return layout;
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

  void add_image(Layout& layout, const fs::path& image, const fs::path& annotation, const fs::path& base) {
    const std::string name = image.lexically_relative(base).generic_string();
    layout.images.push_back({image, annotation, name.empty() ? image.generic_string() : name, {}});
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
    add_image(layout, data_, {}, data_.parent_path());
    return layout;
  }

  // Images and annotations in folders of their own.
  Layout paired(Kind kind, const fs::path& images, const fs::path& annotations, const fs::path& base) {
    Layout layout;
    layout.kind = kind;
    const bool voc = kind == Kind::kVoc;
    layout.words = std::string(voc ? "PASCAL VOC" : "YOLO labels") + ": " + shown_path(images, base) +
                   "/ with " + shown_path(annotations, base) + "/";
    AnnotationFiles known(annotations, voc ? ".xml" : ".txt");
    for (const fs::path& image : data::pictures_of(images)) {
      const std::string stem = stem_of(image.lexically_relative(images));
      fs::path annotation = known.take(stem);
      if (annotation.empty()) annotation = annotations / (stem + (voc ? ".xml" : ".txt"));
      add_image(layout, image, annotation, images);
    }
    layout.orphans = known.left();
    if (!voc && options_.labels) layout.names = find_yolo_names(base);
    return layout;
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
        if (const std::string part = part_of_folder(inside.begin()->string()); !part.empty())
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
      if (!is_folder(place)) continue;
      const std::vector<fs::path> pictures = data::pictures_of(place);
      if (pictures.empty() || pictures.front().parent_path() != place) continue;
      for (const Kind kind : {Kind::kVoc, Kind::kYolo}) {
        const std::string end = kind == Kind::kVoc ? ".xml" : ".txt";
        const bool any = std::any_of(pictures.begin(), pictures.end(), [&](const fs::path& picture) {
          return is_there(fs::path(picture).replace_extension(end));
        });
        if (!any) continue;
        Layout layout = paired(kind, place, place, folder);
        layout.words = std::string(kind == Kind::kVoc ? "PASCAL VOC" : "YOLO labels") +
                       ": beside the images" +
                       (place == folder ? "" : " in " + shown_path(place, folder) + "/");
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
    for (const auto& [name, part] :
         {std::pair{"train.txt", "train"}, {"val.txt", "validation"}, {"test.txt", "test"}})
      if (const auto file = list(name)) any = true, mark_listed(layout, *file, part);
    const bool trained = list("train.txt").has_value();
    if (const auto file = list("trainval.txt"); file && !trained)
      any = true, mark_listed(layout, *file, "train");
    if (any) layout.words += ", parts of " + shown_path(*lists, folder) + "/";
    return layout;
  }

  void mark_listed(Layout& layout, const fs::path& file, const std::string& part) {
    std::map<std::string, ImagePlace*> by_stem;
    for (ImagePlace& place : layout.images) {
      by_stem.emplace(stem_of(place.name), &place);
      by_stem.emplace(fs::path(stem_of(place.name)).filename().generic_string(), &place);
    }
    std::size_t number = 0;
    for (const std::string& line : data::lines_of(data::read_text(file))) {
      ++number;
      const std::vector<std::string> words = data::words_of(line);
      if (words.empty()) continue;
      std::string name = data::with_slashes(words.front());
      if (images::format_of_name(name)) name = stem_of(name);
      if (const auto found = by_stem.find(name); found != by_stem.end())
        found->second->parts.insert(part);
      else
        layout.problems.push_back({file.string() + ", line " + std::to_string(number) +
                                       ": there is no image " + name + "; put it there or take the line out",
                                   {},
                                   std::nullopt});
    }
  }

  // A folder of images whose labels lie in a folder beside it: images/val, or images/ itself.
  std::optional<Layout> labels_in_parallel(const fs::path& folder) {
    if (!options_.labels) return std::nullopt;
    const std::vector<fs::path> pictures = data::pictures_of(folder);
    if (pictures.empty()) return std::nullopt;
    const fs::path whole = fs::absolute(folder).lexically_normal();
    const fs::path place = whole.has_filename() ? whole : whole.parent_path();
    const fs::path labels = labels_.of(place / "x.jpg").parent_path();
    if (labels == place || !is_folder(labels)) return std::nullopt;
    Layout layout = paired(Kind::kYolo, folder, labels, place.parent_path());
    layout.words = "YOLO labels: " + labels.generic_string();
    return layout;
  }

  // The folder or list that an entry of data.yaml means; empty where none exists. Roboflow's begin with ../
  // for folders that lie beside the file, and `path` is often a folder of another machine.
  static fs::path place_of(const std::string& entry, const std::string& root, const fs::path& folder) {
    const std::string path = data::with_slashes(entry);
    const fs::path base = root.empty() ? folder : folder / data::with_slashes(root);
    std::vector<fs::path> candidates{base / path, folder / path};
    if (path.starts_with("../")) candidates.push_back(folder / path.substr(3));
    for (const fs::path& candidate : candidates)
      if (is_there(candidate)) return candidate.lexically_normal();
    return {};
  }

  // What there is to say of training images that were not found.
  static std::string training_images_of(const DataYaml& yaml, const std::vector<std::string>& missing) {
    if (yaml.parts.at("train").empty()) return "its `train` names no training images";
    const std::string& first = yaml.parts.at("train").front();
    const bool is_missing = std::find(missing.begin(), missing.end(), first) != missing.end();
    return "its training images " + first + (is_missing ? " do not exist" : " hold no picture");
  }

  // What there is to say of a `path` that leads out of the folder; "" where nothing is.
  static std::string said_of_root(const DataYaml& yaml, const fs::path& folder) {
    if (yaml.root.empty()) return "";
    const fs::path here = fs::absolute(folder.empty() ? fs::path(".") : folder).lexically_normal();
    const fs::path root = (here / data::with_slashes(yaml.root)).lexically_normal();
    if (!is_folder(root))
      return ": its `path` " + yaml.root + " does not exist, so its images are looked for beside the file";
    const fs::path inside = root.lexically_relative(here);
    if (!inside.empty() && *inside.begin() != "..") return "";
    return ": its `path` leads out of its folder, so the images are those in " + root.string();
  }

  std::optional<Layout> by_yaml(const fs::path& file, const fs::path& folder) {
    if (!is_there(file)) return std::nullopt;
    const DataYaml yaml = parse_data_yaml(data::read_text(file), file.string());
    Layout layout;
    layout.kind = Kind::kYolo;
    layout.words = "YOLO labels: " + shown_path(file, folder);
    std::map<std::string, std::vector<fs::path>> images;  // by part
    std::vector<fs::path> folders;
    std::vector<std::string> missing;
    for (const auto& [part, entries] : yaml.parts)
      for (const std::string& entry : entries) {
        const fs::path place = place_of(entry, yaml.root, folder.empty() ? fs::path(".") : folder);
        if (place.empty()) {
          missing.push_back(entry);
          continue;
        }
        const bool lists = !is_folder(place);
        if (!lists) folders.push_back(place);
        for (const fs::path& image : lists ? listed(place, layout) : data::pictures_of(place)) {
          images[part].push_back(image.lexically_normal());
          if (lists) folders.push_back(images[part].back().parent_path());
        }
      }
    if (!images.contains("train")) {
      if (yaml.parts.contains("train"))
        unused_ =
            file.string() + ": " + training_images_of(yaml, missing) + ", so it gives the class names alone";
      return std::nullopt;
    }
    if (const std::string said = said_of_root(yaml, folder); !said.empty())
      layout.warnings.push_back(file.string() + said);
    for (const std::string& entry : missing)
      layout.warnings.push_back(file.string() + ": " + entry + " does not exist, so that part is left out");
    const fs::path base = common_folder(folders);
    std::map<fs::path, std::size_t> index;
    for (const auto& [part, of_part] : images)
      for (const fs::path& image : of_part) {
        const auto [found, added] = index.emplace(image, layout.images.size());
        if (added) add_image(layout, image, labels_.of(image), base);
        layout.images[found->second].parts.insert(part);
      }
    add_orphans(layout, folders);
    if (options_.labels) layout.names = find_yolo_names_of(file, yaml);
    return layout;
  }

  // Labels below the labels/ of these folders that no image asked for.
  void add_orphans(Layout& layout, const std::vector<fs::path>& folders) {
    std::set<fs::path> wanted, looked_at;
    for (const ImagePlace& place : layout.images) wanted.insert(place.annotation.lexically_normal());
    for (const fs::path& folder : folders) {
      const fs::path labels = labels_.of(folder / "x.jpg").parent_path();
      if (labels == folder || !is_folder(labels) || !looked_at.insert(labels).second) continue;
      for (const fs::path& file : data::files_in(labels))
        if (data::has_extension(file, {".txt"}) && file.filename() != "classes.txt" &&
            !wanted.contains(file.lexically_normal()))
          layout.orphans.push_back(file);
    }
  }

  // The file's own names, held against those beside it.
  static YoloNames find_yolo_names_of(const fs::path& file, const DataYaml& yaml) {
    const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
    if (find_data_yaml(folder) == file) return find_yolo_names(folder);
    return {file, yaml.names, {}};
  }

  // Paths of images, one a line, below the list's folder, its parent or the working folder.
  std::vector<fs::path> listed(const fs::path& list, Layout& layout) {
    std::vector<fs::path> found;
    const fs::path folder = list.parent_path().empty() ? fs::path(".") : list.parent_path();
    std::size_t number = 0;
    for (const std::string& line : data::lines_of(data::read_text(list))) {
      ++number;
      const std::string name = data::with_slashes(data::trimmed(line));
      if (name.empty()) continue;
      // CVAT's lists begin with the data/ of their archive.
      std::vector<fs::path> candidates{folder / name, folder / ".." / name, name};
      if (name.starts_with("data/")) candidates.insert(candidates.begin() + 1, folder / name.substr(5));
      const auto there = std::find_if(candidates.begin(), candidates.end(), is_there);
      if (there != candidates.end())
        found.push_back(there->lexically_normal());
      else
        layout.problems.push_back({list.string() + ", line " + std::to_string(number) +
                                       ": there is no image " + name + "; put it there or take the line out",
                                   {},
                                   std::nullopt});
    }
    return found;
  }

  // A list of images as the data set: of ImageSets/Main, or of paths.
  Layout by_list() {
    const fs::path place = fs::absolute(data_).lexically_normal(), lists = place.parent_path();
    if (data::lower_case(lists.filename().string()) == "main" &&
        data::lower_case(lists.parent_path().filename().string()) == "imagesets") {
      const fs::path root = lists.parent_path().parent_path();
      auto layout = image_and_annotation_folders(root);
      if (layout && layout->kind == Kind::kVoc) {
        for (ImagePlace& image : layout->images) image.parts.clear();
        layout->problems.clear();
        mark_listed(*layout, data_, "listed");
        std::erase_if(layout->images, [](const ImagePlace& image) { return image.parts.empty(); });
        for (ImagePlace& image : layout->images) image.parts.clear();
        layout->orphans.clear();
        return std::move(*layout);
      }
    }
    Layout layout;
    layout.kind = options_.labels ? Kind::kYolo : Kind::kImages;
    layout.words = options_.labels ? "YOLO labels: a list of images" : "a list of images";
    std::vector<fs::path> folders;
    const std::vector<fs::path> images = listed(data_, layout);
    if (images.empty() && layout.problems.empty())
      throw Error(ExitCode::kBadData, data_.string() + " names no image", "Write one path a line.");
    for (const fs::path& image : images) folders.push_back(image.parent_path());
    if (!images.empty()) {
      const fs::path base = common_folder(folders);
      for (const fs::path& image : images) add_image(layout, image, labels_.of(image), base);
    }
    if (options_.labels)
      layout.names = find_yolo_names(data_.parent_path().empty() ? "." : data_.parent_path());
    return layout;
  }

  // train/, valid/ and test/, each a data set of the same form.
  std::optional<Layout> parts_in_folders(const fs::path& folder) {
    std::vector<std::pair<std::string, fs::path>> folders;
    for (const fs::path& entry : data::entries_of(folder))
      if (const std::string part = part_of_folder(entry.filename().string());
          !part.empty() && is_folder(entry))
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
        layout->words = shown_path(place, folder) + "/ (" + layout->words + ")";
        whole = std::move(layout);
        continue;
      }
      if (whole->kind != layout->kind)
        throw Error(ExitCode::kBadData,
                    folder.string() + " holds parts of different forms: " + whole->words + "; " +
                        shown_path(place, folder) + "/ (" + layout->words + ")",
                    "Name the parts one by one.");
      whole->words += ", " + shown_path(place, folder) + "/";
      join(*whole, std::move(*layout), place);
    }
    if (!whole) return std::nullopt;
    for (const char* part : kPartNames)
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
      for (const char* part : kPartNames)
        if (count_of(layout, part) > 0) layout.parts.emplace_back(part);
    // A lone part is the whole set; a part that is the training images again is none.
    for (const char* part : {"validation", "test"}) {
      const auto found = std::find(layout.parts.begin(), layout.parts.end(), part);
      if (layout.kind == Kind::kCoco || found == layout.parts.end() || !layout.has_part("train")) continue;
      const auto differs = [&](const ImagePlace& image) {
        return image.parts.contains(part) != image.parts.contains("train");
      };
      if (std::any_of(layout.images.begin(), layout.images.end(), differs)) continue;
      layout.parts.erase(found);
      layout.warnings.push_back(std::string("the ") + part +
                                " part of the set is its training part again, and counts as none");
    }
    const bool all = std::all_of(layout.images.begin(), layout.images.end(),
                                 [](const ImagePlace& image) { return !image.parts.empty(); });
    if (layout.parts.size() == 1 && all) layout.parts.clear();
    if (layout.names)
      for (std::string& warning : layout.names->warnings) layout.warnings.push_back(std::move(warning));
    if (layout.kind == Kind::kYolo && !unused_.empty()) layout.warnings.push_back(unused_);
    warn_of_shared(layout);
    std::string parts;
    for (const std::string& part : layout.parts)
      parts += (parts.empty() ? "; parts: " : ", ") + part +
               (layout.kind == Kind::kCoco ? "" : " (" + std::to_string(count_of(layout, part)) + ")");
    layout.words += parts;
    return layout;
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
  std::string unused_;  // what a data.yaml names in vain
};

}  // namespace

bool Layout::has_part(const std::string& part) const {
  return std::find(parts.begin(), parts.end(), part) != parts.end();
}

Layout recognise(const fs::path& data, const LayoutOptions& options) {
  Recogniser recogniser(data, options);
  return is_folder(data) ? recogniser.folder() : recogniser.file();
}

}  // namespace tune::trainer::detection
