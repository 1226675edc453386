#include "run_in_team.h"
#include "torch_catch.h"
#include "trainer/nn/batch_norm.h"
#include "trainer/parallel/gradient_sums.h"
#include "trainer/tasks/detection/region_head.h"
#include "trainer/tasks/detection/ssd_loss.h"

using namespace tune;
using namespace tune::trainer;
using parallel::Team;
using tune::tests::run_in_team;
using Place = std::shared_ptr<const Team>;

namespace {

// Rows of the whole that are one process's.
torch::Tensor part_of(const torch::Tensor& whole, const Team& team) {
  const auto [first, last] = team.part(whole.size(0));
  return whole.slice(0, first, last).contiguous(whole.suggest_memory_format());
}

torch::Tensor pictures(std::int64_t count, std::int64_t channels) {
  torch::manual_seed(5);
  return (3 + torch::randn({count, channels, 6, 5})).contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

TEST_CASE("Processes of a team add up, gather and copy, and are told apart by rank") {
  const auto codes = run_in_team(3, [](const Place& team) {
    const double rank = team->rank();
    if (team->sums({rank, 1}) != std::vector<double>{3, 3}) return 1;
    if (team->any(team->rank() == 2) != true || team->any(false)) return 2;
    // Of different lengths, one of them empty.
    if (team->gathered(std::string(static_cast<std::size_t>(team->rank()), 'x')) !=
        std::vector<std::string>{"", "x", "xx"})
      return 3;
    if (team->gathered(std::vector<int>(static_cast<std::size_t>(team->rank()), team->rank())) !=
        std::vector<int>{1, 2, 2})
      return 4;
    if (team->gathered(std::string()) != std::vector<std::string>(3)) return 5;
    torch::Tensor numbers = torch::full({4, 2}, rank).t();
    team->add(numbers);
    if (!numbers.eq(3).all().item<bool>()) return 6;
    std::vector<torch::Tensor> copied{torch::full({2, 3}, rank), torch::full({1}, team->rank(), torch::kLong),
                                      torch::full({2}, rank > 0, torch::kBool), torch::empty({0})};
    team->take_from_first(copied);
    for (const torch::Tensor& tensor : copied)
      if (tensor.any().item<bool>()) return 7;
    return 0;
  });
  CHECK(codes == std::vector<int>{0, 0, 0});
}

TEST_CASE("Parts of a batch are neighbours, and together all of it") {
  for (const std::int64_t count : {0, 1, 2, 5, 64}) {
    std::int64_t next = 0;
    for (int rank = 0; rank < 3; ++rank) {
      const auto [first, last] = Team(rank, 3).part(count);
      CHECK(first == next);
      CHECK(last - first <= (count + 2) / 3);
      next = last;
      // Who only measures has all of what would be put together again.
      CHECK(Team(rank, 3).share(count) == std::pair<std::int64_t, std::int64_t>{0, count});
    }
    CHECK(next == count);
  }
}

TEST_CASE("A process that has ended is told of by those that wait for it") {
  const auto codes = run_in_team(2, [](const Place& team) {
    team->any(false);
    if (team->rank() == 1) return 7;
    try {
      team->any(false);
    } catch (const parallel::PeerLost& lost) {
      return std::string(lost.what()).starts_with("process 1 of 2 waited for another in vain: ") ? 0 : 1;
    }
    return 2;
  });
  CHECK(codes == std::vector<int>{0, 7});
}

TEST_CASE("A process that does not answer is waited for as long as was said") {
  const auto codes = run_in_team(
      2,
      [](const Place& team) {
        team->any(false);
        if (team->rank() == 1) {
          ::sleep(3);
          return 0;
        }
        try {
          team->any(false);
        } catch (const parallel::PeerLost&) {
          return 0;
        }
        return 2;
      },
      Milliseconds{500});
  CHECK(codes == std::vector<int>{0, 0});
}

TEST_CASE("Gradients of parts add up to those of the whole batch") {
  for (const int size : {2, 3}) {
    INFO(size << " processes");
    const auto codes = run_in_team(size, [](const Place& team) {
      torch::manual_seed(1);
      torch::nn::Sequential net(torch::nn::Linear(6, 700), torch::nn::ReLU(), torch::nn::Linear(700, 700),
                                torch::nn::ReLU(), torch::nn::Linear(700, 2));
      const auto unused = net->register_module("unused", torch::nn::Linear(3, 3));
      const torch::Tensor inputs = torch::randn({10, 6});
      const auto loss_of = [&](const torch::Tensor& rows) { return net->forward(rows).square().sum() / 10; };
      loss_of(inputs).backward();
      std::vector<torch::Tensor> whole;
      for (torch::Tensor& parameter : net->parameters()) {
        whole.push_back(parameter.grad().defined() ? parameter.grad().clone() : torch::Tensor());
        parameter.mutable_grad().reset();
      }
      parallel::GradientSums sums(*net, *team);
      const torch::Tensor own = part_of(inputs, *team);
      for (const int passes : {1, 2, 1}) {
        for (int pass = 0; pass < passes; ++pass) {
          if (pass + 1 == passes) sums.begin();
          (loss_of(own) / passes).backward();
        }
        sums.finish();
        std::size_t i = 0;
        for (torch::Tensor& parameter : net->parameters()) {
          if (parameter.grad().defined() != whole[i].defined()) return 1;
          if (whole[i].defined() && !parameter.grad().allclose(whole[i], 1e-4, 1e-5)) return 2;
          if (whole[i].defined() && parameter.grad().strides() != parameter.strides()) return 3;
          parameter.mutable_grad().reset();
          ++i;
        }
      }
      return 0;
    });
    CHECK(codes == std::vector<int>(static_cast<std::size_t>(size), 0));
  }
}

TEST_CASE("A process without a part of a step gets the gradients of the others") {
  const auto codes = run_in_team(2, [](const Place& team) {
    torch::manual_seed(1);
    torch::nn::Linear layer(3, 2);
    parallel::GradientSums sums(*layer, *team);
    for (int step = 0; step < 3; ++step) {
      sums.begin();
      if (team->rank() == 0) layer->forward(torch::ones({2, 3})).sum().backward();
      sums.finish();
      if (!layer->weight.grad().eq(2).all().item<bool>()) return 1;
      for (torch::Tensor& parameter : layer->parameters()) parameter.mutable_grad().reset();
    }
    return 0;
  });
  CHECK(codes == std::vector<int>{0, 0});
}

TEST_CASE("Normalisation by the whole batch is that of one process, forward and backward") {
  const torch::Tensor x = pictures(8, 7), weights = torch::randn({8, 7, 6, 5});
  const auto run = [&](const Place& team, bool shared) {
    torch::manual_seed(2);
    nn::BatchNorm2d norm(7);
    torch::nn::init::uniform_(norm->weight, 0.5, 2);
    torch::nn::init::uniform_(norm->bias);
    if (shared) norm->share_statistics(team);
    torch::Tensor own = part_of(x, *team).detach().requires_grad_(true);
    const torch::Tensor y = norm(own);
    (y.tanh() * part_of(weights, *team)).sum().backward();
    const torch::Tensor gradients = torch::cat({norm->weight.grad(), norm->bias.grad()}).to(torch::kDouble);
    if (shared) team->add(gradients);
    return std::vector<torch::Tensor>{y.detach(),         own.grad(),        gradients,
                                      norm->running_mean, norm->running_var, norm->num_batches_tracked};
  };
  const std::vector<torch::Tensor> whole = run(parallel::alone(), false);
  const auto codes = run_in_team(2, [&](const Place& team) {
    const std::vector<torch::Tensor> shared = run(team, true);
    for (std::size_t i = 0; i < shared.size(); ++i) {
      const torch::Tensor expected = i < 2 ? part_of(whole[i], *team) : whole[i];
      if (!shared[i].allclose(expected, 1e-4, 1e-5)) return static_cast<int>(i) + 1;
    }
    return 0;
  });
  CHECK(codes == std::vector<int>{0, 0});
}

TEST_CASE("The gradient of shared normalisation agrees with finite differences") {
  const auto codes = run_in_team(2, [](const Place& team) {
    nn::BatchNorm2d norm(2);
    norm->share_statistics(team);
    const torch::Tensor x = pictures(4, 2);
    torch::Tensor own = part_of(x, *team).detach().requires_grad_(true);
    const auto loss_of = [&](const torch::Tensor& rows) {
      const torch::Tensor loss = (norm(rows).pow(3) * torch::linspace(-1, 1, 30).view({6, 5})).sum();
      return loss;
    };
    const torch::Tensor loss = loss_of(own);
    loss.backward();
    const torch::NoGradGuard no_grad;
    for (const std::int64_t at : {0, 17, 41}) {
      // The same number of the first process changes for all, and all losses with it.
      const double step = 1e-2;
      std::vector<double> both;
      for (const double sign : {1.0, -1.0}) {
        torch::Tensor moved = own.detach().clone(at::MemoryFormat::Contiguous);
        if (team->is_first()) moved.view(-1)[at] += sign * step;
        both.push_back(
            team->sums({loss_of(moved.contiguous(at::MemoryFormat::ChannelsLast)).item<double>()})[0]);
      }
      const double numeric = (both[0] - both[1]) / (2 * step);
      const double own_gradient = own.grad().contiguous().view(-1)[at].item<double>();
      if (team->is_first() && std::abs(numeric - own_gradient) > 0.02 * std::max(1.0, std::abs(numeric)))
        return 1;
    }
    return 0;
  });
  CHECK(codes == std::vector<int>{0, 0});
}

TEST_CASE("A detector's losses of parts come to those of the whole batch, by either divisor") {
  torch::manual_seed(3);
  const std::int64_t batch = 7, boxes = 40;
  const torch::Tensor logits = torch::randn({batch, boxes, 4}), offsets = torch::randn({batch, boxes, 4});
  detection::Targets targets;
  targets.categories = (torch::rand({batch, boxes}) > 0.9).to(torch::kLong) * 2;
  targets.categories.slice(0, 0, 3).zero_();  // the first process has no positive
  targets.offsets = torch::randn({batch, boxes, 4});
  for (const detection::LossDivisor divisor :
       {detection::LossDivisor::kPositives, detection::LossDivisor::kCounted}) {
    const detection::SsdLoss whole = detection::ssd_loss(logits, offsets, targets, divisor);
    const auto codes = run_in_team(2, [&](const Place& team) {
      detection::Targets own;
      own.categories = part_of(targets.categories, *team);
      own.offsets = part_of(targets.offsets, *team);
      const detection::SsdLoss loss =
          detection::ssd_loss(part_of(logits, *team), part_of(offsets, *team), own, divisor, *team);
      const double images = static_cast<double>(own.categories.size(0));
      const std::vector<double> sums = team->sums(
          {images * loss.cross_entropy.item<double>(), images * loss.smooth_l1.item<double>(), images});
      if (std::abs(sums[0] / sums[2] - whole.cross_entropy.item<double>()) > 1e-5) return 1;
      return std::abs(sums[1] / sums[2] - whole.smooth_l1.item<double>()) > 1e-5 ? 2 : 0;
    });
    CHECK(codes == std::vector<int>{0, 0});
  }
}

TEST_CASE("The losses of both stages of a detector over the parts of a batch are those of the whole") {
  torch::manual_seed(4);
  constexpr std::int64_t batch = 5, objects_of_image = 2, columns = 3, side = 64;
  // All that may be learned from is, so that images differ in how much of it they have.
  detection::ProposalRules rules;
  rules.sides = {{12}};
  detection::RegionHeadRules head;
  rules.sampling.count = head.sampling.count = 1000;
  const torch::Tensor anchors = detection::anchor_boxes({torch::zeros({1, 1, 8, 8})}, side, side, rules);
  const torch::Tensor logits = torch::randn({batch, anchors.size(0)}),
                      offsets = 0.1 * torch::randn({batch, anchors.size(0), 4}),
                      corner = torch::rand({batch, objects_of_image, 2}) * 40,
                      boxes = torch::cat({corner, corner + 8 + 12 * torch::rand_like(corner)}, 2),
                      weight = torch::randn({4, 5 * columns});
  torch::Tensor categories = torch::randint(1, columns, {batch, objects_of_image}, torch::kLong);
  categories[1] = 0;
  categories[4][1] = 0;
  const auto losses = [&](const auto& part, const Team& team) {
    const detection::AnchorScores scores{part(logits), part(offsets), {anchors.size(0)}};
    const detection::ObjectBatch objects{part(boxes), part(categories)};
    const std::int64_t count = scores.logits.size(0);
    const detection::StageLosses first =
        detection::proposal_losses(scores, anchors, objects, rules, detection::Draw::kSame, team);
    const std::vector<images::Size> sizes(static_cast<std::size_t>(count), {side, side});
    const detection::RegionSample sample =
        detection::sample_of_regions(detection::propose_regions(scores, anchors, sizes, {100, 40}, 0.5F),
                                     objects, head, detection::Draw::kSame);
    const torch::Tensor seen = (sample.boxes / side).matmul(weight).view({-1, 5, columns});
    const detection::StageLosses second = detection::region_losses(
        {seen.select(1, 0), seen.narrow(1, 1, 4).transpose(1, 2)}, sample, count, team);
    std::vector<double> sums{static_cast<double>(count)};
    for (const torch::Tensor& loss : {first.classes, first.boxes, second.classes, second.boxes})
      sums.push_back(loss.item<double>() * sums.front());
    return sums;
  };
  const auto all = [](const torch::Tensor& whole) { return whole; };
  const std::vector<double> whole = losses(all, *parallel::alone());
  const auto codes = run_in_team(2, [&](const Place& team) {
    const auto part = [&](const torch::Tensor& tensor) { return part_of(tensor, *team); };
    const std::vector<double> sums = team->sums(losses(part, *team));
    for (std::size_t i = 0; i < sums.size(); ++i)
      if (!(std::abs(sums[i] - whole[i]) <= 1e-5 * std::abs(whole[i]))) return 1 + static_cast<int>(i);
    return 0;
  });
  CHECK(codes == std::vector<int>{0, 0});
}
