#include "tuner/cli/points_table.h"

#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/report/text/table.h"

using namespace tune;
using namespace tune::cli;
using Catch::Matchers::Contains;

namespace {

SearchSpace table_space() {
  Parameter rate, size, seconds;
  rate.name = "rate";
  rate.min = 0, rate.max = 1;
  size.name = "size";
  size.type = ParameterType::kCategorical;
  size.values = {"16", 32, true, ""};
  seconds.name = "seconds";
  seconds.min = 0, seconds.max = 10;
  return SearchSpace({rate, size, seconds});
}

// The titles of `tune trials --csv` that are no parameters.
const std::vector<std::string> kTitles{"trial", "state", "loss", "seconds", "note"};

PointsTable read(const std::string& text, const std::string& name = "points.csv") {
  return read_points_table(text, name, table_space(), kTitles);
}

std::string refusal_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.what() + (" | " + error.hint());
  }
  return {};
}

}  // namespace

TEST_CASE("a table of points is read as its parameters' values are written", "[cli]") {
  const PointsTable table = read("rate,note,size\r\n.5,\"a, \"\"b\"\"\nc\",16\r\n+0.25,,32\n1e-3,x,true\n");
  CHECK(table.left_out == std::vector<std::string>{"note"});
  REQUIRE(table.points.size() == 3);
  CHECK(table.points[0] == Json{{"rate", 0.5}, {"size", "16"}});
  CHECK(table.points[1] == Json{{"rate", 0.25}, {"size", 32}});
  CHECK(table.points[2] == Json{{"rate", 0.001}, {"size", true}});
  CHECK(table.places == Json{"points.csv:2", "points.csv:4", "points.csv:5"});
}

TEST_CASE("the table of trials comes back: its own columns are not taken for parameters of the same name",
          "[cli]") {
  const PointsTable table = read("trial,seconds,parameter:seconds\n1,99,7\n");
  CHECK(table.points == Json{{{"seconds", 7}}});
  CHECK(table.left_out == std::vector<std::string>{"trial", "seconds"});
}

TEST_CASE("the place of a point is text that JSON holds, whatever the file's name", "[cli]") {
  const PointsTable table = read("rate\n0.5\n", "points-\xff.csv");
  CHECK(Json(table.places).dump() == R"(["points-\\xff.csv:2"])");
}

TEST_CASE("an empty cell is the empty text where that is a value of a parameter that the point has",
          "[cli]") {
  Parameter optimizer, schedule;
  optimizer.name = "optimizer";
  optimizer.type = schedule.type = ParameterType::kCategorical;
  optimizer.values = {"sgd", "adam"};
  schedule.name = "schedule";
  schedule.values = {"", "cosine"};
  schedule.when = {{"optimizer", {"sgd"}}};
  const PointsTable table =
      read_points_table("schedule,optimizer\n,sgd\n,adam\n", "p", SearchSpace({schedule, optimizer}), {});
  CHECK(table.points[0] == Json{{"optimizer", "sgd"}, {"schedule", ""}});
  CHECK(table.points[1] == Json{{"optimizer", "adam"}});
}

TEST_CASE("a value is read as `tune trials --csv` writes it: with controls as escapes, numbers in short",
          "[cli]") {
  Parameter word;
  word.name = "word";
  word.type = ParameterType::kCategorical;
  word.values = {"a\tb", "c\\nd", 1e-5, 1e22, Json(), Json{{"a", {1, 2}}}};
  report::Table written{{{"word"}}, {}};
  for (const Json& value : word.values) written.rows.push_back({argument_text(value)});
  const PointsTable table = read_points_table(report::csv_table(written), "p", SearchSpace({word}), {});
  REQUIRE(table.points.size() == word.values.size());
  for (std::size_t i = 0; i < word.values.size(); ++i) CHECK(table.points[i].at("word") == word.values[i]);
}

TEST_CASE("lines may end as on any system", "[cli]") {
  CHECK(read("\xEF\xBB\xBFrate\r0.1\r0.2").points.size() == 2);
}

TEST_CASE("what is wrong in a table is said with its line", "[cli]") {
  CHECK_THAT(refusal_of("rate\n\xff\n"), Contains("points.csv:2: ") && Contains("is not a number"));
  CHECK_THAT(refusal_of("size\n16\n64\n"), Contains("points.csv:3: \"64\" is none of the values of size"));
  CHECK_THAT(refusal_of("rate,size\n1\n"), Contains("points.csv:2: 1 cells, but the first line has 2"));
  CHECK_THAT(refusal_of("rate,rate\n1,2\n"), Contains("points.csv:1: the column \"rate\" is there twice"));
  CHECK_THAT(refusal_of("rate\n\"1\n"), Contains("points.csv:2: a quote is not closed"));
  CHECK_THAT(refusal_of("note\n1\n"), Contains("no column names a parameter"));
  CHECK_THAT(refusal_of("rate,sise\n1,16\n"),
             Contains("points.csv:1: the column \"sise\" is no parameter of the study, and none that") &&
                 Contains("did you mean \"size\"?"));
  CHECK_THAT(refusal_of("rate\n"), Contains("has no rows"));
}
