#include "run_in_team.h"
#include "torch_catch.h"
#include "trainer/nn/batch_norm.h"
#include "trainer/parallel/gradient_sums.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/ssd_loss.h"
#include "trainer/tasks/detection/two_stage_detector.h"

using namespace tune;
using namespace tune::trainer;
using Catch::Matchers::Contains;
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
    // Larger than what lies between the processes at once, and smaller ones that are begun before it is done.
    torch::Tensor large = torch::arange(9'000'000).to(torch::kFloat).mul_(rank + 1);
    const torch::Tensor doubles = torch::full({3}, rank, torch::kDouble);
    parallel::Sum first = team->begin_to_add(large), second = team->begin_to_add(doubles);
    if (!team->any(team->rank() == 1)) return 8;
    team->finish(first);
    team->finish(second);
    if (!large.eq(torch::arange(9'000'000).to(torch::kFloat).mul_(6)).all().item<bool>()) return 9;
    if (!doubles.eq(3).all().item<bool>()) return 10;
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

TEST_CASE("A process without a part of a step, even the first, gets the gradients of the others") {
  const auto codes = run_in_team(2, [](const Place& team) {
    torch::manual_seed(1);
    torch::nn::Linear layer(3, 2);
    const auto unused = layer->register_module("unused", torch::nn::Linear(3, 3));
    parallel::GradientSums sums(*layer, *team);
    for (int step = 0; step < 3; ++step) {
      sums.begin();
      if (team->rank() == 0) layer->forward(torch::ones({2, 3})).sum().backward();
      sums.finish(/*all_take_part=*/false);
      if (!layer->weight.grad().eq(2).all().item<bool>()) return 1;
      if (unused->weight.grad().defined()) return 2;
      for (torch::Tensor& parameter : layer->parameters()) parameter.mutable_grad().reset();
    }
    return 0;
  });
  CHECK(codes == std::vector<int>{0, 0});
}

TEST_CASE("A process without a part of a step learns what was let go since, and nothing that is unused") {
  const auto codes = run_in_team(2, [](const Place& team) {
    torch::manual_seed(1);
    torch::nn::Sequential net(torch::nn::Linear(3, 3), torch::nn::Linear(3, 2));
    const auto unused = net->register_module("unused", torch::nn::Linear(3, 3));
    torch::nn::Linear first(std::dynamic_pointer_cast<torch::nn::LinearImpl>(net->ptr(0)));
    parallel::GradientSums sums(*net, *team);
    const auto step = [&](bool is_here) {
      for (torch::Tensor& parameter : net->parameters()) parameter.mutable_grad().reset();
      sums.begin();
      if (is_here) net->forward(torch::ones({2, 3})).sum().backward();
      sums.finish(/*all_take_part=*/false);
    };
    const auto let_go = [&](bool is_trained) {
      for (torch::Tensor& parameter : first->parameters()) parameter.requires_grad_(is_trained);
    };
    let_go(false);
    step(true);
    if (first->weight.grad().defined() || unused->weight.grad().defined()) return 1;
    let_go(true);
    step(team->rank() == 0);
    if (!first->weight.grad().defined() || unused->weight.grad().defined()) return 2;
    let_go(false);
    step(team->rank() == 0);
    return first->weight.grad().defined() ? 3 : 0;
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

namespace {

// Images of one shape, the second without objects. All that is drawn otherwise is learned from here.
struct TwoStageBatch {
  detection::DetectorModel kind = detection::detector_model("fasterrcnn-resnet18-half-fpn");
  torch::Tensor images;
  std::vector<std::vector<detection::GroundTruth>> objects{
      {{10, 12, 60, 90, 1, 0, false, false}, {30, 4, 90, 30, 2, 0, false, false}},
      {},
      {{20, 20, 110, 70, 2, 0, false, false}},
      {{5, 60, 95, 75, 1, 0, false, false}},
      {{64, 64, 100, 120, 2, 0, false, false}}};
  TwoStageBatch() {
    auto& network = std::get<detection::TwoStageNetwork>(kind.network);
    network.proposals.sampling.count = network.head.sampling.count = 1'000'000;
    torch::manual_seed(4);
    images = torch::randn({static_cast<std::int64_t>(objects.size()), 3, 128, 128});
  }
};

struct TwoStageStep {
  double cross_entropy, smooth_l1;  // means over this process's images
  double images;
  std::vector<torch::Tensor> gradients;  // of the batch's loss, once they are added up
  std::vector<std::string> names;        // of their parameters
};

TwoStageStep two_stage_step(const TwoStageBatch& batch, const Place& team) {
  torch::manual_seed(6);
  detection::TwoStageDetector detector(batch.kind, 2);
  detector.network().train();
  const auto all = static_cast<std::int64_t>(batch.objects.size());
  const auto [first, last] = team->part(all);
  std::optional<parallel::GradientSums> sums;
  if (team->size() > 1) {
    for (nn::BatchNorm2dImpl* norm : nn::batch_norms(detector.network())) norm->share_statistics(team);
    sums.emplace(detector.network(), *team);
  }
  weights::TensorMap tensors;
  const auto objects = detector.object_tensors(2, {});
  objects->add({batch.objects.begin() + first, batch.objects.begin() + last}, tensors);
  const detection::DetectorLosses losses =
      detector.losses({part_of(batch.images, *team), {}}, tensors, *objects, *team);
  if (sums) sums->begin();
  const auto images = static_cast<double>(last - first);
  ((losses.cross_entropy + losses.smooth_l1) * (images / static_cast<double>(all))).backward();
  if (sums) sums->finish();
  TwoStageStep step{losses.cross_entropy.item<double>(), losses.smooth_l1.item<double>(), images, {}, {}};
  for (const auto& parameter : detector.network().named_parameters()) {
    step.gradients.push_back(parameter.value().grad());
    step.names.push_back(parameter.key());
  }
  return step;
}

}  // namespace

TEST_CASE("A detector of two stages has the losses and the gradients of the whole batch in any parts of it") {
  const TwoStageBatch batch;
  const TwoStageStep whole = two_stage_step(batch, parallel::alone());
  for (const int size : {2, 3}) {
    INFO(size << " processes");
    const auto codes = run_in_team(size, [&](const Place& team) {
      const TwoStageStep part = two_stage_step(batch, team);
      const std::vector<double> sums =
          team->sums({part.images * part.cross_entropy, part.images * part.smooth_l1, part.images});
      const auto differ = [](double a, double b) { return std::abs(a - b) > 1e-4 * std::abs(b); };
      if (differ(sums[0] / sums[2], whole.cross_entropy)) return 1;
      if (differ(sums[1] / sums[2], whole.smooth_l1)) return 2;
      for (std::size_t i = 0; i < whole.gradients.size(); ++i) {
        if (part.gradients[i].defined() != whole.gradients[i].defined()) return 3;
        if (!whole.gradients[i].defined()) continue;
        const double apart = (part.gradients[i] - whole.gradients[i]).norm().item<double>();
        // A value at the kink of a ReLU falls on either side of it by rounding, and one of the 20,000 of a
        // layer turns the gradients of what lies below by a hundredth.
        const bool is_below = whole.names[i].starts_with("backbone.body.");
        if (apart > (is_below ? 0.05 : 1e-4) * whole.gradients[i].norm().item<double>() + 1e-6) return 4;
      }
      return 0;
    });
    CHECK(codes == std::vector<int>(static_cast<std::size_t>(size), 0));
  }
}

TEST_CASE("The network that fuses the stages of a ResNet normalises by the team, as all networks do") {
  const detection::TwoStageDetector detector(detection::detector_model("ddn-resnet34"), 2);
  std::size_t norms = 0;
  for (const auto& child : detector.network().modules())
    if (child->as<torch::nn::BatchNorm2d>()) ++norms;
  CHECK(nn::batch_norms(detector.network()).size() == norms);
}

TEST_CASE("A process finds its place among all, and among those of its machine") {
  const auto with = [](const std::vector<std::pair<const char*, const char*>>& variables, const auto& work) {
    for (const auto& [name, value] : variables) ::setenv(name, value, 1);
    work();
    for (const auto& [name, value] : variables) ::unsetenv(name);
  };
  CHECK_FALSE(parallel::membership_from_environment());
  with({{"TUNE_RANK", "3"},
        {"TUNE_WORLD_SIZE", "4"},
        {"TUNE_LOCAL_RANK", "1"},
        {"TUNE_LOCAL_WORLD_SIZE", "2"},
        {"TUNE_RENDEZVOUS", "tcp:n1:7000"}},
       [] {
         const auto place = parallel::membership_from_environment();
         REQUIRE(place);
         CHECK(place->rank == 3);
         CHECK(place->size == 4);
         CHECK(place->local_rank == 1);
         CHECK(place->local_size == 2);
       });
  with(
      {{"TUNE_RANK", "0"}, {"TUNE_WORLD_SIZE", "2"}, {"TUNE_LOCAL_RANK", "0"}, {"TUNE_RENDEZVOUS", "file:x"}},
      [] { CHECK(parallel::membership_from_environment()->local_size == 2); });
  with({{"TUNE_RANK", "3"},
        {"TUNE_WORLD_SIZE", "4"},
        {"TUNE_LOCAL_RANK", "2"},
        {"TUNE_LOCAL_WORLD_SIZE", "2"},
        {"TUNE_RENDEZVOUS", "tcp:n1:7000"}},
       [] { CHECK_THROWS_WITH(parallel::membership_from_environment(), Contains("TUNE_LOCAL_RANK")); });

  CHECK(parallel::machines_from_environment(1).index == 0);
  CHECK_THROWS_WITH(parallel::machines_from_environment(2), Contains("of 2 machines, and SLURM_NODEID"));
  with({{"SLURM_NODEID", "1"}, {"MASTER_ADDR", "n1"}, {"MASTER_PORT", "7000"}}, [] {
    const parallel::Machines machines = parallel::machines_from_environment(2);
    CHECK(machines.count == 2);
    CHECK(machines.index == 1);
    CHECK(machines.rendezvous == "tcp:n1:7000");
  });
}
