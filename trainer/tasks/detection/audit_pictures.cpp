#include "trainer/tasks/detection/audit_pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <list>
#include <sstream>

#include "trainer/images/encode_jpeg.h"
#include "trainer/images/picture.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

constexpr images::Colour kYellow{255, 221, 0}, kRed{230, 25, 40};
// Okabe and Ito's colours, which most kinds of colour blindness tell apart; classes take them in turn.
constexpr std::array<images::Colour, 6> kClassColours = {
    {{86, 180, 233}, {0, 158, 115}, {213, 94, 0}, {204, 121, 167}, {0, 114, 178}, {230, 159, 0}}};
constexpr int kQuality = 88;
constexpr int kLongestSide = 400;       // pixels of a shown image; larger ones are reduced
constexpr std::size_t kMostBeside = 8;  // images in one picture: a JPEG ends at 65,500 pixels

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<')
      safe += "&lt;";
    else if (c == '&')
      safe += "&amp;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

std::string fixed(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", number);
  return text;
}

struct Shown {
  images::Image image;
  double scale = 1;  // shown pixels per pixel
};

// The folder as it is being written; lives for one call of write().
class Folder {
 public:
  Folder(const Audit& audit, const fs::path& folder) : audit_(audit), folder_(folder) {}

  std::size_t write() {
    for (std::size_t set = 0; set < audit_.sets.size(); ++set) add_problems(audit_.sets[set], set);
    add_equal("Equal files", audit_.byte_equal, "bytes");
    add_equal("Equal pixels in different files", audit_.pixel_equal, "pixels");
    add_overlaps();
    write_file_atomically(
        folder_ / "index.html",
        "<!DOCTYPE html>\n<html lang=\"en\"><meta "
        "charset=\"utf-8\"><title>Audit</title>\n<style>body{font:15px "
        "sans-serif;margin:2em;color-scheme:light dark}figure{margin:0 0 2em}img{max-width:100%}figcaption{"
        "margin:.3em 0}</style>\n" +
            page_.str() + "</html>\n");
    return pictures_;
  }

 private:
  void heading(const std::string& text, std::size_t count) {
    page_ << "<h2>" << escaped(text) << ": " << count << "</h2>\n";
  }

  // `parts` empty: a finding without a picture.
  void add(const std::string& kind, std::size_t number, const std::string& caption,
           const std::vector<images::Image>& parts) {
    page_ << "<figure>";
    if (!parts.empty()) {
      std::ostringstream name;
      name << kind << '-' << number << ".jpg";
      images::write_jpeg(folder_ / name.str(), images::beside(parts), kQuality);
      page_ << "<img loading=\"lazy\" src=\"" << name.str() << "\" alt=\"\">";
      ++pictures_;
    }
    page_ << "<figcaption>" << escaped(caption) << "</figcaption></figure>\n";
  }

  std::optional<Shown> load(const fs::path& file) {
    const auto known =
        std::find_if(recent_.begin(), recent_.end(), [&](const auto& entry) { return entry.first == file; });
    if (known != recent_.end()) return known->second;
    std::optional<Shown> shown;
    try {
      shown = Shown{images::decode(file), 1};
      const int longest = std::max(shown->image.width, shown->image.height);
      if (longest > kLongestSide) {
        shown->scale = static_cast<double>(kLongestSide) / longest;
        const auto side = [&](int pixels) {
          return std::max(1, static_cast<int>(std::lround(pixels * shown->scale)));
        };
        shown->image = images::resize(shown->image, {side(shown->image.width), side(shown->image.height)});
      }
    } catch (const Error&) {
      shown = std::nullopt;  // listed among the problems, with its cause
    }
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
      images::draw_box(shown->image, object.x1 * shown->scale, object.y1 * shown->scale,
                       object.x2 * shown->scale, object.y2 * shown->scale,
                       kClassColours[static_cast<std::size_t>(object.category - 1) % kClassColours.size()]);
    return shown;
  }

  void add_problems(const AuditedSet& set, std::size_t number) {
    heading("Problems of " + set.data.string(), set.problems.size());
    for (std::size_t i = 0; i < set.problems.size(); ++i) {
      const DataProblem& problem = set.problems[i];
      std::vector<images::Image> parts;
      if (problem.box && !problem.image.empty())
        if (std::optional<Shown> shown = load(problem.image)) {
          const double scale = shown->scale;
          images::draw_box(shown->image, problem.box->x1 * scale, problem.box->y1 * scale,
                           problem.box->x2 * scale, problem.box->y2 * scale, kRed, 2);
          parts.push_back(std::move(shown->image));
        }
      add(number == 0 ? "problem" : "problem-against", i + 1, problem.text, parts);
    }
  }

  std::string name(std::size_t image) const { return audit_.example(image).image.string(); }

  void add_equal(const std::string& title, const std::vector<EqualImages>& found, const std::string& kind) {
    heading(title, found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::vector<images::Image> parts;
      std::string caption = found[i].same_boxes ? "same boxes:" : "different boxes:";
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
    heading("Overlapping crops", audit_.overlaps.size());
    for (std::size_t i = 0; i < audit_.overlaps.size(); ++i) {
      const Overlap& overlap = audit_.overlaps[i];
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
  fs::path folder_;
  std::ostringstream page_;
  std::list<std::pair<fs::path, std::optional<Shown>>> recent_;
  std::size_t pictures_ = 0;
};

}  // namespace

void make_picture_folder(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::exists(status) && (!fs::is_directory(status) || !fs::is_empty(folder, error)) && !error)
    throw Error(ExitCode::kConflict, folder.string() + " exists and is not an empty folder",
                "name another one, or remove it");
  if (status.type() == fs::file_type::not_found) fs::create_directories(folder, error);
  if (error)
    throw Error(ExitCode::kEnvironment, "cannot use the folder " + folder.string() + ": " + error.message(),
                "name a folder that can be written");
}

std::size_t write_audit_pictures(const Audit& audit, const fs::path& folder) {
  return Folder(audit, folder).write();
}

}  // namespace tune::trainer::detection
