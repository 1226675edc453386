#include "tuner/report/text/edge_text.h"

#include "tuner/report/text/format.h"

namespace tune::report {

std::string edge_text(const Edge& edge) {
  return edge.parameter + ' ' + parameter_text(edge.value) + " lies at the " +
         (edge.is_max ? "upper" : "lower") + " end of its range, " + parameter_text(edge.min) + " to " +
         parameter_text(edge.max) + ": " + (edge.is_max ? "raise max, to " : "lower min, to ") +
         parameter_text(edge.wider) + " for instance";
}

std::string wider_search_text(const std::string& study) {
  return "Better values may lie beyond: another study with a wider range (--name) learns from this one by "
         "\"warm_start\": [{\"study\": \"" +
         study + "\", \"kind\": \"identical\"}].";
}

Json edges_json(const std::vector<Edge>& edges) {
  Json list = Json::array();
  for (const Edge& edge : edges)
    list.push_back({{"parameter", edge.parameter},
                    {"value", edge.value},
                    {"end", edge.is_max ? "max" : "min"},
                    {"min", edge.min},
                    {"max", edge.max},
                    {"wider", edge.wider}});
  return list;
}

}  // namespace tune::report
