#include "trainer/tasks/image_classification/advice/doubts_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "trainer/images/encode.h"
#include "tuner/core/base64.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::size_t kMostFigures = 60;
constexpr int kSide = 160, kQuality = 85;
// Pictures of a row are one below the other, whatever their names and sizes; the doubted one has a frame.
constexpr const char* kStyle =
    "body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;"
    "color-scheme:light dark}h1{font-size:1.5em}h2{font-size:1em;margin:.5em 0}"
    "section{border-top:1px solid #8886;padding:.5em 0 1em}div{display:flex;flex-wrap:wrap;gap:1em 1.5em}"
    "figure{margin:0;width:160px;overflow-wrap:anywhere;font-size:.85em}"
    "img{display:block;width:160px;height:160px;object-fit:contain;background:#8882;margin-bottom:.4em}"
    "figure:first-child img{outline:3px solid #d55e00}small{opacity:.75}";

// The image in a square of kSide, as an element of a page; a sentence where it cannot be decoded any more.
std::string thumbnail(const std::filesystem::path& file) {
  try {
    images::Image image = images::decode(file);
    const double scale = static_cast<double>(kSide) / std::max(image.width, image.height);
    const auto side = [&](int pixels) { return std::max(1, static_cast<int>(std::lround(pixels * scale))); };
    if (scale < 1) image = images::resize(image, {side(image.width), side(image.height)});
    return "<img alt=\"\" src=\"data:image/jpeg;base64," + base64(images::jpeg_bytes(image, kQuality)) +
           "\">";
  } catch (const Error& error) {
    return "<p>" + html_escaped(error.what()) + "</p>";
  }
}

const Example& sampled(const AdvisedSet& advised, std::size_t in_sample) {
  return advised.set.examples[advised.measured.sample[in_sample]];
}

std::string figure(const AdvisedSet& advised, std::size_t in_sample, const std::string& caption) {
  const Example& example = sampled(advised, in_sample);
  return "<figure>" + thumbnail(example.image) + "<figcaption>" + html_escaped(caption) + "<br><small>" +
         html_escaped(example.name) + "</small></figcaption></figure>\n";
}

void add_doubt(const AdvisedSet& advised, const LabelDoubt& doubt, std::ostream& page) {
  constexpr std::size_t kShownNeighbours = 3;
  const std::string& suggested = advised.set.classes[static_cast<std::size_t>(doubt.suggested)];
  char strength[16];
  std::snprintf(strength, sizeof strength, "%.2f", doubt.strength);
  page << "<section><h2>" << html_escaped(label_text(advised.set, sampled(advised, doubt.image)))
       << ", perhaps " << html_escaped(suggested) << " (" << strength << ")</h2>\n<div>"
       << figure(advised, doubt.image, "labelled " + label_text(advised.set, sampled(advised, doubt.image)));
  std::size_t shown = 0;
  for (const std::size_t other : doubt.neighbours) {
    if (sampled(advised, other).labels.front() != doubt.suggested || shown == kShownNeighbours) continue;
    page << figure(advised, other, "near it: " + suggested);
    ++shown;
  }
  page << "</div></section>\n";
}

}  // namespace

void write_doubts_page(const AdvisedSet& advised, const std::filesystem::path& file) {
  const Measurements& measured = advised.measured;
  std::ostringstream page;
  page << "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
          "content=\"width=device-width\"><title>Labels to look at</title>\n<style>"
       << kStyle << "</style>\n<h1>Labels to look at</h1>\n<p>" << html_escaped(advised.choice.data.string())
       << ": " << plural_text(measured.doubts.size(), "image") << " of " << measured.sample.size()
       << " whose nearest neighbours are of another class";
  if (measured.doubts.size() > kMostFigures)
    page << ", of which the strongest " << kMostFigures << " are shown";
  page << ". The number is what speaks for the other class less what speaks for its own.</p>\n";
  if (measured.neighbours == 0)
    page << "<p>Labels were not measured: that takes weights, and images of one class each.</p>\n";
  for (std::size_t i = 0; i < std::min(kMostFigures, measured.doubts.size()); ++i)
    add_doubt(advised, measured.doubts[i], page);
  page << "</html>\n";
  write_file_atomically(file, page.str());
}

}  // namespace tune::trainer::image_classification
