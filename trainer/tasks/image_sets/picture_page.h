#pragma once
// A folder of small pictures with an index.html that shows them: what an audit found, what a model detects.
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "trainer/images/draw.h"
#include "trainer/images/image.h"

namespace tune::trainer::image_sets {

// An image as it is shown.
struct Shown {
  images::Image image;
  double scale = 1;  // shown pixels per pixel
  void draw(double x1, double y1, double x2, double y2, const images::Colour& colour, int thickness = 1) {
    images::draw_box(image, x1 * scale, y1 * scale, x2 * scale, y2 * scale, colour, thickness);
  }
};
// A larger image is reduced to sides of at most `longest` pixels; nullopt for one that cannot be decoded.
std::optional<Shown> load_shown(const std::filesystem::path& file, int longest = 400);

// The folder must be there and empty. Lives for one call, on its thread.
class PicturePage {
 public:
  PicturePage(std::filesystem::path folder, std::string title)
      : folder_(std::move(folder)), title_(std::move(title)) {}
  void heading(const std::string& text, std::size_t count);
  // A caption, and above it the images side by side in NAME.jpg; no `parts`: the caption alone.
  void add(const std::string& name, const std::string& caption, const std::vector<images::Image>& parts);
  // Writes index.html; gives the number of pictures.
  std::size_t write();

 private:
  std::filesystem::path folder_;
  std::string title_;
  std::ostringstream page_;
  std::size_t pictures_ = 0;
};

// Makes the folder, which must be empty or absent: Error(kConflict). Before the work, so that nobody waits in
// vain.
void make_picture_folder(const std::filesystem::path& folder);

}  // namespace tune::trainer::image_sets
