#pragma once
// Ends of ranges at which the best trial lies, as people and programs read them.
#include <string>
#include <vector>

#include "tuner/report/numbers/edges.h"

namespace tune::report {

// "lr 0.1 lies at the upper end of its range, 1e-05 to 0.1: raise max, to 1 for instance"
std::string edge_text(const Edge& edge);
// What to do about them, as a sentence.
std::string wider_search_text(const std::string& study);
Json edges_json(const std::vector<Edge>& edges);

}  // namespace tune::report
