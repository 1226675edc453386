// What every task has to hold where several processes share it.
#include <algorithm>
#include <cstdio>

#include "task_workplace.h"
#include "trainer/loop/batch_loader.h"
#include "trainer/nn/batch_norm.h"
#include "unit/trainer/parallel/run_in_team.h"

namespace tune::tests {
namespace {

// Of which each of two processes gets two examples, without what differs by who draws it, and so slowly that
// the rounding of sums in another order does not grow to what is looked for.
Json for_two_processes(const TaskCase& one) {
  Json more{{"batch_size", 4}, {"sync_batch_norm", true}, {"learning_rate", 1e-5}};
  if (one.name == "language_model") more["lora_config"] = {{"r", 2}, {"dropout", 0.0}};
  if (one.name == "image_classification" || one.name == "text_classification") more["dropout"] = 0.0;
  return more;
}

constexpr double kRounding = 1e-4;

void check_alike(const loop::Report& two, const loop::Report& one) {
  CHECK(two.epoch == one.epoch);
  CHECK(two.step == one.step);
  REQUIRE(two.losses.size() == one.losses.size());
  for (std::size_t i = 0; i < one.losses.size(); ++i)
    CHECK(two.losses[i] == Approx(one.losses[i]).epsilon(kRounding).margin(kRounding));
  for (const auto& [name, value] : one.metrics) {
    INFO(name);
    CHECK(two.metrics.at(name) == Approx(value).epsilon(kRounding).margin(kRounding));
  }
}

}  // namespace

TEST_CASE("Two processes train a task as one does, and the first one exports it") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    Workplace place(one);
    const Json more = for_two_processes(one);
    place.run(*place.start(3, {}, more), "one");
    const auto codes = run_in_team(2, [&](const std::shared_ptr<const parallel::Team>& team) {
      place.join(team);
      return static_cast<int>(place.run(*place.start(3, {}, more), "two").code);
    });
    REQUIRE(codes == std::vector<int>{0, 0});
    check_alike(place.last_report("two"), place.last_report("one"));
    CHECK(place.exported("two").size() == place.exported("one").size());
  }
}

namespace {

// A place on the way of a training: what it has learned so far, and what the next step makes of it.
struct Moment {
  std::vector<torch::Tensor> learned;
  double loss = 0;
  torch::Tensor gradient;  // double, of all parameters
  double turned = 0;       // how far it turns when the examples come in another order
};

// How far apart two gradients of the same are.
double turn_of(const torch::Tensor& gradient, const torch::Tensor& from) {
  return ((gradient - from).norm() / from.norm()).item<double>();
}

double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
}

// Steps of a training one by one, of this process or of a team.
class Steps {
 public:
  Steps(loop::Training& training, const loop::Compute& compute)
      : training_(training),
        compute_(compute),
        passes_(training, compute, nullptr, notes_),
        optimizer_(training.model(), training.plan().optimizer, training.parameter_groups(),
                   loop::Gradients::kDropped) {
    if (compute.team->size() == 1) return;
    sums_.emplace(training.model(), *compute.team);
    for (nn::BatchNorm2dImpl* norm : nn::batch_norms(training.model())) norm->share_statistics(compute.team);
  }
  std::vector<torch::Tensor> learned() const {
    std::vector<torch::Tensor> all = training_.model().parameters();
    for (const torch::Tensor& buffer : training_.model().buffers()) all.push_back(buffer);
    return all;
  }
  // Of a batch of the first epoch, without learning from it.
  void look_at(std::int64_t number, double& loss, torch::Tensor& gradient, bool backwards = false) {
    auto batches = training_.epoch_batches(1, 3);
    if (backwards)
      for (std::vector<std::int64_t>& examples : batches) std::reverse(examples.begin(), examples.end());
    const auto at = number % static_cast<std::int64_t>(batches.size());
    const loop::Batch batch = loop::BatchLoader(training_, batches, 1, at, compute_).next();
    const double weight = compute_.team->sums({batch.weight}).front();
    training_.enter_step(0);
    draw_nothing();
    passes_.loss_sums().zero_();
    if (sums_) sums_->begin();
    if (batch.weight > 0) passes_.run(batch, weight / batch.weight);
    if (sums_) sums_->finish();
    loss = compute_.team->sums({passes_.loss_sums()[0].sum().item<double>()}).front() / weight;
    std::vector<torch::Tensor> all;
    for (const torch::Tensor& parameter : training_.model().parameters())
      if (parameter.grad().defined()) all.push_back(parameter.grad().reshape({-1}).to(torch::kDouble));
    gradient = torch::cat(all);
  }
  void go_to(const Moment& moment) {
    const torch::NoGradGuard no_grad;
    std::vector<torch::Tensor> all = learned();
    for (std::size_t i = 0; i < all.size(); ++i) all[i].copy_(moment.learned[i]);
  }
  void learn() { optimizer_.step(training_.plan().schedule.base); }
  void forget() {
    for (torch::Tensor& parameter : training_.model().parameters()) parameter.mutable_grad().reset();
  }

 private:
  // Each process draws for itself.
  void draw_nothing() {
    training_.model().eval();
    for (nn::BatchNorm2dImpl* norm : nn::batch_norms(training_.model())) norm->train();
  }

  loop::Training& training_;
  const loop::Compute compute_;
  std::ostringstream notes_;
  loop::Passes passes_;
  loop::Optimizer optimizer_;
  std::optional<parallel::GradientSums> sums_;
};

std::vector<Moment> twenty_moments(loop::Training& training, const loop::Compute& compute) {
  Steps steps(training, compute);
  std::vector<Moment> moments;
  for (int i = 0; i < 20; ++i) {
    Moment moment;
    for (const torch::Tensor& tensor : steps.learned()) moment.learned.push_back(tensor.detach().clone());
    double same = 0;
    torch::Tensor turned;
    steps.look_at(i, same, turned, /*backwards=*/true);
    steps.forget();
    steps.go_to(moment);
    steps.look_at(i, moment.loss, moment.gradient);
    moment.turned = turn_of(turned, moment.gradient);
    steps.learn();
    steps.forget();
    moments.push_back(std::move(moment));
  }
  return moments;
}

}  // namespace

// Curves part by rounding, which a training carries on; steps from the same place do not. Their gradients
// turn no further than those of one process do when the examples of a batch come in another order: by
// rounding, and by some hundredths where that brings a value to the other side of a kink (of a ReLU, of what
// is the hardest negative). A wrong divisor turns them by tenths, at every step.
TEST_CASE("A step of two processes is the step of one, wherever on its way a training is") {
  for (const TaskCase& one : task_cases()) {
    INFO(one.name);
    Workplace place(one);
    Json more = for_two_processes(one);
    more.erase("learning_rate");  // the case's own
    const std::vector<Moment> moments = twenty_moments(*place.start(3, {}, more), place.compute());
    const auto codes = run_in_team(2, [&](const std::shared_ptr<const parallel::Team>& team) {
      place.join(team);
      const auto training = place.start(3, {}, more);
      Steps steps(*training, place.compute());
      double most_apart = 0;
      std::vector<double> turns, usual;
      for (std::size_t i = 0; i < moments.size(); ++i) {
        steps.go_to(moments[i]);
        double loss = 0;
        torch::Tensor gradient;
        steps.look_at(static_cast<std::int64_t>(i), loss, gradient);
        steps.forget();
        most_apart =
            std::max(most_apart, std::abs(loss - moments[i].loss) / std::max(1.0, std::abs(moments[i].loss)));
        turns.push_back(turn_of(gradient, moments[i].gradient));
        usual.push_back(moments[i].turned);
      }
      const double most = *std::max_element(turns.begin(), turns.end());
      if (team->is_first())
        std::fprintf(stderr,
                     "%s: losses %.3g apart; gradients turn by %.3g, in one process by %.3g; at most %.3g\n",
                     one.name.c_str(), most_apart, median(turns), median(usual), most);
      return most_apart <= 1e-5 && median(turns) <= 5 * median(usual) + 1e-5 && most <= 0.05 ? 0 : 1;
    });
    CHECK(codes == std::vector<int>{0, 0});
  }
}

TEST_CASE("A task that two processes were stopped in goes on in one, and the other way round") {
  for (const TaskCase& one : task_cases()) {
    Workplace place(one);
    const Json more = for_two_processes(one);
    place.run(*place.start(3, {}, more), "whole");
    const auto together = [&](const std::string& name, bool resume, int question) {
      return run_in_team(2, [&](const std::shared_ptr<const parallel::Team>& team) {
        place.join(team);
        // Only one of them is told to stop.
        const auto interrupted = [left = question, rank = team->rank()]() mutable {
          return rank == 1 && left-- <= 0;
        };
        return static_cast<int>(place.run(*place.start(3, {}, more), name, resume, interrupted).code);
      });
    };
    constexpr int kNever = 1 << 30, kInterrupted = static_cast<int>(ExitCode::kInterrupted);
    for (const int question : {0, 2, 3}) {
      INFO(one.name << ", stopped at question " << question);
      const std::string first = "two-" + std::to_string(question), second = "one-" + std::to_string(question);
      REQUIRE(together(first, false, question) == std::vector<int>{kInterrupted, kInterrupted});
      CHECK_FALSE(fs::exists(place.output(first)));
      REQUIRE(place.run(*place.start(3, {}, more), first, true).code == ExitCode::kOk);
      check_alike(place.last_report(first), place.last_report("whole"));

      REQUIRE(place
                  .run(*place.start(3, {}, more), second, false,
                       [left = question]() mutable { return left-- <= 0; })
                  .code == ExitCode::kInterrupted);
      REQUIRE(together(second, true, kNever) == std::vector<int>{0, 0});
      check_alike(place.last_report(second), place.last_report("whole"));
    }
  }
}

}  // namespace tune::tests
