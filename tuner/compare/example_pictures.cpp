#include "tuner/compare/example_pictures.h"

#include <algorithm>
#include <string_view>

#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostImageBytes = 8'000'000;  // of one picture within the page

double overlap_of(const ExampleBox& a, const ExampleBox& b) {
  const double w = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double h = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return w * h / (a.width * a.height + b.width * b.height - w * h);
}

// Knows the formats that browsers show; "" for others.
std::string media_type_of(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xD8\xFF")) return "image/jpeg";
  if (bytes.starts_with("\x89PNG\r\n")) return "image/png";
  if (bytes.starts_with("RIFF") && bytes.substr(std::min<std::size_t>(8, bytes.size())).starts_with("WEBP"))
    return "image/webp";
  if (bytes.starts_with("BM")) return "image/bmp";
  return "";
}

bool is_tiff(std::string_view bytes) {
  using namespace std::string_view_literals;
  for (const std::string_view begin : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (bytes.starts_with(begin)) return true;
  return false;
}

// The file of that name before its extension.
std::optional<fs::path> stored_image(const fs::path& folder, std::int64_t id) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "images", error)) {
    std::error_code failed;
    if (entry.path().stem() == std::to_string(id) &&
        entry.symlink_status(failed).type() == fs::file_type::regular)
      return entry.path();
  }
  return std::nullopt;
}

}  // namespace

std::optional<ExampleBox> box_of(const Json& json) {
  if (!json.is_object() || !json.contains("bbox")) return std::nullopt;
  const Json& sides = json.at("bbox");
  if (!sides.is_array() || sides.size() != 4) return std::nullopt;
  for (const Json& side : sides)
    if (!side.is_number()) return std::nullopt;
  ExampleBox box;
  box.x = sides[0];
  box.y = sides[1];
  box.width = sides[2];
  box.height = sides[3];
  if (!(box.width >= 0 && box.height >= 0)) return std::nullopt;
  return box;
}

void read_picture(const fs::path& folder, ExampleImage& image) {
  const auto file = stored_image(folder, image.id);
  std::error_code error;
  if (!file) {
    image.missing = "The picture is missing: there is no copy of it in " + (folder / "images").string() + ".";
    return;
  }
  if (image.width <= 0 || image.height <= 0) {
    image.missing = "The picture is not shown, since the test set does not say its size.";
    return;
  }
  if (fs::file_size(*file, error) > kMostImageBytes || error) {
    image.missing = "The picture is not shown: " + file->string() + " has more than 8 MB.";
    return;
  }
  try {
    image.bytes = read_file(*file);
  } catch (const Error& failure) {
    image.missing = std::string("The picture cannot be read: ") + failure.what() + ".";
    return;
  }
  image.media_type = media_type_of(image.bytes);
  if (!image.media_type.empty()) return;
  image.missing = "The picture is not shown: " + file->string() +
                  (is_tiff(image.bytes) ? " is a TIFF, which browsers do not show."
                                        : " is neither JPEG, PNG, WebP nor BMP.");
  image.bytes.clear();
}

void mark_wrong(const std::vector<ExampleBox>& objects, double overlap, std::vector<ExampleBox>& found) {
  std::stable_sort(found.begin(), found.end(),
                   [](const ExampleBox& a, const ExampleBox& b) { return a.score > b.score; });
  std::vector<bool> taken(objects.size());
  for (ExampleBox& box : found) {
    std::optional<std::size_t> best;
    double most = 0;
    for (std::size_t o = 0; o < objects.size(); ++o) {
      const double shared = taken[o] ? 0 : overlap_of(box, objects[o]);
      if (shared < overlap || shared <= most) continue;
      most = shared;
      best = o;
    }
    if (best) taken[*best] = true;
    box.is_wrong = !best || objects[*best].name != box.name;
  }
}

}  // namespace tune::compare
