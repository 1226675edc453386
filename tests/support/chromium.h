#pragma once
// A headless Chromium, driven over a pipe by its DevTools protocol, for tests of pages.
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/run_shell.h"
#include "tuner/core/json.h"

namespace tune::tests {

// $TUNE_CHROMIUM, else chromium, chromium-browser or google-chrome on the path; empty where there is none.
std::filesystem::path find_chromium();

struct View {
  int width = 1280, height = 900;
  bool is_dark = false;
  double scale = 1;  // device pixels a CSS pixel
  bool is_print = false;
};

// One browser with one tab. Throws when the browser dies or does not answer within a minute.
class Chromium {
 public:
  explicit Chromium(const std::filesystem::path& program);
  ~Chromium();
  Chromium(const Chromium&) = delete;
  Chromium& operator=(const Chromium&) = delete;

  void show(const View& view);
  // Opens a file and waits until it and its scripts have loaded. Forgets earlier complaints and requests.
  void open(const std::filesystem::path& file);
  // The value of a JavaScript expression.
  Json evaluate(const std::string& expression);
  void screenshot(const std::filesystem::path& png, bool whole_page);
  void print(const std::filesystem::path& pdf);
  // Exceptions, console messages of level warning and error, and what the browser logs about the page.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // Addresses that the page asked for, its own included.
  const std::vector<std::string>& requests() const { return requests_; }

 private:
  Json call(const std::string& method, const Json& parameters = Json::object());
  Json next_message();
  void take(const Json& event);

  TemporaryFolder profile_;
  pid_t pid_ = -1;
  int to_ = -1, from_ = -1;
  int last_id_ = 0;
  bool has_loaded_ = false;
  std::string session_, buffer_;
  std::vector<std::string> complaints_, requests_;
};

}  // namespace tune::tests
