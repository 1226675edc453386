// The page of a comparison in a real browser: its pictures and the boxes over them.
#include "browser/browser.h"
#include "unit/compare/scored_comparison.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

// A PNG of two by two grey pixels.
std::string small_png() {
  constexpr std::string_view kHex =
      "89504e470d0a1a0a0000000d494844520000000200000002080000000057dd52f80000000e4944415478da63b039c170c20600"
      "061e0209a70e53df0000000049454e44ae426082";
  std::string bytes;
  for (std::size_t i = 0; i < kHex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(kHex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// The page of a comparison with two pictures, of which each row has boxes that crowd one corner.
class ComparisonPage {
 public:
  ComparisonPage() {
    compare::ScoredComparison comparison;
    comparison.freeze();
    comparison.score();
    comparison.write("images/7.jpg", small_png());
    comparison.write("images/8.png", small_png());
    compare::ComparisonMaterial material = comparison.read();
    double hours = 1;
    for (compare::ComparisonRow& row : material.report.rows) {
      row.cost = {3600 * hours, hours, 3.6 * hours};
      row.approach += ", an approach with a name that is long enough to need a second line";
      hours += 0.01;
    }
    for (auto& [model, boxes] : material.examples[0].found)
      for (const double shift : {1, 2, 3})
        boxes.push_back({"pit", 0.4, 10 + shift, 10 + shift, 30, 30, true});
    std::ofstream(path()) << report::document_html(compare::comparison_document(material));
  }
  fs::path path() const { return folder_.path() / "report.html"; }

 private:
  TemporaryFolder folder_;
};

// Whether the browser could decode each picture.
constexpr const char* kDecoded =
    "Promise.all([...document.querySelectorAll('svg image')].map((image) => image.decode().then(() => true, "
    "() => "
    "false)))";

// How many boxes and numbers lie outside their picture, and how many numbers cover another one.
constexpr const char* kMisplaced = R"((() => {
  let outside = 0, covered = 0;
  for (const svg of document.querySelectorAll('.panel svg')) {
    const frame = svg.getBoundingClientRect();
    const tags = [...svg.querySelectorAll('.tag')].map((tag) => tag.getBoundingClientRect());
    for (const r of [...svg.querySelectorAll('.box')].map((box) => box.getBoundingClientRect()).concat(tags))
      if (r.left < frame.left - 3 || r.right > frame.right + 3 || r.top < frame.top - 3 || r.bottom > frame.bottom + 3) ++outside;
    tags.forEach((a, i) => tags.slice(i + 1).forEach((b) => {
      if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) ++covered;
    }));
  }
  return [outside, covered];
})())";

// The smallest letters of the page, in CSS pixels.
constexpr const char* kSmallest =
    "Math.min(...[...document.querySelectorAll('p,li,th,td,figcaption,caption,.panel text')].map((e) => "
    "parseFloat(getComputedStyle(e).fontSize) * (e.tagName === 'text' ? e.ownerSVGElement.clientWidth / "
    "e.ownerSVGElement.viewBox.baseVal.width : 1)))";

TEST_CASE(
    "a comparison's page shows its pictures and every approach's boxes, light and dark, wide and on a phone",
    "[browser]") {
  if (Browser::is_missing()) return;
  const ComparisonPage page;
  Browser browser;
  for (const bool is_dark : {false, true})
    for (const int width : {1280, 390}) {
      browser.open(page.path(), {width, 844, is_dark});
      CHECK(browser->evaluate(kDecoded) == Json{true, true});
      CHECK(browser->evaluate("document.querySelectorAll('.panel').length") == 6);
      CHECK(browser->evaluate("document.querySelectorAll('.panel use').length") == 4);
      CHECK(browser->evaluate(kMisplaced) == Json{0, 0});
      CHECK(browser->evaluate(kSmallest) >= 10);
      CHECK(browser->evaluate("document.querySelectorAll('canvas').length") == 1);
    }
}

TEST_CASE("a comparison's page prints with its pictures, and no table is cut", "[browser]") {
  if (Browser::is_missing()) return;
  const ComparisonPage page;
  Browser browser;
  browser.open(page.path(), {});
  const fs::path pdf = page.path().parent_path() / "page.pdf";
  browser->print(pdf);
  CHECK(fs::file_size(pdf) > 10'000);
  CHECK(browser->complaints() == std::vector<std::string>{});
  // 718 pixels are the width of A4 between margins of a centimetre.
  browser->show({718, 900, false, 1, true});
  CHECK(browser->evaluate("getComputedStyle(document.querySelector('nav')).display") == "none");
  CHECK(browser->evaluate("[...document.querySelectorAll('table, .panel')].every((e) => "
                          "e.getBoundingClientRect().right <= window.innerWidth)") == true);
}

}  // namespace
}  // namespace tune::tests
