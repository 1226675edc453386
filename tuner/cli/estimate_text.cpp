#include "tuner/cli/estimate_text.h"

#include <algorithm>
#include <cstdio>
#include <ostream>

#include "tuner/cli/interruption.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/scratch_folder.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/table.h"

namespace tune::cli {
namespace {

using engine::PointEstimate;
using engine::Range;
using engine::SearchEstimate;

std::string bytes_text(double bytes) {
  char text[32];
  if (bytes < 1e9)
    std::snprintf(text, sizeof text, "%.0f MB", bytes / 1e6);
  else
    std::snprintf(text, sizeof text, "%.*f GB", bytes < 1e11 ? 2 : 0, bytes / 1e9);
  return text;
}

std::string range_text(const Range& range, const std::function<std::string(double)>& text) {
  const std::string expected = text(range.expected);
  if (text(range.low) == expected && text(range.high) == expected) return expected;
  return expected + " (" + text(range.low) + " to " + text(range.high) + ")";
}

std::string usd(double dollars) { return report::usd_text(dollars); }

void print_points(const SearchEstimate& estimate, std::ostream& out) {
  report::Table table{{{"a trial", report::Align::kLeft},
                       {"memory", report::Align::kRight},
                       {"batch", report::Align::kRight},
                       {"steps", report::Align::kRight},
                       {"time", report::Align::kRight},
                       {"hyperparameters", report::Align::kLeft}},
                      {}};
  for (const PointEstimate& point : estimate.points)
    table.rows.push_back({point.name, bytes_text(static_cast<double>(point.memory())),
                          point.answer.at("batch_size").dump(), point.answer.at("time").at("steps").dump(),
                          report::seconds_text(point.seconds()), report::parameters_text(point.parameters)});
  out << report::text_table(table, 0);
}

void print_parts(const SearchEstimate& estimate, std::ostream& out) {
  const PointEstimate& largest = estimate.points[estimate.largest];
  const Json& memory = largest.answer.at("memory");
  out << "\nMemory of the largest trial, on " << largest.answer.at("device").get<std::string>() << " in "
      << largest.answer.at("precision").get<std::string>() << ": "
      << bytes_text(static_cast<double>(largest.memory())) << '\n';
  const OrderedJson parts = memory.at("parts");
  for (const char* name :
       {"program", "data", "weights", "gradients", "optimizer", "activations", "logits", "cache", "unused"})
    if (const double bytes = parts.at(name); bytes > 0) {
      const std::string padded = std::string(name) + std::string(13 - std::string(name).size(), ' ');
      out << "  " << padded << bytes_text(bytes) << '\n';
    }
  const Json& simple = largest.answer.at("simple");
  out << "  rule of thumb (weights, gradients and optimizer alone): "
      << bytes_text(simple.at("total_bytes").get<double>()) << '\n';
}

void print_devices(const SearchEstimate& estimate, std::ostream& out) {
  out << '\n';
  for (const engine::DeviceFit& device : estimate.devices)
    out << device.name << ", " << bytes_text(static_cast<double>(device.memory))
        << (device.name == "CPU" ? " free" : "") << ": "
        << (device.trials == 0 ? "the largest trial does not fit"
                               : "fits " + plural_text(device.trials, "trial") + " at once")
        << '\n';
  if (estimate.fits) return;
  out << "What would make it smaller:\n";
  for (const engine::Advice& advice : estimate.advice)
    out << "  " << visible_text(advice.change) << ": "
        << (advice.memory ? bytes_text(static_cast<double>(*advice.memory)) : "unknown")
        << (advice.fits ? ", which fits" : "") << (advice.is_measured ? "" : " (reckoned)") << '\n';
  if (estimate.advice.empty()) out << "  a smaller model; nothing that this recipe has\n";
}

void print_search(const Spec& spec, const SearchEstimate& estimate, std::ostream& out) {
  out << "\nThe search\n  trials       "
      << (estimate.trials ? std::to_string(*estimate.trials) : "as many as the limits allow") << ", "
      << estimate.parallel << " at once\n  a trial      "
      << range_text(estimate.trial_seconds, report::seconds_text) << '\n';
  const engine::StoppingShare& stopping = estimate.stopping;
  if (spec.early_stopping.rule != "none")
    out << "  stopping     " << spec.early_stopping.rule << " leaves "
        << range_text({100 * stopping.low, 100 * stopping.mean, 100 * stopping.high},
                      [](double percent) { return report::percent_text(percent / 100); })
        << " of all steps, in made-up searches of this size\n";
  if (!estimate.device_hours) {
    out << "  time         not known: nothing limits its trials or its time\n";
  } else {
    out << "  time         " << range_text(*estimate.wall_hours, report::hours_text)
        << (estimate.is_cut ? ", which its limits end" : "") << "\n  device time  "
        << range_text(*estimate.device_hours, report::hours_text) << '\n';
    out << "  cost         "
        << (estimate.usd ? range_text(*estimate.usd, usd)
                         : "not known: the spec names no price (cost.usd_per_hour)")
        << '\n';
  }
  out << "\nStorage, at most " << bytes_text(static_cast<double>(estimate.storage())) << "\n  base         "
      << bytes_text(static_cast<double>(estimate.base)) << "\n  data         "
      << bytes_text(static_cast<double>(estimate.data)) << "\n  checkpoints  "
      << bytes_text(static_cast<double>(estimate.checkpoints)) << "\n  models       "
      << bytes_text(static_cast<double>(estimate.models)) << "\n  free         "
      << bytes_text(static_cast<double>(estimate.free_disk)) << " on the store's disk\n";
  if (estimate.checkpoints + estimate.models > estimate.free_disk)
    out << "  That is less than it may take: name another store with --store, or make room.\n";
}

// The most that limits leave of it; "" where they say nothing.
std::string bound_text(const Spec& spec) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  const auto hours = [](Milliseconds time) {
    return report::hours_text(std::chrono::duration<double, std::ratio<3600>>(time).count());
  };
  if (spec.limits.time) add("it ends after " + hours(*spec.limits.time));
  if (spec.limits.trial_time && spec.limits.trials)
    add("its trials take " + hours(*spec.limits.trials * *spec.limits.trial_time) +
        " at the most, one by one");
  if (spec.limits.gpu_hours) add("device time ends at " + report::hours_text(*spec.limits.gpu_hours));
  if (spec.limits.cost_usd) add("it costs " + report::usd_text(*spec.limits.cost_usd) + " at the most");
  return text;
}

}  // namespace

std::optional<engine::SearchEstimate> estimate_search(const Spec& spec, const engine::BuiltinTrainer& trainer,
                                                      const EstimateOptions& options, Console& console) {
  const SignalsCaught signals;
  const ScratchFolder folder("tune-estimate");
  const engine::Machine machine = engine::inspect_machine();
  engine::SearchEstimateRequest request{
      trainer,
      spec,
      machine,
      folder.path(),
      options.store,
      options.seconds,
      [] { return interruption().count.load(); },
      [&](const std::string& sentence) { console.err << visible_text(sentence) << std::endl; }};
  auto estimate = engine::estimate_search(request);
  if (!estimate) console.err << "interrupted\n";
  return estimate;
}

void print_estimate(const Spec& spec, const SearchEstimate& estimate, std::ostream& out) {
  print_points(estimate, out);
  print_parts(estimate, out);
  print_devices(estimate, out);
  print_search(spec, estimate, out);
}

void print_bounds(const Spec& spec, std::ostream& out) {
  const std::string bound = bound_text(spec);
  out << "A program of one's own is not measured beforehand: its memory and its time are known when its "
         "first "
         "trials have ended (`tune show STUDY/1`, `tune report STUDY`).\n"
      << (bound.empty() ? "None of its limits bounds its time or its cost (limits.time, limits.trial_time, "
                          "limits.gpu_hours, limits.cost_usd).\n"
                        : "By its limits, " + bound + ".\n");
}

OrderedJson bounds_json(const Spec& spec) {
  return {{"schema", 1},
          {"study", spec.study},
          {"points", OrderedJson::array()},
          {"reason", "a program of one's own is not measured beforehand"},
          {"bounds", bound_text(spec)}};
}

}  // namespace tune::cli
