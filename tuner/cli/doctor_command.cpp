#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "store/store_listing.h"
#include "store/study_store.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/store_layout.h"
#include "tuner/endpoint/endpoint_state.h"
#include "tuner/engine/attempt/supervisor_process.h"
#include "tuner/engine/devices/machine.h"
#include "tuner/engine/promotion/version_check.h"
#include "tuner/engine/slurm/cluster.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/engine/study/delete_study.h"
#include "tuner/os/file_system.h"
#include "tuner/os/run_program.h"
#include "tuner/report/numbers/study_rows.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

// Below this a study may fill the disk with logs and checkpoints.
constexpr std::uint64_t kLowDisk = std::uint64_t{2} << 30;
// A supervised attempt takes two descriptors of tune, and a GPU's lease one more.
constexpr rlim_t kFewDescriptors = 256;

enum class Verdict { kGood, kWarning, kBad };
struct Finding {
  std::string topic;
  Verdict verdict = Verdict::kGood;
  std::string text, cure;
};

const char* to_text(Verdict verdict) {
  return verdict == Verdict::kGood ? "ok" : verdict == Verdict::kWarning ? "warning" : "problem";
}

std::string gibibytes(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB", static_cast<double>(bytes) / (1 << 30));
  return text.data();
}

Finding check_gpus(const engine::Machine& machine) {
  const std::string cores = plural_text(machine.cores.size(), "core");
  if (machine.gpus.empty())
    return {"devices",
            Verdict::kGood,
            "no GPU (" + (machine.nvml_problem.empty() ? "none visible" : machine.nvml_problem) +
                "); trials share " + cores,
            {}};
  std::string text = "driver " + machine.driver + ", " + cores;
  for (const engine::Gpu& gpu : machine.gpus) {
    text += "\n" + gpu.uuid + " " + gpu.name + ", " + gibibytes(gpu.memory_used) + " of " +
            gibibytes(gpu.memory_total) + " in use";
    for (const std::int64_t pid : gpu.processes) text += ", process " + std::to_string(pid);
  }
  return {"devices", Verdict::kGood, text, {}};
}

Finding check_disk(const fs::path& store) {
  const std::uint64_t free = free_disk_bytes(store);
  const std::string text = gibibytes(free) + " free at " + fs::absolute(store).lexically_normal().string();
  if (free >= kLowDisk) return {"disk", Verdict::kGood, text, {}};
  return {"disk", Verdict::kWarning, text, "free some, or name another disk with --store"};
}

// The nearest folder above a path that is not there yet, where it would be made; else the path.
fs::path existing(fs::path path) {
  std::error_code ignored;
  path = fs::absolute(path).lexically_normal();
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

// Whether this user may write to the store and to what it holds.
Finding check_rights(const fs::path& store) {
  std::vector<fs::path> places{existing(store)};
  for (const std::string& name : store::study_names(store))
    for (const fs::path& place : {store / name, study_database(store / name)}) places.push_back(place);
  std::error_code ignored;
  if (fs::exists(models_folder(store), ignored)) places.push_back(models_folder(store));
  std::string closed;
  for (const fs::path& place : places) {
    const int wanted = fs::is_directory(place, ignored) ? W_OK | X_OK : W_OK;
    if (::faccessat(AT_FDCWD, place.c_str(), wanted, AT_EACCESS) == 0) continue;
    const int reason = errno;
    closed += (closed.empty() ? "" : "\n") + place.lexically_normal().string() +
              " cannot be written: " + std::strerror(reason);
  }
  if (closed.empty()) return {"rights", Verdict::kGood, "the store can be written", {}};
  return {"rights", Verdict::kBad, closed,
          "give this user the right to write there, or name another store with --store"};
}

Finding check_file_system(const fs::path& place) {
  const std::optional<std::string> network = network_file_system(place);
  if (!network) return {"file system", Verdict::kGood, "local", {}};
  return {"file system", Verdict::kWarning,
          fs::absolute(place).lexically_normal().string() + " may be on a network (" + *network + ")",
          "keep the store on a local disk"};
}

Finding check_sqlite() {
  const store::SqliteFacts facts = store::sqlite_facts();
  if (!facts.wal_reset_bug) return {"SQLite", Verdict::kGood, facts.version, {}};
  return {"SQLite",
          Verdict::kGood,
          facts.version +
              "; versions before 3.51.3 can damage a database that two connections checkpoint, so tune "
              "checkpoints from one alone",
          {}};
}

// Reads all of a study. Throws Error where its database is damaged.
void read_whole_study(const store::StudyStore& study) {
  if (const std::string said = study.integrity(); said != "ok") throw DamagedFile(study.file() + ": " + said);
  const report::StudyRows rows = report::read_study(study);
  study.load_history();
  for (std::int64_t after = 0;;) {
    const std::vector<store::EventRow> events = study.events(after);
    if (events.empty()) break;
    after = events.back().id;
  }
  if (!report::is_text_of_study(rows.study))
    throw DamagedFile(study.file() + ": the text of its spec is not the spec that the study has");
}

// Whether every study's database is whole. What processes had begun to delete is deleted first.
Finding check_studies(const fs::path& store) {
  const std::vector<std::string> names = store::study_names(store);
  Finding finding{"studies", Verdict::kGood, {}, {}};
  std::string finished;
  const engine::FinishedDeletions deletions = engine::finish_deletions(store);
  for (const std::string& sentence : deletions.done) finished += '\n' + sentence;
  for (const std::string& sentence : deletions.failed) finished += '\n' + sentence;
  if (!deletions.failed.empty()) {
    finding.verdict = Verdict::kBad;
    finding.cure = "check the rights of those folders";
  }
  for (const std::string& name : names) {
    try {
      read_whole_study(open_study_for_reading(store, name));
    } catch (const Error& error) {
      const bool is_damaged = dynamic_cast<const DamagedFile*>(&error) != nullptr;
      const std::string cure = is_damaged ? "restore the study's study.db from a copy" : error.hint();
      finding.verdict = Verdict::kBad;
      finding.text += (finding.text.empty() ? "" : "\n") + name + ": " + error.what();
      if (finding.cure.find(cure) == std::string::npos)
        finding.cure += (finding.cure.empty() ? "" : "; ") + cure;
    }
  }
  if (finding.text.empty()) finding.text = std::to_string(names.size()) + " in the store, all whole";
  finding.text += finished;
  return finding;
}

// Whether the registry can be read, and every version that it names is as it was promoted.
Finding check_models(const fs::path& store) {
  Finding finding{"models", Verdict::kGood, {}, {}};
  try {
    const std::vector<engine::CheckedVersion> versions = engine::check_versions(models_folder(store), {});
    for (const engine::CheckedVersion& version : versions)
      for (const std::string& damage : version.damage) {
        finding.verdict = Verdict::kBad;
        finding.text += (finding.text.empty() ? "" : "\n") + damage;
        finding.cure = "restore it from a copy, or promote another trial";
      }
    if (versions.empty())
      finding.text = "none yet";
    else if (finding.text.empty())
      finding.text = plural_text(versions.size(), "version") + ", as promoted";
  } catch (const Error& problem) {
    return {"models", Verdict::kBad, problem.what(), problem.hint()};
  }
  return finding;
}

// Whether what was deployed still answers, and only those who may can read the tokens.
Finding check_endpoints(const fs::path& store) {
  Finding finding{"endpoints", Verdict::kGood, {}, {}};
  const auto add = [&](Verdict verdict, const std::string& text, const std::string& cure) {
    finding.verdict = std::max(finding.verdict, verdict);
    finding.text += (finding.text.empty() ? "" : "\n") + text;
    if (finding.cure.find(cure) == std::string::npos)
      finding.cure += (finding.cure.empty() ? "" : "; ") + cure;
  };
  std::size_t deployed = 0;
  try {
    for (const endpoint::ListedEndpoint& each : endpoint::list_endpoints(store)) {
      const std::string& name = each.state.name;
      deployed += each.state.state == endpoint::State::kDeployed;
      if (!each.problem.empty())
        add(Verdict::kBad, name + ": " + each.problem, "`tune undeploy " + name + " --delete` removes it");
      else if (each.has_died && each.asked)
        add(Verdict::kWarning, name + " is not deployed: " + each.state.reason,
            "`tune deploy " + asked_again(*each.asked) + "` deploys it again");
      else if (each.state.state == endpoint::State::kDeploying)
        add(Verdict::kWarning, name + " is deploying: " + each.state.reason,
            "its log is " + (each.folder / endpoint::kLogFile).string());
      for (const char* secret : {endpoint::kTokenFile, endpoint::kAuthorizationFile}) {
        std::error_code ignored;
        const fs::perms rights = fs::status(each.folder / secret, ignored).permissions();
        if (!ignored && (rights & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none)
          add(Verdict::kBad, (each.folder / secret).string() + " can be read by others",
              "remove it, and deploy " + name + " again for another token");
      }
    }
  } catch (const Error& problem) {
    return {"endpoints", Verdict::kBad, problem.what(), problem.hint()};
  }
  if (finding.text.empty())
    finding.text = deployed == 0 ? "none deployed" : std::to_string(deployed) + " deployed";
  return finding;
}

Finding check_supervisor() {
  try {
    return {"supervisor", Verdict::kGood, engine::find_supervisor().string(), {}};
  } catch (const Error& error) {
    return {"supervisor", Verdict::kBad, error.what(), error.hint()};
  }
}

// Which LibTorch the trainer runs with, and whether it sees the GPUs that the driver has.
Finding check_trainer(const engine::Machine& machine) {
  try {
    const engine::BuiltinTrainer trainer = engine::find_builtin_trainer();
    const ProgramOutput answer =
        run_program({{trainer.program.string(), "describe", "--libtorch", "--json"}, fs::current_path()});
    const Json libtorch = Json::parse(answer.out, nullptr, false);
    if (answer.exit_code != 0 || !libtorch.is_object() || !libtorch.contains("folder"))
      return {"trainer", Verdict::kWarning,
              trainer.program.string() + " does not say which LibTorch it runs with",
              "try `tune-train describe --libtorch` by hand"};
    const std::string version = libtorch.at("libtorch"),
                      cuda = libtorch.value("cuda", Json()).is_string() ? libtorch["cuda"] : "";
    const int gpus = libtorch.at("gpus");
    Finding finding{"trainer",
                    Verdict::kGood,
                    trainer.program.string() + "\nLibTorch " + version + " in " +
                        libtorch.at("folder").get<std::string>() +
                        (cuda.empty() ? ", without CUDA" : ", with CUDA " + cuda),
                    {}};
    if (!cuda.empty()) finding.text += ", sees " + plural_text(gpus, "GPU");
    if (gpus >= static_cast<int>(machine.gpus.size())) return finding;
    finding.verdict = Verdict::kWarning;
    const std::string problem = libtorch.at("problem");
    finding.text +=
        " of the driver's " + std::to_string(machine.gpus.size()) + (problem.empty() ? "" : ": " + problem);
    finding.cure =
        cuda.empty()
            ? "take a LibTorch with CUDA of the same version: remove .venv and run ./dev setup, or name "
              "its folder in TUNE_LIBTORCH for a packaged tune-train"
            : "CUDA " + cuda + " may need a newer driver than " + machine.driver;
    return finding;
  } catch (const Error& error) {
    return {"trainer", Verdict::kWarning, error.what(), error.hint()};
  }
}

Finding check_limits() {
  rlimit files{}, processes{};
  getrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_NPROC, &processes);
  const auto text = [](rlim_t limit) { return limit == RLIM_INFINITY ? "unlimited" : std::to_string(limit); };
  const std::string both = text(files.rlim_cur) + " open files, " + text(processes.rlim_cur) + " processes";
  if (files.rlim_cur >= kFewDescriptors) return {"limits", Verdict::kGood, both, {}};
  return {"limits", Verdict::kWarning, both, "raise the first: ulimit -n 1024"};
}

// Where this machine submits jobs to: what the cluster offers, and what it lacks.
Finding check_slurm() {
  try {
    const engine::Cluster cluster = engine::inspect_cluster();
    Finding finding{"Slurm", Verdict::kGood, "cluster " + cluster.name + ", version " + cluster.version, {}};
    finding.text += cluster.keeps_accounts ? ", keeps accounts" : ", keeps no accounts";
    finding.text += ", preemption " + cluster.preemption + ", knows a job for " +
                    format_duration(cluster.job_age) + " after its end";
    bool any_up = false;
    for (const engine::Partition& each : cluster.partitions) {
      any_up = any_up || (each.state == "UP" && each.usable_nodes > 0);
      std::string gres;
      for (const std::string& one : each.gres)
        if (one != "(null)") gres += ", " + one;
      finding.text += "\npartition " + each.name + (each.is_default ? " (the default)" : "") + ": " +
                      each.state + ", " + plural_text(each.usable_nodes, "node") + " of " +
                      std::to_string(each.nodes) + " up, " + plural_text(each.most_cpus, "core") + gres +
                      ", jobs of " +
                      (each.most_time ? format_duration(*each.most_time) + " at most" : "any time");
    }
    if (any_up) return finding;
    finding.verdict = Verdict::kWarning;
    finding.cure = "no partition can run a job now: ask who runs the cluster, or `scontrol show partition`";
    return finding;
  } catch (const Error& error) {
    return {"Slurm", Verdict::kWarning, error.what(), error.hint()};
  }
}

Json to_json(const std::vector<Finding>& findings, const engine::Machine& machine) {
  Json list = Json::array(), gpus = Json::array();
  for (const Finding& finding : findings)
    list.push_back({{"topic", finding.topic},
                    {"verdict", to_text(finding.verdict)},
                    {"text", finding.text},
                    {"cure", finding.cure}});
  for (const engine::Gpu& gpu : machine.gpus)
    gpus.push_back({{"uuid", gpu.uuid},
                    {"name", gpu.name},
                    {"memory_used", gpu.memory_used},
                    {"memory_total", gpu.memory_total},
                    {"processes", gpu.processes}});
  return {{"schema", 1},
          {"findings", list},
          {"gpus", gpus},
          {"driver", machine.driver},
          {"cores", machine.cores},
          {"lease_folder", machine.lease_folder.string()}};
}

}  // namespace

int doctor_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "doctor").parse(arguments, console);
  if (!options) return 0;
  const fs::path store = store_folder(*options);
  const engine::Machine machine = engine::inspect_machine();
  std::vector<Finding> findings = {check_gpus(machine),      check_disk(store),      check_rights(store),
                                   check_file_system(store), check_sqlite(),         check_studies(store),
                                   check_models(store),      check_endpoints(store), check_supervisor(),
                                   check_trainer(machine),   check_limits()};
  if (find_program("sbatch")) findings.push_back(check_slurm());
  bool healthy = true;
  for (const Finding& finding : findings) healthy = healthy && finding.verdict != Verdict::kBad;
  if (options->has("json")) {
    print_json(to_json(findings, machine), console);
  } else {
    for (const Finding& finding : findings) {
      std::string text = finding.text;
      for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 23)
        text.replace(at, 1, "\n" + std::string(22, ' '));
      std::string topic = finding.topic;
      topic.resize(12, ' ');
      std::string verdict = to_text(finding.verdict);
      verdict.resize(8, ' ');
      console.out << topic << "  " << verdict << text << '\n';
      if (!finding.cure.empty()) console.out << std::string(22, ' ') << finding.cure << '\n';
    }
  }
  return static_cast<int>(healthy ? ExitCode::kOk : ExitCode::kEnvironment);
}

}  // namespace tune::cli
