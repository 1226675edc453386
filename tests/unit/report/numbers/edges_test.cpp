#include "tuner/report/numbers/edges.h"

#include "support/catch.h"
#include "tuner/report/text/edge_text.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/study_summary.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

// A study with these parameters, and completed trials at these points, the best first.
StudyRows rows_of(const std::string& parameters, const std::vector<ParameterSet>& points) {
  StudyRows rows;
  rows.study = store::study_row();
  rows.study.spec_text = R"({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
                             "limits": {"trials": 9}, "parameters": )" +
                         parameters + "}";
  rows.study.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  rows.study.name = "s";
  for (std::size_t i = 0; i < points.size(); ++i) {
    store::TrialRow row = store::completed(store::trial_row(static_cast<int>(i) + 1), static_cast<double>(i));
    row.parameters = points[i];
    rows.trials.push_back(row);
  }
  return rows;
}

// What is told of one parameter whose best value is this, beside another trial in the middle.
std::string told(const std::string& parameter, const Json& best, const Json& other) {
  std::string text;
  for (const Edge& edge : best_edges(rows_of("{\"p\": " + parameter + "}", {{{"p", best}}, {{"p", other}}})))
    text += edge_text(edge);
  return text;
}

}  // namespace

TEST_CASE("a best value at an end of its range is told, with what to widen on its scale") {
  const std::string rate = R"({"type": "float", "min": 1e-5, "max": 1e-1, "scale": "log"})";
  CHECK(told(rate, 0.0999, 1e-3) ==
        "p 0.0999 lies at the upper end of its range, 1e-05 to 0.1: raise max, to 1 for instance");
  CHECK(told(rate, 1e-5, 1e-3) ==
        "p 1e-05 lies at the lower end of its range, 1e-05 to 0.1: lower min, to 1e-06 for instance");
  CHECK(told(rate, 0.05, 1e-3) == "");
  CHECK(told(R"({"type": "int", "min": 8, "max": 32, "step": 8})", 32, 16) ==
        "p 32 lies at the upper end of its range, 8 to 32: raise max, to 40 for instance");
  CHECK(told(R"({"type": "int", "min": 8, "max": 64, "scale": "log"})", 64, 16) ==
        "p 64 lies at the upper end of its range, 8 to 64: raise max, to 640 for instance");
  CHECK(told(R"({"type": "float", "min": -1, "max": 1})", -1.0, 0.5) ==
        "p -1 lies at the lower end of its range, -1 to 1: lower min, to -2 for instance");
  CHECK(told(R"({"type": "float", "min": 0.5, "max": 0.99, "scale": "reverse_log"})", 0.99, 0.9) ==
        "p 0.99 lies at the upper end of its range, 0.5 to 0.99: raise max, to 0.999 for instance");
  CHECK(told(R"({"type": "float", "min": 0.1, "max": 0.5, "step": 0.1})", 0.5, 0.2) ==
        "p 0.5 lies at the upper end of its range, 0.1 to 0.5: raise max, to 0.7 for instance");
}

TEST_CASE("no end is told that is natural, of a choice, of two values, or of what never varied") {
  CHECK(told(R"({"type": "float", "min": 0, "max": 0.9})", 0.0, 0.5) == "");
  CHECK(told(R"({"type": "int", "min": 1, "max": 9})", 1, 5) == "");
  CHECK(told(R"({"type": "float", "min": 0.15, "max": 1})", 1.0, 0.5) == "");
  CHECK(told(R"({"type": "float", "min": 1e-3, "max": 1, "scale": "log"})", 1.0, 0.5) != "");
  CHECK(told(R"({"type": "int", "min": 1, "max": 9})", 9, 5) != "");
  CHECK(told(R"({"type": "categorical", "values": [1, 2, 3]})", 3, 1) == "");
  CHECK(told(R"({"type": "int", "min": 4, "max": 5})", 5, 4) == "");
  CHECK(told(R"({"type": "float", "min": 2, "max": 2})", 2.0, 2.0) == "");
  CHECK(told(R"({"type": "float", "min": -1, "max": 1})", 1.0, 1.0) == "");
}

TEST_CASE("edges are told where the best trial is shown, and to programs") {
  const StudyRows rows = rows_of(R"({"b": {"type": "float", "min": -1, "max": 1},
                                     "a": {"type": "float", "min": -1, "max": 1}})",
                                 {{{"a", 1.0}, {"b", 1.0}}, {{"a", 0.5}, {"b", 0.0}}});
  CHECK(best_text(rows).find(
            "b 1 lies at the upper end of its range, -1 to 1: raise max, to 2 for instance\na 1 lies") !=
        std::string::npos);
  CHECK(run_summary(rows, std::nullopt, 80)
            .find("\"warm_start\": [{\"study\": \"s\", \"kind\": \"identical\"}]") != std::string::npos);
  CHECK(
      run_summary_json(rows, std::nullopt).at("edges").at(1) ==
      Json({{"parameter", "a"}, {"value", 1.0}, {"end", "max"}, {"min", -1.0}, {"max", 1.0}, {"wider", 2}}));
}

TEST_CASE("no end is told that trials as good as the best do without") {
  const std::string parameters = R"({"p": {"type": "float", "min": -1, "max": 1}})";
  StudyRows rows = rows_of(parameters, {{{"p", 1.0}}, {{"p", 0.0}}, {{"p", 0.5}}});
  REQUIRE(best_edges(rows).size() == 1);
  rows.trials[1].values = rows.trials[0].values;
  CHECK(best_edges(rows).empty());
  rows.trials[1].parameters["p"] = 0.999;
  CHECK(best_edges(rows).size() == 1);
  for (store::TrialRow& trial : rows.trials) trial.values = {0.5};
  CHECK(best_edges(rows).empty());
}

TEST_CASE("the ends of an int are integers, for people and for programs") {
  const StudyRows rows = rows_of(R"({"p": {"type": "int", "min": 8, "max": 1000000, "scale": "log"}})",
                                 {{{"p", 1000000}}, {{"p", 8}}});
  CHECK(edge_text(best_edges(rows).at(0)) ==
        "p 1000000 lies at the upper end of its range, 8 to 1000000: raise max, to 10000000 for instance");
  const Json edge = edges_json(best_edges(rows)).at(0);
  CHECK(edge.dump() ==
        R"({"end":"max","max":1000000,"min":8,"parameter":"p","value":1000000,"wider":10000000})");
}

TEST_CASE("without a best trial, or with a spec that cannot be read, no edge is told") {
  const std::string parameters = R"({"p": {"type": "float", "min": -1, "max": 1}})";
  CHECK(best_edges(rows_of(parameters, {})).empty());
  StudyRows unreadable = rows_of(parameters, {{{"p", 1.0}}, {{"p", 0.0}}});
  REQUIRE(best_edges(unreadable).size() == 1);
  unreadable.study.spec_text = "{}";
  CHECK(best_edges(unreadable).empty());
}

TEST_CASE("parameters are shown with six digits and in few characters") {
  CHECK(parameter_text(9.999999999999991e-05) == "1e-04");
  CHECK(parameter_text(123456789) == "123456789");
  CHECK(parameter_lines({{"lr", 9.999999999999991e-05}}) == "  lr  1e-04\n");
}

}  // namespace tune::report
