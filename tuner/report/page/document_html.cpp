#include <set>

#include "tuner/core/error.h"
#include "tuner/report/page/assets.h"
#include "tuner/report/page/document.h"
#include "tuner/report/page/escape.h"
#include "tuner/report/page/markup.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

std::string cell(const std::string& name, const std::string& attributes, const Column& column,
                 const std::string& text) {
  const char* kind = column.align == Align::kRight ? "number" : column.flexible ? "long" : "";
  const std::string kinds = *kind == '\0' ? attributes : attributes + " class=\"" + kind + '"';
  return element(name, kinds, html_escaped(text));
}

// The first cell of a row names it.
std::string table_rows(const Table& table) {
  std::string rows;
  for (const auto& row : table.rows) {
    TUNE_CHECK(row.size() == table.columns.size());
    std::string cells;
    for (std::size_t i = 0; i < row.size(); ++i)
      cells += i == 0 ? cell("th", "scope=\"row\"", table.columns[i], row[i])
                      : cell("td", "", table.columns[i], row[i]);
    rows += element("tr", "", cells) + '\n';
  }
  return rows;
}

std::string html_table(const std::string& caption, const Table& table) {
  std::string titles;
  for (const Column& column : table.columns) titles += cell("th", "scope=\"col\"", column, column.title);
  const std::string content = element("caption", "", html_escaped(caption)) +
                              element("thead", "", element("tr", "", titles)) + '\n' +
                              element("tbody", "", '\n' + table_rows(table));
  // A table that is wider than a phone scrolls by itself, with the keyboard too.
  return element("div", "class=\"scroll\" tabindex=\"0\" role=\"region\" " + attribute("aria-label", caption),
                 element("table", "", content)) +
         '\n';
}

// One for all the charts.
std::string legend(const std::vector<Chart>& charts) {
  std::set<Role> listed;
  for (const Chart& chart : charts)
    for (const Series& series : chart.series)
      if (!series.x.empty()) listed.insert(series.role);
  std::string items;
  for (const Role role : listed)
    items +=
        element("li", std::string("class=\"key ") + role_name(role) + '"', html_escaped(role_label(role)));
  return listed.size() < 2 ? std::string() : element("ul", "class=\"legend\"", items);
}

std::string figure(const Chart& chart, const std::string& own_legend) {
  const std::string id = chart.id;
  std::string caption = element("strong", "", html_escaped(chart.title));
  if (!chart.note.empty()) caption += ' ' + element("span", "class=\"note\"", html_escaped(chart.note));
  const std::string canvas =
      element("canvas",
              "id=\"" + id + "\" role=\"img\" " + attribute("aria-label", chart.title + ". " + chart.summary),
              html_escaped(chart.summary));
  return element("figure", "",
                 element("figcaption", "", caption) + own_legend + element("div", "class=\"plot\"", canvas)) +
         '\n';
}

struct HtmlWriter {
  std::string operator()(const Intervals& intervals) const { return intervals_html(intervals); }
  std::string operator()(const Matrices& matrices) const { return matrices_html(matrices); }
  std::string operator()(const Pictures& pictures) const { return pictures_html(pictures); }
  std::string operator()(const Paragraph& paragraph) const {
    return element("p", "", html_escaped(paragraph.text)) + '\n';
  }
  std::string operator()(const Facts& facts) const {
    std::string rows;
    for (const auto& [name, value] : facts.rows)
      rows += element("tr", "",
                      element("th", "scope=\"row\"", html_escaped(name)) +
                          element("td", "class=\"long\"", html_escaped(value))) +
              '\n';
    return element(
               "div",
               "class=\"scroll\" tabindex=\"0\" role=\"region\" " + attribute("aria-label", facts.caption),
               element("table", "class=\"facts\"",
                       element("caption", "", html_escaped(facts.caption)) + element("tbody", "", rows))) +
           '\n';
  }
  std::string operator()(const TableBlock& block) const {
    const std::string table = html_table(block.caption, block.table);
    if (!block.is_folded) return table;
    return element("details", "", element("summary", "", html_escaped(block.caption)) + table) + '\n';
  }
  std::string operator()(const Shares& shares) const {
    std::string rows;
    for (const auto& [name, share] : shares.rows) {
      const std::string bar =
          "<svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
          "height=\"8\" width=\"" +
          shortest(100 * share) + "\"/></svg>";
      rows += element("tr", "",
                      element("th", "scope=\"row\"", html_escaped(name)) +
                          element("td", "class=\"number\"", percent_text(share)) +
                          element("td", "class=\"bar\"", bar)) +
              '\n';
    }
    const std::string head =
        "<thead><tr><th scope=\"col\">hyperparameter</th><th scope=\"col\" "
        "class=\"number\">share</th><td></td></tr></thead>";
    return element("table", "class=\"shares\"",
                   element("caption", "", html_escaped(shares.caption)) + head + element("tbody", "", rows)) +
           '\n';
  }
  std::string operator()(const Figures& figures) const {
    const std::string keys = legend(figures.charts);
    if (figures.charts.size() == 1)
      return element("div", "class=\"figures\"", figure(figures.charts.front(), keys)) + '\n';
    std::string content;
    for (const Chart& chart : figures.charts) content += figure(chart, {});
    return keys + element("div", "class=\"figures several\"", content) + '\n';
  }
};

std::string tiles_html(const std::vector<Tile>& tiles) {
  std::string items;
  for (const Tile& tile : tiles)
    items +=
        element("div", "",
                element("dt", "", html_escaped(tile.label)) + element("dd", "", html_escaped(tile.value)) +
                    (tile.note.empty() ? "" : element("dd", "class=\"note\"", html_escaped(tile.note))));
  return items;
}

Json charts_json(const Document& document) {
  Json charts = Json::array();
  for (const Section& section : document.sections)
    for (const Block& block : section.blocks)
      if (const auto* figures = std::get_if<Figures>(&block))
        for (const Chart& chart : figures->charts) charts.push_back(chart_json(chart));
  return charts;
}

std::string value_of(const std::string& name, const Document& document) {
  if (name == "title") return html_escaped(document.title);
  if (name == "subtitle") return html_escaped(document.subtitle);
  if (name == "tiles") return tiles_html(document.tiles);
  if (name == "colophon") return html_escaped(document.colophon);
  if (name == "style") return std::string(page_style());
  if (name == "chart_library") return std::string(chart_library());
  if (name == "chart_library_licence") return std::string(chart_library_licence());
  if (name == "script") return std::string(page_script());
  if (name == "charts") return script_json(charts_json(document));
  if (name == "links") {
    std::string links;
    for (const Section& section : document.sections)
      links += element("li", "", element("a", "href=\"#" + section.id + '"', html_escaped(section.title)));
    return links;
  }
  TUNE_CHECK(name == "sections", name);
  std::string text;
  for (const Section& section : document.sections) {
    std::string content = element("h2", "", html_escaped(section.title)) + '\n';
    for (const Block& block : section.blocks) content += std::visit(HtmlWriter{}, block);
    text += element("section", "id=\"" + section.id + '"', content) + '\n';
  }
  return text;
}

}  // namespace

std::string document_html(const Document& document) {
  // In one pass, so that what looks like a placeholder in a user's text stays text.
  std::string page;
  std::string_view rest = page_template();
  while (!rest.empty()) {
    const std::size_t open = rest.find("{{"), close = rest.find("}}", open);
    page += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    TUNE_CHECK(close != std::string_view::npos);
    page += value_of(std::string(rest.substr(open + 2, close - open - 2)), document);
    rest.remove_prefix(close + 2);
  }
  return page;
}

}  // namespace tune::report
