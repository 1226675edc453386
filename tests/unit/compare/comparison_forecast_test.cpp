// What a comparison will cost, from a probe: exact where trials decide, a bound where limits do.
#include "tuner/compare/comparison_forecast.h"

#include "support/catch.h"
#include "tuner/billing/device_shares.h"

namespace tune::compare {
namespace {

OrderedJson document() {
  return OrderedJson::parse(R"({
    "comparison": "c", "objective": {"metric": "m", "goal": "maximize"},
    "trainer": {"task": "toy", "model": "small", "data": "train", "test": "test"},
    "fixed": {"epochs": 10, "x": 1}, "seeds": 2,
    "cost": {"usd_per_hour": 3.6, "date": "2026-11-21"},
    "approaches": [{"name": "a", "search": {"parameters": {"x": {"type": "int", "min": 0, "max": 9}},
                                            "limits": {"trials": 5}}}]})");
}

// 100 images at 50 a second, a validation of half a second, 5 seconds to start: 30 seconds a trial.
store::Probe probe(const char* device) {
  store::Probe answer;
  answer.device = device;
  answer.precision = "bf16";
  answer.training_images = 100;
  answer.validation_seconds = 0.5;
  answer.lease_seconds = 12;
  answer.measured_seconds = 7;
  answer.candidates.resize(2);
  answer.candidates[0].precision = "fp32";
  answer.candidates[0].images_per_second = 1;
  answer.candidates[1].precision = "bf16";
  answer.candidates[1].images_per_second = 50;
  return answer;
}

engine::Machine machine_with(int cores, int gpus) {
  engine::Machine machine;
  machine.cores.resize(static_cast<std::size_t>(cores));
  machine.gpus.resize(static_cast<std::size_t>(gpus));
  return machine;
}

store::CostForecasts forecast(const OrderedJson& asked, const char* device = "cpu", int gpus = 0,
                              const std::optional<store::Probe>& answer = {}) {
  const Comparison comparison = parse_comparison(asked.dump(), "c.json", "/data");
  return forecast_approach(comparison, 0, answer.value_or(probe(device)), Json::object(),
                           machine_with(4, gpus));
}

double forecast_seconds(const store::CostForecasts& forecast, const char* role) {
  return forecast.at(std::string("c.a.") + role).device_hours.value() * 3600;
}
bool at_most(const store::CostForecasts& forecast, const char* role) {
  return forecast.at(std::string("c.a.") + role).at_most;
}

TEST_CASE("a task whose unit is no image is forecast by its examples", "[forecast]") {
  store::Probe answer = probe("cpu");
  answer.training_images.reset();
  answer.unit = "tokens";
  answer.training_examples = 100;
  answer.candidates.erase(answer.candidates.begin());
  answer.candidates[0].images_per_second.reset();
  answer.candidates[0].units_per_second = 5000;
  answer.candidates[0].examples_per_second = 50;
  CHECK(forecast_seconds(forecast(document(), "cpu", 0, answer), "search") == Approx(5 * 30));
}

TEST_CASE("a search, its controls and its winners' retraining are all counted", "[forecast]") {
  const store::CostForecasts all = forecast(document());
  CHECK(all.size() == 5);
  CHECK(forecast_seconds(all, "search") == Approx(5 * 30));
  CHECK(forecast_seconds(all, "random") == Approx(5 * 30));
  CHECK(forecast_seconds(all, "defaults") == Approx(5 * 30));
  CHECK(forecast_seconds(all, "tuned") == Approx(2 * 30));
  CHECK(forecast_seconds(all, "random-tuned") == Approx(2 * 30));
  for (const char* role : {"search", "random", "defaults", "tuned"}) CHECK_FALSE(at_most(all, role));
  OrderedJson asked = document();
  asked["controls"] = {{"best_of_seeds", false}, {"random_search", false}};
  CHECK(forecast(asked).size() == 3);
  CHECK(forecast_seconds(forecast(asked), "defaults") == Approx(2 * 30));
}

TEST_CASE("the least of its limits bounds a search that has no number of trials", "[forecast]") {
  OrderedJson asked = document();
  OrderedJson& limits = asked["approaches"][0]["search"]["limits"];
  limits = {{"time", "100s"}};
  // Two slots of the CPU.
  CHECK(forecast_seconds(forecast(asked), "search") == Approx(200));
  CHECK(at_most(forecast(asked), "search"));
  // As many controls as fit: seven of thirty seconds.
  CHECK(forecast_seconds(forecast(asked), "defaults") == Approx(7 * 30));
  CHECK(at_most(forecast(asked), "defaults"));
  CHECK_FALSE(at_most(forecast(asked), "tuned"));
  limits["parallel"] = 1;
  CHECK(forecast_seconds(forecast(asked), "search") == Approx(100));
  limits["gpu_hours"] = 90.0 / 3600;
  CHECK(forecast_seconds(forecast(asked), "search") == Approx(90));
  limits["cost_usd"] = 0.06;  // a minute at this price
  CHECK(forecast_seconds(forecast(asked), "search") == Approx(60));
  limits["trials"] = 1;
  CHECK(forecast_seconds(forecast(asked), "search") == Approx(30));
  CHECK_FALSE(at_most(forecast(asked), "search"));
}

TEST_CASE("on GPUs time is that of all that its trials can hold at once", "[forecast]") {
  OrderedJson asked = document();
  asked["approaches"][0]["search"]["limits"] = {{"time", "100s"}};
  CHECK(forecast_seconds(forecast(asked, "cuda:0", 4), "search") == Approx(400));
  asked["approaches"][0]["search"]["limits"]["parallel"] = 3;
  CHECK(forecast_seconds(forecast(asked, "cuda:0", 4), "search") == Approx(300));
  asked["resources"] = {{"gpus_per_trial", 2}};
  CHECK(forecast_seconds(forecast(asked, "cuda:0", 4), "search") == Approx(400));
  CHECK(forecast_seconds(forecast(asked, "cuda:0", 4), "tuned") == Approx(2 * 2 * 30));
}

TEST_CASE("a search that stops losers is bounded, and without a number of trials so much is not known",
          "[forecast]") {
  OrderedJson asked = document();
  asked["approaches"][0]["search"]["early_stopping"] = {{"rule", "median"}};
  CHECK(forecast_seconds(forecast(asked), "search") == Approx(150));
  CHECK(at_most(forecast(asked), "search"));
  CHECK(at_most(forecast(asked), "defaults"));
  asked["approaches"][0]["search"]["limits"] = {{"gpu_hours", 0.1}};
  const store::CostForecasts open = forecast(asked);
  CHECK(forecast_seconds(open, "search") == Approx(360));
  // The seeds get the search's time; the random search its number of trials, which nobody knows.
  CHECK(forecast_seconds(open, "defaults") == Approx(360));
  CHECK(at_most(open, "defaults"));
  CHECK_FALSE(open.at("c.a.random").device_hours);
  CHECK(open.at("c.a.random").reason.find("stops losers") != std::string::npos);
}

TEST_CASE("wall time is that of as many trials side by side as there are devices for", "[forecast]") {
  OrderedJson asked = document();
  const auto wall = [](const store::CostForecasts& forecast, const char* role) {
    return forecast.at(std::string("c.a.") + role).wall_hours.value() * 3600;
  };
  CHECK(wall(forecast(asked), "search") == Approx(3 * 30));  // two slots of the CPU
  CHECK(wall(forecast(asked, "cuda:0", 4), "search") == Approx(2 * 30));
  CHECK(wall(forecast(asked, "cuda:0", 4), "tuned") == Approx(30));
  asked["resources"] = {{"gpus_per_trial", 2}};
  CHECK(wall(forecast(asked, "cuda:0", 4), "search") == Approx(3 * 30));
  asked["approaches"][0]["search"]["limits"] = {{"time", "100s"}};
  CHECK(wall(forecast(asked, "cuda:0", 4), "search") == Approx(100));
}

TEST_CASE("predicting is forecast for every model there will be, and the sum holds it and the probes",
          "[forecast]") {
  const Comparison comparison = parse_comparison(document().dump(), "c.json", "/data");
  const store::ComparisonProbes probes = {{"a", {{"here", probe("cpu")}, {"elsewhere", probe("cpu")}}}};
  store::CostForecasts all = forecast(document());
  // 5 + 1 + 2 + 1 + 2 models, each 5 seconds to start and 200 images at 50 a second.
  const store::CostForecast predicting = forecast_predicting(comparison, all, probes, "here", 200);
  CHECK(predicting.models == 11);
  CHECK(predicting.device_hours.value() * 3600 == Approx(11 * 9));
  CHECK(predicting.at_most);
  CHECK(billing::probing_seconds(probes) == Approx(24));
  const ForecastTotal total = forecast_total(comparison, all, predicting, 24);
  CHECK(total.device_hours * 3600 == Approx(3 * 150 + 2 * 60 + 99 + 24));
  CHECK(total.usd.value() == Approx((3 * 150 + 2 * 60 + 99 + 24) * 3.6 / 3600));
  CHECK(total.wall_hours * 3600 == Approx(3 * 90 + 2 * 30 + 99 + 24));
  CHECK(total.bound == "at most");
  store::CostForecast nobody_knows;
  nobody_knows.reason = "who knows";
  all["c.a.random"] = nobody_knows;
  CHECK(forecast_total(comparison, all, predicting, 24).bound == "about");
  all["c.a.tuned"] = nobody_knows;
  const store::CostForecast unknown = forecast_predicting(comparison, all, probes, "here", 200);
  CHECK(unknown.reason == "how many models there will be is not known");
  CHECK(forecast_total(comparison, all, unknown, 24).bound == "at least");
}

TEST_CASE("a trial is not expected beyond its time limit, and what a probe does not say is not made up",
          "[forecast]") {
  OrderedJson asked = document();
  asked["limits"] = {{"trial_time", "20s"}};
  CHECK(forecast_seconds(forecast(asked), "tuned") == Approx(2 * 20));
  store::Probe answer = probe("cpu");
  answer.validation_seconds.reset();
  answer.measured_seconds.reset();
  CHECK(forecast_seconds(forecast(document(), "cpu", 0, answer), "tuned") == Approx(2 * 20));
  answer.candidates.clear();
  CHECK(forecast(document(), "cpu", 0, answer).at("c.a.tuned").reason ==
        "the probe did not say how fast it trains");
}

}  // namespace
}  // namespace tune::compare
