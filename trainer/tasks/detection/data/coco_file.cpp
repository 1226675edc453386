#include "trainer/tasks/detection/data/coco_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? data::trimmed(found->get_ref<const std::string&>())
                                                     : "";
}

// Reads one file; lives for one call.
class Reader {
 public:
  Reader(const fs::path& file, CocoUse use, data::Problems& problems)
      : file_(file), use_(use), problems_(problems) {}

  CocoContent read() {
    document_ = data::read_json(file_, "segmentation");  // outlines are most of a file, and not used here
    require_lists();
    read_categories();
    read_images();
    if (use_ != CocoUse::kPrediction) read_objects();
    as_text_.tell(" number is written as a text, and taken as the number",
                  " numbers are written as texts, and taken as the numbers", content_.warnings);
    flags_.tell(" flag is written as a text, and taken as it reads",
                " flags are written as texts, and taken as they read", content_.warnings);
    no_size_.tell(" width or height of an image is none, and not compared with the image",
                  " widths and heights of images are none, and not compared with the images",
                  content_.warnings);
    no_area_.tell(" \"area\" is no area, and the box's own is taken",
                  " \"area\"s are no areas, and the boxes' own are taken", content_.warnings);
    negative_area_.tell(" \"area\" is negative: pycocotools, and so this command, counts no such object",
                        " \"area\"s are negative: pycocotools, and so this command, counts no such object",
                        content_.warnings);
    twice_.tell(" annotation has the id of another", " annotations have the ids of others",
                content_.warnings);
    return std::move(content_);
  }

 private:
  std::string entry(const char* list, std::size_t index) const {
    return file_.string() + ", " + list + "[" + std::to_string(index) + "]";
  }

  void require_lists() const {
    if (!document_.is_object())
      throw Error(ExitCode::kBadData, file_.string() + " is not a COCO file: its top level is no object",
                  "Detections in COCO's results format belong to `tune-train score`.");
    if (!document_.contains("categories"))
      throw Error(ExitCode::kBadData, file_.string() + " has no \"categories\"",
                  "JSON without categories, whose boxes are [xmin, ymin, xmax, ymax], is not read by this "
                  "version; add the categories and write the boxes as [x, y, width, height].");
    for (const char* key : {"images", "categories", "annotations"}) {
      if (use_ == CocoUse::kPrediction && std::string_view(key) == "annotations") continue;
      if (!document_.contains(key) || !document_.at(key).is_array())
        throw Error(ExitCode::kBadData, file_.string() + " has no list \"" + key + "\"",
                    "A COCO file has the lists images, annotations and categories.");
    }
  }

  // The whole number of that key; without it a problem.
  std::optional<std::int64_t> whole(const Json& object, const char* key, const std::string& where) {
    const bool there = object.is_object() && object.contains(key) && !object.at(key).is_null();
    if (!there) {
      problems_.add(where + ": \"" + key + "\" is missing or no integer");
      return std::nullopt;
    }
    const Json& value = object.at(key);
    const std::optional<std::int64_t> number = data::whole_number(value);
    if (!number)
      problems_.add(where + ": \"" + key + "\" is missing or no integer: it " + data::not_whole(value));
    else if (value.is_string())
      as_text_.add(where + ": \"" + key + "\" is " + value.dump());
    return number;
  }

  std::optional<double> number(const Json& value, const char* key, const std::string& where) {
    const std::optional<double> number = data::number_of(value);
    if (number && value.is_string()) as_text_.add(where + ": \"" + key + "\" is " + value.dump());
    return number;
  }

  // The width or height that an image states, if it does.
  int side(const Json& image, const char* key, const std::string& where) {
    const auto found = image.find(key);
    if (found == image.end()) return 0;
    const std::optional<double> pixels = number(*found, key, where);
    if (pixels && *pixels >= 1 && *pixels < 1e9 && std::floor(*pixels) == *pixels)
      return static_cast<int>(*pixels);
    if (!found->is_null()) no_size_.add(where + ": \"" + key + "\" is " + shown(*found));
    return 0;
  }

  // Ids of categories that have a box; what is no number is told elsewhere.
  std::set<std::int64_t> used_categories() const {
    std::set<std::int64_t> used;
    const auto list = document_.find("annotations");
    if (list == document_.end() || !list->is_array()) return used;
    for (const Json& annotation : *list)
      if (annotation.is_object())
        if (const auto id = annotation.find("category_id"); id != annotation.end())
          if (const auto number = data::whole_number(*id)) used.insert(*number);
    return used;
  }

  // Roboflow's files begin with the project's name as a category that the others belong to.
  static bool only_groups(const CocoCategory& category, const std::map<std::int64_t, std::string>& groups,
                          const std::set<std::int64_t>& used) {
    const std::string own = groups.at(category.id);
    if (used.contains(category.id) || (!own.empty() && own != "none" && own != category.name)) return false;
    return std::any_of(groups.begin(), groups.end(), [&](const auto& other) {
      return other.first != category.id && other.second == category.name;
    });
  }

  void read_categories() {
    std::map<std::int64_t, CocoCategory> by_id;
    std::map<std::int64_t, std::string> groups, places;
    const Json& list = document_.at("categories");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string where = entry("categories", i);
      const auto id = whole(list[i], "id", where);
      if (!id) continue;
      std::string name = text_at(list[i], "name");
      if (name.empty() && use_ == CocoUse::kScoring) name = "category " + std::to_string(*id);
      if (name.empty())
        problems_.add(where + ": \"name\" is missing or empty");
      else if (!by_id.emplace(*id, CocoCategory{*id, name}).second)
        problems_.add(where + ": the id " + std::to_string(*id) + " is taken by \"" + by_id[*id].name + "\"");
      else
        groups[*id] = text_at(list[i], "supercategory"), places[*id] = where;
    }
    const std::set<std::int64_t> used = used_categories();
    std::set<std::string> seen;
    for (const auto& [id, category] : by_id) {
      known_categories_.insert(id);
      if (only_groups(category, groups, used)) {
        content_.warnings.push_back(places[id] + ": the category \"" + category.name +
                                    "\" groups others and has no box, so it is no class");
        continue;
      }
      if (!seen.insert(category.name).second && use_ != CocoUse::kScoring)
        problems_.add(places[id] + ": the name \"" + category.name + "\" appears twice");
      content_.categories.push_back(category);
    }
  }

  void read_images() {
    const Json& list = document_.at("images");
    for (std::size_t i = 0; i < list.size(); ++i) {
      CocoImage image;
      image.where = entry("images", i);
      const auto id = whole(list[i], "id", image.where);
      if (!id) continue;
      image.id = *id;
      image.name = data::with_slashes(text_at(list[i], "file_name"));
      if (image.name.empty() && use_ != CocoUse::kScoring) {
        problems_.add(image.where + ": \"file_name\" is missing or no text");
        continue;
      }
      // Where a path ends for the system: another file would be read.
      if (image.name.find('\0') != image.name.npos) {
        problems_.add(image.where + ": \"file_name\" is " + list[i].at("file_name").dump() +
                      ", and no file's name holds a NUL");
        continue;
      }
      if (!known_images_.insert(*id).second) {
        problems_.add(image.where + " (" + image.name + "): the image id " + std::to_string(*id) +
                      " appears twice; ids are unique");
        continue;
      }
      image.width = side(list[i], "width", image.where);
      image.height = side(list[i], "height", image.where);
      content_.images.push_back(std::move(image));
    }
  }

  void read_objects() {
    const Json& list = document_.at("annotations");
    for (std::size_t i = 0; i < list.size(); ++i) read_object(list[i], entry("annotations", i));
  }

  void read_object(const Json& annotation, std::string where) {
    CocoObject object;
    if (annotation.is_object() && annotation.contains("id") && !annotation["id"].is_null()) {
      if (!take_id(annotation, where, object)) return;
      where += " (id " + annotation["id"].dump() + ")";
    }
    object.where = where;
    const auto image = whole(annotation, "image_id", where),
               category = whole(annotation, "category_id", where);
    if (!image || !category) return;
    object.image_id = *image;
    object.category_id = *category;
    if (!known_images_.contains(*image))
      return problems_.add(where + ": no image has the id " + std::to_string(*image));
    if (!known_categories_.contains(*category))
      return problems_.add(where + ": no category has the id " + std::to_string(*category));
    if (!take_box(annotation, object) || !take_flags(annotation, object)) return;
    if (const auto area = annotation.find("area"); area != annotation.end() && !area->is_null())
      take_area(*area, object);
    content_.objects.push_back(std::move(object));
  }

  // Only pycocotools, and so scoring, looks at ids of annotations; it keeps the last of several.
  bool take_id(const Json& annotation, const std::string& where, CocoObject& object) {
    const Json& value = annotation["id"];
    const std::optional<std::int64_t> id = data::whole_number(value);
    if (!id && use_ != CocoUse::kScoring) return true;
    if (!id) {
      problems_.add(where + ": \"id\" " + data::not_whole(value));
      return false;
    }
    object.id_is_zero = *id == 0;
    if (ids_.insert(*id).second) return true;
    const std::string twice = where + ": the id " + std::to_string(*id) + " appears twice";
    if (use_ != CocoUse::kScoring) twice_.add(twice);
    if (use_ == CocoUse::kScoring) problems_.add(twice + "; number the annotations from 1");
    return use_ != CocoUse::kScoring;
  }

  bool take_box(const Json& annotation, CocoObject& object) {
    const auto box = annotation.find("bbox");
    const auto refuse = [&] {
      problems_.add(object.where + ": \"bbox\" is not [x, y, width, height]" +
                    (box == annotation.end() ? "" : " but " + shown(*box)));
      return false;
    };
    if (box == annotation.end() || !box->is_array() || box->size() != object.box.size()) return refuse();
    for (std::size_t i = 0; i < object.box.size(); ++i) {
      const std::optional<double> value = number((*box)[i], "bbox", object.where);
      if (!value) return refuse();
      object.box[i] = *value;
    }
    if (object.box[2] >= 0 && object.box[3] >= 0) return true;
    problems_.add(object.where + ": the " + (object.box[2] < 0 ? "width" : "height") + " of \"bbox\" " +
                  box->dump() + " is negative; it is [x, y, width, height] from the upper left corner");
    return false;
  }

  // Scoring takes an area that is none as pycocotools does.
  void take_area(const Json& area, CocoObject& object) {
    object.area = number(area, "area", object.where);
    if (object.area && std::isfinite(*object.area) && *object.area >= 0) return;
    const bool as_it_stands = object.area && *object.area < 0 && use_ == CocoUse::kScoring;
    (as_it_stands ? negative_area_ : no_area_).add(object.where + ": it is " + shown(area));
    if (!as_it_stands) object.area.reset();
  }

  static std::string shown(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  bool take_flags(const Json& annotation, CocoObject& object) {
    for (const auto& [key, flag] : {std::pair{"iscrowd", &object.crowd}, {"difficult", &object.difficult}}) {
      const std::optional<bool> value = data::flag_of(annotation.value(key, Json()));
      if (!value) {
        problems_.add(object.where + ": \"" + key + "\" is " + shown(annotation[key]) + ", neither 0 nor 1");
        return false;
      }
      if (const auto found = annotation.find(key); found != annotation.end() && found->is_string())
        (data::number_of(*found) ? as_text_ : flags_)
            .add(object.where + ": \"" + key + "\" is " + shown(*found));
      *flag = *value;
    }
    return true;
  }

  fs::path file_;
  CocoUse use_;
  data::Problems& problems_;
  Json document_;
  CocoContent content_;
  data::Tally as_text_, flags_, no_size_, no_area_, negative_area_, twice_;
  std::set<std::int64_t> known_images_, known_categories_, ids_;
};

}  // namespace

CocoContent read_coco_content(const fs::path& file, CocoUse use, data::Problems& problems) {
  return Reader(file, use, problems).read();
}

}  // namespace tune::trainer::detection
