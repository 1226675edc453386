// JSON lines, and the choice between the displays.
#include "tuner/cli/status_display.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <ostream>

#include "tuner/core/visible_text.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

TerminalSize size_of_stderr() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace

void JsonStatus::on_event(const StatusEvent& event) {
  OrderedJson json = {
      {"schema", 1}, {"event", engine::event_kind(event.kind)}, {"time", format_time(event.time)}};
  if (event.id > 0) json["id"] = event.id;
  if (event.trial > 0) json["trial"] = event.trial;
  if (event.attempt > 0) json["attempt"] = event.attempt;
  if (event.kind == StatusKind::kTrialFinished) json["state"] = to_string(event.state);
  if (event.kind == StatusKind::kMetric) {
    json["metric"] = event.metric;
    json["step"] = event.point.step;
    json["value"] = number_to_json(event.point.value);
  }
  if (event.value) json["value"] = number_to_json(*event.value);
  if (!event.devices.empty()) json["devices"] = event.devices;
  if (!event.parameters.empty()) json["parameters"] = event.parameters;
  if (!event.message.empty()) json["message"] = event.message;
  out_ << visible_text(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) << '\n';
  out_.flush();
  out_.clear();
}

std::unique_ptr<engine::Status> make_status_display(Console& console, bool as_json,
                                                    const store::StudyRow& study,
                                                    const std::vector<store::TrialRow>& trials,
                                                    const Clock& clock) {
  if (as_json) return std::make_unique<JsonStatus>(console.out);
  StudyProgress progress(study, trials, clock);
  const char* term = std::getenv("TERM");
  const bool live = console.err_is_terminal && term != nullptr && std::string_view(term) != "dumb";
  if (!live) return std::make_unique<PlainStatus>(console.err, std::move(progress));
  const char* no_color = std::getenv("NO_COLOR");
  const bool color = no_color == nullptr || *no_color == '\0';
  return std::make_unique<TerminalStatus>(console.err, std::move(progress), size_of_stderr, color);
}

}  // namespace tune::cli
