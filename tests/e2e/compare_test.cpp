// `tune compare` with the real programs and a scripted tune-train.
#include "compare_fixture.h"
#include "support/sanitized.h"

namespace tune::tests {
namespace {

// What does not depend on how often it was interrupted.
Json scores_of(const Json& result) {
  Json scores = Json::array();
  for (const Json& row : result.at("rows"))
    scores.push_back({row.at("name"), row.at("AP"), row.at("selection"), row.at("fresh_validation")});
  return {scores, result.at("answers")};
}

TEST_CASE("a comparison trains every approach and its controls, and scores all of them once", "[.compare]") {
  ComparisonFolder folder;
  const Json result = folder.result();
  CAPTURE(result.dump(1));
  REQUIRE(result.at("rows").size() == 5);
  CHECK(row_of(result, "scratch").at("runs").size() == 3);
  CHECK(row_of(result, "tuned-one, best of 4 seeds").at("runs").size() == 4);
  const Json tuned = row_of(result, "tuned-one tuned");
  REQUIRE(tuned.at("runs").size() == 3);
  CHECK(tuned.at("AP") > row_of(result, "tuned-one, best of 4 seeds").at("AP"));
  CHECK(tuned.at("selection").is_number());
  CHECK(tuned.at("winner_AP").is_number());
  CHECK(tuned.at("chosen").at("x").is_number());
  CHECK(tuned.at("precision") == "fp32");
  CHECK(answer_of(result, "tuning helped").at("verdict") == "better");
  // Only the weights differ, so they are what is asked about.
  CHECK(answer_of(result, "at default hyperparameters").at("verdict") == "not distinguishable");
  CHECK(result.at("test").at("scorings") == 1);
  CHECK(result.at("test").at("groups") == 18);
  // 2 epochs of 360 images at 10 a second, and of a validation of 4 seconds.
  CHECK(row_of(result, "scratch").at("predicted_device_hours").get<double>() == Approx(3 * 80.0 / 3600));
  CHECK(row_of(result, "scratch").at("predicted_at_most") == false);
  CHECK(row_of(result, "scratch").at("parameters") == 12200000);
  CHECK(row_of(result, "tuned-one tuned").at("latency_ms").get<double>() > 7);
  const Json bill = result.at("cost");
  CHECK(bill.at("validating").at("lease_seconds").get<double>() == Approx(0.001 * 21));
  CHECK(bill.at("idle").at("device_hours").get<double>() >= 0);
  CHECK(folder.shell("cat store/comparisons/c/scorings/1/images/1.jpg").out == "picture\n");
  CHECK(result.at("cost").at("total").at("usd").get<double>() > 0);
  int predictions = 0;
  for (const auto& [act, count] : folder.acts()) {
    CAPTURE(act);
    CHECK(count == (act == "probe" ? 2 : 1));
    predictions += act.starts_with("predict");
  }
  CHECK(predictions == 3 + 4 + 1 + 3 + 1 + 3);

  const std::map<std::string, int> before = folder.acts();
  const ShellResult again = folder.compare();
  CHECK(again.exit_code == 0);
  CHECK(mentions(again.out, "tuning helped"));
  CHECK(mentions(again.out, "as of 2026-11-21"));
  CHECK(folder.acts() == before);
  const ShellResult markdown = folder.shell("cat store/comparisons/c/comparison.md");
  CHECK(mentions(markdown.out, "| tuned-one tuned | 3 |"));
  CHECK(mentions(markdown.out, "12.2 M | 2.00 G"));
  CHECK(mentions(folder.shell("tune status --store store").out, "c.tuned-one.search"));
  for (const char* command : {"best c.tuned-one.tuned", "show c.tuned-one.tuned/1"}) {
    const std::string shown = folder.shell(std::string("tune ") + command + " --store store").out;
    CAPTURE(shown);
    CHECK(mentions(shown, "  epochs  2\n  x       "));
  }
  CHECK(mentions(again.out, "tune report c --store "));
  REQUIRE(folder.shell("tune report c --store store").exit_code == 0);
  const std::string page = folder.shell("cat store/comparisons/c/report/report.html").out;
  CHECK(mentions(page, "<h1>c</h1>"));
  CHECK(mentions(page, "tuned-one, best of "));
  const Json report = Json::parse(folder.shell("tune report c --store store --json").out);
  CHECK(report["rows"].size() == 5);
  CHECK(report["rows"][0]["curve"]["values"].size() > 0);
}

TEST_CASE("kill -9 in the middle of training and of scoring loses and repeats nothing", "[.compare]") {
  const ComparisonFolder calm;
  const Json expected = scores_of(calm.result());
  ComparisonFolder folder;
  const std::string start = "tune compare study.json --store store >out 2>err & tune=$!\n" +
                            wait_for("hung") + "kill -9 $tune; wait $tune; rm hung\n";
  // The third run of the search hangs, and tune dies; then a prediction.
  folder.shell(
      "tune compare study.json --store store >out 2>err & tune=$!\n"
      "until [ $(grep -c 'end c.tuned-one.search' acts 2>/dev/null || echo 0) -ge 2 ]; do sleep 0.005; "
      "done; touch slow\n" +
      wait_for("hung") + "kill -9 $tune; wait $tune; rm -f slow hung; touch slow-predict");
  folder.shell(start);
  const Json result = folder.result();
  CHECK(scores_of(result) == expected);
  int ended = 0;
  for (const auto& [act, count] : folder.acts()) {
    CAPTURE(act);
    if (act.starts_with("end") || act.starts_with("predict") || act == "score") CHECK(count == 1);
    ended += act.starts_with("end");
  }
  CHECK(ended == 3 + 4 + 4 + 3 + 4 + 3);
  CHECK(folder.acts()["probe"] == 2);
}

TEST_CASE("a comparison that is killed at any moment, again and again, ends as if it had not been",
          "[.compare]") {
  const ComparisonFolder calm;
  const Json expected = scores_of(calm.result());
  const ComparisonFolder folder;
  // Longer and longer lives, as each begins with looking at what is there.
  const ShellResult deaths = folder.shell(
      "RANDOM=7; n=0; until grep -q 'scored once' out 2>/dev/null || [ $n -ge 60 ]; do n=$((n + 1));\n"
      "tune compare study.json --store store >out 2>err & tune=$!\n"
      "sleep 0.$((100 + RANDOM % (200 + 12 * n))); kill -9 $tune 2>/dev/null; wait $tune; done; echo $n");
  CAPTURE(deaths.out);
  const Json result = folder.result();
  CHECK(scores_of(result) == expected);
  CHECK(result.at("test").at("scorings") == 1);
  // What a killed tune has left behind ends by itself, soon.
  const ShellResult left = folder.shell(
      "for i in $(seq 100); do pgrep -f \"$PWD/bin/tune\" >left || break; sleep 0.1; done; cat left");
  CHECK(left.out.empty());
}

TEST_CASE("a death at any step of a comparison leaves what the same command goes on with", "[.compare]") {
  ComparisonFolder calm;
  calm.document["approaches"].erase(1);
  const Json expected = scores_of(calm.result());
  const std::map<std::string, int> acts = calm.acts();
  // Where it dies, and the act that it had done and not recorded, which is done again.
  struct Death {
    const char *point, *repeated = "";
    int times = 1;  // the sets of a split are audited in two acts
  };
  for (const auto& [point, repeated, times] : std::vector<Death>{{"comparison_created"},
                                                                 {"test_images_audited", "audit", 2},
                                                                 {"data_recorded"},
                                                                 {"approach_measured", "probe"},
                                                                 {"measurement_recorded"},
                                                                 {"training_begun"},
                                                                 {"approach_study_ended"},
                                                                 {"before_freezing"},
                                                                 {"models_frozen"},
                                                                 {"scoring_begun"},
                                                                 {"prediction_made:2", "predict"},
                                                                 {"prediction_recorded:2"},
                                                                 {"before_scoring"},
                                                                 {"scored", "score"},
                                                                 {"scoring_recorded"}}) {
    CAPTURE(point);
    ComparisonFolder folder;
    folder.document["approaches"].erase(1);
    CHECK(folder.compare("", std::string("TUNE_CRASH_AT=") + point).exit_code == 137);
    const Json result = folder.result();
    CHECK(scores_of(result) == expected);
    CHECK(row_of(result, "scratch").at("runs").size() == 3);
    CHECK(result.at("test").at("scorings") == 1);
    const std::map<std::string, int> own = folder.acts();
    CHECK(own.size() == acts.size());
    int again = 0;
    for (const auto& [act, count] : own) {
      CAPTURE(act);
      const bool may_repeat = *repeated != '\0' && act.starts_with(repeated);
      CHECK(count <= (may_repeat ? 2 : 1));
      again += count - 1;
    }
    CHECK(again == (*repeated != '\0' ? times : 0));
    // And once more there is nothing left to do.
    CHECK(scores_of(folder.result()) == expected);
    CHECK(folder.acts() == own);
  }
}

TEST_CASE("a comparison with controls that dies between its studies repeats none of them", "[.compare]") {
  const ComparisonFolder calm;
  const Json expected = scores_of(calm.result());
  ComparisonFolder folder;
  // After each study that ends: two of defaults, two searches, two of their winners.
  for (int death = 0; death < 6; ++death)
    CHECK(folder.compare("", "TUNE_CRASH_AT=approach_study_ended:1").exit_code == 137);
  for (const char* point : {"before_freezing", "scoring_begun", "scored"})
    CHECK(folder.compare("", std::string("TUNE_CRASH_AT=") + point).exit_code == 137);
  CHECK(scores_of(folder.result()) == expected);
  for (const auto& [act, count] : folder.acts()) {
    CAPTURE(act);
    CHECK(count == (act == "score" || act == "probe" ? 2 : 1));
  }
}

TEST_CASE("another look at the test images is counted and shown", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  CHECK(folder.result().at("test").at("scorings") == 1);
  CHECK(folder.result("--score-again").at("test").at("scorings") == 2);
  CHECK(mentions(folder.compare().out, "scored 2 times"));
}

TEST_CASE("a comparison that has begun keeps its file, and its frozen models", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  REQUIRE(folder.compare().exit_code == 0);
  REQUIRE(folder.shell("echo changed > store/c.scratch.defaults/trials/2/attempts/1/output/model.json")
              .exit_code == 0);
  const ShellResult changed = folder.compare("--score-again");
  CHECK(changed.exit_code == 6);
  CHECK(mentions(changed.err, "trials/2/attempts/1/output has changed"));
  // Detections that are not what was recorded are made again; test images have to be what they were.
  ComparisonFolder halfway;
  halfway.document["approaches"].erase(1);
  CHECK(halfway.compare("", "TUNE_CRASH_AT=prediction_recorded:2").exit_code == 137);
  REQUIRE(halfway.shell("echo '{\"value\": 9}' > store/comparisons/c/scorings/1/model-1.json").exit_code ==
          0);
  REQUIRE(halfway.shell("echo more >> test/one.jpg").exit_code == 0);
  const ShellResult moved = halfway.compare();
  CHECK(moved.exit_code == 6);
  CHECK(mentions(moved.err, "the images in test have changed"));
  REQUIRE(halfway.shell("echo picture > test/one.jpg").exit_code == 0);
  CHECK(row_of(halfway.result(), "scratch").at("AP") < 1);

  // The folder of a COCO file holds other things that come and go, the store among them; its images stay.
  ComparisonFolder coco;
  coco.document["approaches"].erase(1);
  coco.document["trainer"]["test"] = "coco.json";
  coco.write("coco.json", "{}");
  CHECK(coco.compare("", "TUNE_CRASH_AT=prediction_recorded:2").exit_code == 137);
  coco.write("notes.txt", "mine");
  CHECK(coco.compare().exit_code == 0);
  coco.write("coco.json", "{ }");
  CHECK(mentions(coco.compare("--score-again").err, "the images in coco.json have changed"));

  ComparisonFolder training;
  CHECK(training.compare("", "TUNE_CRASH_AT=trial_committed").exit_code == 137);
  REQUIRE(training.shell("echo more >> train/b.jpg").exit_code == 0);
  CHECK(mentions(training.compare().err, "the images in train have changed"));

  folder.document["approaches"][0]["fixed"]["x"] = 31;
  const ShellResult other = folder.compare();
  CHECK(other.exit_code == 6);
  CHECK(mentions(other.err, "/approaches/scratch/fixed: (absent) -> {\"x\":31}"));
}

TEST_CASE("all mistakes of a comparison are named with their lines, those of the trainer too", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"][1]["search"]["parameters"]["x"]["max"] = -5;
  folder.document["approaches"][0]["trainer"]["data"] = "elsewhere";
  folder.document["sedes"] = 3;
  const ShellResult syntax = folder.compare();
  CHECK(syntax.exit_code == 3);
  CHECK(mentions(syntax.err, "/approaches/1/search/parameters/x/min"));
  CHECK(mentions(syntax.err, "/approaches/0/trainer/data"));
  CHECK(mentions(syntax.err, "did you mean \"seeds\"?"));

  ComparisonFolder trainer;
  trainer.document["approaches"][0]["trainer"]["model"] = "smal";
  trainer.document["approaches"][1]["search"]["parameters"]["x"]["max"] = 5000;
  trainer.document["trainer"]["test"] = "nowhere";
  const ShellResult unknown = trainer.compare();
  CHECK(unknown.exit_code == 3);
  CHECK(mentions(unknown.err, "did you mean \"small\"?"));
  CHECK(mentions(unknown.err, "/approaches/1/search/parameters/x/max"));
  CHECK(mentions(unknown.err, "/trainer/test"));
  CHECK_FALSE(std::filesystem::exists(trainer.path() / "store"));
}

TEST_CASE("a comparison whose store may lie on a network says so before anything else", "[.compare]") {
  if (kSanitized) return;
  const ComparisonFolder folder;
  folder.write("broken", "");
  const std::string fake =
      "LD_PRELOAD=" TUNE_TEST_BIN_DIR "/libfake_disk.so TUNE_FAKE_DISK=$PWD/store TUNE_FAKE_DISK_TYPE=6969";
  const ShellResult run = folder.compare("", fake);
  CHECK(run.exit_code != 0);
  CHECK(mentions(run.err, "may lie on a network (NFS)"));
  CHECK_FALSE(mentions(folder.compare().err, "network"));
}

TEST_CASE("test images that overlap training images are refused before anything is trained", "[.compare]") {
  ComparisonFolder folder;
  folder.write("leak", "");
  const ShellResult refused = folder.compare();
  CHECK(refused.exit_code == 3);
  CHECK(mentions(refused.err, "/trainer/test: the test images are not unseen: 1 pair overlaps"));
  CHECK(mentions(refused.err, "with images of trainer.data, test/a.jpg with train/b.jpg"));
  CHECK(folder.acts().size() == 1);
  REQUIRE(folder.shell("rm leak; cp -r test other").exit_code == 0);
  folder.document["trainer"]["test"] = "other";
  folder.document["approaches"].erase(1);
  CHECK(folder.compare().exit_code == 0);
}

TEST_CASE("classes that one of test and training images lacks are said before anything is trained",
          "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  folder.write("sets.json", R"([{"classes": [{"name": "zebra", "objects": 3}, {"name": "pit", "objects": 1}]},
                                {"classes": [{"name": "scratch", "objects": 9}, {"name": "pit", "objects": 2},
                                             {"name": "zebra", "objects": 0}]}])");
  const ShellResult refused = folder.compare();
  CHECK(refused.exit_code == 3);
  CHECK(mentions(refused.err, "/trainer/test: test images show \"zebra\", which no training image does"));
  CHECK(mentions(refused.err, "warning: no test image shows \"scratch\""));
  CHECK(folder.acts().size() == 1);

  folder.write("broken", "");
  const ShellResult broken = folder.compare();
  CHECK(broken.exit_code == 65);
  CHECK(mentions(broken.err, "one image is odd\n"));
  CHECK(mentions(broken.err, "error: tune-train audit failed: a.jpg: no image\n  write it again; the same"));
  CHECK_FALSE(mentions(broken.err, "{"));
}

TEST_CASE("test images are held against a validation set of its own too", "[.compare]") {
  ComparisonFolder folder;
  folder.document["trainer"]["validation"] = "leaky";
  folder.document["approaches"].erase(1);
  folder.write("leaky/a.jpg", "an image");
  const ShellResult refused = folder.compare();
  INFO(refused.err);
  CHECK(refused.exit_code == 3);
  CHECK(mentions(refused.err, "1 pair overlaps with images of trainer.validation"));
  CHECK(folder.acts() == std::map<std::string, int>{{"audit test train", 1}, {"audit test leaky", 1}});
}

TEST_CASE("an image-by-image split is marked wherever its numbers stand, and seeds of one are not comparable",
          "[.compare]") {
  ComparisonFolder folder;
  folder.document["trainer"].erase("test");
  folder.document["trainer"]["split"] = {{"fractions", {0.6, 0.2, 0.2}}, {"grouping", "image"}};
  folder.document["seeds"] = 1;
  folder.document["approaches"].erase(1);
  folder.document["approaches"].push_back(
      {{"name", "large"}, {"trainer", {{"model", "large"}, {"weights", "weights.bin"}}}});
  const ShellResult run = folder.compare();
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(mentions(run.out, "test AP (leaking)"));
  CHECK(mentions(run.out, "LEAKING"));
  const Json result = folder.result();
  CHECK(result.at("test").at("leaks") == true);
  CHECK(mentions(answer_of(result, "at default hyperparameters").at("verdict"), "confounded"));
}

TEST_CASE("a task is compared by its own number, and what it does not offer is said", "[.compare]") {
  ComparisonFolder folder;
  folder.write("plain-task", "predict score");
  const ShellResult dry = folder.compare("--dry-run");
  CAPTURE(dry.out, dry.err);
  REQUIRE(dry.exit_code == 0);
  const std::string none = "he task \"toy\" has no audit, so leaks are not looked for";
  CHECK(mentions(dry.out, none));
  CHECK(mentions(dry.out, "predicting on the test texts"));
  CHECK(mentions(dry.out, "how many test texts there are is not known without an audit"));
  const Json result = folder.result();
  CAPTURE(result.dump(1));
  CHECK(row_of(result, "tuned-one tuned").at("score") < row_of(result, "scratch").at("score"));
  CHECK(answer_of(result, "tuning helped").at("verdict") == "better");
  CHECK(result.at("test").at("metric") == "loss");
  CHECK(result.at("test").at("images") == 40);
  CHECK(result.at("test").at("no_audit") == "t" + none);
  for (const auto& [act, count] : folder.acts()) CHECK_FALSE(act.starts_with("audit"));
  const std::string text = folder.compare().out;
  CAPTURE(text);
  CHECK(mentions(text, "Test: 40 texts, scored once"));
  CHECK(mentions(text, "T" + none + "."));
  CHECK(mentions(text, "over seeds alone, since the task gives no resamples"));
  REQUIRE(folder.shell("tune report c --store store").exit_code == 0);
  CHECK(mentions(folder.shell("cat store/comparisons/c/report/report.html").out, "test loss"));

  folder.document["comparison"] = "d";
  folder.write("plain-task", "predict");
  const ShellResult refused = folder.compare();
  CAPTURE(refused.err);
  CHECK(refused.exit_code == 3);
  CHECK(mentions(refused.err, "the task \"toy\" does not both predict and score, so tune-train cannot test"));
}

TEST_CASE("a search that its limits end is predicted from them, as a bound", "[.compare]") {
  ComparisonFolder folder;
  OrderedJson& search = folder.document["approaches"][1]["search"];
  // A trial takes 80 s at the probe's speed, 0.068 dollars at this price; these runs are over in no time.
  search["limits"] = {{"trials", 2}, {"cost_usd", 0.05}};
  folder.document["controls"] = {{"best_of_seeds", false}, {"random_search", false}};
  const Json limited = folder.result();
  for (const Json& study : limited.at("studies")) {
    CAPTURE(study.dump(1));
    const bool is_search = study.at("study") == "c.tuned-one.search";
    CHECK(study.at("predicted_at_most") == is_search);
    if (is_search) CHECK(study.at("predicted_device_hours").get<double>() == Approx(0.05 / 3.06));
  }
  CHECK(mentions(folder.compare().out, "at most 59s"));
}

TEST_CASE("published and improved recipes stand in tables of their own", "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  folder.document["approaches"].push_back({{"name", "large"},
                                           {"trainer", {{"model", "large"}}},
                                           {"table", "published"},
                                           {"deviations", {"another library", "a split by content"}}});
  const ShellResult run = folder.compare();
  CAPTURE(run.err, run.out);
  REQUIRE(run.exit_code == 0);
  CHECK(run.out.find("Published recipes:") < run.out.find("Improved recipes:"));
  CHECK(mentions(run.out, "large departs from what was published: another library"));
  CHECK(mentions(folder.shell("tune compare study.json --dry-run").out,
                 "c.large.defaults               3 runs at default hyperparameters"));
  // What is printed does not change the comparison, so nobody may change it after the fact.
  folder.document["approaches"][1]["deviations"] = {"none worth a word"};
  CHECK(folder.compare().exit_code == 6);
}

TEST_CASE("test images that cannot be copied, and a predictor of another version, leave the scoring open",
          "[.compare]") {
  ComparisonFolder folder;
  folder.document["approaches"].erase(1);
  REQUIRE(folder.shell("sed -i 's/\"parameters\": 12200000/\"x\": 1/' bin/tune-train").exit_code == 0);
  const ShellResult other = folder.compare();
  CHECK(other.exit_code == 7);
  CHECK(mentions(other.err, "tune-train predict did not answer with \"parameters\""));
  folder.write("bin/tune-train", kComparedTrainer);
  REQUIRE(folder.shell("sed -i 's/abspath(\"test\\/\"/abspath(\"nowhere\\/\"/' bin/tune-train").exit_code ==
          0);
  const ShellResult missing = folder.compare();
  CHECK(missing.exit_code == 7);
  CHECK(mentions(missing.err, "nowhere/one.jpg cannot be copied"));
  folder.write("bin/tune-train", kComparedTrainer);
  CHECK(folder.result().at("test").at("scorings") == 1);
}

TEST_CASE("a dry run forecasts time and dollars, says what may leak, and trains and writes nothing",
          "[.compare]") {
  ComparisonFolder folder;
  folder.write("sets.json", R"([{"images": 20, "classes": [], "warnings": ["3 boxes without area"]},
                                {"images": 360, "classes": []}])");
  folder.write("cut.json", R"({"crossing_overlaps": 2, "may_leak": true})");
  folder.document["limits"]["cost_usd"] = 1;
  const ShellResult run = folder.compare("--dry-run");
  CAPTURE(run.out, run.err);
  CHECK(run.exit_code == 0);
  CHECK(mentions(run.out, "c.tuned-one.random-tuned       3 runs of its winner, on fresh seeds"));
  // A run takes 80 s; 21 of them, and 15 models that predict on 20 images, at 10 images a second.
  CHECK(mentions(run.out, "4m 00s"));
  CHECK(mentions(run.out, "15 models"));
  CHECK(mentions(run.out, "at most 28m 3"));
  CHECK(mentions(run.out, "$1.45"));
  CHECK(mentions(run.out, "$1.00: less than that, so searches are shortened first"));
  CHECK(mentions(run.out, "MAY LEAK: 2 faint overlaps of two images cross"));
  CHECK(mentions(run.out, "Warning of the data: test: 3 boxes without area"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "store"));
  for (const auto& [act, count] : folder.acts()) CHECK((act == "probe" || act.starts_with("audit")));

  // The comparison itself says the same in its tables.
  REQUIRE(folder.shell("rm acts").exit_code == 0);  // later probes answer otherwise
  folder.document["limits"].erase("cost_usd");
  folder.document["approaches"].erase(1);
  const ShellResult text = folder.compare();
  CAPTURE(text.out, text.err);
  CHECK(mentions(text.err, "warning: test: 3 boxes without area"));
  CHECK(mentions(text.out, "fresh validation (may leak)"));
  CHECK(mentions(text.out, "Warning of the data: test: 3 boxes without area"));
  const Json result = folder.result();
  CHECK(result.at("test").at("crossing_overlaps") == 2);
  CHECK(result.at("cost").at("predicted_predicting_hours").get<double>() * 3600 == Approx(3 * 2));
  // Its probe is known by then.
  const int probes = folder.acts()["probe"];
  const Json forecast =
      Json::parse(folder.shell("tune compare study.json --store store --dry-run --json | tail -n 1").out);
  CHECK(forecast.at("leaks").at("crossing_overlaps") == 2);
  CHECK(forecast.at("total").at("usd").get<double>() > 0.2);
  CHECK(folder.acts()["probe"] == probes);
}

TEST_CASE("a first signal drains a comparison with exit code 130, and the same command goes on",
          "[.compare]") {
  ComparisonFolder folder;
  folder.write("slow", "");
  const ShellResult drained =
      folder.shell(kLikeAtPrompt + "tune compare study.json --store store >out 2>err & tune=$!\n" +
                   wait_for("hung") + "kill -INT $tune; wait $tune");
  CHECK(drained.exit_code == 130);
  CHECK(folder.result().at("rows").size() == 5);
}

}  // namespace
}  // namespace tune::tests
