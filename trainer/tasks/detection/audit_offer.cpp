// `tune-train audit`: duplicates, overlapping crops, bad boxes and class counts of a data set, or of two.
#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/detection/audit_pictures.h"
#include "trainer/tasks/detection/part_options.h"
#include "trainer/tasks/detection/task.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
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

OrderedJson problems_json(const std::vector<data::DataProblem>& problems) {
  OrderedJson list = OrderedJson::array();
  for (const data::DataProblem& problem : problems) {
    OrderedJson json{{"problem", problem.text}};
    if (!problem.image.empty()) json["image"] = problem.image.string();
    if (problem.box) json["box"] = {problem.box->x1, problem.box->y1, problem.box->x2, problem.box->y2};
    list.push_back(json);
  }
  return list;
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
          {"problems", problems_json(set.problems)},
          {"left_out", problems_json(set.left_out)},
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
  for (const data::Overlap& overlap : audit.overlaps)
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
  if (!audit.sets.empty() && !audit.sets.front().split.is_null()) json["split"] = audit.sets.front().split;
  json["leaks"] = count_leaks(audit);
  if (audit.failure) json["failure"] = audit.failure->what();
  return json;
}

void print_list(const char* title, const std::vector<std::string>& texts, std::ostream& out) {
  out << title << ": " << texts.size() << "\n";
  for (std::size_t i = 0; i < std::min(kShown, texts.size()); ++i)
    out << "  - " << visible_text(texts[i]) << "\n";
  if (texts.size() > kShown) out << "  - and " << texts.size() - kShown << " more\n";
}

std::vector<std::string> texts_of(const std::vector<data::DataProblem>& problems) {
  std::vector<std::string> texts;
  for (const data::DataProblem& problem : problems) texts.push_back(problem.text);
  return texts;
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
  print_list("problems", texts_of(set.problems), out);
  print_list("objects left out", texts_of(set.left_out), out);
  print_list("warnings", set.dataset.warnings, out);
  out << "\n";
}

// In quotes where another name could seem to begin within it.
std::string name_of(const Audit& audit, std::size_t image) {
  const std::string name = visible_text(audit.example(image).name);
  const std::string quote = name.find_first_of(" ,\"") == name.npos ? "" : "\"";
  return (audit.images[image].set == 0 ? "" : "against: ") + quote + name + quote;
}

void print_equal(const Audit& audit, const char* title, const std::vector<EqualImages>& found,
                 std::ostream& out) {
  out << title << ": " << found.size() << "\n";
  for (std::size_t i = 0; i < std::min(kShown, found.size()); ++i) {
    out << "  - ";
    for (const std::size_t image : found[i].images)
      out << (image == found[i].images.front() ? "" : ", ") << name_of(audit, image);
    out << (found[i].same_boxes ? "" : " (different boxes)") << "\n";
  }
  if (found.size() > kShown) out << "  - and " << found.size() - kShown << " more\n";
}

void print_overlaps(const Audit& audit, std::ostream& out) {
  std::size_t between = 0, in_groups = 0, largest = 0;
  for (const data::Overlap& overlap : audit.overlaps)
    between += audit.images[overlap.first].set != audit.images[overlap.second].set ? 1 : 0;
  for (const auto& group : audit.groups) {
    in_groups += group.size();
    largest = std::max(largest, group.size());
  }
  out << "overlapping crops: " << plural_text(audit.overlaps.size(), "pair");
  if (audit.sets.size() > 1) out << ", " << between << " of them between the two sets";
  out << "\n";
  for (std::size_t i = 0; i < std::min(kShown, audit.overlaps.size()); ++i) {
    const data::Overlap& overlap = audit.overlaps[i];
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "  shift (%d, %d), %.0f %% of the area, correlation %.2f",
                  overlap.dx, overlap.dy, 100 * overlap.share, overlap.correlation);
    out << "  - " << name_of(audit, overlap.first) << ", " << name_of(audit, overlap.second) << numbers
        << "\n";
  }
  if (audit.overlaps.size() > kShown) out << "  - and " << audit.overlaps.size() - kShown << " more\n";
  if (const std::size_t leaks = count_leaks(audit); leaks > 0)
    out << "leaks: " << leaks << " of these " << (leaks == 1 ? "lies" : "lie")
        << " in both sets or in two parts of one\n";
  out << "groups of overlapping or equal images: " << audit.groups.size() << " of " << in_groups
      << " images, the largest of " << largest << "\n";
  if (!audit.groups.empty())
    out << "  a split image by image leaks; {\"split\": {\"grouping\": \"content\"}} keeps each group "
           "together\n";
}

// What --fail-on may name, and how many of it there are.
struct Finding {
  const char* name;  // of several
  std::size_t (*count)(const Audit& audit);
};

const std::vector<Finding>& findings() {
  static const std::vector<Finding> table{
      {"problems",
       [](const Audit& audit) {
         std::size_t count = 0;
         for (const AuditedSet& set : audit.sets) count += set.problems.size();
         return count;
       }},
      {"warnings",
       [](const Audit& audit) {
         std::size_t count = 0;
         for (const AuditedSet& set : audit.sets) count += set.dataset.warnings.size();
         return count;
       }},
      {"duplicates", [](const Audit& audit) { return audit.byte_equal.size() + audit.pixel_equal.size(); }},
      {"overlaps", [](const Audit& audit) { return audit.overlaps.size(); }},
      {"leaks", [](const Audit& audit) { return count_leaks(audit); }}};
  return table;
}

std::vector<Finding> chosen_findings(const std::string& text) {
  std::vector<Finding> chosen;
  std::string known;
  for (const Finding& finding : findings()) known += (known.empty() ? "" : ", ") + std::string(finding.name);
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const std::string name = text.substr(from, to - from);
    const auto found = std::find_if(findings().begin(), findings().end(),
                                    [&](const Finding& finding) { return name == finding.name; });
    if (found == findings().end())
      throw Error(ExitCode::kUsage, "--fail-on \"" + name + "\" is nothing that an audit finds",
                  "name some of " + known + ", with commas between them");
    chosen.push_back(*found);
    from = to + 1;
  }
  return chosen;
}

void print_text(const Audit& audit, std::ostream& out) {
  for (const AuditedSet& set : audit.sets) print_set(set, out);
  print_equal(audit, "equal files", audit.byte_equal, out);
  print_equal(audit, "equal pixels in different files", audit.pixel_equal, out);
  print_overlaps(audit, out);
}

std::string singular(const Finding& finding) {
  return std::string(finding.name, std::string_view(finding.name).size() - 1);
}

std::optional<Error> failure_of(const Audit& audit, const std::vector<Finding>& fatal) {
  if (audit.failure) return audit.failure;
  std::string found;
  for (const Finding& finding : fatal)
    if (const std::size_t count = finding.count(audit); count > 0)
      found += (found.empty() ? "" : ", ") + plural_text(count, singular(finding));
  if (found.empty()) return std::nullopt;
  return Error(ExitCode::kBadData, "the audit found " + found, "--fail-on asked to fail on them.");
}

loop::Answer answer_audit(const loop::Request& request) {
  AuditRequest asked;
  asked.data = request.text("data");
  if (request.has("against")) asked.against = request.text("against");
  asked.part = part_choice(request);
  asked.images = images_choice(request);
  asked.threads = loop::threads_for(request);
  asked.notes = &request.notes;
  asked.interrupted = request.interrupted;
  const std::vector<Finding> fatal =
      request.has("fail-on") ? chosen_findings(request.text("fail-on")) : std::vector<Finding>{};
  if (request.has("output")) make_picture_folder(request.text("output"));
  const Audit audit = detection::audit(asked);
  const bool anything = std::any_of(audit.sets.begin(), audit.sets.end(), [](const AuditedSet& set) {
    return !set.dataset.examples.empty() || !set.problems.empty();
  });
  if (audit.failure && !anything) throw Error(*audit.failure);
  if (request.has("output")) {
    const std::string folder = request.text("output");
    const loop::EndOnSignal drawing;
    const std::size_t pictures = write_audit_pictures(audit, folder);
    request.notes << pictures << " pictures: " << folder << "/index.html" << std::endl;
  }
  loop::Answer answer;
  answer.failure = failure_of(audit, fatal);
  if (request.as_json) {
    answer.json = to_json(audit);
  } else {
    std::ostringstream text;
    print_text(audit, text);
    answer.text = text.str();
  }
  return answer;
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
  add_part_options(options);
  return {"audit", options, answer_audit, /*stops_on_signal=*/true};
}

}  // namespace tune::trainer::detection
