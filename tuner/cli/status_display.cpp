#include "tuner/cli/status_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "tuner/cli/json_status.h"
#include "tuner/cli/plain_status.h"
#include "tuner/cli/terminal_status.h"

namespace tune::cli {
namespace {

TerminalSize size_of_stderr() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace

bool is_drawn_live(const Console& console) {
  const char* term = std::getenv("TERM");
  return console.err_is_terminal && term != nullptr && std::string_view(term) != "dumb";
}

std::unique_ptr<engine::Status> make_status_display(Console& console, bool as_json, StudyProgress progress) {
  if (as_json) return std::make_unique<JsonStatus>(console.out);
  if (!is_drawn_live(console)) return std::make_unique<PlainStatus>(console.err, std::move(progress));
  const char* no_color = std::getenv("NO_COLOR");
  const bool color = no_color == nullptr || *no_color == '\0';
  return std::make_unique<TerminalStatus>(console.err, std::move(progress), size_of_stderr, color);
}

}  // namespace tune::cli
