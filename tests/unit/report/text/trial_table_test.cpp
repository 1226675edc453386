#include "tuner/report/text/trial_table.h"

#include <cmath>
#include <set>

#include "support/catch.h"
#include "unit/report/priced_study.h"

namespace tune::report {
namespace {

TEST_CASE("CSV has a column for every hyperparameter that occurs, empty where it is not active", "[report]") {
  StudyRows rows = priced_study();
  rows.trials[1].parameters["nesterov"] = true;
  const Table table = trial_table(rows, TrialColumns::kEverything);
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  const std::vector<std::string> expected = {"trial",         "state",    "validation:mAP", "batch_size",
                                             "learning_rate", "nesterov", "optimizer"};
  CHECK(std::vector<std::string>(titles.begin(), titles.begin() + 7) == expected);
  CHECK(table.rows[0][5].empty());
  CHECK(table.rows[1][5] == "true");
}

TEST_CASE("no two columns of the CSV have one name", "[report]") {
  StudyRows rows = priced_study();
  rows.study.objective.metric = "seconds";
  rows.others = {{"learning_rate", {{1, 0.5}}}, {"metric:seconds", {}}, {"loss", {}}};
  rows.trials[1].parameters["note"] = "mine";
  std::vector<std::string> titles;
  for (const Column& column : trial_table(rows, TrialColumns::kEverything).columns)
    titles.push_back(column.title);
  const std::vector<std::string> expected = {
      "trial", "state",      "metric:metric:seconds",   "metric:learning_rate", "metric:seconds",
      "loss",  "batch_size", "parameter:learning_rate", "parameter:note",       "optimizer",
      "budget"};
  CHECK(std::vector<std::string>(titles.begin(), titles.begin() + 11) == expected);
  CHECK(std::set<std::string>(titles.begin(), titles.end()).size() == titles.size());
}

TEST_CASE("each metric that the spec names has its column beside the objective", "[report]") {
  StudyRows rows = priced_study();
  rows.others = {{"accuracy", {{1, 0.5}, {2, std::nan("")}}}, {"time", {}}};
  const Table all = trial_table(rows, TrialColumns::kEverything),
              page = trial_table(rows, TrialColumns::kPage);
  for (const Table& table : {all, page}) {
    CHECK(table.columns[3].title == "accuracy");
    CHECK(table.columns[4].title == "time");
    CHECK(table.rows[0][3] == "0.5");
    CHECK(table.rows[1][3] == "nan");
    CHECK(table.rows[2][3].empty());
  }
  for (const Column& column : trial_table(rows, TrialColumns::kTerminal).columns)
    CHECK(column.title != "accuracy");
  const Json json = trials_json(rows).at("trials");
  CHECK(json.at(0).at("metrics") == Json{{"accuracy", 0.5}, {"time", nullptr}});
  CHECK(json.at(1).at("metrics").at("accuracy") == "NaN");
}

TEST_CASE("control sequences of a trainer are shown as text in CSV", "[report]") {
  StudyRows rows = priced_study();
  rows.trials[3].reason =
      "exit code 3: \x1b]0;owned\a \xC2\x9B"
      "2J\nnext";
  const std::string csv = csv_table(trial_table(rows, TrialColumns::kEverything));
  CHECK(csv.find('\x1b') == std::string::npos);
  CHECK(csv.find("\xC2\x9B") == std::string::npos);
  CHECK(csv.find("\\u001b]0;owned\\u0007 \\u009b2J\nnext") != std::string::npos);
}

}  // namespace
}  // namespace tune::report
