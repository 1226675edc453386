#pragma once
// One study's SQLite file: STORE/STUDY/study.db. Every SQL statement about studies is behind this header.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/open_mode.h"
#include "store/study_facts.h"
#include "store/study_states.h"
#include "store/trial_facts.h"
#include "tuner/core/clock.h"
#include "tuner/core/history.h"
#include "tuner/core/stop_reason.h"
#include "tuner/os/atomic_file.h"

namespace tune::store {

// Schema version that this program writes. Older files are migrated forward when opened for writing.
inline constexpr int kStudySchemaVersion = 4;

struct StudyRow {
  std::string name;
  Json spec;              // the document as parsed
  std::string spec_text;  // as the user wrote it
  std::string folder;     // where relative paths of the spec start
  std::uint64_t seed = 0;
  Objective objective;                   // of two, the first
  std::optional<Objective> second = {};  // as the spec has it: no column is its own
  Json limits = Json::object();          // in force: the spec's, raised by `resume`
  StudyState state = StudyState::kRunning;
  std::string finish_reason;   // of a finished one a StudyEnd, else a sentence
  double elapsed_seconds = 0;  // summed over resumes
  WallTime created{}, updated{};
  StudyFacts facts;
};

struct TrialRow {
  int number = 0;
  ParameterSet parameters;
  TrialState state = TrialState::kQueued;
  double budget = 1;
  std::string note;    // the strategy's
  std::string reason;  // why it ended as it did
  std::string
      failure;  // class of a failure: "oom", "non_finite", "bad_data", "timeout", "crash", "no_metric", ...
  // One an objective, of a completed trial; of others none, or what was reached: of two objectives both or
  // the first.
  std::vector<double> values;
  int attempts = 0;
  WallTime created{};
  std::optional<WallTime> started, ended;
  std::string cut = {};  // the limit that cut a completed trial short ("trial_time"); else empty
  TrialFacts facts{};
};

// Whether the trial's parameters are a point of the space that the study's spec has, as every suggestion is:
// not so where the space was amended since, where it was deleted, and where it repeats such a trial.
bool is_bound_to_space(const StudyFacts& facts, const TrialRow& trial);

struct AttemptRow {
  int trial = 0, attempt = 0;
  std::string token;
  AttemptState state = AttemptState::kStarting;
  std::int64_t supervisor_pid = 0;
  std::uint64_t supervisor_start_time = 0;
  std::string boot_id;
  std::vector<std::string> devices;
  int threads = 0;
  std::uint64_t metrics_offset = 0;  // bytes of metrics.jsonl that are in the store
  std::optional<int> exit_code, signal;
  std::optional<StopReason> stop;
  std::string reason;
  double lease_seconds = 0;  // wall time of the lease: what is billed
  double cpu_seconds = 0;
  std::uint64_t max_rss_bytes = 0;
  WallTime created{};
  std::optional<WallTime> started, ended;
  AttemptFacts facts{};
};

struct MetricRow {
  int trial = 0, attempt = 0;
  std::string name;
  MetricPoint point;
  WallTime time{};
};

// From the start of a run of the study to the last event of it that was recorded.
struct RunningTime {
  WallTime begin{}, end{};
};

// A run that pauses ends with a notice whose message begins so.
inline constexpr const char* kPausedNotice = "paused: ";

struct EventRow {
  std::int64_t id = 0;  // ascending without gaps
  WallTime time{};
  std::string kind;
  int trial = 0, attempt = 0;
  Json data = Json::object();
};

// Whether the `tune` that runs the study recorded it. Other commands record events too, days later: notices,
// promotions, deletions, logs that were read again.
bool is_of_a_run(const EventRow& event);

struct StoreSettings {
  // What a commit survives when its transaction does not ask for more. kProcess: kill -9 loses nothing, a
  // power cut may lose the last commits but never damages the file. kPower: every commit waits for the disk.
  Durability durability = Durability::kProcess;
  Milliseconds busy_timeout{5000};  // how long a call waits for a lock of another process
};

// One connection. The writer is used by one thread; any number of readers may be open beside it. Reads are
// one short transaction a call. Errors: Error(kNotFound) no such study; Error(kConflict) locked beyond the
// busy timeout; Error(kEnvironment) disk full, damaged file, newer schema: each names the file.
class StudyStore {
 public:
  // kCreate: there must be no study in the file yet; ":memory:" is allowed. kWrite migrates an older file
  // forward.
  StudyStore(const std::filesystem::path& file, OpenMode mode, StoreSettings settings = {});
  ~StudyStore();
  StudyStore(StudyStore&&) noexcept;
  StudyStore& operator=(StudyStore&&) noexcept;

  // Groups writes into one BEGIN IMMEDIATE ... COMMIT; nested use joins the outer one. Rolled back unless
  // commit() ran.
  class Transaction {
   public:
    // An outermost transaction may ask for more durability than the settings say.
    explicit Transaction(StudyStore& store, Durability durability = Durability::kProcess);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

   private:
    StudyStore& store_;
    bool outer_, done_ = false;
  };

  // Writes. Each is a transaction of its own unless one is open.
  void create_study(const StudyRow& row);
  void replace_study(const StudyRow& row);  // all of it; only while there are no trials
  void update_spec(const StudyRow& row);    // spec, spec_text, folder
  void update_study(const StudyRow& row);   // state, finish_reason, limits, elapsed, facts, updated
  void insert_trial(const TrialRow& row);   // number must be the next one
  void update_trial(const TrialRow& row);   // a finished row never changes: Error(kInternal)
  // The one way in which a finished trial changes, or the metrics of a paused one: together with an event of
  // the kind "trial_reopened" or "trial_rescanned", whose data keep under "before" what the trial was.
  // Returns the event's id.
  std::int64_t change_finished_trial(const TrialRow& row, EventRow event);
  // Makes a trial that does not run a tombstone, which was deleted by `who`, with an event "trial_deleted"
  // that keeps what it was; its metrics go, but for the sums of its bookkeeping.
  void delete_trial(int number, const std::string& who, WallTime now);
  void insert_attempt(const AttemptRow& row);
  void update_attempt(const AttemptRow& row);
  void insert_metrics(
      const std::vector<MetricRow>& rows);         // the later of a repeated (trial, name, step) counts
  std::int64_t append_event(const EventRow& row);  // returns its id
  // Forgets the points of a trial whose next attempt starts from the beginning. The sums of its bookkeeping
  // are kept, in an event "metrics_removed".
  void remove_metrics(int trial);
  // What the study learns from, in the order in which History::earlier will hold it, in place of what was
  // there.
  void replace_earlier_trials(const std::vector<EarlierTrial>& trials);
  // Moves what the WAL holds into the database, as far as readers allow; waits for none. The writer's job
  // alone.
  void checkpoint_wal();

  const std::string& file() const;  // as it was named

  // Reads.
  StudyRow study() const;
  int trial_count() const;
  std::optional<TrialRow> trial(int number) const;
  std::vector<TrialRow> trials() const;                   // by number
  std::vector<AttemptRow> attempts(int trial = 0) const;  // all, or of one trial; by trial, attempt
  // For who follows a study while it changes, and keeps what it has read; numbers from `first` to `last`. Of
  // the strategy's explanation only its name is read, and no note.
  std::vector<TrialRow> trials_in_short(int first, int last) const;
  std::vector<AttemptRow> attempts_between(int first, int last) const;  // of those trials
  // Changes with every commit of another connection; for comparing alone. Costs next to nothing.
  std::int64_t data_version() const;
  // Attempts that had devices, and hold them still or have ended since `since`.
  std::vector<AttemptRow> attempts_on_devices(WallTime since) const;
  std::vector<MetricRow> metrics(int trial, const std::string& name = {}) const;  // by name, step
  std::vector<MetricPoint> curve(int trial, const std::string& name) const;       // by step
  std::optional<MetricPoint> last_point(int trial, const std::string& name) const;
  std::map<int, MetricPoint> last_points(const std::string& name) const;  // of each trial that has any
  // The sum of a metric's finite points for each attempt, by (trial, attempt); for bookkeeping it holds what
  // was removed, too.
  std::map<std::pair<int, int>, double> metric_sums(const std::string& name) const;
  std::vector<EventRow> events(std::int64_t after_id = 0, int limit = 1000) const;
  std::vector<EventRow> events_of(int trial) const;  // by id
  // The id of the last one, or of the last of this kind; 0 where there is none.
  std::int64_t last_event(const std::string& kind = {}) const;
  // Whether there is an event of this kind whose data have these texts; a text that is absent is empty.
  bool has_event(const std::string& kind, const std::map<std::string, std::string>& texts) const;
  bool is_draining() const;  // since it was last started, it was interrupted: its trials are being stopped
  std::vector<RunningTime> running_times() const;  // in order; one for each time that the study was started
  std::vector<EarlierTrial> earlier_trials() const;
  // Reads everything a strategy needs; used when a study is continued.
  History load_history() const;
  std::string integrity() const;  // "ok", or what SQLite says is wrong

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The version of the linked SQLite and whether it can corrupt a WAL with two checkpointing connections
// (< 3.51.3).
struct SqliteFacts {
  std::string version;
  bool wal_reset_bug = false;
};
SqliteFacts sqlite_facts();

}  // namespace tune::store
