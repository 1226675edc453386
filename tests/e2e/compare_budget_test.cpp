// What a comparison's budget ends, and how it goes on with more of it.
#include "compare_fixture.h"

namespace tune::tests {
namespace {

TEST_CASE("what a comparison's budget does not pay for is left out and said, and the tables hold the rest",
          "[.compare]") {
  ComparisonFolder folder;
  REQUIRE(folder.shell("sed -i 's/: 10.0/: 1e6/; s/: 4.0/: 0.0/' bin/tune-train").exit_code == 0);
  // The second run of the search hangs, and takes all that is left of five seconds.
  folder.document["limits"]["gpu_hours"] = 5.0 / 3600;
  folder.write("slow", "c.tuned-one.search/2");
  const ShellResult run = folder.compare();
  CAPTURE(run.out, run.err);
  CHECK(run.exit_code == 0);
  CHECK(mentions(run.err, "for lack of budget: c.tuned-one.search: ended after 2 trials"));
  CHECK(mentions(run.out, "For lack of budget: c.tuned-one.tuned: not begun"));
  CHECK(mentions(run.out, "Budget of the whole comparison: 5s of device time; spent: device time "));
  const Json result = folder.result();
  CHECK(result.at("budget").at("cut").size() == 4);
  CHECK(row_of(result, "scratch").at("runs").size() == 3);
  CHECK(answer_of(result, "tuning helped").at("verdict") == "no run to compare");
  CHECK(folder.acts()["begin c.tuned-one.random/1"] == 0);
  // Less of it changes nothing of what was scored.
  folder.document["limits"]["gpu_hours"] = 1.0 / 3600;
  CHECK(folder.compare().exit_code == 6);
  // With more of it goes on what it had ended, whatever kills it, and nothing of the rest is done again.
  folder.document["limits"]["gpu_hours"] = 1;
  for (const char* point : {"round_made", "round_kept", "round_begun", "before_freezing"}) {
    const ShellResult dead = folder.compare("", std::string("TUNE_CRASH_AT=") + point);
    CAPTURE(point, dead.err);
    CHECK(dead.exit_code == 137);
  }
  const Json whole = folder.result();
  CHECK(whole.at("budget").at("cut").empty());
  CHECK(whole.at("test").at("scorings") == 2);
  CHECK(row_of(whole, "scratch").at("runs") == row_of(result, "scratch").at("runs"));
  CHECK(answer_of(whole, "tuning helped").at("verdict") != "no run to compare");
  std::map<std::string, int> acts = folder.acts();
  CHECK(acts["begin c.scratch.defaults/1"] == 1);
  CHECK(acts["begin c.tuned-one.search/1"] == 1);
  CHECK(acts["begin c.tuned-one.search/4"] == 1);
  CHECK(acts["score"] == 2);
  CHECK(whole.at("cost").at("total").at("device_hours") > result.at("cost").at("total").at("device_hours"));
  // And once more there is nothing left to do.
  CHECK(folder.result().at("rows") == whole.at("rows"));
  CHECK(folder.acts() == acts);
}

TEST_CASE("a search that goes on with more budget and finds another winner has that one trained afresh",
          "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(0);
  folder.document["controls"] = {{"best_of_seeds", false}, {"random_search", false}};
  // A trial is predicted to take a second: of nine for all, three and three are kept for the runs of the
  // seeds.
  REQUIRE(folder.shell("sed -i 's/: 10.0/: 1e6/; s/: 4.0/: 0.5/' bin/tune-train").exit_code == 0);
  folder.document["limits"]["gpu_hours"] = 9.0 / 3600;
  folder.write("slow", "c.tuned-one.search/2");
  const Json first = folder.result();
  CAPTURE(first.dump());
  REQUIRE(first.at("budget").at("cut").size() == 1);
  const Json before = row_of(first, "tuned-one tuned");
  folder.document["limits"].erase("gpu_hours");
  const ShellResult run = folder.compare();
  CAPTURE(run.err, run.out);
  REQUIRE(run.exit_code == 0);
  CHECK(mentions(run.err, "the search has another winner now, so c.tuned-one.tuned begins anew"));
  CHECK(mentions(run.out, "c.tuned-one.tuned-1 (set aside)"));
  CHECK(folder.acts()["end c.tuned-one.tuned/1"] == 2);
}

TEST_CASE("a budget may be changed before it has ended something", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  folder.document["limits"]["gpu_hours"] = 1;
  CHECK(folder.compare("", "TUNE_CRASH_AT=trial_committed").exit_code == 137);
  folder.document["limits"].erase("gpu_hours");
  folder.document["limits"]["cost_usd"] = 5;
  const ShellResult run = folder.compare();
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  CHECK(mentions(run.err, "the comparison goes on with another budget"));
  CHECK(mentions(run.out, "Budget of the whole comparison: $5.00;"));
}

}  // namespace
}  // namespace tune::tests
