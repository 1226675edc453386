#include "strategies/memory_model.h"

#include <cmath>

#include "support/catch.h"
#include "tuner/core/rng.h"

namespace tune::strategies {
namespace {

Parameter count_range(const std::string& name, double min, double max) {
  Parameter parameter;
  parameter.name = name;
  parameter.type = ParameterType::kInt;
  parameter.min = min;
  parameter.max = max;
  parameter.scale = Scale::kLog;
  return parameter;
}

Parameter rate_range() {
  Parameter parameter;
  parameter.name = "rate";
  parameter.min = 1e-5;
  parameter.max = 1e-1;
  parameter.scale = Scale::kLog;
  return parameter;
}

SearchSpace memory_space() {
  return SearchSpace({count_range("batch", 1, 128), count_range("length", 64, 4096), rate_range()});
}

// A gibibyte for the model, and activations.
double bytes_needed(const ParameterSet& parameters) {
  return 1e9 + 3e5 * parameters.at("batch").get<double>() * parameters.at("length").get<double>();
}

ParameterSet batch_of(int batch, int length, double learning_rate = 1e-3) {
  return {{"batch", batch}, {"length", length}, {"rate", learning_rate}};
}

TEST_CASE("nothing is forecast before four trials are known") {
  MemoryModel model(memory_space());
  for (int i = 0; i < 4; ++i) {
    CHECK_FALSE(model.predict(batch_of(8, 512), Json::object()));
    CHECK_FALSE(model.least());
    model.add(batch_of(8 << i, 512), Json::object(), 1e9 * (i + 1));
  }
  CHECK(model.predict(batch_of(8, 512), Json::object()));
  CHECK(model.least().value() == Approx(1e9));
}

TEST_CASE("equal memory is forecast exactly, whatever the hyperparameters") {
  MemoryModel model(memory_space());
  for (int i = 0; i < 5; ++i) model.add(batch_of(8 + i, 512), Json::object(), 2e9);
  const auto forecast = model.predict(batch_of(128, 64), Json::object());
  REQUIRE(forecast);
  CHECK(std::exp(forecast->log_mean) == Approx(2e9));
  CHECK(forecast->log_deviation < 0.01);
}

TEST_CASE("few forecasts are exceeded, and they come close with experience") {
  MemoryModel model(memory_space());
  Rng rng(3);
  int exceeded = 0, forecasts = 0;
  double last_excess = 0;
  for (int i = 0; i < 60; ++i) {
    const std::vector<double> unit = {rng.uniform(), rng.uniform(), rng.uniform()};
    const ParameterSet parameters = memory_space().from_unit(unit);
    const double bytes = bytes_needed(parameters);
    if (const auto forecast = model.predict(parameters, Json::object())) {
      const double most = std::exp(forecast->log_mean + 1.645 * forecast->log_deviation) * 1.1;
      ++forecasts;
      exceeded += bytes > most;
      if (i >= 40) last_excess += most / bytes / 20;
    }
    model.add(parameters, Json::object(), bytes);
  }
  CHECK(forecasts == 56);
  CHECK(exceeded <= 4);
  CHECK(last_excess < 1.6);  // of memory that is set aside in vain
}

TEST_CASE("a trial with a smaller batch in place of its own is forecast as one with that batch") {
  MemoryModel model(memory_space());
  for (const int batch : {2, 4, 8, 16, 32, 64})
    model.add(batch_of(batch, 1024), Json::object(), bytes_needed(batch_of(batch, 1024)));
  const auto own = model.predict(batch_of(32, 1024), Json::object());
  const auto half = model.predict(batch_of(32, 1024), {{"batch", 16}});
  REQUIRE(own);
  REQUIRE(half);
  CHECK(half->log_mean < own->log_mean);
  CHECK(half->log_mean == Approx(model.predict(batch_of(16, 1024), Json::object())->log_mean));
  // What a trial with another fixed value took says nothing of the others.
  const auto before = model.predict(batch_of(8, 1024), Json::object());
  model.add(batch_of(8, 1024), {{"accumulate", 4}}, 1e12);
  CHECK(model.predict(batch_of(8, 1024), Json::object())->log_mean == before->log_mean);
}

}  // namespace
}  // namespace tune::strategies
