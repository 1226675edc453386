#include <chrono>
#include <ostream>
#include <thread>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/escape_filter.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/line_splitter.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/os/held_locks.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kPoll{200};

// Prints one attempt's log, whole or as it grows, in the lines that the metrics are read from. Owned by the
// command, one for each attempt, on its one thread. It reads the log alone and writes no file, so it may be
// interrupted at any time; when there is more to print, and when no more will come, its owner says.
class LogPrinter {
 public:
  LogPrinter(const fs::path& attempt_folder, Console& console, bool as_json, int attempt)
      : log_(attempt_folder),
        file_(attempt_folder / kLogFile),
        keeps_colors_(!as_json && console.color),
        splitter_({keeps_colors_, true}),
        console_(console),
        as_json_(as_json),
        attempt_(attempt) {}

  void print_new() {
    for (std::string bytes = log_.read(); !bytes.empty(); bytes = log_.read()) {
      splitter_.feed(bytes, [this](std::string_view line) { print_line(line); });
      flush();
    }
  }
  void finish() {
    print_new();
    splitter_.finish([this](std::string_view line) { print_line(line); });
    if (is_colored_) console_.out << "\x1b[0m";  // what the last line left
    flush();
    if (splitter_.cut_lines() > 0)
      console_.err << "notice: lines longer than " << kLineLimit / 1024
                   << " kB are shown to there, as far as metrics are read from them: "
                   << splitter_.cut_lines() << "; all of it is in " << file_.string() << '\n';
  }

 private:
  void print_line(std::string_view line) {
    // Bytes that are not UTF-8 may be controls to a terminal.
    EscapeFilter filter(keeps_colors_);
    std::string text = filter.filter(line);
    text += filter.finish();
    is_colored_ = is_colored_ || text.find('\x1b') != std::string::npos;
    if (as_json_)
      print_json({{"schema", 1}, {"attempt", attempt_}, {"line", text}}, console_);
    else
      console_.out << text << '\n';
  }
  void flush() {
    console_.out.flush();
    if (!console_.out) throw Error(ExitCode::kEnvironment, "stdout cannot be written");
  }

  engine::AttemptLog log_;
  fs::path file_;
  bool keeps_colors_, is_colored_ = false;
  LineSplitter splitter_;
  Console& console_;
  bool as_json_;
  int attempt_;
};

// The attempt to print: the one asked for, else the last. nullopt while the trial has none.
std::optional<store::AttemptRow> choose_attempt(const store::StudyStore& store,
                                                const TrialReference& reference,
                                                std::optional<std::int64_t> wanted) {
  const std::vector<store::AttemptRow> attempts = store.attempts(reference.trial);
  if (!wanted) return attempts.empty() ? std::nullopt : std::optional(attempts.back());
  for (const auto& attempt : attempts)
    if (attempt.attempt == *wanted) return attempt;
  throw Error(ExitCode::kNotFound, reference.study + '/' + std::to_string(reference.trial) +
                                       " has no attempt " + std::to_string(*wanted) + "; it has " +
                                       std::to_string(attempts.size()));
}

struct Follow {
  const fs::path& store_path;
  const TrialReference& reference;
  const store::StudyStore& store;
  std::optional<std::int64_t> wanted;

  fs::path folder(int attempt) const {
    return attempt_folder(study_folder(store_path, reference.study), {reference.trial, attempt});
  }
  // Whether another attempt of the trial may still come.
  bool may_go_on() const {
    if (wanted || is_finished(store.trial(reference.trial)->state)) return false;
    return is_locked(study_lock(study_folder(store_path, reference.study)));
  }
};

void print_whole(const Follow& follow, bool as_json, Console& console) {
  const auto attempt = choose_attempt(follow.store, follow.reference, follow.wanted);
  if (!attempt)
    throw Error(ExitCode::kNotFound, "the trial has not been started yet", "--follow waits for it");
  LogPrinter(follow.folder(attempt->attempt), console, as_json, attempt->attempt).finish();
}

void print_as_it_grows(const Follow& follow, bool as_json, Console& console) {
  for (int printed = 0;;) {
    // Asked before the attempts are looked at, since the last one may begin and end in between.
    const bool may_go_on = follow.may_go_on();
    auto attempt = choose_attempt(follow.store, follow.reference, follow.wanted);
    if (attempt && attempt->attempt > printed) {
      if (attempt->attempt > 1 && !as_json)
        console.err << "--- attempt " << attempt->attempt << " ---" << std::endl;
      printed = attempt->attempt;
      LogPrinter printer(follow.folder(printed), console, as_json, printed);
      const auto still_live = [&] {
        const auto row = choose_attempt(follow.store, follow.reference, printed);
        // An attempt of a killed tune stays "running" in the store although nothing of it lives.
        return is_live(row->state) &&
               is_locked(study_lock(study_folder(follow.store_path, follow.reference.study)));
      };
      while (still_live()) {
        printer.print_new();
        std::this_thread::sleep_for(kPoll);
      }
      printer.finish();
    } else if (!may_go_on) {
      return;
    } else {
      std::this_thread::sleep_for(kPoll);
    }
  }
}

}  // namespace

int logs_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "logs")
                           .positional("STUDY/N", "trial N of a study, for example steel-legacy/3")
                           .flag("follow,f", "go on printing until the trial ends")
                           .value("attempt", "K", "the K-th attempt [the last]")
                           .parse(arguments, console);
  if (!options) return 0;
  const TrialReference reference = parse_trial_reference(options->text("STUDY/N"));
  const fs::path store_path = store_folder(*options);
  const store::StudyStore store = open_study_for_reading(store_path, reference.study);
  if (!store.trial(reference.trial)) throw unknown_trial(store, reference);
  const Follow follow{store_path, reference, store, options->integer("attempt")};
  if (options->has("follow"))
    print_as_it_grows(follow, options->has("json"), console);
  else
    print_whole(follow, options->has("json"), console);
  return 0;
}

}  // namespace tune::cli
