#include "tuner/cli/json_status.h"

#include <ostream>

#include "tuner/core/visible_text.h"

namespace tune::cli {
namespace {

using engine::StatusEvent;
using engine::StatusKind;

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
  if (event.second_value)
    json["values"] = OrderedJson::array({number_to_json(*event.value), number_to_json(*event.second_value)});
  if (!event.devices.empty()) json["devices"] = event.devices;
  if (!event.parameters.empty()) json["parameters"] = event.parameters;
  if (event.replicate_of) json["replicate_of"] = *event.replicate_of;
  if (event.rerun_of) json["rerun_of"] = *event.rerun_of;
  if (!event.message.empty()) json["message"] = event.message;
  out_ << visible_text(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) << '\n';
  out_.flush();
  out_.clear();
}

}  // namespace tune::cli
