#include "trainer/serve/endpoint_metrics.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tuner/core/json.h"

namespace tune::trainer::serve {
namespace {

// Prometheus' escapes of a label's value.
std::string label(const std::string& name, const std::string& value) {
  std::string text = name + "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text + "\"";
}

void head(const std::string& name, const char* type, const char* help, std::string& to) {
  to += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

void line(const std::string& name, const std::string& labels, const std::string& value, std::string& to) {
  to += name + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void Histogram::add(double value) {
  ++counts_[static_cast<std::size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) -
                                     bounds_.begin())];
  ++count_;
  sum_ += value;
}

void Histogram::print(const std::string& name, const std::string& labels, std::string& to) const {
  const std::string before = labels.empty() ? "" : labels + ",";
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    so_far += counts_[i];
    line(name + "_bucket", before + label("le", shortest(bounds_[i])), std::to_string(so_far), to);
  }
  line(name + "_bucket", before + label("le", "+Inf"), std::to_string(count_), to);
  line(name + "_sum", labels, shortest(sum_), to);
  line(name + "_count", labels, std::to_string(count_), to);
}

EndpointMetrics::EndpointMetrics(std::string model)
    : model_(std::move(model)), batches_({1, 2, 4, 8, 16, 32, 64}) {}

void EndpointMetrics::arrived() {
  const std::lock_guard lock(mutex_);
  totals_.last_request = SystemClock().wall_now();
}

void EndpointMetrics::answered(const std::string& route, int status, Milliseconds took, bool asks_model) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  if (!asks_model) return;
  seconds_
      .try_emplace(route,
                   std::vector<double>{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60})
      .first->second.add(std::chrono::duration<double>(took).count());
  ++totals_.requests;
  totals_.failed += status >= 500 ? 1 : 0;
}

void EndpointMetrics::computed_batch(std::size_t examples) {
  const std::lock_guard lock(mutex_);
  batches_.add(static_cast<double>(examples));
}

void EndpointMetrics::read_tokens(std::int64_t count) {
  const std::lock_guard lock(mutex_);
  read_tokens_ += static_cast<std::uint64_t>(count);
}

void EndpointMetrics::wrote_tokens(std::int64_t count) {
  const std::lock_guard lock(mutex_);
  written_tokens_ += static_cast<std::uint64_t>(count);
}

void EndpointMetrics::loaded(const std::string& version) {
  const std::lock_guard lock(mutex_);
  version_ = version;
  ++loads_;
}

EndpointMetrics::Totals EndpointMetrics::totals() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

std::string EndpointMetrics::prometheus_text(std::size_t running) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  head("tune_model_info", "gauge", "The model and the version of it that answer.", text);
  line("tune_model_info", label("model", model_) + "," + label("version", version_), "1", text);
  head("tune_model_loads_total", "counter", "Versions that were loaded.", text);
  line("tune_model_loads_total", "", std::to_string(loads_), text);
  head("tune_requests_total", "counter", "Requests that were answered.", text);
  for (const auto& [key, count] : requests_)
    line("tune_requests_total", label("route", key.first) + "," + label("status", std::to_string(key.second)),
         std::to_string(count), text);
  head("tune_request_seconds", "histogram",
       "From the end of a request's headers to the last byte of its answer.", text);
  for (const auto& [route, seconds] : seconds_)
    seconds.print("tune_request_seconds", label("route", route), text);
  head("tune_batch_examples", "histogram", "Examples, or prompts, that were computed together.", text);
  batches_.print("tune_batch_examples", "", text);
  head("tune_running", "gauge", "Examples or prompts that wait for the model, or are worked on.", text);
  line("tune_running", "", std::to_string(running), text);
  head("tune_tokens_total", "counter", "Tokens of prompts that were read, and of answers that were written.",
       text);
  line("tune_tokens_total", label("kind", "prompt"), std::to_string(read_tokens_), text);
  line("tune_tokens_total", label("kind", "answer"), std::to_string(written_tokens_), text);
  head("process_resident_memory_bytes", "gauge", "Resident memory of the process.", text);
  line("process_resident_memory_bytes", "", std::to_string(resident_bytes()), text);
  return text;
}

}  // namespace tune::trainer::serve
