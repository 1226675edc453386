#include "trainer/tasks/image_sets/picture_page.h"

#include <algorithm>
#include <cmath>

#include "trainer/images/encode.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::image_sets {
namespace {

namespace fs = std::filesystem;

constexpr int kQuality = 88;

}  // namespace

std::optional<Shown> load_shown(const fs::path& file, int longest) {
  try {
    Shown shown{images::decode(file), 1};
    const int side_now = std::max(shown.image.width, shown.image.height);
    if (side_now > longest) {
      shown.scale = static_cast<double>(longest) / side_now;
      const auto side = [&](int pixels) {
        return std::max(1, static_cast<int>(std::lround(pixels * shown.scale)));
      };
      shown.image = images::resize(shown.image, {side(shown.image.width), side(shown.image.height)});
    }
    return shown;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void PicturePage::heading(const std::string& text, std::size_t count) {
  page_ << "<h2>" << html_escaped(text) << ": " << count << "</h2>\n";
}

void PicturePage::add(const std::string& name, const std::string& caption,
                      const std::vector<images::Image>& parts) {
  page_ << "<figure>";
  if (!parts.empty()) {
    images::write_jpeg(folder_ / (name + ".jpg"), images::beside(parts), kQuality);
    page_ << "<img loading=\"lazy\" src=\"" << html_escaped(name) << ".jpg\" alt=\"\">";
    ++pictures_;
  }
  page_ << "<figcaption>" << html_escaped(caption) << "</figcaption></figure>\n";
}

std::size_t PicturePage::write() {
  write_file_atomically(
      folder_ / "index.html",
      "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>" + html_escaped(title_) +
          "</title>\n<style>body{font:15px sans-serif;margin:2em;color-scheme:light dark}figure{margin:0 0 "
          "2em}img{max-width:100%}figcaption{margin:.3em 0;white-space:pre-line}</style>\n" +
          page_.str() + "</html>\n");
  return pictures_;
}

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

}  // namespace tune::trainer::image_sets
