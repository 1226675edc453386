#include "trainer/tasks/detection/audit_pictures.h"

#include <algorithm>
#include <list>

#include "trainer/tasks/detection/picture_page.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

constexpr images::Colour kYellow{255, 221, 0}, kRed{230, 25, 40};
constexpr std::size_t kMostBeside = 8;  // images in one picture: a JPEG ends at 65,500 pixels

std::string fixed(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", number);
  return text;
}

// The folder as it is being written; lives for one call of write().
class Folder {
 public:
  Folder(const Audit& audit, const fs::path& folder) : audit_(audit), page_(folder, "Audit") {}

  std::size_t write() {
    for (std::size_t set = 0; set < audit_.sets.size(); ++set) add_problems(audit_.sets[set], set);
    add_equal("Equal files", audit_.byte_equal, "bytes");
    add_equal("Equal pixels in different files", audit_.pixel_equal, "pixels");
    add_overlaps();
    return page_.write();
  }

 private:
  void add(const std::string& kind, std::size_t number, const std::string& caption,
           const std::vector<images::Image>& parts) {
    page_.add(kind + "-" + std::to_string(number), caption, parts);
  }

  std::optional<Shown> load(const fs::path& file) {
    const auto known =
        std::find_if(recent_.begin(), recent_.end(), [&](const auto& entry) { return entry.first == file; });
    if (known != recent_.end()) return known->second;
    const std::optional<Shown> shown = load_shown(file);  // one that is damaged is among the problems
    constexpr std::size_t kRecent = 64;
    recent_.emplace_front(file, shown);
    if (recent_.size() > kRecent) recent_.pop_back();
    return shown;
  }

  std::optional<Shown> with_boxes(std::size_t image) {
    const Example& example = audit_.example(image);
    std::optional<Shown> shown = load(example.image);
    if (!shown) return shown;
    for (const GroundTruth& object : example.objects)
      shown->draw(object.x1, object.y1, object.x2, object.y2, class_colour(object.category));
    return shown;
  }

  void add_problems(const AuditedSet& set, std::size_t number) {
    const std::string which = number == 0 ? "" : "-against";
    add_problems("Problems of " + set.data.string(), set.problems, "problem" + which);
    add_problems("Objects left out of " + set.data.string(), set.left_out, "left-out" + which);
  }

  void add_problems(const std::string& title, const std::vector<data::DataProblem>& problems,
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
      add(kind, i + 1, problem.text, parts);
    }
  }

  std::string name(std::size_t image) const { return audit_.example(image).image.string(); }

  void add_equal(const std::string& title, const std::vector<EqualImages>& found, const std::string& kind) {
    page_.heading(title, found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::vector<images::Image> parts;
      std::string caption = found[i].same_labels ? "same boxes:" : "different boxes:";
      for (const std::size_t image : found[i].images) {
        if (parts.size() == kMostBeside) {
          caption += " and " + std::to_string(found[i].images.size() - kMostBeside) + " more";
          break;
        }
        caption += " " + name(image);
        if (std::optional<Shown> shown = with_boxes(image)) parts.push_back(std::move(shown->image));
      }
      add(kind, i + 1, caption, parts);
    }
  }

  void add_overlaps() {
    page_.heading("Overlapping crops", audit_.overlaps.size());
    for (std::size_t i = 0; i < audit_.overlaps.size(); ++i) {
      const data::Overlap& overlap = audit_.overlaps[i];
      std::vector<images::Image> parts;
      for (const bool second : {false, true}) {
        std::optional<Shown> shown = with_boxes(second ? overlap.second : overlap.first);
        if (!shown) continue;
        // The other image's frame, as it lies on this one.
        const Example& other = audit_.example(second ? overlap.first : overlap.second);
        const double x = second ? -overlap.dx : overlap.dx, y = second ? -overlap.dy : overlap.dy;
        const double right = x + std::max(other.width, 1), bottom = y + std::max(other.height, 1);
        images::draw_box(shown->image, std::max(x, 0.0) * shown->scale, std::max(y, 0.0) * shown->scale,
                         std::min<double>(right * shown->scale, shown->image.width),
                         std::min<double>(bottom * shown->scale, shown->image.height), kYellow, 2);
        parts.push_back(std::move(shown->image));
      }
      add("overlap", i + 1,
          name(overlap.first) + " and " + name(overlap.second) + ": shift (" + std::to_string(overlap.dx) +
              ", " + std::to_string(overlap.dy) + "), " + fixed(100 * overlap.share) +
              " % of the area, correlation " + fixed(overlap.correlation),
          parts);
    }
  }

  const Audit& audit_;
  PicturePage page_;
  std::list<std::pair<fs::path, std::optional<Shown>>> recent_;
};

}  // namespace

std::size_t write_audit_pictures(const Audit& audit, const fs::path& folder) {
  return Folder(audit, folder).write();
}

}  // namespace tune::trainer::detection
