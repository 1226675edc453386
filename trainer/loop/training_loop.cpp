#include "trainer/loop/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "trainer/loop/batch_loader.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::loop {
namespace {

// A GPU is asked for the losses only now and then, since each question makes it wait. The CPU has nothing to
// wait for.
constexpr std::int64_t kBatchesBetweenChecks = 16;

// On the CPU a batch that is made beside the step takes a core from it, and its threads wait for one another:
// making it between two steps, on all of the trial's threads, trains about 8 % more images a second.
std::size_t batches_ahead(const Compute& compute) {
  return compute.device.is_cuda() ? static_cast<std::size_t>(std::clamp(compute.threads, 1, 8)) : 0;
}

bool is_better(double value, double than, bool maximize) { return maximize ? value > than : value < than; }

std::int64_t epochs_within(double budget, std::int64_t epochs) {
  const auto paid = static_cast<std::int64_t>(std::ceil(budget * static_cast<double>(epochs) - 1e-9));
  return std::min(std::max<std::int64_t>(paid, 1), epochs);
}

std::string with_commas(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

TrainingLoop::TrainingLoop(Task& task, LoopSettings settings, std::ostream& out, std::ostream& err,
                           bool err_is_terminal)
    : task_(task),
      settings_(std::move(settings)),
      out_(out),
      err_(err),
      lines_(err, err_is_terminal),
      checkpoints_(settings_.checkpoint_dir),
      optimizer_(task.model(), task.plan().optimizer),
      batches_(batches_per_epoch(task.training_examples(), task.plan().batch_size)),
      last_epoch_(epochs_within(settings_.budget, task.plan().epochs)) {
  std::vector<std::string> known = task_.metric_names();
  for (const std::string& name : task_.loss_names()) known.push_back(name);
  if (settings_.objective.metric.empty()) settings_.objective.metric = known.front();
  if (std::find(known.begin(), known.end(), settings_.objective.metric) == known.end())
    throw Error(ExitCode::kBadSpec,
                "the objective's metric \"" + settings_.objective.metric + "\" is not reported",
                "this recipe reports " + with_commas(known));
  if (task_.training_examples() < 2)
    throw Error(ExitCode::kBadData, "the training set has fewer than two examples",
                "check the data and the split");
}

ExitCode TrainingLoop::run() {
  start();
  if (last_epoch_ == 0 && !evaluate_epoch()) return ExitCode::kInterrupted;
  while (progress_.epoch <= last_epoch_)
    if (!train_epoch() || !evaluate_epoch()) {
      save();
      err_ << "interrupted: a checkpoint of epoch " << progress_.epoch << ", batch " << progress_.batch
           << " of " << batches_ << " is in " << settings_.checkpoint_dir.string() << std::endl;
      return ExitCode::kInterrupted;
    }
  // A continued run that had nothing left to train still owes its caller the result.
  if (!reported_ && progress_.last) print(*progress_.last);
  export_best();
  return ExitCode::kOk;
}

void TrainingLoop::start() {
  torch::manual_seed(settings_.seed);  // whatever the process drew before
  progress_.loss_sums.assign(task_.loss_names().size(), 0.0);
  if (settings_.resume) {
    std::vector<std::string> notes;
    const std::optional<Checkpoint> checkpoint = checkpoints_.load_newest(notes);
    for (const std::string& note : notes) err_ << "warning: " << visible_text(note) << std::endl;
    if (checkpoint)
      restore(*checkpoint);
    else
      err_ << "warning: no complete checkpoint in " << settings_.checkpoint_dir.string()
           << "; training starts from the beginning" << std::endl;
  } else {
    checkpoints_.clear();
  }
  loss_sums_ = torch::tensor(progress_.loss_sums, torch::kDouble).to(settings_.compute.device);
  if (last_epoch_ == 0) progress_.epoch = 0;  // no training: the report of epoch 0 is all there is
  batches_to_train_ =
      std::max<std::int64_t>(0, (last_epoch_ - progress_.epoch + 1) * batches_ - progress_.batch);
}

void TrainingLoop::restore(const Checkpoint& checkpoint) {
  if (checkpoint.fingerprint != task_.fingerprint())
    throw Error(ExitCode::kConflict,
                "the checkpoints in " + settings_.checkpoint_dir.string() +
                    " belong to another training: " + checkpoint.fingerprint + ", not " + task_.fingerprint(),
                "remove that folder, or continue with the data and hyperparameters that it was started with");
  const weights::TensorMap own = weights::state_dict(task_.model());
  const weights::LoadReport report = weights::load_state_dict(task_.model(), checkpoint.model);
  TUNE_CHECK(report.loaded.size() == own.size(), "a checkpoint with the model's own fingerprint fits it");
  optimizer_.load_state(checkpoint.optimizer);
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  generator.set_state(checkpoint.generator);
  progress_ = checkpoint.progress;
  err_ << "continues at epoch " << progress_.epoch << ", batch " << progress_.batch << " of " << batches_
       << std::endl;
}

bool TrainingLoop::train_epoch() {
  task_.model().train();
  BatchLoader loader(task_, settings_.seed, progress_.epoch, progress_.batch,
                     batches_ahead(settings_.compute));
  lines_.resume();
  while (progress_.batch < batches_) {
    // Only between steps of the optimizer, so that a checkpoint needs no half-summed gradients.
    if (progress_.batch % task_.plan().accumulate == 0 && settings_.interrupted()) {
      progress_.loss_sums = read_loss_sums();
      lines_.pause();
      return false;
    }
    const std::unique_ptr<Batch> batch = loader.next();
    train_batch(*batch);
    ++progress_.batch;
    ++trained_batches_;
    trained_images_ += std::min(task_.plan().batch_size, task_.training_examples());
    if (settings_.compute.device.is_cpu() || progress_.batch % kBatchesBetweenChecks == 0) read_loss_sums();
    lines_.batch_done(progress_.epoch, last_epoch_, trained_batches_, batches_to_train_, trained_images_);
  }
  progress_.loss_sums = read_loss_sums();
  lines_.pause();
  return true;
}

void TrainingLoop::train_batch(const Batch& batch) {
  const Plan& plan = task_.plan();
  LossTerms terms;
  {
    const compat::Autocast precision(settings_.compute.device.type(),
                                     settings_.compute.precision == Precision::kBf16, torch::kBFloat16);
    terms = task_.losses(batch);
  }
  const torch::Tensor all = torch::stack(terms);
  // An epoch whose batches are no multiple of `accumulate` ends with a step of fewer batches.
  const std::int64_t step_begin = progress_.batch - progress_.batch % plan.accumulate;
  const std::int64_t step_batches = std::min(plan.accumulate, batches_ - step_begin);
  (all.sum() / static_cast<double>(step_batches)).backward();
  loss_sums_ += all.detach();
  if (progress_.batch + 1 < step_begin + step_batches) return;
  const double done = static_cast<double>(progress_.batch + 1) / static_cast<double>(batches_);
  optimizer_.step(plan.schedule.rate(static_cast<double>(progress_.epoch - 1) + done));
}

std::vector<double> TrainingLoop::read_loss_sums() const {
  const torch::Tensor sums = loss_sums_.cpu();
  const std::vector<double> values(sums.data_ptr<double>(), sums.data_ptr<double>() + sums.numel());
  for (const double value : values)
    if (!std::isfinite(value))
      throw Error(ExitCode::kNonFiniteLoss,
                  "epoch " + std::to_string(progress_.epoch) + ", batch " + std::to_string(progress_.batch) +
                      ": the training loss is not finite",
                  "a lower learning rate or a longer warm-up; checkpoints of earlier epochs are kept");
  return values;
}

bool TrainingLoop::evaluate_epoch() {
  task_.model().eval();
  EpochReport report;
  report.epoch = progress_.epoch;
  const auto begin = std::chrono::steady_clock::now();
  {
    const torch::NoGradGuard no_grad;
    const compat::Autocast precision(settings_.compute.device.type(),
                                     settings_.compute.precision == Precision::kBf16, torch::kBFloat16);
    report.metrics = task_.evaluate(settings_.interrupted);
  }
  if (report.metrics.empty()) return false;
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
  const std::vector<std::string> names = task_.loss_names();
  for (std::size_t i = 0; i < names.size() && last_epoch_ > 0; ++i) {
    report.losses.push_back(progress_.loss_sums[i] / static_cast<double>(batches_));
    report.metrics[names[i]] = report.losses.back();
  }
  check_finite(report);
  lines_.epoch_done(progress_.epoch, last_epoch_, trained_images_);
  print(report);
  print_validation_time(report.epoch, lasted.count());

  progress_.last = report;
  progress_.epoch += 1;
  progress_.batch = 0;
  std::fill(progress_.loss_sums.begin(), progress_.loss_sums.end(), 0.0);
  loss_sums_.zero_();
  note_best(report);
  save();
  return true;
}

void TrainingLoop::check_finite(const EpochReport& report) const {
  for (const auto& [name, value] : report.metrics)
    if (!std::isfinite(value))
      throw Error(ExitCode::kNonFiniteLoss,
                  "epoch " + std::to_string(report.epoch) + ": " + name + " is not finite",
                  "a lower learning rate or a longer warm-up; checkpoints of earlier epochs are kept");
}

void TrainingLoop::note_best(const EpochReport& report) {
  const Objective& objective = settings_.objective;
  const auto value = report.metrics.find(objective.metric);
  TUNE_CHECK(value != report.metrics.end(), objective.metric);
  if (progress_.best &&
      !is_better(value->second, progress_.best->metrics.at(objective.metric), objective.maximize))
    return;
  progress_.best = report;
  progress_.best_checkpoint = {progress_.epoch, progress_.batch};
}

void TrainingLoop::print(const EpochReport& report) {
  reported_ = true;
  for (const std::string& line : task_.metric_lines(report)) out_ << line << '\n' << std::flush;
}

// For the bill. Not a metric of the report: it differs from run to run, and a resumed run has none to repeat.
void TrainingLoop::print_validation_time(std::int64_t epoch, double seconds) {
  char value[64];
  std::snprintf(value, sizeof value, "%.6f", seconds);
  out_ << R"(TUNE_METRIC {"name":"seconds:validation","value":)" << value << R"(,"step":)" << epoch << "}\n"
       << std::flush;
}

void TrainingLoop::save() {
  Checkpoint checkpoint;
  checkpoint.progress = progress_;
  checkpoint.fingerprint = task_.fingerprint();
  checkpoint.precision = precision_name(settings_.compute.precision);
  checkpoint.model = weights::state_dict(task_.model());
  checkpoint.optimizer = optimizer_.state();
  checkpoint.generator = at::detail::getDefaultCPUGenerator().get_state();
  checkpoints_.save(checkpoint);
}

void TrainingLoop::export_best() {
  TUNE_CHECK(progress_.best.has_value());
  std::filesystem::create_directories(settings_.output_dir);
  task_.export_model(settings_.output_dir, checkpoints_.best_model(progress_), *progress_.best);
}

}  // namespace tune::trainer::loop
