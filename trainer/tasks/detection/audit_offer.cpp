// `tune-train audit`: duplicates, overlapping crops, bad boxes and class counts of a data set, or of two.
#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "trainer/tasks/detection/audit_pictures.h"
#include "trainer/tasks/detection/offers.h"
#include "trainer/tasks/detection/part_options.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::detection {
namespace {

constexpr std::size_t kShown = 20;  // findings of a kind in text; --json has them all

double rounded(double number) { return static_cast<double>(static_cast<long>(number * 1e4 + 0.5)) / 1e4; }

OrderedJson image_json(const Audit& audit, std::size_t image) {
  return {{"set", audit.images[image].set == 0 ? "data" : "against"},
          {"image_id", audit.example(image).image_id},
          {"image", audit.example(image).image.string()}};
}

OrderedJson set_json(const AuditedSet& set) {
  std::size_t objects = 0;
  OrderedJson classes = OrderedJson::array(), per_image = OrderedJson::object(),
              problems = OrderedJson::array();
  for (const auto& [name, images, count, groups] : set.classes) {
    classes.push_back({{"name", name}, {"images", images}, {"objects", count}, {"groups", groups}});
    objects += count;
  }
  for (const auto& [count, images] : set.objects) per_image[std::to_string(count)] = images;
  for (const DataProblem& problem : set.problems) {
    OrderedJson json{{"problem", problem.text}};
    if (!problem.image.empty()) json["image"] = problem.image.string();
    if (problem.box) json["box"] = {problem.box->x1, problem.box->y1, problem.box->x2, problem.box->y2};
    problems.push_back(json);
  }
  return {{"data", set.data.string()},
          {"images", set.dataset.examples.size()},
          {"objects", objects},
          {"classes", classes},
          {"images_by_objects", per_image},
          {"problems", problems},
          {"warnings", set.dataset.warnings}};
}

OrderedJson equal_json(const Audit& audit, const std::vector<EqualImages>& found) {
  OrderedJson list = OrderedJson::array();
  for (const EqualImages& equal : found) {
    OrderedJson images = OrderedJson::array();
    for (const std::size_t image : equal.images) images.push_back(image_json(audit, image));
    list.push_back({{"images", images}, {"same_boxes", equal.same_boxes}});
  }
  return list;
}

// By the ids of `data` alone, which is what its scores are resampled by.
OrderedJson groups_json(const Audit& audit) {
  OrderedJson groups = OrderedJson::array();
  for (const auto& group : audit.groups) {
    OrderedJson ids = OrderedJson::array();
    for (const std::size_t image : group)
      if (audit.images[image].set == 0) ids.push_back(audit.example(image).image_id);
    if (ids.size() > 1) groups.push_back(ids);
  }
  return groups;
}

OrderedJson to_json(const Audit& audit) {
  OrderedJson overlaps = OrderedJson::array();
  for (const Overlap& overlap : audit.overlaps)
    overlaps.push_back({{"first", image_json(audit, overlap.first)},
                        {"second", image_json(audit, overlap.second)},
                        {"shift", {overlap.dx, overlap.dy}},
                        {"share", rounded(overlap.share)},
                        {"correlation", rounded(overlap.correlation)},
                        {"coherence", rounded(overlap.coherence)}});
  OrderedJson json{{"schema", 1}, {"sets", OrderedJson::array()}};
  for (const AuditedSet& set : audit.sets) json["sets"].push_back(set_json(set));
  json["byte_equal"] = equal_json(audit, audit.byte_equal);
  json["pixel_equal"] = equal_json(audit, audit.pixel_equal);
  json["overlaps"] = overlaps;
  json["groups"] = groups_json(audit);
  return json;
}

void print_set(const AuditedSet& set, std::ostream& out) {
  std::size_t objects = 0;
  for (const AuditedClass& each : set.classes) objects += each.objects;
  out << visible_text(set.data.string()) << ": " << set.dataset.examples.size() << " images, " << objects
      << " objects\n\n"
      << std::left << std::setw(24) << "class" << std::right << std::setw(8) << "images" << std::setw(9)
      << "objects" << std::setw(8) << "groups"
      << "\n";
  for (const auto& [name, images, count, groups] : set.classes)
    out << std::left << std::setw(24) << visible_text(name) << std::right << std::setw(8) << images
        << std::setw(9) << count << std::setw(8) << groups << "\n";
  out << "\nimages by number of objects:";
  for (const auto& [count, images] : set.objects) out << "  " << count << ": " << images;
  out << "\n\nproblems: " << set.problems.size() << "\n";
  for (std::size_t i = 0; i < std::min(kShown, set.problems.size()); ++i)
    out << "  - " << visible_text(set.problems[i].text) << "\n";
  if (set.problems.size() > kShown) out << "  - and " << set.problems.size() - kShown << " more\n";
  out << "\n";
}

std::string name_of(const Audit& audit, std::size_t image) {
  return (audit.images[image].set == 0 ? "" : "against: ") +
         visible_text(audit.example(image).image.filename().string());
}

void print_equal(const Audit& audit, const char* title, const std::vector<EqualImages>& found,
                 std::ostream& out) {
  out << title << ": " << found.size() << "\n";
  for (std::size_t i = 0; i < std::min(kShown, found.size()); ++i) {
    out << "  -";
    for (const std::size_t image : found[i].images) out << " " << name_of(audit, image);
    out << (found[i].same_boxes ? "" : " (different boxes)") << "\n";
  }
  if (found.size() > kShown) out << "  - and " << found.size() - kShown << " more\n";
}

void print_overlaps(const Audit& audit, std::ostream& out) {
  std::size_t between = 0, in_groups = 0, largest = 0;
  for (const Overlap& overlap : audit.overlaps)
    between += audit.images[overlap.first].set != audit.images[overlap.second].set ? 1 : 0;
  for (const auto& group : audit.groups) {
    in_groups += group.size();
    largest = std::max(largest, group.size());
  }
  out << "overlapping crops: " << audit.overlaps.size() << " pairs";
  if (audit.sets.size() > 1) out << ", " << between << " of them between the two sets";
  out << "\n";
  for (std::size_t i = 0; i < std::min(kShown, audit.overlaps.size()); ++i) {
    const Overlap& overlap = audit.overlaps[i];
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "  shift (%d, %d), %.0f %% of the area, correlation %.2f",
                  overlap.dx, overlap.dy, 100 * overlap.share, overlap.correlation);
    out << "  - " << name_of(audit, overlap.first) << " " << name_of(audit, overlap.second) << numbers
        << "\n";
  }
  if (audit.overlaps.size() > kShown) out << "  - and " << audit.overlaps.size() - kShown << " more\n";
  out << "groups of overlapping or equal images: " << audit.groups.size() << " of " << in_groups
      << " images, the largest of " << largest << "\n";
  if (!audit.groups.empty())
    out << "  a split image by image leaks; {\"split\": {\"grouping\": \"content\"}} keeps each group "
           "together\n";
}

loop::Answer answer_audit(const loop::Request& request) {
  AuditRequest asked;
  asked.data = request.text("data");
  if (request.has("against")) asked.against = request.text("against");
  asked.part = part_choice(request);
  asked.threads = loop::threads_for(request);
  asked.notes = &request.notes;
  asked.interrupted = request.interrupted;
  if (request.has("output")) make_picture_folder(request.text("output"));
  const Audit audit = detection::audit(asked);
  if (request.has("output")) {
    const std::string folder = request.text("output");
    const std::size_t pictures = write_audit_pictures(audit, folder);
    request.notes << pictures << " pictures: " << folder << "/index.html" << std::endl;
  }
  if (request.as_json) return {to_json(audit), ""};
  std::ostringstream text;
  for (const AuditedSet& set : audit.sets) print_set(set, text);
  print_equal(audit, "equal files", audit.byte_equal, text);
  print_equal(audit, "equal pixels in different files", audit.pixel_equal, text);
  print_overlaps(audit, text);
  return {{}, text.str()};
}

}  // namespace

loop::Offer audit_offer() {
  std::vector<loop::Option> options{{"data", "DATA", "data set", true},
                                    {"against", "DATA", "another one, to be apart from the first"},
                                    {"output", "FOLDER", "pictures of the findings and an index.html"},
                                    {"threads", "N", "of the CPU; all cores by default"}};
  add_part_options(options);
  return {"audit", options, answer_audit, /*stops_on_signal=*/true};
}

}  // namespace tune::trainer::detection
