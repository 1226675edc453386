#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "tuner/core/base64.h"
#include "tuner/core/number_text.h"
#include "tuner/report/page/escape.h"
#include "tuner/report/page/markup.h"
#include "tuner/report/page/model_blocks.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

constexpr std::size_t kTones = 8;  // that page.css has

std::string tone_class(std::size_t tone) { return "tone-" + std::to_string(tone % kTones); }

std::string number_attribute(const char* name, double value) {
  return std::string(" ") + name + "=\"" + number_text(value) + '"';
}

struct Place {
  double x = 0, y = 0, width = 0, height = 0;
};

bool overlap(const Place& a, const Place& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

// Where the number of a box stands: at one of its corners, inside the picture, where no other number is if
// that can be.
Place tag_place(const PictureBox& box, double width, double height, const Picture& picture,
                const std::vector<Place>& taken) {
  const double right = box.x + box.width - width, bottom = box.y + box.height - height;
  const std::array<std::pair<double, double>, 6> corners{{{box.x, box.y},
                                                          {right, box.y},
                                                          {box.x, bottom},
                                                          {right, bottom},
                                                          {box.x, box.y - height},
                                                          {right, box.y - height}}};
  std::optional<Place> first;
  for (const auto& [x, y] : corners) {
    const Place place{std::clamp(x, 0.0, std::max(0.0, picture.width - width)),
                      std::clamp(y, 0.0, std::max(0.0, picture.height - height)), width, height};
    if (!first) first = place;
    if (std::none_of(taken.begin(), taken.end(), [&](const Place& other) { return overlap(place, other); }))
      return place;
  }
  return *first;
}

std::string rect(const Place& place, const std::string& kinds) {
  return "<rect class=\"" + kinds + '"' + number_attribute("x", place.x) + number_attribute("y", place.y) +
         number_attribute("width", place.width) + number_attribute("height", place.height) + "/>";
}

// Boxes over the picture; their numbers are those of the list below it.
std::string overlay(const Picture& picture, const PicturePanel& panel) {
  std::string shapes, tags;
  std::vector<Place> taken;
  const double height = std::max(picture.width, picture.height) * 0.085;
  for (std::size_t i = 0; i < panel.boxes.size(); ++i) {
    const PictureBox& box = panel.boxes[i];
    const std::string number = std::to_string(i + 1), tone = tone_class(box.tone);
    const Place place{box.x, box.y, box.width, box.height};
    // The surest comes first in the list and lies on top.
    shapes = rect(place, "halo") + rect(place, "box " + tone + (box.is_wrong ? " wrong" : "")) + shapes;
    const double width = height * (0.35 + 0.55 * static_cast<double>(number.size()));
    taken.push_back(tag_place(box, width, height, picture, taken));
    tags += rect(taken.back(), "tag " + tone) + "<text" + number_attribute("x", taken.back().x + width / 2) +
            number_attribute("y", taken.back().y + height * 0.79) +
            number_attribute("font-size", height * 0.85) + ">" + number + "</text>";
  }
  return shapes + tags;
}

std::string box_text(const PictureBox& box) {
  return box.label + (box.confidence.empty() ? "" : " " + box.confidence);
}

std::string panel_html(const Picture& picture, const PicturePanel& panel, bool is_first) {
  std::string said, list;
  for (const PictureBox& box : panel.boxes) {
    said += (said.empty() ? "" : ", ") + box_text(box) + (box.is_wrong ? " (wrong)" : "");
    list += element("li", "class=\"" + tone_class(box.tone) + (box.is_wrong ? " wrong\"" : "\""),
                    html_escaped(box_text(box)));
  }
  // The first panel holds the file, the others refer to it.
  const std::string image = is_first ? "<image id=\"" + picture.id + '"' +
                                           number_attribute("width", picture.width) +
                                           number_attribute("height", picture.height) +
                                           " preserveAspectRatio=\"none\" href=\"data:" + picture.media_type +
                                           ";base64," + base64(picture.bytes) + "\"/>"
                                     : "<use href=\"#" + picture.id + "\"/>";
  const std::string view = "viewBox=\"0 0 " + std::to_string(picture.width) + ' ' +
                           std::to_string(picture.height) + "\" role=\"img\" " +
                           attribute("aria-label", panel.title + ": " + (said.empty() ? "no boxes" : said));
  return element("figure", "class=\"panel\"",
                 element("figcaption", "", html_escaped(panel.title)) +
                     element("svg", view, image + overlay(picture, panel)) +
                     (list.empty() ? "" : element("ol", "", list)) +
                     (panel.note.empty() ? "" : element("p", "class=\"note\"", html_escaped(panel.note)))) +
         '\n';
}

std::string picture_html(const Picture& picture) {
  const std::string title = element("h3", "", html_escaped(picture.title));
  if (picture.bytes.empty())
    return element("div", "class=\"picture\"",
                   title + element("p", "class=\"notice\"", html_escaped(picture.missing))) +
           '\n';
  std::string panels;
  for (const PicturePanel& panel : picture.panels)
    panels += panel_html(picture, panel, &panel == &picture.panels.front());
  return element("div", "class=\"picture\"", title + element("div", "class=\"panels\"", panels)) + '\n';
}

}  // namespace

std::string pictures_html(const Pictures& pictures) {
  std::string keys, content;
  for (std::size_t i = 0; i < pictures.keys.size(); ++i)
    keys += element("li", "class=\"chip " + tone_class(i) + '"', html_escaped(pictures.keys[i]));
  for (const Picture& picture : pictures.pictures) content += picture_html(picture);
  return element("p", "", html_escaped(pictures.caption)) + element("ul", "class=\"legend\"", keys) + '\n' +
         content;
}

std::string matrices_html(const Matrices& matrices) {
  const std::size_t size = matrices.labels.size();
  std::string content;
  for (const Matrix& matrix : matrices.matrices) {
    std::string titles = element("th", "scope=\"col\"", html_escaped(matrices.rows_are));
    for (const std::string& label : matrices.labels)
      titles += element("th", "scope=\"col\" class=\"slanted\"", element("span", "", html_escaped(label)));
    std::string rows;
    for (std::size_t r = 0; r < size; ++r) {
      std::string cells = element("th", "scope=\"row\"", html_escaped(matrices.labels[r]));
      std::int64_t whole = 0;
      for (const std::int64_t count : matrix.counts[r]) whole += count;
      for (const std::int64_t count : matrix.counts[r]) {
        // Half the ink at most, so that the number stays readable.
        const long ink =
            whole > 0 ? std::lround(50.0 * static_cast<double>(count) / static_cast<double>(whole)) : 0;
        cells += element(
            "td",
            "class=\"number\"" + (ink > 0 ? " style=\"--ink:" + std::to_string(ink) + "%\"" : std::string()),
            std::to_string(count));
      }
      rows += element("tr", "", cells) + '\n';
    }
    content +=
        element("div",
                "class=\"scroll\" tabindex=\"0\" role=\"region\" " + attribute("aria-label", matrix.title),
                element("table", "class=\"matrix\"",
                        element("caption", "", html_escaped(matrix.title)) +
                            element("thead", "", element("tr", "", titles)) + element("tbody", "", rows))) +
        '\n';
  }
  return element("p", "", html_escaped(matrices.caption)) + element("div", "class=\"matrices\"", content) +
         '\n';
}

double reach_of(const Intervals& intervals) {
  double ends = 0, differences = 0, narrowest = std::numeric_limits<double>::infinity();
  for (const IntervalRow& row : intervals.rows) {
    const double extent = std::max(
        {std::abs(row.value), std::abs(row.low.value_or(row.value)), std::abs(row.high.value_or(row.value))});
    differences = std::max(differences, std::abs(row.value));
    ends = std::max(ends, extent);
    if (row.low && row.high) narrowest = std::min(narrowest, extent);
  }
  if (std::isfinite(narrowest)) ends = std::min(ends, std::max(2 * differences, 1.1 * narrowest));
  return std::isfinite(ends) && ends > 0 ? ends : 1;
}

std::string intervals_html(const Intervals& intervals) {
  const double reach = reach_of(intervals);
  const auto at = [&](double value) {
    return number_text(std::clamp(50 + 50 * value / reach, 0.0, 100.0)) + '%';
  };
  std::string rows;
  for (const IntervalRow& row : intervals.rows) {
    std::string marks = "<line class=\"zero\" x1=\"50%\" x2=\"50%\" y1=\"0\" y2=\"100%\"/>";
    if (row.low && row.high) {
      marks += "<line class=\"span\" x1=\"" + at(*row.low) + "\" x2=\"" + at(*row.high) +
               "\" y1=\"50%\" y2=\"50%\"/>";
      for (const double end : {*row.low, *row.high})
        if (std::abs(end) <= reach)
          marks +=
              "<line class=\"span\" x1=\"" + at(end) + "\" x2=\"" + at(end) + "\" y1=\"25%\" y2=\"75%\"/>";
    }
    marks += "<circle cx=\"" + at(row.value) + "\" cy=\"50%\" r=\"4\"/>";
    rows += element("tr", "",
                    element("th", "scope=\"row\"", html_escaped(row.name)) +
                        element("td", "class=\"strip\"", element("svg", "aria-hidden=\"true\"", marks)) +
                        element("td", "", html_escaped(row.verdict))) +
            '\n';
  }
  char edge[32];
  std::snprintf(edge, sizeof edge, "%.2g", reach);
  const std::string axis = element("span", "", std::string("−") + edge) + element("span", "", "0") +
                           element("span", "", std::string("+") + edge);
  const std::string head = "<thead><tr><th scope=\"col\">difference</th><th scope=\"col\" class=\"axis\">" +
                           element("div", "", axis) + "</th><th scope=\"col\">verdict</th></tr></thead>";
  return element(
             "div",
             "class=\"scroll\" tabindex=\"0\" role=\"region\" " + attribute("aria-label", intervals.caption),
             element("table", "class=\"intervals\"",
                     element("caption", "", html_escaped(intervals.caption)) + head +
                         element("tbody", "", rows))) +
         '\n';
}

}  // namespace tune::report
