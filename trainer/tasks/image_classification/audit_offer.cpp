// `tune-train audit --task image_classification`: duplicates, overlapping crops, contradicting classes and
// class counts of labelled images, in one set or between two.
#include <algorithm>
#include <iomanip>
#include <iterator>
#include <ostream>

#include "trainer/tasks/image_classification/audit.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/tasks/image_sets/audit_report.h"
#include "trainer/tasks/image_sets/findings_page.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::image_classification {
namespace {

const std::vector<std::string> kFindings{"problems", "warnings", "duplicates",
                                         "overlaps", "leaks",    "contradictions"};

OrderedJson set_json(const AuditedSet& set) {
  OrderedJson classes = OrderedJson::array();
  for (const auto& [name, images, groups] : set.classes)
    classes.push_back({{"name", name}, {"images", images}, {"groups", groups}});
  return {{"data", set.data.string()},
          {"form", set.dataset.form},
          {"images", set.dataset.examples.size()},
          {"multi_label", set.dataset.multi_label},
          {"classes", classes},
          {"problems", image_sets::problems_json(set.problems)},
          {"warnings", set.dataset.warnings}};
}

OrderedJson to_json(const Audit& audit) {
  const image_sets::ImageJson image = [&](std::size_t index) {
    const image_sets::AuditedImage& shown = audit.images[index];
    return OrderedJson{{"set", shown.set == 0 ? "data" : "against"},
                       {"name", shown.name},
                       {"image", shown.file.string()},
                       {"label", audit.labels[index]}};
  };
  OrderedJson json{{"schema", 1}, {"task", "image_classification"}, {"sets", OrderedJson::array()}};
  for (const AuditedSet& set : audit.sets) json["sets"].push_back(set_json(set));
  json["byte_equal"] = image_sets::equal_json(audit.byte_equal, "same_labels", image);
  json["pixel_equal"] = image_sets::equal_json(audit.pixel_equal, "same_labels", image);
  json["nearly_equal"] = image_sets::overlaps_json(audit.nearly_equal, image);
  json["overlaps"] = image_sets::overlaps_json(audit.overlaps, image);
  // By the names of `data` alone, which is what its scores are resampled by.
  json["groups"] = OrderedJson::array();
  for (const auto& group : audit.groups) {
    OrderedJson names = OrderedJson::array();
    for (const std::size_t index : group)
      if (audit.images[index].set == 0) names.push_back(audit.images[index].name);
    if (names.size() > 1) json["groups"].push_back(names);
  }
  if (!audit.sets.empty() && !audit.sets.front().split.is_null()) json["split"] = audit.sets.front().split;
  json["leaks"] = count_leaks(audit);
  json["contradictions"] = count_contradictions(audit);
  if (audit.failure) json["failure"] = audit.failure->what();
  return json;
}

void print_set(const AuditedSet& set, std::ostream& out) {
  out << visible_text(set.data.string()) << ": " << plural_text(set.dataset.examples.size(), "image") << "\n"
      << visible_text(set.dataset.form) << "\n\n"
      << std::left << std::setw(24) << "class" << std::right << std::setw(8) << "images" << std::setw(8)
      << "groups"
      << "\n";
  for (const auto& [name, images, groups] : set.classes)
    out << std::left << std::setw(24) << visible_text(name) << std::right << std::setw(8) << images
        << std::setw(8) << groups << "\n";
  out << "\n";
  image_sets::print_list("problems", image_sets::texts_of(set.problems), out);
  image_sets::print_list("warnings", set.dataset.warnings, out);
  out << "\n";
}

// The pairs whose classes differ, of images that are not equal.
std::vector<std::string> contradicting_pairs(const Audit& audit) {
  std::vector<std::string> texts;
  for (const auto* found : {&audit.nearly_equal, &audit.overlaps})
    for (const data::Overlap& overlap : *found)
      if (audit.labels[overlap.first] != audit.labels[overlap.second])
        texts.push_back(audit.images[overlap.first].name + " (" + audit.labels[overlap.first] + "), " +
                        audit.images[overlap.second].name + " (" + audit.labels[overlap.second] + ")");
  return texts;
}

void print_text(const Audit& audit, std::ostream& out) {
  for (const AuditedSet& set : audit.sets) print_set(set, out);
  const char* different = " (different classes)";
  image_sets::print_equal(audit.images, "equal files", audit.byte_equal, different, out);
  image_sets::print_equal(audit.images, "equal pixels in different files", audit.pixel_equal, different, out);
  std::vector<std::string> nearly;
  for (const data::Overlap& overlap : audit.nearly_equal)
    nearly.push_back(audit.images[overlap.first].name + ", " + audit.images[overlap.second].name);
  image_sets::print_list("nearly equal pictures", nearly, out);
  image_sets::print_list("the same surface with different classes", contradicting_pairs(audit), out);
  image_sets::print_overlaps(audit.images, audit.sets.size(), audit, count_leaks(audit), out);
}

image_sets::FindingCounts counts_of(const Audit& audit) {
  std::size_t problems = 0, warnings = 0;
  for (const AuditedSet& set : audit.sets) {
    problems += set.problems.size();
    warnings += set.dataset.warnings.size();
  }
  return {{"problems", problems},
          {"warnings", warnings},
          {"duplicates", audit.byte_equal.size() + audit.pixel_equal.size() + audit.nearly_equal.size()},
          {"overlaps", audit.overlaps.size()},
          {"leaks", count_leaks(audit)},
          {"contradictions", count_contradictions(audit)}};
}

// Nearly equal images of different classes are what people should look at first.
std::size_t write_pictures(const Audit& audit, const std::filesystem::path& folder) {
  image_sets::FindingsPage page(folder, {[&](std::size_t image) { return audit.images[image].file; },
                                         [&](std::size_t image) {
                                           return image_sets::shown_name(audit.images[image]) + " (" +
                                                  visible_text(audit.labels[image]) + ")";
                                         },
                                         {}});
  for (std::size_t number = 0; number < audit.sets.size(); ++number)
    page.add_problems("Problems of " + audit.sets[number].data.string(), audit.sets[number].problems,
                      number == 0 ? "problem" : "problem-against");
  std::vector<data::Overlap> contradicting;
  for (const auto* found : {&audit.nearly_equal, &audit.overlaps})
    std::copy_if(found->begin(), found->end(), std::back_inserter(contradicting),
                 [&](const data::Overlap& overlap) {
                   return audit.labels[overlap.first] != audit.labels[overlap.second];
                 });
  page.add_overlaps("The same surface with different classes", contradicting, "contradiction");
  page.add_equal("Equal files", audit.byte_equal, "bytes", "classes");
  page.add_equal("Equal pixels in different files", audit.pixel_equal, "pixels", "classes");
  page.add_overlaps("Nearly equal pictures", audit.nearly_equal, "nearly");
  page.add_overlaps("Overlapping crops", audit.overlaps, "overlap");
  return page.write();
}

loop::Answer answer_audit(const loop::Request& request) {
  AuditRequest asked;
  asked.data = data_choice(request);
  if (request.has("against")) asked.against = request.text("against");
  asked.threads = loop::threads_for(request);
  asked.notes = &request.notes;
  asked.interrupted = request.interrupted;
  const std::vector<std::string> fatal = request.has("fail-on")
                                             ? image_sets::chosen_findings(request.text("fail-on"), kFindings)
                                             : std::vector<std::string>{};
  image_sets::make_output(request);
  const Audit audit = image_classification::audit(asked);
  const bool anything = std::any_of(audit.sets.begin(), audit.sets.end(), [](const AuditedSet& set) {
    return !set.dataset.examples.empty() || !set.problems.empty();
  });
  if (!audit.failure || anything)
    image_sets::draw_output(request, [&](const auto& folder) { return write_pictures(audit, folder); });
  return image_sets::answer_of(
      {audit.failure, anything, counts_of(audit), fatal, [&] { return to_json(audit); },
       [&](std::ostream& out) { print_text(audit, out); }},
      request);
}

}  // namespace

loop::Offer audit_offer() {
  std::vector<loop::Option> options{
      {"data", "DATA", "labelled images", true},
      {"against", "DATA", "others, to be apart from the first"},
      {"output", "FOLDER", "pictures of the findings and an index.html"},
      {"fail-on", "FINDINGS",
       "exit 65 where any of these was found: problems, warnings, duplicates, overlaps, leaks (equal or "
       "overlapping images in both sets or in two parts of one), contradictions (such images with different "
       "classes); with commas between them"},
      {"threads", "N", "of the CPU; all cores by default"}};
  add_data_options(options);
  return {"audit", options, answer_audit, /*stops_on_signal=*/true};
}

}  // namespace tune::trainer::image_classification
