// Whether a device computes what the CPU computes, and a training on it goes on bit for bit: for each model
// of each task of the table. A program of its own, without Catch2, so that it can be carried to a machine
// that has only LibTorch.
//
// usage: gpu_equality --data FOLDER --classes FOLDER --scratch FOLDER [--cpu] [--smallest]
//
// stdout has a line a claim, "ok WHAT: NUMBERS" or "failed WHAT: NUMBERS"; exit code 1 when one failed.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "trainer/loop/training_loop.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/tasks/language_model/tiny_language_model.h"
#include "unit/trainer/tasks/text_classification/tiny_encoder.h"

namespace {

namespace fs = std::filesystem;
using namespace tune;
using namespace tune::trainer;

// Relative differences. Sums in another order differ by the last bits of fp32, which a hundred layers and a
// batch normalisation over few images let grow; bf16 has 8 bits, and is held against fp32.
constexpr double kLossFp32 = 1e-3, kGradientFp32 = 1e-2, kLossBf16 = 5e-2, kGradientBf16 = 0.3;
constexpr int kStopAfter = 3;  // batches, of the training that is interrupted

struct Options {
  fs::path data, classes, scratch;  // images with boxes; a folder for each class
  bool cpu = false, smallest = false;
};

struct Case {
  const loop::Task* task;
  std::string model;
};

bool all_hold = true;

void tell(bool holds, const std::string& what, const std::string& numbers) {
  all_hold = all_hold && holds;
  std::cout << (holds ? "ok " : "failed ") << what << ": " << numbers << std::endl;
}

std::string in_words(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", number);
  return number == 0 ? "0" : text;
}

// Models of texts begin with weights of others: here with random ones, which are drawn once.
bool begins_with_weights(const loop::Task& task) {
  return task.name == "text_classification" || task.name == "language_model";
}
bool is_drawn(const std::string& model) {
  return model == "bert" || model == "distilbert" || model == "auto";  // auto: a Llama
}

// What such a model begins with and learns from, as keys of `trainer`.
Json drawn_base(const Case& one, const Options& options) {
  constexpr int kExamples = 40;
  const fs::path base = options.scratch / "bases" / one.task->name / one.model, data = base / "examples";
  const bool classifies = one.task->name == "text_classification";
  if (!fs::exists(data)) {
    if (classifies)
      tune::tests::write_tiny_encoder(base, one.model);
    else
      tune::tests::write_tiny_language_model(base);
    if (classifies)
      write_file_atomically(data, tune::tests::tiny_texts(kExamples));
    else
      tune::tests::write_sums(data, kExamples);
  }
  return {{"weights", base.string()}, {"data", data.string()}};
}

loop::TrialFile trial_of(const Case& one, const Options& options, const std::string& folder) {
  Json trainer{{"task", one.task->name}, {"model", one.model}};
  Json fixed{{"epochs", options.smallest ? 1 : 2}, {"batch_size", 4}};
  if (one.task->name == "detection") trainer["data"] = options.data.string();
  if (one.task->name == "image_classification") trainer["data"] = options.classes.string();
  if (begins_with_weights(*one.task)) trainer.update(drawn_base(one, options));
  if (one.task->name == "pretraining") fixed.update(Json{{"images", 16}, {"classes", 4}, {"size", 64}});
  const fs::path place = options.scratch / folder;
  return loop::parse_trial({{"seed", 7},
                            {"fixed", fixed},
                            {"trainer", trainer},
                            {"threads", at::get_num_threads()},
                            {"checkpoint_dir", (place / "checkpoints").string()},
                            {"output_dir", (place / "output").string()}},
                           "the trial");
}

loop::Compute compute_on(const torch::Device& device, loop::Precision precision) {
  loop::Compute compute;
  compute.device = device;
  compute.threads = at::get_num_threads();
  compute.precision = precision;
  compute.accelerated = device.is_cuda();
  return compute;
}

std::unique_ptr<loop::Training> started(const Case& one, const loop::TrialFile& trial,
                                        const loop::Compute& compute) {
  return one.task->start(trial, compute, std::cerr);
}

std::vector<torch::Tensor> weights_of(torch::nn::Module& model) {
  std::vector<torch::Tensor> all = model.parameters();
  for (const torch::Tensor& buffer : model.buffers()) all.push_back(buffer);
  return all;
}

void copy_weights(torch::nn::Module& from, torch::nn::Module& to) {
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> source = weights_of(from), target = weights_of(to);
  TUNE_CHECK(source.size() == target.size());
  for (std::size_t i = 0; i < source.size(); ++i) target[i].copy_(source[i]);
}

struct Step {
  torch::Tensor losses, gradient;  // double, on the CPU; the gradient of all parameters in a row
};

// Forward and backward of the first batch, from the weights of `origin`.
Step step_of(const Case& one, const Options& options, const loop::Compute& compute, loop::Training& origin) {
  const auto training = started(one, trial_of(one, options, "step"), compute);
  copy_weights(origin.model(), training->model());
  weights::TensorMap tensors = training->prepare(training->epoch_batches(1, 7).front(), 1).tensors;
  for (auto& [name, tensor] : tensors) tensor = tensor.to(compute.device);
  training->model().train();
  loop::LossTerms terms;
  {
    const compat::Autocast precision(compute.device.type(), compute.precision == loop::Precision::kBf16,
                                     torch::kBFloat16);
    terms = training->losses(tensors);
  }
  torch::stack(terms).sum().backward();
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : training->model().parameters())
    if (parameter.grad().defined())
      gradients.push_back(parameter.grad().to(torch::kCPU, torch::kDouble).flatten());
  return {torch::stack(terms).detach().to(torch::kCPU, torch::kDouble), torch::cat(gradients)};
}

double relative(const torch::Tensor& value, const torch::Tensor& reference) {
  if (value.sizes() != reference.sizes()) return HUGE_VAL;
  const double difference = (value - reference).norm().item<double>();
  return difference == 0 ? 0 : difference / reference.norm().item<double>();
}

// On the CPU nothing may differ. On another device fp32 on the CPU is the reference of both precisions.
void compare_steps(const Case& one, const Options& options, const torch::Device& device) {
  const bool exactly = device.is_cpu();
  const auto origin =
      started(one, trial_of(one, options, "origin"), compute_on(torch::kCPU, loop::Precision::kFp32));
  std::optional<Step> reference;
  for (const loop::Precision precision : {loop::Precision::kFp32, loop::Precision::kBf16}) {
    if (exactly || !reference) reference = step_of(one, options, compute_on(torch::kCPU, precision), *origin);
    const Step measured = step_of(one, options, compute_on(device, precision), *origin);
    const bool is_bf16 = precision == loop::Precision::kBf16;
    const double most_loss = exactly   ? 0
                             : is_bf16 ? kLossBf16
                                       : kLossFp32,
                 most_gradient = exactly   ? 0
                                 : is_bf16 ? kGradientBf16
                                           : kGradientFp32;
    const double loss = relative(measured.losses, reference->losses),
                 gradient = relative(measured.gradient, reference->gradient);
    // Comparisons that NaN fails.
    tell(loss <= most_loss && gradient <= most_gradient,
         one.task->name + " " + one.model + " in " + loop::precision_name(precision) + " on " + device.str(),
         "loss differs by " + in_words(loss) + " (at most " + in_words(most_loss) + "), gradient by " +
             in_words(gradient) + " (at most " + in_words(most_gradient) + ")");
  }
}

// A training whose losses are scaled by numbers drawn on the device, so that it is repeated only where the
// device's generator goes on from where it was.
class Noisy final : public loop::Training {
 public:
  Noisy(std::unique_ptr<loop::Training> inner, torch::Device device)
      : inner_(std::move(inner)), device_(device) {}
  const loop::Recipe& recipe() const override { return inner_->recipe(); }
  const loop::Plan& plan() const override { return inner_->plan(); }
  torch::nn::Module& model() override { return inner_->model(); }
  std::vector<loop::ParameterGroup> parameter_groups() override { return inner_->parameter_groups(); }
  std::int64_t training_examples() const override { return inner_->training_examples(); }
  std::vector<std::vector<std::int64_t>> epoch_batches(std::int64_t epoch,
                                                       std::uint64_t seed) const override {
    return inner_->epoch_batches(epoch, seed);
  }
  loop::Batch prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const override {
    return inner_->prepare(examples, epoch);
  }
  loop::LossTerms losses(const weights::TensorMap& tensors) override {
    loop::LossTerms terms = inner_->losses(tensors);
    const torch::Tensor scale = torch::rand({}, torch::TensorOptions(torch::kFloat).device(device_)) + 0.5;
    for (torch::Tensor& term : terms) term = term * scale;
    return terms;
  }
  loop::Metrics evaluate(const std::function<bool()>& interrupted) override {
    return inner_->evaluate(interrupted);
  }
  void export_model(const fs::path&, const weights::TensorMap&, const loop::Report&) const override {}
  std::string fingerprint() const override { return inner_->fingerprint(); }

 private:
  std::unique_ptr<loop::Training> inner_;
  torch::Device device_;
};

enum class Resumed { kNo, kYes };
enum class Kernels { kDeterministic, kAsItTrains };

// The weights in the end, of a training that stops after `kStopAfter` batches and goes on where it is
// resumed.
std::vector<torch::Tensor> trained(const Case& one, const Options& options, const loop::Compute& compute,
                                   const std::string& folder, Resumed resumed, Kernels kernels) {
  const loop::TrialFile trial = trial_of(one, options, folder);
  const auto run = [&](int batches, bool resume) {
    std::unique_ptr<loop::Training> training = started(one, trial, compute);
    if (kernels == Kernels::kDeterministic)
      training = std::make_unique<Noisy>(std::move(training), compute.device);
    loop::LoopSettings settings = loop::loop_settings(trial, one.task->unit, compute);
    settings.resume = resume;
    settings.interrupted = [asked = 0, batches]() mutable { return batches > 0 && ++asked > batches; };
    std::ostringstream lines;
    const ExitCode code = loop::TrainingLoop(*training, settings, lines, std::cerr, false).run();
    TUNE_CHECK(code == (batches > 0 ? ExitCode::kInterrupted : ExitCode::kOk));
    std::vector<torch::Tensor> weights;
    for (const torch::Tensor& tensor : weights_of(training->model()))
      weights.push_back(tensor.detach().to(torch::kCPU).clone());
    return weights;
  };
  if (resumed == Resumed::kYes) run(kStopAfter, false);
  return run(0, resumed == Resumed::kYes);
}

double largest_difference(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double own = (a[i].to(torch::kDouble) - b[i].to(torch::kDouble)).abs().max().item<double>();
    if (!(own <= largest)) largest = own;  // NaN stays
  }
  return largest;
}

// A device that computes the same training in two ways, when it is run twice, cannot repeat an interrupted
// one bit for bit: then the difference may be as large as that of two runs.
void compare_resumed(const Case& one, const Options& options, const torch::Device& device, Kernels kernels) {
  const bool deterministic = kernels == Kernels::kDeterministic;
  at::globalContext().setDeterministicCuDNN(deterministic);
  at::globalContext().setBenchmarkCuDNN(!deterministic);
  // A GPU trains in bf16 where that is faster; many a CPU has no instructions for it.
  const bool in_bf16 = !deterministic && !device.is_cpu();
  const loop::Compute compute = compute_on(device, in_bf16 ? loop::Precision::kBf16 : loop::Precision::kFp32);
  const auto difference = [&, straight = trained(one, options, compute, "a", Resumed::kNo, kernels)](
                              const std::string& folder, Resumed resumed) {
    return largest_difference(straight, trained(one, options, compute, folder, resumed, kernels));
  };
  const double again = difference("b", Resumed::kNo), resumed = difference("c", Resumed::kYes);
  tell(resumed == 0 || (!deterministic && again > 0 && resumed <= 10 * again),
       one.task->name + " " + one.model + " interrupted after " + std::to_string(kStopAfter) +
           " batches and resumed on " + device.str() + " in " + loop::precision_name(compute.precision) +
           (deterministic ? ", deterministic kernels, with numbers drawn there" : ", as it trains"),
       (resumed == 0 ? "bit for bit" : "differs by " + in_words(resumed)) + "; two straight runs differ by " +
           in_words(again));
}

// All models, or one of each task: the smallest of detectors, the first of what else there may be.
std::vector<Case> cases(bool smallest) {
  std::vector<Case> all;
  for (const loop::Task* task : task_table()) {
    std::vector<Case> own;
    for (const auto& model : task->models()) {
      Case one{task, model.at("name").get<std::string>()};
      if (begins_with_weights(*task) && !is_drawn(one.model)) continue;
      const bool is_smallest = one.model == "ssd128-resnet18-half";
      if (!smallest || own.empty())
        own.push_back(std::move(one));
      else if (is_smallest)
        own.front() = std::move(one);
    }
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--cpu")
      options.cpu = true;
    else if (word == "--smallest")
      options.smallest = true;
    else if ((word == "--data" || word == "--classes" || word == "--scratch") && i + 1 < argc)
      (word == "--data" ? options.data : word == "--classes" ? options.classes : options.scratch) = argv[++i];
    else
      throw Error(ExitCode::kUsage, "unexpected: " + word,
                  "gpu_equality --data FOLDER --classes FOLDER --scratch FOLDER [--cpu] [--smallest]");
  }
  if (options.data.empty() || options.classes.empty() || options.scratch.empty())
    throw Error(ExitCode::kUsage, "--data, --classes and --scratch are needed");
  return options;
}

int compare_all(const Options& options) {
  const torch::Device device = options.cpu ? torch::Device(torch::kCPU) : torch::Device(torch::kCUDA, 0);
  at::globalContext().setAllowTF32CuBLAS(false);
  at::globalContext().setAllowTF32CuDNN(false);
  for (const Case& one : cases(options.smallest)) compare_steps(one, options, device);
  for (const Case& one : cases(/*smallest=*/true))
    for (const Kernels kernels : {Kernels::kDeterministic, Kernels::kAsItTrains})
      compare_resumed(one, options, device, kernels);
  return all_hold ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return compare_all(parse(argc, argv));
  } catch (const Error& error) {
    std::cerr << "gpu_equality: " << error.what() << "\n  " << error.hint() << std::endl;
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "gpu_equality: " << error.what() << std::endl;
    return 70;
  }
}
