// The section `runner`, and what belongs to it elsewhere.
#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

// What the submission of a trial says itself, and what would have a job wait, last or print elsewhere. The
// letter is the short form; a space where there is none.
struct OwnOption {
  std::string_view name;
  char letter;
  const char* cure;
};
constexpr const char *kTunes = "leave it out: tune says it itself",
                     *kGpus = "use runner.gres, or resources.gpus_per_trial",
                     *kTasks = "use runner.nodes_per_trial, and resources.processes_per_trial on each node";
constexpr std::array<OwnOption, 30> kOwnOptions{
    {{"array", 'a', kTunes},
     {"comment", ' ', kTunes},
     {"job-name", 'J', kTunes},
     {"output", 'o', kTunes},
     {"error", 'e', kTunes},
     {"input", 'i', kTunes},
     {"open-mode", ' ', kTunes},
     {"chdir", 'D', kTunes},
     {"export", ' ', kTunes},
     {"export-file", ' ', kTunes},
     {"parsable", ' ', kTunes},
     {"wrap", ' ', kTunes},
     {"wait", 'W', kTunes},
     {"test-only", ' ', kTunes},
     {"signal", ' ', kTunes},
     {"partition", 'p', "use runner.partition"},
     {"account", 'A', "use runner.account"},
     {"gres", ' ', kGpus},
     {"gpus", 'G', kGpus},
     {"gpus-per-node", ' ', kGpus},
     {"gpus-per-task", ' ', kGpus},
     {"gpus-per-socket", ' ', kGpus},
     {"ntasks", 'n', kTasks},
     {"ntasks-per-node", ' ', kTasks},
     {"requeue", ' ', "leave it out: tune begins a trial again by itself"},
     {"hold", 'H', "leave it out: such a job waits for ever"},
     {"clusters", 'M', "run tune where that cluster's jobs are submitted from"},
     {"time", 't', "use runner.time"},
     {"cpus-per-task", 'c', "use runner.cpus"},
     {"nodes", 'N', "use runner.nodes_per_trial"}}};

const OwnOption* own_option(std::string_view option) {
  for (const OwnOption& own : kOwnOptions) {
    // sbatch takes the beginning of a name for it.
    const std::string_view name = option.starts_with("--") ? option.substr(2, option.find('=') - 2) : "";
    if (!name.empty() && own.name.starts_with(name)) return &own;
    if (!option.starts_with("--") && option.size() > 1 && option[1] == own.letter) return &own;
  }
  return nullptr;
}

std::vector<std::string> read_options(SpecProblems& problems) {
  const OrderedJson* list = problems.find("/runner/options");
  if (list == nullptr) return {};
  std::vector<std::string> options;
  for (std::size_t i = 0; i < list->size(); ++i) {
    options.push_back((*list)[i].get<std::string>());
    const std::string pointer = "/runner/options/" + std::to_string(i), &option = options.back();
    check_no_nul(option, pointer, problems);
    if (!option.starts_with('-')) {
      problems.add(pointer, "\"" + option + "\" is no option of sbatch: each begins with a dash",
                   "write an option and its value in one text: \"--constraint=a100\"");
      continue;
    }
    if (const OwnOption* own = own_option(option))
      problems.add(pointer, "\"" + option + "\" cannot be set here", own->cure);
  }
  return options;
}

// The GPUs of generic resources in Slurm's words: 2 of "gpu:a100:2", 1 of "gpu", 0 of "shard:4".
int gpus_in(const std::string& gres) {
  int gpus = 0;
  std::istringstream kinds(gres);
  for (std::string kind; std::getline(kinds, kind, ',');) {
    if (kind != "gpu" && !kind.starts_with("gpu:")) continue;
    const std::string last = kind.substr(kind.rfind(':') + 1);
    int count = 1;
    std::from_chars(last.data(), last.data() + last.size(), count);
    gpus += count;
  }
  return gpus;
}

// GPUs and processes on each node, which sections of their own name too.
void read_share(SpecProblems& problems, SlurmSettings& slurm) {
  if (slurm.gres.empty())
    slurm.gpus = slurm.gpus_per_trial = read_value<int>(problems, "/resources/gpus_per_trial").value_or(0);
  else
    slurm.gpus = gpus_in(slurm.gres);
  const auto asked = read_value<int>(problems, "/resources/processes_per_trial");
  slurm.processes_per_trial = asked.value_or(std::max(1, slurm.gpus));
  if (!slurm.gres.empty() && slurm.gpus > 0 && slurm.processes_per_trial != slurm.gpus)
    problems.add("/resources/processes_per_trial",
                 "runner.gres gives a trial " + std::to_string(slurm.gpus) + " GPU" +
                     (slurm.gpus == 1 ? "" : "s") + " on each node, and one process for each",
                 "leave it out, or runner.gres for processes on the CPU");
}

}  // namespace

const char* runner_text(RunnerKind kind) { return kind == RunnerKind::kSlurm ? "slurm" : "local"; }

RunnerKind runner_from(const std::string& text) {
  if (text == "slurm") return RunnerKind::kSlurm;
  if (text == "local") return RunnerKind::kLocal;
  throw std::invalid_argument("\"" + text + "\" is no runner");
}

RunnerSettings read_runner(SpecProblems& problems) {
  RunnerSettings runner;
  const auto text = [&](const char* name) {
    return read_value<std::string>(problems, std::string("/runner/") + name).value_or("");
  };
  if (const std::string kind = text("kind"); !kind.empty()) runner.kind = runner_from(kind);
  SlurmSettings& slurm = runner.slurm;
  slurm.partition = text("partition");
  slurm.account = text("account");
  slurm.gres = text("gres");
  slurm.work = text("work");
  if (const auto time = read_value<std::string>(problems, "/runner/time")) slurm.time = parse_duration(*time);
  if (slurm.time && *slurm.time < Milliseconds(60'000))
    problems.add("/runner/time", "Slurm counts the time of a job in minutes", "say 1m or more");
  slurm.cpus = read_value<int>(problems, "/runner/cpus").value_or(1);
  slurm.options = read_options(problems);
  slurm.nodes_per_trial = read_value<int>(problems, "/runner/nodes_per_trial").value_or(1);
  read_share(problems, slurm);
  return runner;
}

}  // namespace tune
