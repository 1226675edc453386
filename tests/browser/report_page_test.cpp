// The page that `tune report` writes, in a real browser, over studies that the real engine has run.
#include "browser/browser.h"
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

// Twelve steps towards a loss that depends on both parameters; every seventh value of x crashes.
constexpr const char* kTrainer = R"(lr=$1; x=$2; kind=$3
[ $((x % 7)) -ne 0 ] || { echo "no memory for <b>$x</b>" >&2; exit 3; }
exec awk -v lr="$lr" -v x="$x" -v kind="$kind" 'BEGIN {
  for (step = 1; step <= 12; ++step)
    printf "step %d loss=%.6f\n", step, (log(lr / 0.01) ^ 2 + x / 20 + (kind == "b")) * (0.2 + 1 / step) + 0.1
}')";

class ReportFolder : public StudyFolder {
 public:
  ReportFolder() : StudyFolder(kTrainer) {
    spec["parameters"] = {
        {"lr", {{"type", "float"}, {"min", 1e-5}, {"max", 1.0}, {"scale", "log"}}},
        {"x", {{"type", "int"}, {"min", 1}, {"max", 40}}},
        {"kind", {{"type", "categorical"}, {"values", {"a", "b", "</script><script>pwned=1</script>"}}}},
        {"momentum",
         {{"type", "float"},
          {"min", 0.5},
          {"max", 0.999},
          {"scale", "reverse_log"},
          {"when", {{"kind", "b"}}}}}};
    spec["command"] = {"sh", "train.sh", "{{lr}}", "{{x}}", "{{kind}}", "{{momentum}}"};
    spec["metrics"] = {{{"name", "loss"}, {"regex", "loss=([0-9.]+)"}, {"step", "step ([0-9]+)"}}};
    spec["early_stopping"] = {{"rule", "median"}};
    spec["limits"] = {{"trials", 40}, {"parallel", 2}};
    spec["cost"] = {{"usd_per_hour", 3.06}};
  }
  // Runs the study and writes its report.
  fs::path page() const {
    REQUIRE(run().exit_code == 0);
    const ShellResult report = shell("tune report s --store store --output out");
    INFO(report.err);
    REQUIRE(report.exit_code == 0);
    return path() / "out" / "report.html";
  }
};

// The brightest channel of the text's colour, and of the ground's, 0 to 255.
constexpr const char* kTextBrightness = R"((() => {
  const color = getComputedStyle(document.body).color.match(/\d+/g).map(Number);
  const ground = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number);
  return [Math.max(...color.slice(0, 3)), Math.max(...ground.slice(0, 3))];
})())";

TEST_CASE("a report draws every chart without a complaint, light and dark, wide and on a phone",
          "[browser]") {
  if (Browser::is_missing()) return;
  const ReportFolder folder;
  const fs::path page = folder.page();
  Browser browser;
  for (const bool is_dark : {false, true})
    for (const int width : {1280, 390}) {
      browser.open(page, {width, 844, is_dark});
      const Json brightness = browser->evaluate(kTextBrightness);
      CHECK((brightness.at(0) > brightness.at(1)) == is_dark);
    }
  // History, cost, curves and a slice for each of the four parameters.
  CHECK(browser->evaluate("document.querySelectorAll('canvas').length") == 7);
}

TEST_CASE("the charts change their colours with the system's, and turn to paper for printing", "[browser]") {
  if (Browser::is_missing()) return;
  const ReportFolder folder;
  const fs::path page = folder.page();
  Browser browser;
  browser.open(page, {1280, 900, false});
  const std::string picture = "document.querySelector('#chart-history').toDataURL()";
  const Json light = browser->evaluate(picture);
  browser->show({1280, 900, true});
  const Json dark = browser->evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(" + picture +
      "))))");
  CHECK(light != dark);
  browser->print(folder.path() / "page.pdf");
  CHECK(fs::file_size(folder.path() / "page.pdf") > 10'000);
  CHECK(browser->complaints() == std::vector<std::string>{});
  CHECK(browser->evaluate(picture) == dark);  // after printing as before
}

TEST_CASE("what is drawn is also said: labels of charts, captions and scopes of tables", "[browser]") {
  if (Browser::is_missing()) return;
  const ReportFolder folder;
  Browser browser;
  browser.open(folder.page(), {});
  const auto count = [&](const std::string& selector) {
    return browser->evaluate("document.querySelectorAll('" + selector + "').length").get<int>();
  };
  CHECK(count("canvas[role=img][aria-label]") == count("canvas"));
  CHECK(count("table > caption") == count("table"));
  CHECK(count("thead th:not([scope=col])") == 0);
  CHECK(count("tbody th:not([scope=row])") == 0);
  CHECK(count("h1") == 1);
  CHECK(count("html[lang]") == 1);
  CHECK(browser->evaluate(
            "[...document.querySelectorAll('nav a')].every((a) => document.querySelector(a.hash))") == true);
  // 4.5 to 1 is what WCAG 2.2 asks of text.
  constexpr const char* kContrast = R"((() => {
    const light = (c) => { const v = c.match(/[\d.]+/g).slice(0, 3).map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)); return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2]; };
    const ground = light(getComputedStyle(document.documentElement).backgroundColor);
    return Math.min(...[...document.querySelectorAll('h1,p,th,td,caption,figcaption,dt,dd,summary,a,li')].map((e) => {
      const text = light(getComputedStyle(e).color);
      return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05); }));
  })())";
  CHECK(browser->evaluate(kContrast) >= 4.5);
  browser->show({1280, 900, true});
  CHECK(browser->evaluate(kContrast) >= 4.5);
}

}  // namespace
}  // namespace tune::tests
