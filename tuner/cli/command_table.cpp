// The table of tune's commands, and what else its command line says.
#include <ostream>

#include "tuner/cli/commands.h"
#include "tuner/core/json.h"

namespace tune::cli {
namespace {

constexpr const char* kUsage =
    "tune --spec FILE [options]\n"
    "       tune COMMAND [arguments] [options]";

constexpr const char* kNotes =
    "Options of every command:\n"
    "  --store DIR    the folder of studies and models [$TUNE_STORE, else ./tune-store]\n"
    "  --json         JSON with a schema version on stdout; errors as JSON on stderr\n"
    "  --version      the program's version\n"
    "The first two may also stand before the command.\n\n"
    "Colours are left out when NO_COLOR is set or the output is not a terminal.\n"
    "Exit codes: 0 ok, 1 finished but nothing to promote, 2 usage, 3 bad spec, 5 not found, 6 conflict,\n"
    "7 environment, 8 every trial failed, 65 bad data, 70 internal error, 130 interrupted.\n"
    "\nExample:\n"
    "  tune --spec search.json\n"
    "  tune best steel-legacy\n";

void print_version(bool as_json, std::ostream& out) {
  if (as_json)
    out << Json{{"schema", 1}, {"program", "tune"}, {"version", TUNE_VERSION}}.dump() << '\n';
  else
    out << "tune " TUNE_VERSION "\n";
}

std::string other_word(const std::string& word) {
  return word.ends_with(".json") ? "it looks like a spec: `tune --spec " + word + "` runs it" : "";
}

}  // namespace

const CommandLine& command_line() {
  // A row is added together with its tuner/cli/NAME_command.cpp.
  static const CommandLine line{
      "tune",
      "searches hyperparameters by launching training runs in parallel, and promotes the best model.",
      kUsage,
      kNotes,
      {
          {"run",
           "--spec FILE [--store DIR] [--name STUDY] [--trials N] [--parallel N] [--time T] [--gpu-hours H] "
           "[--cost-usd USD] [--target X] [--no-improvement N] [--convergence X] [--seed N] [--gpus LIST] "
           "[--runner WHERE] [--serve] [--detach] [--tensorboard DIR] [--dry-run [--estimate]] [--json]",
           "search the ranges of a spec, and go on with what was interrupted",
           "tune --spec search.json\ntune --spec search.json --dry-run\ntune --spec search.json --serve\n"
           "tune --spec search.json --detach\n"
           "tune --spec search.json --name second --trials 50 --time 2h",
           run_command},
          {"resume",
           "resume STUDY [--store DIR] [--trials N] [--parallel N] [--time T] [--gpu-hours H] [--cost-usd "
           "USD] [--target X] [--no-improvement N] [--convergence X] [--gpus LIST] "
           "[--retry-failed] [--runner WHERE] [--detach] [--tensorboard DIR] [--json]",
           "go on with a study, with higher limits where asked for, and with its failed trials",
           "tune resume steel-legacy --trials 40\ntune resume steel-legacy --retry-failed", resume_command},
          {"set",
           "set STUDY [--trials N] [--parallel N] [--time T] [--gpu-hours H] [--cost-usd USD] [--target X] "
           "[--no-improvement N] [--convergence X] [--store DIR] [--json]",
           "other limits for a study, also while it runs",
           "tune set steel-legacy --parallel 4 --trials 200 --time 3h", set_command},
          {"enqueue", "enqueue STUDY (--parameters JSON | --csv FILE) [--store DIR] [--json]",
           "trials with hyperparameters of your own, before all others, also while the study runs",
           "tune enqueue steel-legacy --parameters '{\"learning_rate\": 0.001}'\ntune trials steel-legacy "
           "--csv | tune enqueue second --csv -",
           enqueue_command},
          {"rerun", "rerun STUDY/N [--store DIR] [--json]",
           "repeat a trial exactly, with its seed, and say whether it comes to the same",
           "tune rerun steel-legacy/3", rerun_command},
          {"amend", "amend SPEC [--name STUDY] [--assume NAME=VALUE] [--force] [--store DIR] [--json]",
           "another search space for a study that has begun; its trials stay in use where they fit",
           "tune amend search.json\ntune amend search.json --assume momentum=0.9", amend_command},
          {"pause", "pause STUDY [--store DIR] [--json]",
           "begin no trial until `tune continue`; what runs goes on", "tune pause steel-legacy",
           pause_command},
          {"continue", "continue STUDY [--store DIR] [--json]", "begin trials again after `tune pause`",
           "tune continue steel-legacy", continue_command},
          {"stop", "stop STUDY[/N] [--store DIR] [--json]",
           "interrupt a study that runs in another terminal, or end one of its trials",
           "tune stop steel-legacy/7\ntune stop steel-legacy", stop_command},
          {"delete", "delete STUDY[/N] [--yes] [--store DIR] [--json]",
           "take a study, or one of its trials, out of the store",
           "tune delete steel-legacy/7\ntune delete steel-legacy --yes", delete_command},
          {"rescan", "rescan STUDY [--spec FILE] [--store DIR] [--json]",
           "read the metrics of finished trials again from their logs, with corrected regexes",
           "tune rescan steel-legacy --spec search.json", rescan_command},
          {"compare", "compare FILE [--store DIR] [--gpus LIST] [--score-again] [--dry-run] [--json]",
           "train approaches, tuned and not, and score all of them once by the same test",
           "tune compare study.json\ntune compare study.json --dry-run", compare_command},
          {"promote",
           "promote STUDY[/N] [--model NAME] [--to ALIAS] [--require FILE] [--scores FILE] [--json]",
           "make the best trial, or a chosen one, a version of a model",
           "tune promote steel-legacy --model steel-detector\ntune promote steel-legacy/3 --to champion",
           promote_command},
          {"ask-tell", "ask-tell --spec FILE [--store DIR] [--name STUDY] [--seed N] [--trials N]",
           "suggestions for a program of yours that runs the trials: lines of JSON in, one out for each",
           "tune ask-tell --spec search.json --store tune-store\necho '{\"ask\": 2}' | tune ask-tell --spec "
           "search.json",
           ask_tell_command},
          {"check", "check SPEC [--sample LOG] [--runner WHERE] [--estimate] [--json]",
           "whether a spec is valid, and what its metrics read from a log",
           "tune check search.json\ntune check search.json --sample train.log", check_command},
          {"estimate", "estimate SPEC [--seconds S] [--gpus LIST] [--store DIR] [--json]",
           "memory, storage, time and cost of a search, before it begins",
           "tune estimate search.json\ntune estimate search.json --json", estimate_command},
          {"init",
           "init [DATA [--model NAME] [--weights FILE] [--task TASK] [--classes-from PLACE]] [--from-script "
           "FILE [--set NAME=VALUE]...] [--output FILE [--force]] [--json]",
           "a first spec: for labelled images after a look at them, or for a Python script by the names of "
           "its arguments",
           "tune init data/classes --output search.json\n"
           "tune init --from-script train.py --output search.json\n"
           "tune init --from-script train.py --set data=data/steel",
           init_command},
          {"import",
           "import amt FILE [--output FILE [--force]] [--command CMD] [--map S3=PATH]... [--definition NAME] "
           "[--usd-per-hour USD] [--json]\n"
           "       tune import optuna FILE [--study NAME] [--name STUDY] [--store DIR] [--json]",
           "a tuning job of SageMaker as a spec, and what became of each of its fields; a study of Optuna to "
           "learn from",
           "tune import amt job.json --output search.json --command 'python3 train.py'\n"
           "aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name steel | tune "
           "import amt - --map s3://bucket/steel=data\ntune import optuna study.db --name earlier",
           import_command},
          {"schema", "schema", "the JSON Schema of specs and comparisons, for editors",
           "tune schema > tune.schema.json", schema_command},
          {"status", "status [STUDY] [--json]", "what the studies of a store are doing, or one of them",
           "tune status\ntune status steel-legacy --json", status_command},
          {"watch", "watch NAME [--json]",
           "what the terminal of a running study or comparison shows, in any other one, until it has ended",
           "tune watch steel-legacy\ntune watch steel-legacy --json", watch_command},
          {"trials",
           "trials STUDY [--state STATE]... [--filter CONDITION]... [--sort COLUMN [--descending]] [--limit "
           "N] "
           "[--csv | --json]",
           "the trials of a study as a table, all of them or some",
           "tune trials steel-legacy --csv > trials.csv\n"
           "tune trials steel-legacy --filter 'learning_rate<1e-3' --sort value --descending --limit 10",
           trials_command},
          {"show", "show STUDY/N [--json]", "one trial: hyperparameters, attempts, metrics, cost",
           "tune show steel-legacy/3", show_command},
          {"explain", "explain STUDY/N [--json]",
           "why a trial was suggested, why it ended as it did, and whether it was promoted",
           "tune explain steel-legacy/3", explain_command},
          {"best", "best STUDY [--json]",
           "the best trial, its hyperparameters, and how much each of them matters",
           "tune best steel-legacy --json", best_command},
          {"report", "report NAME [--output FOLDER] [--json]",
           "a whole study or comparison as one page (HTML), as Markdown and as JSON",
           "tune report steel-legacy\ntune report steel-legacy --output report --json\ntune report steel",
           report_command},
          {"logs", "logs STUDY/N [--follow] [--attempt K] [--json]", "what a trial printed",
           "tune logs steel-legacy/3 --follow", logs_command},
          {"serve",
           "serve [--addr ADDRESS] [--token-file FILE] [--allow-host HOST:PORT]... [--assets-dir FOLDER] "
           "[--store DIR] [--json]",
           "the studies, trials, comparisons, models and endpoints of a store in a browser, live",
           "tune serve\ntune serve --addr 127.0.0.1:9000 --store tune-store", serve_command},
          {"catalog", "catalog [--task TASK] [--json]",
           "what the built-in trainer can train: models, weights on this machine, forms of data, "
           "hyperparameters",
           "tune catalog\ntune catalog --task detection", catalog_command},
          {"models",
           "models [NAME | ACTION ...] [--to ALIAS] [--alias ALIAS] [--expected V] [--require FILE] "
           "[--scores "
           "FILE] [--note TEXT] [--yes] [--dry-run] [--adopt | --remove] [--json]",
           "models: their versions and lineage, aliases, approval, promotion and rollback",
           "tune models\ntune models steel-detector\ntune models promote steel-detector@3 --to champion\n"
           "tune models rollback steel-detector --alias champion",
           models_command},
          {"export",
           "export STUDY|MODEL[@V] --format csv|json|optuna|tensorboard|dir|tar.gz [--output FILE] [--json]",
           "a study, or a version of a model with a model card, for other tools",
           "tune export steel-legacy --format csv > trials.csv\n"
           "tune export steel-legacy --format optuna --output steel.db\n"
           "tune export steel-legacy --format tensorboard --output runs\n"
           "tune export steel-detector@champion --format tar.gz --output steel.tar.gz",
           export_command},
          {"import-model", "import-model FILE|DIR --name NAME [--note TEXT] [--json]",
           "make a version of a model that somebody brings",
           "tune import-model steel.tar.gz --name steel-detector", import_model_command},
          {"deploy",
           "deploy MODEL[@VERSION|@ALIAS] [--name ENDPOINT] [--addr ADDRESS] [--port N] [--host NAME]... "
           "[--undeploy-after T | --schedule HH:MM] [--idle T] [--adapters NAME=MODEL,...] [--memory-gib X] "
           "[--queue N] [--timeout SECONDS] [--max-body-mb MB] "
           "[--token-file FILE] "
           "[--worker PROGRAM] [--foreground] [--json]",
           "let a promoted model answer requests over HTTP, until it is undeployed",
           "tune deploy steel-detector --port 8123 --undeploy-after 8h\n"
           "tune deploy steel-detector@champion --name steel --idle 30m",
           deploy_command},
          {"undeploy", "undeploy ENDPOINT [--delete] [--json]", "end what `tune deploy` began",
           "tune undeploy steel-detector", undeploy_command},
          {"endpoints", "endpoints [ENDPOINT] [--json]",
           "what is deployed: state, version, address, requests",
           "tune endpoints\ntune endpoints steel-detector --json", endpoints_command},
          {"doctor", "doctor [--json]", "whether this machine is ready: GPUs, disk, SQLite, programs, limits",
           "tune doctor --json", doctor_command},
      },
      {{"store", "DIR", "the folder of studies and models [$TUNE_STORE, else ./tune-store]"}},
      "run",
      print_version,
      "this is a bug in tune; the study itself is safe and can be continued",
      nullptr,
      other_word};
  return line;
}

}  // namespace tune::cli
