#include "trainer/data/split.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/shuffle.h"

namespace tune::trainer::data {

namespace {

using Parts = std::array<std::vector<std::size_t>, 3>;
using Shares = std::array<double, 3>;

[[noreturn]] void refuse(const std::string& message, const std::string& hint) {
  throw Error(ExitCode::kBadSpec, "trainer." + message, hint);
}

void parse_fractions(const Json& value, bool may_skip_validation, SplitFractions& fractions) {
  const char* hint =
      "Write [train, validation] or [train, validation, test] with the sum 1, as in [0.8, 0.2].";
  if (!value.is_array() || value.size() < 2 || value.size() > 3)
    refuse("split.fractions is no list of two or three numbers", hint);
  std::array<double, 3> parts{};
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!value[i].is_number() || value[i].get<double>() < 0)
      refuse("split.fractions[" + std::to_string(i) + "] is no number of at least 0", hint);
    parts[i] = value[i].get<double>();
  }
  if (std::abs(parts[0] + parts[1] + parts[2] - 1) > 1e-6)
    refuse("split.fractions add up to " + shortest(parts[0] + parts[1] + parts[2]), hint);
  if (parts[0] == 0 || (parts[1] == 0 && !may_skip_validation))
    refuse(parts[0] == 0 ? "split.fractions leaves nothing to train on"
                         : "split.fractions leaves nothing to validate on",
           hint);
  fractions.train = parts[0];
  fractions.validation = parts[1];
  fractions.test = parts[2];
}

// How many of `count` go to each part. What rounding takes from a part is carried to the next stratum, so
// that many small strata do not starve the small parts.
std::array<std::size_t, 3> share(std::size_t count, const Shares& fractions, Shares& carry) {
  std::array<std::size_t, 3> sizes{};
  Shares wanted{};
  std::size_t given = 0;
  for (std::size_t p = 0; p < 3; ++p) {
    wanted[p] = fractions[p] * static_cast<double>(count) + carry[p];
    sizes[p] = std::min(static_cast<std::size_t>(std::max(0.0, std::floor(wanted[p] + 1e-9))), count - given);
    given += sizes[p];
  }
  for (; given < count; ++given) {
    std::size_t most = 0;
    for (std::size_t p = 1; p < 3; ++p)
      if (wanted[p] - static_cast<double>(sizes[p]) > wanted[most] - static_cast<double>(sizes[most]) + 1e-9)
        most = p;
    ++sizes[most];
  }
  for (std::size_t p = 0; p < 3; ++p) carry[p] = wanted[p] - static_cast<double>(sizes[p]);
  return sizes;
}

Shares shares_of(const SplitFractions& fractions) {
  return {fractions.train, fractions.validation, fractions.test};
}

using Images = std::span<const ImageClasses>;

// What a part shows of each class.
std::map<int, std::size_t> images_of_classes(Images images, const std::vector<std::size_t>& part) {
  std::map<int, std::size_t> counts;
  for (const std::size_t index : part)
    for (const int shown : images[index].shown) ++counts[shown];
  return counts;
}

bool shows(Images images, const std::vector<std::size_t>& unit, int category) {
  return std::any_of(unit.begin(), unit.end(), [&](std::size_t index) {
    const std::vector<int>& shown = images[index].shown;
    return std::find(shown.begin(), shown.end(), category) != shown.end();
  });
}

void move_unit(const std::vector<std::size_t>& unit, std::vector<std::size_t>& from,
               std::vector<std::size_t>& to) {
  std::erase_if(from,
                [&](std::size_t index) { return std::find(unit.begin(), unit.end(), index) != unit.end(); });
  to.insert(to.end(), unit.begin(), unit.end());
}

// A class that only another part shows could not be learned: the first unit that shows it changes places
// with a training unit of its size whose classes training goes on showing, or moves alone where there is
// none. Units stay whole. What no unit can mend without emptying a part stays as it is.
void show_every_class_to_training(Images images, int classes, const Groups& units, Parts& parts) {
  std::map<int, std::size_t> shown = images_of_classes(images, parts[0]);
  for (int category = 1; category <= classes; ++category) {
    if (shown.contains(category)) continue;
    std::vector<std::size_t> part_of(images.size());
    for (std::size_t part = 0; part < parts.size(); ++part)
      for (const std::size_t index : parts[part]) part_of[index] = part;
    const auto unit = std::find_if(units.begin(), units.end(), [&](const std::vector<std::size_t>& each) {
      return part_of[each.front()] != 0 && shows(images, each, category);
    });
    if (unit == units.end()) continue;
    std::vector<std::size_t>& from = parts[part_of[unit->front()]];
    const auto spared = std::find_if(units.begin(), units.end(), [&](const std::vector<std::size_t>& each) {
      if (each.size() != unit->size() || part_of[each.front()] != 0) return false;
      const std::map<int, std::size_t> own = images_of_classes(images, each);
      return std::all_of(own.begin(), own.end(),
                         [&](const auto& of_class) { return shown.at(of_class.first) > of_class.second; });
    });
    if (spared == units.end() && from.size() <= unit->size()) continue;
    if (spared != units.end()) move_unit(*spared, parts[0], from);
    move_unit(*unit, from, parts[0]);
    shown = images_of_classes(images, parts[0]);
  }
}

SplitIndices make_split(std::size_t images, const Shares& wanted, Parts& parts, const std::string& cure) {
  for (std::size_t p = 0; p < 3; ++p) {
    std::sort(parts[p].begin(), parts[p].end());
    constexpr std::array kNames{"training", "validation", "test"};
    if (wanted[p] > 0 && parts[p].empty())
      throw Error(ExitCode::kBadData,
                  std::string("the ") + kNames[p] + " set is empty: " + shortest(wanted[p]) + " of " +
                      std::to_string(images) + " images",
                  cure);
  }
  return {std::move(parts[0]), std::move(parts[1]), std::move(parts[2])};
}

Groups with_singles(const Groups& groups, std::size_t images) {
  std::vector<bool> taken(images, false);
  for (const std::vector<std::size_t>& group : groups)
    for (const std::size_t index : group) {
      TUNE_CHECK(index < images && !taken[index]);
      taken[index] = true;
    }
  Groups all = groups;
  for (std::size_t i = 0; i < images; ++i)
    if (!taken[i]) all.push_back({i});
  return all;
}

// Larger groups nearly first: sizes are blurred by up to a third, so that other seeds put other large groups
// aside.
void in_drawn_order(Groups& groups, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t i = 0; i < groups.size(); ++i)
    order.emplace_back(-static_cast<double>(groups[i].size()) * (0.75 + 0.5 * rng.uniform()), i);
  std::sort(order.begin(), order.end());
  Groups drawn;
  for (const auto& [key, index] : order) drawn.push_back(std::move(groups[index]));
  groups = std::move(drawn);
}

// How far the parts are from what is wanted of them, class by class, as groups come in.
class Placement {
 public:
  Placement(Images images, const Shares& wanted) : wanted_(wanted) {
    for (const ImageClasses& image : images) {
      categories_.push_back(image.main);
      ++total_[image.main];
    }
  }

  // The part that the group goes to.
  std::size_t place(const std::vector<std::size_t>& group) {
    std::map<int, double> members;
    for (const std::size_t index : group) ++members[categories_[index]];
    std::size_t best = 3;
    double least = 0;
    for (std::size_t p = 0; p < 3; ++p) {
      if (wanted_[p] <= 0) continue;
      const double change = change_by(members, static_cast<double>(group.size()), p);
      if (best == 3 || change < least - 1e-9) best = p, least = change;
    }
    for (const auto& [category, count] : members) placed_[best][category] += count;
    sizes_[best] += static_cast<double>(group.size());
    return best;
  }

 private:
  // The change of the sum over parts and classes of (placed - wanted)^2 / wanted, and of the same over parts
  // alone.
  double change_by(const std::map<int, double>& members, double size, std::size_t part) {
    const auto term = [](double more, double placed, double target) {
      return more * (more - 2 * (target - placed)) / target;
    };
    double change = term(size, sizes_[part], wanted_[part] * static_cast<double>(categories_.size()));
    for (const auto& [category, count] : members)
      change += term(count, placed_[part][category], wanted_[part] * static_cast<double>(total_[category]));
    return change;
  }

  Shares wanted_;
  std::vector<int> categories_;
  std::map<int, std::size_t> total_;
  std::array<std::map<int, double>, 3> placed_;
  Shares sizes_{};
};

}  // namespace

SplitFractions parse_split(const Json& split, bool may_skip_validation) {
  SplitFractions fractions;
  if (!split.is_object()) refuse("split is no object", R"(Write {"fractions": [0.8, 0.2], "seed": 0}.)");
  for (const auto& [key, value] : split.items()) {
    if (key == "fractions") {
      parse_fractions(value, may_skip_validation, fractions);
    } else if (key == "seed") {
      if (!value.is_number_unsigned())
        refuse("split.seed is no integer of at least 0", "Write an integer, as in 7.");
      fractions.seed = value.get<std::uint64_t>();
    } else if (key == "grouping") {
      if (value != "image" && value != "content")
        refuse("split.grouping is neither \"image\" nor \"content\"",
               "\"content\" keeps overlapping crops of one surface on one side.");
      fractions.grouping = value == "content" ? Grouping::kContent : Grouping::kImage;
    } else if (key == "test") {  // whether training looks at the third part, which is not about the cut
      if (value != "measured" && value != "untouched")
        refuse("split.test is neither \"measured\" nor \"untouched\"",
               "\"measured\" measures each trial's best model on the third part.");
    } else {
      refuse("split has the unknown key \"" + key + "\"", "Its keys are fractions, seed, grouping and test.");
    }
  }
  return fractions;
}

SplitIndices split(Images images, int classes, const SplitFractions& fractions) {
  std::map<int, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < images.size(); ++i) strata[images[i].main].push_back(i);
  const Shares wanted = shares_of(fractions);
  Shares carry{};
  Parts parts;
  for (auto& [category, indices] : strata) {
    Rng rng(fractions.seed, static_cast<std::uint64_t>(category));
    shuffle(indices, rng);
    const std::array<std::size_t, 3> sizes = share(indices.size(), wanted, carry);
    auto from = indices.begin();
    for (std::size_t p = 0; p < 3; ++p) {
      const auto to = from + static_cast<std::ptrdiff_t>(sizes[p]);
      parts[p].insert(parts[p].end(), from, to);
      from = to;
    }
  }
  show_every_class_to_training(images, classes, with_singles({}, images.size()), parts);
  return make_split(images.size(), wanted, parts,
                    "Give it a larger fraction in split.fractions, or add images.");
}

SplitIndices split_by_groups(Images images, int classes, const SplitFractions& fractions,
                             const Groups& groups) {
  Groups all = with_singles(groups, images.size());
  in_drawn_order(all, fractions.seed);
  const Shares wanted = shares_of(fractions);
  Placement placement(images, wanted);
  Parts parts;
  for (const std::vector<std::size_t>& group : all) {
    std::vector<std::size_t>& part = parts[placement.place(group)];
    part.insert(part.end(), group.begin(), group.end());
  }
  show_every_class_to_training(images, classes, all, parts);
  std::size_t largest = 0;
  for (const std::vector<std::size_t>& group : all) largest = std::max(largest, group.size());
  return make_split(images.size(), wanted, parts,
                    "There are " + std::to_string(all.size()) +
                        " groups of overlapping images, the largest of " + std::to_string(largest) +
                        "; give the set a larger fraction, or add other surfaces.");
}

}  // namespace tune::trainer::data
