#include "trainer/tasks/image_sets/findings_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tune::trainer::image_sets {
namespace {

constexpr images::Colour kYellow{255, 221, 0}, kRed{230, 25, 40};
constexpr std::size_t kMostBeside = 8;  // images in one picture: a JPEG ends at 65,500 pixels

std::string fixed(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", number);
  return text;
}

// A picture's place on another one, whose pixel (0, 0) is its (x, y).
void frame(const Shown& other, double x, double y, Shown& shown) {
  const double right = x + other.image.width / other.scale, bottom = y + other.image.height / other.scale;
  images::draw_box(shown.image, std::max(x, 0.0) * shown.scale, std::max(y, 0.0) * shown.scale,
                   std::min<double>(right * shown.scale, shown.image.width),
                   std::min<double>(bottom * shown.scale, shown.image.height), kYellow, 2);
}

}  // namespace

std::optional<Shown> FindingsPage::load(const std::filesystem::path& file) {
  const auto known =
      std::find_if(recent_.begin(), recent_.end(), [&](const auto& entry) { return entry.first == file; });
  if (known != recent_.end()) return known->second;
  const std::optional<Shown> shown = load_shown(file);  // one that is damaged is among the problems
  constexpr std::size_t kRecent = 64;
  recent_.emplace_front(file, shown);
  if (recent_.size() > kRecent) recent_.pop_back();
  return shown;
}

std::optional<Shown> FindingsPage::drawn(std::size_t image) {
  std::optional<Shown> shown = load(looks_.file(image));
  if (shown && looks_.draw) looks_.draw(image, *shown);
  return shown;
}

void FindingsPage::add_problems(const std::string& title, const std::vector<data::DataProblem>& problems,
                                const std::string& kind) {
  page_.heading(title, problems.size());
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const data::DataProblem& problem = problems[i];
    std::vector<images::Image> parts;
    if (problem.box && !problem.image.empty())
      if (std::optional<Shown> shown = load(problem.image)) {
        shown->draw(problem.box->x1, problem.box->y1, problem.box->x2, problem.box->y2, kRed, 2);
        parts.push_back(std::move(shown->image));
      }
    page_.add(kind + "-" + std::to_string(i + 1), problem.text, parts);
  }
}

void FindingsPage::add_equal(const std::string& title, const std::vector<EqualImages>& found,
                             const std::string& kind, const std::string& labels) {
  page_.heading(title, found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::vector<images::Image> parts;
    std::string caption = (found[i].same_labels ? "same " : "different ") + labels + ":";
    std::size_t listed = 0;
    for (const std::size_t image : found[i].images) {
      if (listed++ == kMostBeside) {
        caption += " and " + std::to_string(found[i].images.size() - kMostBeside) + " more";
        break;
      }
      caption += " " + looks_.name(image);
      if (std::optional<Shown> shown = drawn(image)) parts.push_back(std::move(shown->image));
    }
    page_.add(kind + "-" + std::to_string(i + 1), caption, parts);
  }
}

void FindingsPage::add_overlaps(const std::string& title, const std::vector<data::Overlap>& overlaps,
                                const std::string& kind) {
  page_.heading(title, overlaps.size());
  for (std::size_t i = 0; i < overlaps.size(); ++i) {
    const data::Overlap& overlap = overlaps[i];
    std::optional<Shown> first = drawn(overlap.first), second = drawn(overlap.second);
    if (first && second) {
      frame(*second, overlap.dx, overlap.dy, *first);
      frame(*first, -overlap.dx, -overlap.dy, *second);
    }
    std::vector<images::Image> parts;
    for (std::optional<Shown>* shown : {&first, &second})
      if (*shown) parts.push_back(std::move((*shown)->image));
    page_.add(kind + "-" + std::to_string(i + 1),
              looks_.name(overlap.first) + " and " + looks_.name(overlap.second) + ": shift (" +
                  std::to_string(overlap.dx) + ", " + std::to_string(overlap.dy) + "), " +
                  fixed(100 * overlap.share) + " % of the area, correlation " + fixed(overlap.correlation),
              parts);
  }
}

}  // namespace tune::trainer::image_sets
