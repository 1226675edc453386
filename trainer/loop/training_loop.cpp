#include "trainer/loop/training_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "trainer/loop/batch_loader.h"
#include "trainer/loop/stop_signal.h"
#include "tuner/core/json.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/rng.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::loop {
namespace {

// A GPU is asked for the losses only now and then, since each question makes it wait. The CPU has nothing to
// wait for.
constexpr std::int64_t kBatchesBetweenChecks = 16;
constexpr std::int64_t kReported = 0, kLogged = 1;  // rows of Passes::loss_sums()

std::int64_t epochs_within(double budget, std::int64_t epochs) {
  const auto paid = static_cast<std::int64_t>(std::ceil(budget * static_cast<double>(epochs) - 1e-9));
  return std::min(std::max<std::int64_t>(paid, 1), epochs);
}

// A plan that counts steps has as many epochs as those take.
std::int64_t epochs_of(const Plan& plan, double steps_per_epoch) {
  if (plan.max_steps == 0 || plan.epochs == 0) return plan.epochs;
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(plan.max_steps) / steps_per_epoch));
}

double steps_per_epoch(const Training& training, std::uint64_t seed) {
  const auto batches = static_cast<double>(training.epoch_batches(1, seed).size());
  return std::max(1.0, std::ceil(batches / static_cast<double>(training.plan().accumulate)));
}

double least_gain(const EarlyStopping& stopping, double to_surpass) {
  return stopping.threshold + stopping.relative * std::abs(to_surpass);
}

std::string with_commas(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

LoopSettings loop_settings(const TrialFile& trial, const std::string& unit, const Compute& compute) {
  LoopSettings settings;
  settings.seed = trial.seed;
  settings.unit = unit;
  settings.budget = trial.budget;
  settings.objective = trial.objective;
  settings.compute = compute;
  settings.checkpoint_dir = trial.checkpoint_dir;
  settings.output_dir = trial.output_dir;
  settings.resume = trial.resume_from.has_value();
  settings.interrupted = stop_requested;
  return settings;
}

TrainingLoop::TrainingLoop(Training& training, LoopSettings settings, std::ostream& out, std::ostream& err,
                           bool err_is_terminal)
    : training_(training),
      settings_(std::move(settings)),
      out_(out),
      err_(err),
      lines_(err, err_is_terminal, settings_.unit),
      checkpoints_(settings_.checkpoint_dir),
      trained_(training.model()),
      optimizer_(training.model(), training.plan().optimizer, training.parameter_groups(),
                 settings_.compute.accelerated ? Gradients::kStay : Gradients::kDropped),
      average_(training.model(), training.plan().averaging),
      passes_(training, settings_.compute, new_graph(), err),
      teamwork_(training, settings_.compute.team, err) {
  const Plan& plan = training_.plan();
  const double steps = training_.training_examples() > 0 ? steps_per_epoch(training_, settings_.seed) : 1;
  schedule_ = plan.schedule.within(steps, plan.max_steps);
  last_epoch_ = epochs_within(settings_.budget, epochs_of(plan, steps));
  if (plan.max_steps > 0 && plan.epochs > 0) last_step_ = epochs_within(settings_.budget, plan.max_steps);
  std::vector<std::string> known = training_.recipe().metric_names;
  for (const std::string& name : training_.recipe().loss_names) known.push_back(name);
  if (settings_.objective.metric.empty()) settings_.objective.metric = known.front();
  if (std::find(known.begin(), known.end(), settings_.objective.metric) == known.end())
    throw Error(ExitCode::kBadSpec,
                "the objective's metric \"" + settings_.objective.metric + "\" is not reported",
                "this recipe reports " + with_commas(known));
  if (training_.training_examples() < 2)
    throw Error(ExitCode::kBadData, "the training set has fewer than two examples",
                "check the data and the split");
}

std::unique_ptr<DeviceGraph> TrainingLoop::new_graph() const {
  return team().size() > 1 ? nullptr : settings_.graph(settings_.compute.device);
}

ExitCode TrainingLoop::run() {
  ExitCode code = ExitCode::kOk;
  on_own_stream(settings_.compute.device, [&] { code = train(); });
  return code;
}

ExitCode TrainingLoop::train() {
  start();
  if (last_epoch_ == 0 && !evaluate()) return ExitCode::kInterrupted;
  while (!done())
    if (!train_epoch()) {
      save();
      // What watches over several machines may end all of them when one has ended.
      team().any(false);
      err_ << "interrupted: a checkpoint of epoch " << progress_.epoch << ", batch " << progress_.batch
           << " of " << batches_.size() << " is in " << settings_.checkpoint_dir.string() << std::endl;
      return ExitCode::kInterrupted;
    }
  if (stops_early())
    err_ << "stopped early: " << settings_.objective.metric << " has not improved on "
         << shortest(*progress_.to_surpass) << " by more than "
         << shortest(least_gain(training_.plan().early_stopping, *progress_.to_surpass)) << " in "
         << progress_.without_gain << " evaluations" << std::endl;
  // A continued run that had nothing left to train still owes its caller the result.
  if (!reported_ && progress_.last) print(*progress_.last);
  export_best();
  return ExitCode::kOk;
}

bool TrainingLoop::done() const {
  // A count of steps is kept to, even where epochs turned out shorter than the first one was.
  if (last_step_ > 0 && !stops_early())
    return steps_are_done() && progress_.last && progress_.last->step == progress_.step;
  return progress_.epoch > last_epoch_ || stops_early();
}

bool TrainingLoop::steps_are_done() const { return last_step_ > 0 && progress_.step >= last_step_; }

bool TrainingLoop::stops_early() const {
  const std::int64_t patience = training_.plan().early_stopping.patience;
  return patience > 0 && progress_.without_gain >= patience &&
         progress_.epoch > training_.plan().early_stopping.first_epoch;
}

void TrainingLoop::start() {
  torch::manual_seed(settings_.seed);  // whatever the process drew before
  progress_.reported.sums.assign(training_.recipe().loss_names.size(), 0.0);
  progress_.logged = progress_.reported;
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
    if (team().is_first()) checkpoints_.clear();
  }
  if (const Averaging& averaging = training_.plan().averaging; averaging.asked > 0 && averaging.decay == 0)
    err_ << "warning: ema_decay " << shortest(averaging.asked)
         << " is taken, but scaled to so short a training it forgets all at each update, so nothing is "
            "averaged; one nearer to 1 averages"
         << std::endl;
  if (teamwork_.is_shared()) join_team();
  passes_.loss_sums().copy_(torch::stack({torch::tensor(progress_.reported.sums, torch::kDouble),
                                          torch::tensor(progress_.logged.sums, torch::kDouble)}));
  if (last_epoch_ == 0) progress_.epoch = 0;  // no training: the report of epoch 0 is all there is
  if (last_epoch_ == 0 || done()) return;
  begin_epoch();
  // As if later epochs had as many batches as this one.
  batches_to_train_ = (last_epoch_ - progress_.epoch + 1) * count_batches() - progress_.batch;
  if (progress_.step > 0 || progress_.batch > 0)
    err_ << "continues at epoch " << progress_.epoch << ", batch " << progress_.batch << " of "
         << count_batches() << std::endl;
}

// What was summed before belongs to the first process alone, or it would count for each of them.
void TrainingLoop::join_team() {
  if (!teamwork_.are_alike({progress_.epoch, progress_.batch, progress_.step}))
    throw Error(
        ExitCode::kEnvironment,
        "the processes of this trial see different checkpoints in " + settings_.checkpoint_dir.string(),
        "that folder has to be the same one on all machines");
  teamwork_.begin();
  if (team().is_first()) return;
  for (LossSums* losses : {&progress_.reported, &progress_.logged})
    *losses = {std::vector<double>(losses->sums.size(), 0.0), 0};
  for (torch::Tensor& parameter : training_.model().parameters()) parameter.mutable_grad().reset();
  // What layers draw is another for other examples, and another again after each continuation.
  torch::manual_seed(
      Rng(settings_.seed, static_cast<std::uint64_t>(progress_.step * team().size() + team().rank()))());
}

void TrainingLoop::begin_epoch() {
  batches_ = training_.epoch_batches(progress_.epoch, settings_.seed);
  TUNE_CHECK(!batches_.empty(), "an epoch has batches");
  teamwork_.check_parts(batches_, settings_.unit);
}

void TrainingLoop::restore(const Checkpoint& checkpoint) {
  if (checkpoint.fingerprint != training_.fingerprint())
    throw Error(ExitCode::kConflict,
                "the checkpoints in " + settings_.checkpoint_dir.string() + " belong to another training: " +
                    checkpoint.fingerprint + ", not " + training_.fingerprint(),
                "remove that folder, or continue with the data and hyperparameters that it was started with");
  if (checkpoint.base.sha256 != trained_.base_hash())
    throw Error(ExitCode::kConflict,
                "the checkpoints in " + settings_.checkpoint_dir.string() +
                    " were trained on other frozen weights (SHA-256 " + checkpoint.base.sha256 +
                    (checkpoint.base.from.empty() ? "" : ", from " + checkpoint.base.from) +
                    ") than those that are here now (" + trained_.base_hash() + ")",
                "put the weights back that the training started from, or remove that folder to start again");
  trained_.restore(checkpoint.model);
  average_.restore(checkpoint.optimizer);
  optimizer_.load_state(checkpoint.optimizer);
  set_generators(checkpoint.generators);
  progress_ = checkpoint.progress;
}

bool TrainingLoop::train_epoch() {
  begin_epoch();
  const std::int64_t epoch = progress_.epoch, accumulate = training_.plan().accumulate;
  if (evaluation_due() && !evaluate()) return false;
  // A step that was interrupted between two of its batches begins anew here, and passes over those done.
  const std::int64_t batches = count_batches();
  std::int64_t prepared = progress_.batch - progress_.batch % accumulate;
  BatchLoader loader(training_, batches_, epoch, prepared, settings_.compute);
  const double before = seconds_for_data_;
  while (progress_.epoch == epoch && !stops_early() && !steps_are_done()) {
    lines_.resume();
    // An epoch whose batches are no multiple of `accumulate` ends with a step of fewer batches.
    std::vector<Batch> step;
    for (const std::int64_t end = std::min(prepared + accumulate, batches); prepared < end; ++prepared)
      step.push_back(loader.next());
    seconds_for_data_ = before + loader.seconds_waited();
    if (!train_step(step) || !after_step()) return false;
  }
  return true;
}

bool TrainingLoop::train_step(const std::vector<Batch>& step) {
  double weight = 0, units = 0;
  bool all_take_part = true;  // of the team
  for (const Batch& batch : step) {
    weight += batch.weight;
    units += static_cast<double>(batch.units);
  }
  if (teamwork_.is_shared()) {  // all are asked at once, before they do what none of them can leave
    const std::vector<double> all =
        team().sums({weight, units, settings_.interrupted() ? 1.0 : 0.0, weight > 0 ? 0.0 : 1.0});
    if (all[2] > 0) return false;
    all_take_part = all[3] == 0;
    weight = all[0];
    trained_units_ += static_cast<std::int64_t>(all[1]);
  }
  const std::int64_t done = progress_.batch % training_.plan().accumulate;
  if (training_.enter_step(epoch_at(progress_.batch - done))) passes_.start_anew(new_graph());
  for (std::size_t i = static_cast<std::size_t>(done); i < step.size(); ++i) {
    if (!teamwork_.is_shared() && settings_.interrupted()) return false;
    if (i + 1 == step.size() && weight > 0) teamwork_.begin_last_pass();
    if (step[i].weight > 0) {
      passes_.run(step[i], weight / step[i].weight);
      progress_.reported.weight += step[i].weight;
      progress_.logged.weight += step[i].weight;
    }
    ++progress_.batch;
    ++trained_batches_;
    if (!teamwork_.is_shared()) trained_units_ += step[i].units;
    if (!settings_.compute.accelerated || trained_batches_ % kBatchesBetweenChecks == 0) read_losses();
    lines_.batch_done(progress_.epoch, last_epoch_, trained_batches_, batches_to_train_, trained_units_);
  }
  if (weight > 0) teamwork_.finish_step(all_take_part);
  const double now = epoch_at(progress_.batch);
  optimizer_.step(schedule_.rate(now));
  ++progress_.step;
  average_.step(progress_.step, /*warm=*/now > schedule_.warmup_epochs);
  return true;
}

double TrainingLoop::epoch_at(std::int64_t batch) const {
  return static_cast<double>(progress_.epoch - 1) +
         static_cast<double>(batch) / static_cast<double>(count_batches());
}

bool TrainingLoop::after_step() {
  const Plan& plan = training_.plan();
  if (plan.log_steps > 0 && progress_.step % plan.log_steps == 0) log_losses();
  if (evaluation_due()) return evaluate();
  if (progress_.batch == count_batches()) next_epoch();
  if (plan.checkpoint_steps > 0 && progress_.step % plan.checkpoint_steps == 0) save();
  return true;
}

bool TrainingLoop::evaluation_due() const {
  const bool epoch_done = progress_.batch == count_batches();
  const std::int64_t every = training_.plan().evaluation_steps;
  const bool evaluated = progress_.last && progress_.last->step == progress_.step;
  if (every == 0) return epoch_done || (steps_are_done() && !evaluated);
  const bool is_last = steps_are_done() || (last_step_ == 0 && epoch_done && progress_.epoch == last_epoch_);
  return progress_.step > 0 && (is_last || progress_.step % every == 0) && !evaluated;
}

void TrainingLoop::next_epoch() {
  lines_.epoch_done(progress_.epoch, last_epoch_, trained_units_, seconds_for_data_);
  progress_.epoch += 1;
  progress_.batch = 0;
}

void TrainingLoop::read_losses() {
  // Who waits for a device waits for ever; a process that hangs is missed in time here.
  if (settings_.compute.accelerated) team().any(false);
  const torch::Tensor sums = passes_.loss_sums().cpu();
  const auto losses = static_cast<std::size_t>(sums.size(1));
  const double* values = sums.data_ptr<double>();
  progress_.reported.sums.assign(values, values + losses);
  progress_.logged.sums.assign(values + losses, values + 2 * losses);
  for (const double value : progress_.reported.sums)
    if (!std::isfinite(value))
      throw Error(ExitCode::kNonFiniteLoss,
                  "epoch " + std::to_string(progress_.epoch) + ", batch " + std::to_string(progress_.batch) +
                      ": the training loss is not finite",
                  "a lower learning rate or a longer warm-up; checkpoints of earlier epochs are kept");
}

std::vector<double> TrainingLoop::take_means(const LossSums& all, LossSums& own, std::int64_t row) {
  if (all.weight == 0)
    throw Error(ExitCode::kBadData,
                "epoch " + std::to_string(progress_.epoch) + ": no batch has anything to learn from",
                "check the data: each of its batches has the weight 0");
  std::vector<double> means;
  for (const double sum : all.sums) means.push_back(sum / all.weight);
  own = {std::vector<double>(own.sums.size(), 0.0), 0};
  passes_.loss_sums()[row].zero_();
  return means;
}

void TrainingLoop::log_losses() {
  read_losses();
  const LossSums all = teamwork_.whole(progress_.logged);
  if (all.weight == 0) return;  // batches without anything to learn from
  Report report{progress_.epoch, take_means(all, progress_.logged, kLogged), {}, progress_.step};
  note_place(report);
  for (const std::string& line : training_.loss_lines(report)) out_ << line << '\n' << std::flush;
}

void TrainingLoop::note_place(Report& report) const {
  report.epochs_done = count_batches() > 0 ? epoch_at(progress_.batch) : 0;
  report.learning_rate = schedule_.rate(report.epochs_done);
}

bool TrainingLoop::evaluate() {
  lines_.pause();
  read_losses();
  const auto begin = std::chrono::steady_clock::now();
  Report report{progress_.epoch, {}, measure(), progress_.step};
  if (report.metrics.empty() &&
      (!training_.recipe().metric_names.empty() || team().any(settings_.interrupted())))
    return false;
  note_place(report);
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
  if (last_epoch_ > 0) {
    report.losses = take_means(teamwork_.whole(progress_.reported), progress_.reported, kReported);
    const std::vector<std::string>& names = training_.recipe().loss_names;
    for (std::size_t i = 0; i < names.size(); ++i) report.metrics[names[i]] = report.losses[i];
  }
  check_finite(report);
  if (progress_.batch == count_batches()) next_epoch();
  print(report);
  print_validation_time(report, lasted.count());
  progress_.last = report;
  note_best(report);
  save();
  return true;
}

// Empty: interrupted, and then nothing has changed.
Metrics TrainingLoop::measure() {
  const Compute& compute = settings_.compute;
  training_.model().eval();
  const torch::NoGradGuard no_grad;
  const compat::Autocast precision(compute.device.type(), compute.precision == Precision::kBf16,
                                   torch::kBFloat16);
  const Generators before = generators();
  average_.swap();
  Metrics metrics = training_.evaluate(settings_.interrupted);
  average_.swap();
  if (metrics.empty()) set_generators(before);
  return metrics;
}

void TrainingLoop::check_finite(const Report& report) const {
  for (const auto& [name, value] : report.metrics)
    if (!std::isfinite(value))
      throw Error(ExitCode::kNonFiniteLoss,
                  "epoch " + std::to_string(report.epoch) + ": " + name + " is not finite",
                  "a lower learning rate or a longer warm-up; checkpoints of earlier epochs are kept");
}

void TrainingLoop::note_best(const Report& report) {
  const auto value = report.metrics.find(settings_.objective.metric);
  TUNE_CHECK(value != report.metrics.end(), settings_.objective.metric);
  const EarlyStopping& stopping = training_.plan().early_stopping;
  const double sign = settings_.objective.maximize ? 1 : -1, now = sign * value->second;
  if (!progress_.best || now > sign * progress_.best->metrics.at(value->first)) {
    progress_.best = report;
    progress_.best_checkpoint = {progress_.epoch, progress_.batch};
  }
  // Not the best so far: many small steps up are an improvement too, once they add up to the threshold.
  if (!progress_.to_surpass ||
      now > sign * *progress_.to_surpass + least_gain(stopping, *progress_.to_surpass)) {
    progress_.to_surpass = value->second;
    progress_.without_gain = 0;
  } else {
    ++progress_.without_gain;
  }
}

void TrainingLoop::print(const Report& report) {
  reported_ = true;
  for (const std::string& line : training_.metric_lines(report)) out_ << line << '\n' << std::flush;
}

// For the bill. Not a metric of the report: it differs from run to run, and a resumed run has none to repeat.
void TrainingLoop::print_validation_time(const Report& report, double seconds) {
  const std::int64_t step = training_.plan().evaluation_steps > 0 ? report.step : report.epoch;
  char value[64];
  std::snprintf(value, sizeof value, "%.6f", seconds);
  out_ << R"(TUNE_METRIC {"name":")" << kValidationSeconds << R"(","value":)" << value << R"(,"step":)"
       << step << "}\n"
       << std::flush;
}

Generators TrainingLoop::generators() const {
  Generators states{at::detail::getDefaultCPUGenerator().get_state(), {}};
  const torch::Device& device = settings_.compute.device;
  if (device.is_cuda()) states.device = at::globalContext().defaultGenerator(device).get_state();
  return states;
}

void TrainingLoop::set_generators(const Generators& states) const {
  at::Generator cpu = at::detail::getDefaultCPUGenerator();
  cpu.set_state(states.cpu);
  const torch::Device& device = settings_.compute.device;
  if (!device.is_cuda() || !states.device.defined()) return;
  at::Generator gpu = at::globalContext().defaultGenerator(device);
  gpu.set_state(states.device);
}

void TrainingLoop::save() {
  lines_.pause();
  read_losses();
  Checkpoint checkpoint;
  checkpoint.progress = progress_;
  checkpoint.progress.reported = teamwork_.whole(progress_.reported);
  checkpoint.progress.logged = teamwork_.whole(progress_.logged);
  if (!team().is_first()) return;
  checkpoint.fingerprint = training_.fingerprint();
  checkpoint.precision = precision_name(settings_.compute.precision);
  checkpoint.base = {training_.initial_weights(), trained_.base_hash()};
  checkpoint.model = trained_.now();
  const bool within_a_step =
      progress_.batch % training_.plan().accumulate != 0 && progress_.batch != count_batches();
  checkpoint.optimizer = optimizer_.state(within_a_step);
  average_.add_to(checkpoint.model, checkpoint.optimizer);
  checkpoint.generators = generators();
  checkpoints_.save(checkpoint);
}

void TrainingLoop::export_best() {
  TUNE_CHECK(progress_.best.has_value());
  give_back_freed_memory();
  if (!team().is_first()) return;
  std::filesystem::create_directories(settings_.output_dir);
  training_.export_model(settings_.output_dir, trained_.whole(checkpoints_.best_model(progress_)),
                         *progress_.best);
}

}  // namespace tune::trainer::loop
