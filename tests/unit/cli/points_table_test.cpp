#include "tuner/cli/points_table.h"

#include "support/catch.h"
#include "tuner/core/error.h"

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

std::string refusal_of(const std::string& text) {
  try {
    read_points_table(text, "points.csv", table_space());
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a table of points is read as its parameters' values are written", "[cli]") {
  const PointsTable table = read_points_table(
      "rate,note,size\r\n.5,\"a, \"\"b\"\"\nc\",16\r\n+0.25,,32\n1e-3,x,true\n", "points.csv", table_space());
  CHECK(table.left_out == std::vector<std::string>{"note"});
  REQUIRE(table.points.size() == 3);
  CHECK(table.points[0] == Json{{"rate", 0.5}, {"size", "16"}});
  CHECK(table.points[1] == Json{{"rate", 0.25}, {"size", 32}});
  CHECK(table.points[2] == Json{{"rate", 0.001}, {"size", true}});
  CHECK(table.places == Json{"points.csv:2", "points.csv:4", "points.csv:5"});
}

TEST_CASE("the table of trials comes back: its own columns are not taken for parameters of the same name",
          "[cli]") {
  const PointsTable table =
      read_points_table("trial,seconds,parameter:seconds\n1,99,7\n", "points.csv", table_space());
  CHECK(table.points == Json{{{"seconds", 7}}});
  CHECK(table.left_out == std::vector<std::string>{"trial", "seconds"});
}

TEST_CASE("the place of a point is text that JSON holds, whatever the file's name", "[cli]") {
  const PointsTable table = read_points_table("rate\n0.5\n", "points-\xff.csv", table_space());
  CHECK(Json(table.places).dump() == R"(["points-\\xff.csv:2"])");
}

TEST_CASE("lines may end as on any system", "[cli]") {
  CHECK(read_points_table("\xEF\xBB\xBFrate\r0.1\r0.2", "p", table_space()).points.size() == 2);
}

TEST_CASE("what is wrong in a table is said with its line", "[cli]") {
  CHECK_THAT(refusal_of("rate\n\xff\n"), Contains("points.csv:2: ") && Contains("is not a number"));
  CHECK_THAT(refusal_of("size\n16\n64\n"), Contains("points.csv:3: \"64\" is none of the values of size"));
  CHECK_THAT(refusal_of("rate,size\n1\n"), Contains("points.csv:2: 1 cells, but the first line has 2"));
  CHECK_THAT(refusal_of("rate,rate\n1,2\n"), Contains("points.csv:1: the column \"rate\" is there twice"));
  CHECK_THAT(refusal_of("rate\n\"1\n"), Contains("points.csv:2: a quote is not closed"));
  CHECK_THAT(refusal_of("note\n1\n"), Contains("no column names a parameter"));
  CHECK_THAT(refusal_of("rate\n"), Contains("has no rows"));
}
