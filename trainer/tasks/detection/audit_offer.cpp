// `tune-train audit`: duplicates, overlapping crops, bad boxes and class counts of a data set, or of two.
#include <algorithm>
#include <iomanip>

#include "trainer/tasks/detection/audit_pictures.h"
#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/image_sets/audit_report.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::detection {
namespace {

OrderedJson image_json(const Audit& audit, std::size_t image) {
  return {{"set", audit.images[image].set == 0 ? "data" : "against"},
          {"image_id", audit.example(image).image_id},
          {"image", audit.example(image).image.string()}};
}

OrderedJson set_json(const AuditedSet& set) {
  std::size_t objects = 0;
  OrderedJson classes = OrderedJson::array(), per_image = OrderedJson::object();
  for (const auto& [name, images, count, groups] : set.classes) {
    classes.push_back({{"name", name}, {"images", images}, {"objects", count}, {"groups", groups}});
    objects += count;
  }
  for (const auto& [count, images] : set.objects) per_image[std::to_string(count)] = images;
  return {{"data", set.data.string()},
          {"form", set.dataset.form},
          {"images", set.dataset.examples.size()},
          {"objects", objects},
          {"classes", classes},
          {"images_by_objects", per_image},
          {"problems", image_sets::problems_json(set.problems)},
          {"left_out", image_sets::problems_json(set.left_out)},
          {"warnings", set.dataset.warnings}};
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
  const image_sets::ImageJson image = [&](std::size_t index) { return image_json(audit, index); };
  OrderedJson json{{"schema", 1}, {"sets", OrderedJson::array()}};
  for (const AuditedSet& set : audit.sets) json["sets"].push_back(set_json(set));
  json["byte_equal"] = image_sets::equal_json(audit.byte_equal, "same_boxes", image);
  json["pixel_equal"] = image_sets::equal_json(audit.pixel_equal, "same_boxes", image);
  json["overlaps"] = image_sets::overlaps_json(audit.overlaps, image);
  json["groups"] = groups_json(audit);
  if (!audit.sets.empty() && !audit.sets.front().split.is_null()) json["split"] = audit.sets.front().split;
  json["leaks"] = image_sets::count_leaks(audit.shown, audit);
  if (audit.failure) json["failure"] = audit.failure->what();
  return json;
}

void print_set(const AuditedSet& set, std::ostream& out) {
  std::size_t objects = 0;
  for (const AuditedClass& each : set.classes) objects += each.objects;
  out << visible_text(set.data.string()) << ": " << plural_text(set.dataset.examples.size(), "image") << ", "
      << plural_text(objects, "object") << "\n"
      << visible_text(set.dataset.form) << "\n\n"
      << std::left << std::setw(24) << "class" << std::right << std::setw(8) << "images" << std::setw(9)
      << "objects" << std::setw(8) << "groups"
      << "\n";
  for (const auto& [name, images, count, groups] : set.classes)
    out << std::left << std::setw(24) << visible_text(name) << std::right << std::setw(8) << images
        << std::setw(9) << count << std::setw(8) << groups << "\n";
  out << "\nimages by number of objects:";
  for (const auto& [count, images] : set.objects) out << "  " << count << ": " << images;
  out << "\n\n";
  image_sets::print_list("problems", image_sets::texts_of(set.problems), out);
  image_sets::print_list("objects left out", image_sets::texts_of(set.left_out), out);
  image_sets::print_list("warnings", set.dataset.warnings, out);
  out << "\n";
}

image_sets::FindingCounts counts_of(const Audit& audit) {
  std::size_t problems = 0, warnings = 0;
  for (const AuditedSet& set : audit.sets) {
    problems += set.problems.size();
    warnings += set.dataset.warnings.size();
  }
  return {{"problems", problems},
          {"warnings", warnings},
          {"duplicates", audit.byte_equal.size() + audit.pixel_equal.size()},
          {"overlaps", audit.overlaps.size()},
          {"leaks", image_sets::count_leaks(audit.shown, audit)}};
}

void print_text(const Audit& audit, std::ostream& out) {
  for (const AuditedSet& set : audit.sets) print_set(set, out);
  const char* different = " (different boxes)";
  image_sets::print_equal(audit.shown, "equal files", audit.byte_equal, different, out);
  image_sets::print_equal(audit.shown, "equal pixels in different files", audit.pixel_equal, different, out);
  image_sets::print_overlaps(audit.shown, audit.sets.size(), audit,
                             image_sets::count_leaks(audit.shown, audit), out);
}

loop::Answer answer_audit(const loop::Request& request) {
  AuditRequest asked;
  asked.data = request.text("data");
  if (request.has("against")) asked.against = request.text("against");
  asked.part = image_sets::part_choice(request);
  asked.images = image_sets::images_choice(request);
  asked.threads = loop::threads_for(request);
  asked.notes = &request.notes;
  asked.interrupted = request.interrupted;
  const std::vector<std::string> fatal =
      request.has("fail-on")
          ? image_sets::chosen_findings(request.text("fail-on"),
                                        {"problems", "warnings", "duplicates", "overlaps", "leaks"})
          : std::vector<std::string>{};
  image_sets::make_output(request);
  const Audit audit = detection::audit(asked);
  const bool anything = std::any_of(audit.sets.begin(), audit.sets.end(), [](const AuditedSet& set) {
    return !set.dataset.examples.empty() || !set.problems.empty();
  });
  image_sets::AuditAnswer said{audit.failure,
                               anything,
                               counts_of(audit),
                               fatal,
                               [&] { return to_json(audit); },
                               [&](std::ostream& out) { print_text(audit, out); }};
  if (!audit.failure || anything)
    image_sets::draw_output(request, [&](const auto& folder) { return write_audit_pictures(audit, folder); });
  return image_sets::answer_of(said, request);
}

}  // namespace

loop::Offer audit_offer() {
  std::vector<loop::Option> options{
      {"data", "DATA", "data set", true},
      {"against", "DATA", "another one, to be apart from the first"},
      {"output", "FOLDER", "pictures of the findings and an index.html"},
      {"fail-on", "FINDINGS",
       "exit 65 where any of these was found: problems, warnings, duplicates, overlaps, leaks (equal or "
       "overlapping images in both sets or in two parts of one); with commas between them"},
      {"threads", "N", "of the CPU; all cores by default"}};
  image_sets::add_part_options(options, kImagesOption);
  return {"audit", options, answer_audit, /*stops_on_signal=*/true};
}

}  // namespace tune::trainer::detection
