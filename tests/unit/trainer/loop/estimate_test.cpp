// The arithmetic of estimates by hand, and what is counted of small networks whose memory is known.
#include "trainer/loop/estimate.h"

#include "line_task.h"
#include "torch_catch.h"
#include "trainer/loop/plan_length.h"
#include "trainer/loop/rule_of_thumb.h"
#include "trainer/loop/tensor_memory.h"

using namespace tune::trainer::loop;
using tune::tests::LineTask;

TEST_CASE("What a step holds is carried on entry by entry, so that another entry may become the largest") {
  // 100 + 2 n and 10 + 30 n bytes: at 2 and 4 examples the first is still the largest or nearly so.
  const GrowthAt at_two{2, {104, 70}}, at_four{4, {108, 130}};
  CHECK(carried_on(at_two, at_four, 10) == 10 + 30 * 10);
  const GrowthAt flat_two{2, {1000, 60}}, flat_four{4, {1000, 120}};
  CHECK(carried_on(flat_two, flat_four, 10) == 1000);
  CHECK(carried_on(flat_two, flat_four, 100) == 3000);
  CHECK(carried_on(flat_four, flat_four, 4) == 1000);
}

TEST_CASE("Steps that differ in their pieces are carried on by the largest entries") {
  CHECK(carried_on({2, {10, 20}}, {4, {10, 20, 40}}, 8) == 80);
  CHECK(carried_on({2, {50}}, {4, {10, 20}}, 8) == 20);  // and never below what is known
}

TEST_CASE("Two batches are counted for a large one, no more than fits, and a small one itself") {
  using Sizes = std::vector<std::int64_t>;
  CHECK(counted_batches(32, 1000) == Sizes{8, 16});
  CHECK(counted_batches(8, 1000) == Sizes{2, 4});
  CHECK(counted_batches(4, 1000) == Sizes{2, 3});
  CHECK(counted_batches(3, 1000) == Sizes{3});
  CHECK(counted_batches(2, 1000) == Sizes{2});
  CHECK(counted_batches(1, 1000) == Sizes{1});
  CHECK(counted_batches(32, 6) == Sizes{3, 6});
  CHECK(counted_batches(32, 0) == Sizes{2, 3});
}

TEST_CASE("A plan's length follows from its epochs, its steps, and its evaluations") {
  Plan plan;
  plan.epochs = 3;
  plan.accumulate = 4;
  PlanLength length = length_of(plan, 10);  // 3 steps an epoch, the last one of two batches
  CHECK(length.epochs == 3);
  CHECK(length.steps == 9);
  CHECK(length.evaluations == 3);
  plan.max_steps = 5;
  plan.evaluation_steps = 2;
  length = length_of(plan, 10);
  CHECK(length.epochs == Approx(5.0 / 3));
  CHECK(length.steps == 5);
  CHECK(length.evaluations == 3);  // after 2, 4 and 5
}

TEST_CASE("A training that stops early by itself has as many evaluations as its patience at the least") {
  Plan plan;
  plan.epochs = 20;
  CHECK(least_length_of(plan, 10).epochs == 20);
  plan.early_stopping.patience = 3;
  CHECK(least_length_of(plan, 10).epochs == 4);
  CHECK(least_length_of(plan, 10).evaluations == 4);
  plan.early_stopping.first_epoch = 10;
  CHECK(least_length_of(plan, 10).epochs == 10);
  plan.early_stopping.patience = 30;
  CHECK(least_length_of(plan, 10).epochs == 20);
}

TEST_CASE("The rule of thumb is that of the product guide") {
  OptimizerSettings adamw;
  adamw.kind = OptimizerKind::kAdamW;
  const std::int64_t seven = 7'000'000'000;
  CHECK(rule_of_thumb(seven, seven, Precision::kBf16, adamw).total() == 56'000'000'000);
  CHECK(rule_of_thumb(seven, seven / 5, Precision::kBf16, adamw).total() == 22'400'000'000);
  OptimizerSettings sgd;
  sgd.momentum = 0;
  CHECK(rule_of_thumb(seven, seven, Precision::kFp32, sgd).total() == 56'000'000'000);
}

TEST_CASE("Tensors are counted while they live") {
  TensorMemory memory{torch::Device(torch::kCPU)};
  CHECK(memory.held() == 0);
  const torch::Tensor kept = torch::zeros({100});
  CHECK(memory.held() == 400);
  const std::vector<std::int64_t> series = memory.series(memory.held(), [] {
    const torch::Tensor first = torch::empty({10});
    { const torch::Tensor second = torch::empty({20}); }
    const torch::Tensor third = torch::empty({5});
  });
  CHECK(series == std::vector<std::int64_t>{40, 120, 60});
  CHECK(memory.held() == 400);
}

TEST_CASE("What a training holds is counted by its shapes, and nothing of it is left behind") {
  TensorMemory tensors{torch::Device(torch::kCPU)};
  LineTask task(/*epochs=*/4);
  Compute compute;
  EstimateRequest request{compute, tensors};
  request.seconds = 0.01;
  const TrainingEstimate made = estimate(task, request);
  CHECK(made.parameters == 3);
  CHECK(made.trained_parameters == 3);
  CHECK(made.weight_bytes == 3 * 4);
  CHECK(made.gradient_bytes == 3 * 4);
  CHECK(made.optimizer_bytes == 2 * 3 * 4 + 8);  // Adam's two means, and the number of the step
  CHECK(made.examples == 22);
  CHECK(made.batch_size == 4);
  CHECK(made.memory.counted_at == std::vector<std::int64_t>{2, 3});
  CHECK(made.time.batches == 5);
  CHECK(made.time.steps == 20);
  CHECK(made.time.evaluations == 4);
  CHECK(made.time.seconds > 0);
  CHECK(made.memory.parts.total > 0);
}

TEST_CASE("Activations are counted: a layer's inputs stay for its backward pass") {
  TensorMemory tensors{torch::Device(torch::kCPU)};
  torch::nn::Linear layer(8, 8);
  const torch::Tensor input = torch::zeros({16, 8});
  torch::Tensor loss;
  const std::int64_t before = tensors.held();
  const std::vector<std::int64_t> forward =
      tensors.series(before, [&] { loss = torch::relu(layer(input)).sum(); });
  // The layer's output, of which relu makes another one that its backward pass needs, and the sum.
  const std::int64_t kept = tensors.held() - before;
  CHECK(kept == 16 * 8 * 4 + 4);
  CHECK(*std::max_element(forward.begin(), forward.end()) >= 2 * 16 * 8 * 4);
}
