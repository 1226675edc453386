#include "tuner/engine/loop/study_facts.h"
#include "tuner/engine/promotion/lineage.h"

#include "support/catch.h"
#include "tuner/os/run_program.h"

namespace tune::engine {
namespace {

WallTime at(std::int64_t ms) { return WallTime(Milliseconds(ms)); }

Machine machine(const std::string& host, const std::vector<std::string>& gpus) {
  Machine result;
  result.host = host;
  for (const std::string& name : gpus) result.gpus.push_back({"GPU-" + name, name, 0, 0, {}});
  return result;
}

TEST_CASE("an attempt belongs to the last run that had begun before it") {
  Json facts = Json::object();
  CHECK(run_at(facts, at(5)).is_null());
  record_run(facts, {{"machine", "a"}}, at(100));
  record_run(facts, {{"machine", "b"}}, at(200));
  CHECK(run_at(facts, at(99)).is_null());
  CHECK(run_at(facts, at(100)).at("machine") == "a");
  CHECK(run_at(facts, at(199)).at("machine") == "a");
  CHECK(run_at(facts, at(1000)).at("machine") == "b");
}

TEST_CASE("a run that is as the one before it is recorded once") {
  Json facts = Json::object();
  for (int i = 0; i < 3; ++i) record_run(facts, {{"machine", "a"}}, at(i));
  record_run(facts, {{"machine", "b"}}, at(3));
  record_run(facts, {{"machine", "a"}}, at(4));
  CHECK(facts["runs"].size() == 3);
}

TEST_CASE("what was measured on another machine, or on another kind of device, does not count here") {
  Resources resources;
  CHECK(probe_name(machine("one", {}), resources) == "one: cpu");
  CHECK(probe_name(machine("two", {}), resources) == "two: cpu");
  CHECK(probe_name(machine("two", {"H200", "H200"}), resources) == "two: H200");
  CHECK(probe_name(machine("two", {"H200", "A10"}), resources) == "two: A10, H200");
  resources.gpus_per_trial = 0;
  CHECK(probe_name(machine("two", {"H200"}), resources) == "two: cpu");
}

TEST_CASE("a run's facts name the versions and this machine as it is now") {
  const Machine here = machine("here", {"H200"});
  Spec spec;
  spec.folder = "/";
  const Json facts = run_facts(here, "0.1.0", spec);
  CHECK(facts.at("tune") == "0.1.0");
  CHECK(facts.at("machine").at("host") == "here");
  CHECK(facts.at("machine").at("gpus").at(0).at("name") == "H200");
  CHECK(facts.at("code").is_null());  // nobody keeps / in git
}

}  // namespace
}  // namespace tune::engine
