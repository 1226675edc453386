// `tune watch STUDY`: what the terminal of a running study shows, in any other one.
#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>
#include <utility>

#include "store/comparison_store.h"
#include "store/store_listing.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/event_words.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/status_display.h"
#include "tuner/cli/store_path.h"
#include "tuner/cli/study_follower.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/study/run_study.h"
#include "tuner/live/live_study.h"
#include "tuner/os/held_locks.h"
#include "tuner/report/text/study_summary.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr Milliseconds kLook{250};  // as often as the loop tells its own display
constexpr int kTries = 10;

bool is_interrupted() { return interruption().count.load() > 0; }

// Where the lines go: a live area is drawn where the running command draws its own; lines of text are this
// command's result.
Console shown_on(const Console& console) {
  const bool is_live = console.err_is_terminal && console.out_is_terminal;
  return Console{
      console.out,  is_live ? console.err : console.out, console.out_is_terminal, is_live, console.color,
      console.width};
}

StudyProgress progress_so_far(const report::StudyRows& rows, const Clock& clock) {
  StudyProgress progress(rows.study, rows.trials, clock);
  for (const store::AttemptRow& attempt : rows.attempts)
    if (is_live(attempt.state)) progress.take_up(attempt, clock.wall_now());
  if (rows.is_stopping) progress.apply(engine::event_of({}, engine::StatusKind::kDraining));
  return progress;
}

// Until nobody works on the study any more, or a person has seen enough.
void follow(const fs::path& store, const std::string& study, bool as_json, Console& console) {
  const fs::path lock = study_lock(study_folder(store, study));
  if (!is_locked(lock)) return;
  const SystemClock clock;
  const store::StudyStore events = open_study_for_reading(store, study);
  std::int64_t last = events.last_event();
  report::StudyRows rows = live::read_live_study(store, study);
  // What is recorded between the two readings would be counted twice.
  for (int tries = 0; tries < kTries && events.last_event() != last; ++tries) {
    last = events.last_event();
    rows = live::read_live_study(store, study);
  }
  StudyFollower follower(events, last, rows.attempts);
  Console shown = shown_on(console);
  StudyProgress progress = progress_so_far(rows, clock);
  // Lines come with changes, and the next may be far off.
  if (!as_json && !is_drawn_live(shown))
    console.out << study << ": " << totals_line(progress) << '\n' << std::flush;
  const auto display = make_status_display(shown, as_json, std::move(progress));
  while (!is_interrupted()) {
    const bool is_worked_on = is_locked(lock);  // before the look: its holder writes before it lets go
    follower.look(*display);
    display->on_tick(clock.steady_now());
    if (!is_worked_on) return;
    std::this_thread::sleep_for(kLook);
  }
}

int leave(const std::string& name, Console& console) {
  console.err << "no longer watched; " << name << " goes on\n";
  return static_cast<int>(ExitCode::kInterrupted);
}

int watch_study(const fs::path& store, const std::string& study, bool as_json, Console& console) {
  require_study(store, study);
  follow(store, study, as_json, console);
  if (is_interrupted()) return leave("the study", console);
  const report::StudyRows rows = live::read_live_study(store, study);
  const ExitCode code = engine::exit_code_at_rest(rows.study, rows.trials);
  if (as_json) {
    Json json = report::run_summary_json(rows, rows.study.facts.promotion);
    json["exit_code"] = static_cast<int>(code);
    print_json(json, console);
  } else {
    console.out << report::run_summary(rows, rows.study.facts.promotion, console.width);
  }
  finish_output(console.out, code);
  if (!as_json && code == ExitCode::kInterrupted)
    console.err << "interrupted; `tune resume " << study << "` goes on with the study\n";
  return static_cast<int>(code);
}

// The study of the comparison that is worked on; "" while none is.
std::string study_at_work(const fs::path& store, const std::string& comparison) {
  for (const std::string& study : store::study_names(store))
    if (store::comparison_of(store, study) == comparison && is_locked(study_lock(study_folder(store, study))))
      return study;
  return {};
}

// One study after the other, until the comparison's command has ended.
int watch_comparison(const fs::path& store, const std::string& name, bool as_json, Console& console) {
  const fs::path folder = comparison_folder(store, name);
  while (is_locked(comparison_lock(folder)) && !is_interrupted()) {
    const std::string study = study_at_work(store, name);
    if (!study.empty()) {
      if (as_json)
        print_json({{"schema", 1}, {"event", "study"}, {"study", study}}, console);
      else
        console.out << "study " << study << '\n';
      follow(store, study, as_json, console);
    }
    std::this_thread::sleep_for(kLook);
  }
  if (is_interrupted()) return leave("the comparison", console);
  const std::vector<store::Scoring> scorings =
      store::ComparisonStore(comparison_database(folder), store::OpenMode::kRead).scorings();
  const bool has_ended = !scorings.empty() && scorings.back().ended;
  const ExitCode code = has_ended ? ExitCode::kOk : ExitCode::kInterrupted;
  const std::string said = has_ended ? "the comparison has ended; `tune report " + name + "` shows it"
                                     : "nobody works on the comparison; `tune compare` goes on with it";
  if (as_json)
    print_json(
        {{"schema", 1}, {"comparison", name}, {"message", said}, {"exit_code", static_cast<int>(code)}},
        console);
  else
    console.out << said << '\n';
  finish_output(console.out, code);
  return static_cast<int>(code);
}

}  // namespace

int watch_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "watch")
                           .positional("NAME", "the study, or the comparison")
                           .parse(arguments, console);
  if (!options) return 0;
  const fs::path store = store_folder(*options);
  const std::string name = options->text("NAME");
  const SignalsCaught signals;
  std::error_code none;
  if (!fs::exists(study_database(study_folder(store, name)), none) &&
      fs::exists(comparison_database(comparison_folder(store, name)), none))
    return watch_comparison(store, name, options->has("json"), console);
  return watch_study(store, name, options->has("json"), console);
}

}  // namespace tune::cli
