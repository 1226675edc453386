#include "strategies/acquisition_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "strategies/lbfgs.h"
#include "strategies/sobol_sequence.h"

namespace tune::strategies {
namespace {

// One maximisation of one acquisition, on the caller's thread; refers to both arguments. Draws nothing: where
// it starts is the caller's choice.
class Search {
 public:
  Search(const Encoding& encoding, const Acquisition& acquisition)
      : encoding_(encoding), acquisition_(acquisition) {}

  std::vector<Candidate> scored(std::vector<UnitPoint> units) const {
    Eigen::MatrixXd features(static_cast<Eigen::Index>(units.size()), encoding_.features());
    for (std::size_t i = 0; i < units.size(); ++i) {
      encoding_.snap(units[i]);
      features.row(static_cast<Eigen::Index>(i)) = encoding_.encode(units[i]).transpose();
    }
    const Eigen::VectorXd values = acquisition_.values(features);
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < units.size(); ++i) {
      const double value = values[static_cast<Eigen::Index>(i)];
      // NaN would break sorting.
      candidates.push_back(
          {std::move(units[i]), std::isfinite(value) ? value : -std::numeric_limits<double>::infinity()});
    }
    return candidates;
  }

  // Alternates until neither kind of move helps. The result is snapped and not worse than `from`, where
  // rounding allows.
  Candidate climb(const Candidate& from, int iterations) const {
    Candidate best = better(from, climb_smooth(from, iterations));
    if (!has_discrete()) return best;
    constexpr int kRounds = 2;
    for (int round = 0; round < kRounds; ++round) {
      const Candidate moved = move_discrete(best);
      if (!(moved.value > best.value)) break;
      best = better(moved, climb_smooth(moved, iterations / 2));
    }
    return best;
  }

 private:
  static Candidate better(const Candidate& a, const Candidate& b) { return b.value > a.value ? b : a; }

  bool has_discrete() const {
    for (std::size_t i = 0; i < encoding_.dimensions(); ++i)
      if (!encoding_.cells(i).empty()) return true;
    return false;
  }

  Candidate climb_smooth(const Candidate& from, int iterations) const {
    const Activity active = encoding_.activity(from.unit);
    std::vector<std::size_t> moving;
    for (std::size_t i = 0; i < from.unit.size(); ++i)
      if (active[i] && encoding_.is_smooth(i)) moving.push_back(i);
    if (moving.empty()) return from;
    const auto count = static_cast<Eigen::Index>(moving.size());
    UnitPoint unit = from.unit;
    const auto place = [&](const Eigen::VectorXd& x) {
      for (Eigen::Index j = 0; j < count; ++j) unit[moving[static_cast<std::size_t>(j)]] = x[j];
    };
    Eigen::VectorXd start(count), feature_gradient;
    for (Eigen::Index j = 0; j < count; ++j) start[j] = unit[moving[static_cast<std::size_t>(j)]];
    const SmoothFunction descend = [&](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
      place(x);
      const double value = acquisition_.value(encoding_.encode(unit, active), feature_gradient);
      const Eigen::VectorXd all = encoding_.pull_back(unit, active, feature_gradient);
      for (Eigen::Index j = 0; j < count; ++j)
        gradient[j] = -all[static_cast<Eigen::Index>(moving[static_cast<std::size_t>(j)])];
      return -value;
    };
    const BoxMinimum found =
        minimize_in_box(descend, start, Eigen::VectorXd::Zero(count), Eigen::VectorXd::Ones(count),
                        {.iterations = iterations, .gradient_tolerance = 1e-3});
    place(found.x);
    return scored({unit}).front();
  }

  // The best change of one discrete coordinate.
  Candidate move_discrete(const Candidate& from) const {
    std::vector<UnitPoint> moves;
    const Activity active = encoding_.activity(from.unit);
    for (std::size_t i = 0; i < from.unit.size(); ++i) {
      const auto& cells = encoding_.cells(i);
      if (!active[i]) continue;
      const auto here = std::lower_bound(cells.begin(), cells.end(), from.unit[i]) - cells.begin();
      constexpr std::ptrdiff_t kAllUpTo = 16, kReach = 3;
      for (std::ptrdiff_t k = 0; k < std::ssize(cells); ++k) {
        if (k == here || (std::ssize(cells) > kAllUpTo && std::abs(k - here) > kReach)) continue;
        UnitPoint moved = from.unit;
        moved[i] = cells[static_cast<std::size_t>(k)];
        moves.push_back(std::move(moved));
      }
    }
    if (moves.empty()) return from;
    const auto candidates = scored(std::move(moves));
    return *std::max_element(candidates.begin(), candidates.end(),
                             [](const Candidate& a, const Candidate& b) { return a.value < b.value; });
  }

  const Encoding& encoding_;
  const Acquisition& acquisition_;
};

// Normal steps of a width drawn from 0.005 to 0.2; now and then a discrete coordinate is drawn anew, since a
// small step would never leave its cell.
UnitPoint perturbed(const UnitPoint& centre, const Encoding& encoding, Rng& rng) {
  const double width = 0.005 * std::pow(40.0, rng.uniform());
  const double redraw = std::min(0.5, 1.5 / static_cast<double>(centre.size()));
  UnitPoint unit = centre;
  for (std::size_t i = 0; i < unit.size(); ++i) {
    const double step = width * rng.normal(), chance = rng.uniform(), anew = rng.uniform();
    if (encoding.cells(i).empty()) {
      unit[i] += step;
    } else if (chance < redraw) {
      unit[i] = anew;
    }
  }
  return unit;
}

std::vector<UnitPoint> first_points(const Encoding& encoding, const std::vector<UnitPoint>& incumbents,
                                    const SearchEffort& effort, Rng& rng) {
  std::vector<UnitPoint> units;
  const SobolSequence sequence(encoding.dimensions(), rng());
  for (std::uint32_t i = 0; i < effort.anchors; ++i) units.push_back(sequence.point(i));
  for (std::uint32_t i = 0; i < effort.nearby; ++i)
    units.push_back(perturbed(incumbents[i % incumbents.size()], encoding, rng));
  for (std::uint32_t i = 0; i < effort.redrawn; ++i) {
    UnitPoint unit = incumbents[i % incumbents.size()];
    unit[i / incumbents.size() % unit.size()] = rng.uniform();
    units.push_back(std::move(unit));
  }
  return units;
}

void sort_best_first(std::vector<Candidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.value > b.value; });
}

// The best, then draws with probability in proportion to expected improvement (the values are its logarithm):
// several basins, without a distance to tune.
std::vector<std::size_t> choose_starts(const std::vector<Candidate>& sorted, std::size_t count, Rng& rng) {
  std::vector<std::size_t> chosen{0};
  std::vector<double> weight(sorted.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) weight[i] = std::exp(sorted[i].value - sorted[0].value);
  weight[0] = 0;
  while (chosen.size() < std::min(count, sorted.size())) {
    double total = 0;
    for (const double w : weight) total += w;
    double at = rng.uniform() * total;
    std::size_t pick = 0;
    for (std::size_t i = 0; i < sorted.size() && pick == 0; ++i) {
      at -= weight[i];
      if (at < 0 && weight[i] > 0) pick = i;
    }
    if (pick == 0) break;  // all the others have no weight left
    chosen.push_back(pick);
    weight[pick] = 0;
  }
  return chosen;
}

}  // namespace

std::vector<Candidate> search_acquisition(const Encoding& encoding, const Acquisition& acquisition,
                                          const std::vector<UnitPoint>& incumbents,
                                          const SearchEffort& effort, Rng& rng) {
  const Search search(encoding, acquisition);
  std::vector<Candidate> candidates = search.scored(first_points(encoding, incumbents, effort, rng));
  sort_best_first(candidates);
  std::vector<Candidate> climbed;
  for (const std::size_t start : choose_starts(candidates, effort.starts, rng))
    climbed.push_back(search.climb(candidates[start], effort.iterations));
  candidates.insert(candidates.end(), climbed.begin(), climbed.end());
  sort_best_first(candidates);
  return candidates;
}

}  // namespace tune::strategies
