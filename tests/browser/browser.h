#pragma once
// A browser that opens reports, and what every view of one has to keep to.
#include <filesystem>

#include "support/catch.h"
#include "support/chromium.h"
#include "support/skip.h"

namespace tune::tests {

// How many pixels of each canvas differ from its most frequent colour.
inline constexpr const char* kDrawnPixels =
    R"((() => [...document.querySelectorAll('canvas')].map((canvas) => {
  const data = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  const counts = new Map();
  for (const pixel of data) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  return data.length - Math.max(...counts.values());
}))())";

class Browser {
 public:
  static bool is_missing() {
    if (!find_chromium().empty()) return false;
    skip("no Chromium on this machine: install the package chromium, or name one in TUNE_CHROMIUM");
    return true;
  }
  Browser() : chromium_(find_chromium()) {}
  Chromium* operator->() { return &chromium_; }
  // Opens the page, and holds what every view of a report has to keep to.
  void open(const std::filesystem::path& page, const View& view) {
    chromium_.show(view);
    chromium_.open(page);
    INFO(view.width << " pixels wide, " << (view.is_dark ? "dark" : "light"));
    CHECK(chromium_.complaints() == std::vector<std::string>{});
    // The file itself, and what it holds.
    std::size_t files = 0;
    for (const std::string& address : chromium_.requests()) files += address.starts_with("data:") ? 0 : 1;
    CHECK(files == 1);
    CHECK(chromium_.evaluate("typeof pwned") == "undefined");
    CHECK(chromium_.evaluate("document.documentElement.scrollWidth <= window.innerWidth") == true);
    const Json pixels = chromium_.evaluate(kDrawnPixels);
    REQUIRE(!pixels.empty());
    for (const Json& count : pixels) CHECK(count > 500);
    CHECK(chromium_.evaluate("document.documentElement.dataset.charts") == std::to_string(pixels.size()));
  }

 private:
  Chromium chromium_;
};

}  // namespace tune::tests
