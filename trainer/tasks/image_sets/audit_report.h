#pragma once
// The findings of an audit in words and as JSON, whatever the task; and what --fail-on makes of them.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/loop/task.h"
#include "trainer/tasks/image_sets/findings.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_sets {

// Of a kind of findings the first are shown; --json has them all.
void print_list(const char* title, const std::vector<std::string>& texts, std::ostream& out);
std::vector<std::string> texts_of(const std::vector<data::DataProblem>& problems);
// `different` goes behind images whose labels differ: " (different boxes)".
void print_equal(const std::vector<AuditedImage>& images, const char* title,
                 const std::vector<EqualImages>& found, const char* different, std::ostream& out);
// `sets` is how many were audited; `leaks` counts among all that is equal or overlaps.
void print_overlaps(const std::vector<AuditedImage>& images, std::size_t sets, const Findings& findings,
                    std::size_t leaks, std::ostream& out);
// The name of an image as the texts have it.
std::string shown_name(const AuditedImage& image);

using ImageJson = std::function<OrderedJson(std::size_t image)>;
OrderedJson problems_json(const std::vector<data::DataProblem>& problems);
// `key` says whether labels are the same: "same_boxes".
OrderedJson equal_json(const std::vector<EqualImages>& found, const char* key, const ImageJson& image_json);
OrderedJson overlaps_json(const std::vector<data::Overlap>& overlaps, const ImageJson& image_json);

// Findings by their names in the plural, and how many there are of each.
using FindingCounts = std::vector<std::pair<std::string, std::size_t>>;
// What --fail-on names, which has commas between the names. Throws Error(kUsage) with those that there are.
std::vector<std::string> chosen_findings(const std::string& text, const std::vector<std::string>& names);
// Error(kBadData) where one of `fatal` was found.
std::optional<Error> failure_of(const FindingCounts& counts, const std::vector<std::string>& fatal);

// What `tune-train audit` has to say, whatever the task: an answer, or an error where nothing was found at
// all.
struct AuditAnswer {
  const std::optional<Error>& failure;  // that ended the audit early
  bool found_anything = false;
  FindingCounts counts;
  std::vector<std::string> fatal;  // of --fail-on
  std::function<OrderedJson()> json;
  std::function<void(std::ostream& out)> print;
};
loop::Answer answer_of(const AuditAnswer& said, const loop::Request& request);
// --output: makes the folder before the work. Then the pictures are drawn, and their number is told.
void make_output(const loop::Request& request);
void draw_output(const loop::Request& request,
                 const std::function<std::size_t(const std::filesystem::path& folder)>& draw);

}  // namespace tune::trainer::image_sets
