#include "trainer/tasks/image_sets/audit_report.h"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <sstream>

#include "trainer/data/part_names.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/image_sets/picture_page.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::image_sets {
namespace {

constexpr std::size_t kShown = 20;  // findings of a kind

double rounded(double number) { return static_cast<double>(static_cast<long>(number * 1e4 + 0.5)) / 1e4; }

}  // namespace

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

// In quotes where another name could seem to begin within it.
std::string shown_name(const AuditedImage& image) {
  const std::string name = visible_text(image.name);
  const std::string quote = name.find_first_of(" ,\"") == name.npos ? "" : "\"";
  return (image.set == 0 ? "" : "against: ") + quote + name + quote;
}

void print_equal(const std::vector<AuditedImage>& images, const char* title,
                 const std::vector<EqualImages>& found, const char* different, std::ostream& out) {
  out << title << ": " << found.size() << "\n";
  for (std::size_t i = 0; i < std::min(kShown, found.size()); ++i) {
    out << "  - ";
    for (const std::size_t image : found[i].images)
      out << (image == found[i].images.front() ? "" : ", ") << shown_name(images[image]);
    out << (found[i].same_labels ? "" : different) << "\n";
  }
  if (found.size() > kShown) out << "  - and " << found.size() - kShown << " more\n";
}

void print_overlaps(const std::vector<AuditedImage>& images, std::size_t sets, const Findings& findings,
                    std::size_t leaks, std::ostream& out) {
  std::size_t between = 0, in_groups = 0, largest = 0;
  for (const data::Overlap& overlap : findings.overlaps)
    between += images[overlap.first].set != images[overlap.second].set ? 1 : 0;
  for (const auto& group : findings.groups) {
    in_groups += group.size();
    largest = std::max(largest, group.size());
  }
  out << "overlapping crops: " << plural_text(findings.overlaps.size(), "pair");
  if (sets > 1) out << ", " << between << " of them between the two sets";
  out << "\n";
  for (std::size_t i = 0; i < std::min(kShown, findings.overlaps.size()); ++i) {
    const data::Overlap& overlap = findings.overlaps[i];
    char numbers[96];
    std::snprintf(numbers, sizeof numbers, "  shift (%d, %d), %.0f %% of the area, correlation %.2f",
                  overlap.dx, overlap.dy, 100 * overlap.share, overlap.correlation);
    out << "  - " << shown_name(images[overlap.first]) << ", " << shown_name(images[overlap.second])
        << numbers << "\n";
  }
  if (findings.overlaps.size() > kShown) out << "  - and " << findings.overlaps.size() - kShown << " more\n";
  if (leaks > 0)
    out << "leaks: " << leaks << " of these " << (leaks == 1 ? "lies" : "lie")
        << " in both sets or in two parts of one\n";
  out << "groups of overlapping or equal images: " << findings.groups.size() << " of " << in_groups
      << " images, the largest of " << largest << "\n";
  if (!findings.groups.empty())
    out << "  a split image by image leaks; {\"split\": {\"grouping\": \"content\"}} keeps each group "
           "together\n";
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

OrderedJson equal_json(const std::vector<EqualImages>& found, const char* key, const ImageJson& image_json) {
  OrderedJson list = OrderedJson::array();
  for (const EqualImages& equal : found) {
    OrderedJson images = OrderedJson::array();
    for (const std::size_t image : equal.images) images.push_back(image_json(image));
    list.push_back({{"images", images}, {key, equal.same_labels}});
  }
  return list;
}

OrderedJson overlaps_json(const std::vector<data::Overlap>& overlaps, const ImageJson& image_json) {
  OrderedJson list = OrderedJson::array();
  for (const data::Overlap& overlap : overlaps)
    list.push_back({{"first", image_json(overlap.first)},
                    {"second", image_json(overlap.second)},
                    {"shift", {overlap.dx, overlap.dy}},
                    {"share", rounded(overlap.share)},
                    {"correlation", rounded(overlap.correlation)},
                    {"coherence", rounded(overlap.coherence)}});
  return list;
}

std::vector<std::string> chosen_findings(const std::string& text, const std::vector<std::string>& names) {
  std::vector<std::string> chosen;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(',', from), text.size());
    const std::string name = text.substr(from, to - from);
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Error(ExitCode::kUsage, "--fail-on \"" + name + "\" is nothing that an audit finds",
                  "name some of " + data::listed_names(names) + ", with commas between them");
    chosen.push_back(name);
    from = to + 1;
  }
  return chosen;
}

std::optional<Error> failure_of(const FindingCounts& counts, const std::vector<std::string>& fatal) {
  std::string found;
  for (const std::string& name : fatal)
    for (const auto& [finding, count] : counts)
      if (finding == name && count > 0)
        found += (found.empty() ? "" : ", ") + plural_text(count, name.substr(0, name.size() - 1));
  if (found.empty()) return std::nullopt;
  return Error(ExitCode::kBadData, "the audit found " + found, "--fail-on asked to fail on them.");
}

loop::Answer answer_of(const AuditAnswer& said, const loop::Request& request) {
  if (said.failure && !said.found_anything) throw Error(*said.failure);
  loop::Answer answer;
  answer.failure = said.failure ? said.failure : failure_of(said.counts, said.fatal);
  if (request.as_json) {
    answer.json = said.json();
  } else {
    std::ostringstream text;
    said.print(text);
    answer.text = text.str();
  }
  return answer;
}

void make_output(const loop::Request& request) {
  if (request.has("output")) make_picture_folder(request.text("output"));
}

void draw_output(const loop::Request& request,
                 const std::function<std::size_t(const std::filesystem::path& folder)>& draw) {
  if (!request.has("output")) return;
  const std::string folder = request.text("output");
  const loop::EndOnSignal drawing;
  const std::size_t pictures = draw(folder);
  request.notes << pictures << " pictures: " << folder << "/index.html" << std::endl;
}

}  // namespace tune::trainer::image_sets
