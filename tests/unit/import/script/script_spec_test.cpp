#include "tuner/import/script/script_spec.h"

#include <algorithm>

#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/metrics/metric_reader.h"
#include "tuner/os/atomic_file.h"
#include "tuner/spec/spec.h"

namespace tune::script {
namespace {

const std::string kScripts = TUNE_SOURCE_DIR "/tests/unit/import/script/scripts/";

ScriptSpec spec_of(const std::string& source, const std::map<std::string, std::string>& given = {}) {
  return spec_of_script(source, "train.py", given);
}

// Of a script with that one argument, given as Python writes it.
ScriptSpec spec_of_argument(const std::string& argument) {
  return spec_of("parser.add_argument(" + argument + ")\nprint('val loss', loss)");
}

OrderedJson range_of(const std::string& argument, const std::string& name) {
  const ScriptSpec made = spec_of_argument(argument);
  INFO(argument);
  REQUIRE(made.spec["parameters"].contains(name));
  return made.spec["parameters"][name];
}

Decision decision_on(const ScriptSpec& made, const std::string& name) {
  const auto found = std::find_if(made.decisions.begin(), made.decisions.end(),
                                  [&](const Decision& each) { return each.name == name; });
  REQUIRE(found != made.decisions.end());
  return *found;
}

// What the guessed metrics read from a log, as "name=value@step".
std::vector<std::string> read_from(const ScriptSpec& made, const std::vector<std::string>& lines) {
  std::vector<MetricDefinition> definitions;
  for (const OrderedJson& row : made.spec.value("metrics", OrderedJson::array()))
    definitions.push_back({row["name"], row["regex"],
                           row.contains("step") ? std::optional<std::string>(row["step"]) : std::nullopt});
  metrics::MetricReader reader(definitions);
  std::vector<std::string> found;
  for (const std::string& line : lines)
    for (const metrics::Match& match : reader.read(line))
      found.push_back(match.name + "=" + shortest(match.point.value) + "@" +
                      std::to_string(match.point.step));
  return found;
}

using Read = std::vector<std::string>;

TEST_CASE("a script with everything becomes a spec that the check of specs takes") {
  const ScriptSpec made = spec_of(read_file(kScripts + "classifier.py"), {{"data", "data/steel"}});
  CHECK(made.lacking.empty());
  const OrderedJson& spec = made.spec;
  const Spec read = parse_spec(spec.dump(), "search.json", "/");
  CHECK(read.study == "train");
  std::vector<std::string> searched;
  for (const auto& [name, range] : spec["parameters"].items()) searched.push_back(name);
  CHECK(searched == Read{"batch_size", "lr", "weight_decay", "momentum", "optimizer", "nesterov", "augment"});
  CHECK(spec["parameters"]["lr"] ==
        OrderedJson{{"type", "float"}, {"min", 3e-5}, {"max", 3e-3}, {"scale", "log"}});
  CHECK(spec["parameters"]["batch_size"]["values"] == OrderedJson{16, 32, 64, 128, 256});
  CHECK(spec["parameters"]["optimizer"]["values"] == OrderedJson{"sgd", "adamw"});
  CHECK(spec["parameters"]["nesterov"]["values"] == OrderedJson{"--nesterov", nullptr});
  CHECK(spec["parameters"]["augment"]["values"] == OrderedJson{true, false});
  CHECK(spec["fixed"] == OrderedJson{{"data", "data/steel"}, {"epochs", 30}});
  CHECK(spec["command"] == OrderedJson{"python3", "train.py", "{{data}}", "--batch-size={{batch_size}}",
                                       "--lr={{lr}}", "--wd2={{weight_decay}}", "--momentum={{momentum}}",
                                       "--optimizer={{optimizer}}", "{{nesterov}}", "--augment={{augment}}",
                                       "--epochs={{epochs}}", "--seed={{seed}}",
                                       "--output-dir={{output_dir}}"});
  CHECK(spec["objective"] == OrderedJson{{"metric", "val_acc"}, {"goal", "maximize"}});
}

TEST_CASE("what is not understood is said with its line and its reason") {
  const ScriptSpec made = spec_of(read_file(kScripts + "classifier.py"));
  REQUIRE(made.unread.size() == 2);
  CHECK(made.unread[0].line == 24);
  CHECK(made.unread[0].reason == "what *[\"--weight-decay\"] holds is known only to the running script");
  CHECK(made.unread[1].text == "add_argument(extra)");
  CHECK(made.unread[1].reason == "its name is no text");
  CHECK(decision_on(made, "pretrained")
            .reason.starts_with("the script's default true; type=bool takes any text"));
  CHECK(decision_on(made, "dropout").reason ==
        "the script's default 0.1; without a type the script would get text: add type=float");
  CHECK(decision_on(made, "milestones").reason == "the script's default [10,20]; it takes several values");
  CHECK(decision_on(made, "workers").reason ==
        "the script's default os.cpu_count(); no range is known by this name");
  CHECK(decision_on(made, "dataset").reason ==
        "the script's default \"cifar10\"; its choices are not searched by this name");
  CHECK(decision_on(made, "no_cuda").reason == "not given; no range is known by this name");
}

TEST_CASE("what a script requires and nobody knows keeps the spec from being whole, unless it is given") {
  const std::string source =
      "parser.add_argument('--data', required=True, help='where it lies')\n"
      "parser.add_argument('--lr', required=True, type=float)\nprint('val loss', loss)";
  const ScriptSpec lacking = spec_of(source);
  REQUIRE(lacking.lacking.size() == 1);
  CHECK(lacking.lacking[0] ==
        "the script requires --data: give it with --set data=VALUE, or write it under \"fixed\"");
  CHECK_THROWS_AS(parse_spec(lacking.spec.dump(), "search.json", "/"), SpecError);
  const ScriptSpec whole = spec_of(source, {{"data", "7"}});
  CHECK(whole.lacking.empty());
  CHECK(whole.spec["fixed"] == OrderedJson{{"data", 7}});
  CHECK_NOTHROW(parse_spec(whole.spec.dump(), "search.json", "/"));
}

TEST_CASE("a value is given as the script would get it, and a switch as it is turned") {
  const std::string source =
      "p.add_argument('--version')\np.add_argument('--amp', action='store_true')\n"
      "p.add_argument('--ema', action=argparse.BooleanOptionalAction)\n"
      "p.add_argument('--seed', type=int)\n";
  const auto command = [&](const std::map<std::string, std::string>& given) {
    return spec_of(source, given).spec["command"];
  };
  CHECK(spec_of(source, {{"version", "1.10"}}).spec["fixed"]["version"] == "1.10");
  CHECK(command({{"amp", "true"}, {"ema", "false"}}) ==
        OrderedJson{"python3", "train.py", "--amp", "--no-ema", "--seed={{seed}}"});
  CHECK(command({{"amp", "false"}, {"seed", "3"}}) == OrderedJson{"python3", "train.py", "--seed=3"});
  for (const auto& [name, value] : {std::pair{"amp", "yes"}, std::pair{"ampp", "true"}}) try {
      command({{name, value}});
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kUsage);
      CHECK_FALSE(error.hint().empty());
    }
}

TEST_CASE("ranges follow names, types and defaults") {
  CHECK(range_of("'--lr', type=float", "lr").dump() ==
        R"({"type":"float","min":1e-05,"max":0.1,"scale":"log"})");
  CHECK(range_of("'--base-lr', type=float, default=.1", "base_lr")["max"] == 1.0);
  CHECK(range_of("'-lr', type=float, default=1e-3", "lr")["min"] == 1e-4);
  CHECK(range_of("'--learningRate', type=positive, default=0.5", "learningRate")["max"] == 5.0);
  CHECK(range_of("'--bs', type=int, default=10", "bs")["values"] == OrderedJson{4, 8, 16, 32});
  CHECK(range_of("'--batch_size', type=int, default=1", "batch_size")["values"] == OrderedJson{1, 2, 4});
  CHECK(range_of("'--adam_beta2', type=float, default=0.999", "adam_beta2")["scale"] == "reverse_log");
  CHECK(range_of("'--hidden', type=int, default=128", "hidden").dump() ==
        R"({"type":"int","min":32,"max":512,"scale":"log"})");
  CHECK(range_of("'--num-layers', type=int, default=3", "num_layers").dump() ==
        R"({"type":"int","min":1,"max":6})");
  CHECK(range_of("'--weight-decay', type=float, default=0.0", "weight_decay")["min"] == 1e-6);
  CHECK(range_of("'--amsgrad', action=argparse.BooleanOptionalAction", "amsgrad")["values"] ==
        OrderedJson{"--amsgrad", "--no-amsgrad"});
  for (const char* other :
       {"'--lr-step', type=int, default=10", "'--lr-scheduler', default='cosine'",
        "'--eval-batch-size', type=int, default=8", "'--lr', type=str", "'--lr', default=0.1",
        "'--dropout', type=float, default=50.0", "'--lr', type=float, nargs=2",
        "'--decay', type=float, default=0.97", "'--warmup-epochs', type=int, default=5",
        "'--optimizer', choices=['sgd']", "'--verbose', action='store_true'"}) {
    INFO(other);
    CHECK(spec_of_argument(other).spec["parameters"].empty());
  }
}

TEST_CASE("a default of 0 that a range leaves out is said") {
  const ScriptSpec made = spec_of_argument("'--weight-decay', type=float, default=0.0");
  CHECK(decision_on(made, "weight_decay").reason == "usual values; the default, 0, is left out");
}

TEST_CASE("every range that is guessed is one that a spec may have") {
  for (const char* name :
       {"lr", "weight_decay", "batch_size", "momentum", "beta2", "dropout", "label_smoothing",
        "max_grad_norm", "lora_r", "hidden_size", "layers", "C", "subsample", "gamma", "warmup"})
    for (const char* type : {"float", "int"})
      for (const char* value : {"", ", default=0", ", default=1", ", default=0.05", ", default=-3",
                                ", default=1e9", ", default=None", ", default=1e-12"}) {
        const ScriptSpec made = spec_of_argument("'--" + std::string(name) + "', type=" + type + value);
        if (made.spec["parameters"].empty()) continue;
        INFO(made.spec.dump());
        CHECK_NOTHROW(parse_spec(made.spec.dump(), "search.json", "/"));
      }
}

TEST_CASE("the guessed regexes read what the script prints") {
  const ScriptSpec made = spec_of(read_file(kScripts + "classifier.py"));
  CHECK(read_from(made, {"Epoch [3/30] train loss: 0.4123 | val loss: 0.5000, val acc: 81.25%", "time: 3.1s",
                         "INFO:__main__:epoch 3: F1 0.812", "", "final test accuracy: 0.79"}) ==
        Read{"train_loss=0.4123@3", "val_loss=0.5@3", "val_acc=81.25@3", "f1=0.812@3",
             "final_test_accuracy=0.79@1"});
}

TEST_CASE("metrics are found in each form in which Python prints text") {
  const auto read = [](const std::string& call, const std::string& line) {
    return read_from(spec_of("p.add_argument('--lr', type=float)\n" + call), {line});
  };
  CHECK(read("print('loss', loss)", "loss 0.5") == Read{"loss=0.5@1"});
  CHECK(read("print(epoch, 'loss:', loss, flush=True)", "4 loss: 0.5") == Read{"loss=0.5@1"});
  CHECK(read("print('loss: %.3f (%s)' % (loss, name))", "loss: 0.500 (a b)") == Read{"loss=0.5@1"});
  CHECK(read("print('step {} loss={:8.4f}'.format(step, loss))", "step 7 loss=  0.5000") ==
        Read{"loss=0.5@7"});
  CHECK(read("print(f'{name}: {metrics[\"val_acc\"]:.1%}')", "resnet: 81.5%").empty());
  CHECK(read("print(f'{loss=:.3f}')", "loss=0.500") == Read{"loss=0.5@1"});
  CHECK(read("print(f'{{\"loss\": {loss}}}')", "{\"loss\": 0.5}") == Read{"loss=0.5@1"});
  CHECK(read("logging.info('Val: mAP=%f', m)", "12:00 INFO Val: mAP=0.25") == Read{"map=0.25@1"});
  CHECK(read("tqdm.write('RMSE ' f'{rmse:.2e}')", "RMSE 5.00e-01") == Read{"rmse=0.5@1"});
  CHECK(read("sys.stdout.write('ppl: %g\\n' % ppl)", "ppl: 12.5") == Read{"ppl=12.5@1"});
  CHECK(read("print('Validation:', val_loss)", "Validation: 0.5") == Read{"val_loss=0.5@1"});
  CHECK(read("print('*' * 20, '\\nvalid acc ->', a)", "valid acc -> 0.5") == Read{"valid_acc=0.5@1"});
  CHECK(read("file.write('loss: %f' % loss)", "loss: 0.5").empty());
  CHECK(read("print('loss', loss, sep=',')", "loss,0.5").empty());
  CHECK(read("print('loss', loss, file=out)", "loss 0.5").empty());
}

TEST_CASE("the objective is of data that was held back, if the script prints one") {
  const auto objective = [](const std::string& prints) {
    return spec_of("p.add_argument('--lr', type=float)\n" + prints).spec.value("objective", OrderedJson());
  };
  CHECK(objective("print('loss', x)\nprint('train acc', y)\nprint('val loss', z)") ==
        OrderedJson{{"metric", "val_loss"}, {"goal", "minimize"}});
  CHECK(objective("print('test acc', x)\nprint('loss', y)")["metric"] == "loss");
  CHECK(objective("print('best val acc', x)\nprint('val acc', y)")["metric"] == "val_acc");
  CHECK(objective("print('hello', x)").is_null());
  const ScriptSpec flattering = spec_of("p.add_argument('--lr', type=float)\nprint('train loss', x)");
  REQUIRE(flattering.metrics.remarks.size() == 1);
  CHECK(flattering.metrics.remarks[0].starts_with("train_loss is of the training data"));
  const ScriptSpec none = spec_of("p.add_argument('--lr', type=float)");
  REQUIRE(none.lacking.size() == 1);
  CHECK(none.lacking[0].starts_with("no print() or logging call was found that tells a metric"));
}

TEST_CASE("TUNE_METRIC lines need no regex") {
  const ScriptSpec made = spec_of(
      "p.add_argument('--lr', type=float)\n"
      "print('TUNE_METRIC ' + json.dumps({'name': 'validation:loss', 'value': x}))\n"
      "print(f'TUNE_METRIC {{\"name\": \"acc\", \"value\": {a}}}')\nprint('train acc', a)");
  CHECK(made.spec["objective"] == OrderedJson{{"metric", "validation:loss"}, {"goal", "minimize"}});
  REQUIRE(made.metrics.all.size() == 3);
  CHECK(made.metrics.all[1].name == "acc");
  CHECK(made.spec["metrics"].size() == 1);
}

TEST_CASE("a script without argparse is refused, and says what would help") {
  for (const char* source : {"", "print('hello')", "x = 'add_argument(\"--lr\")'", "# add_argument('--lr')"})
    try {
      spec_of(source);
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::kBadSpec);
      CHECK(std::string(error.what()) == "\"train.py\" declares no arguments by argparse's add_argument()");
      CHECK_FALSE(error.hint().empty());
    }
}

TEST_CASE("sub-commands and arguments of the same name are said") {
  const ScriptSpec made = spec_of(
      "sub = p.add_subparsers()\np.add_argument('--lr', type=float)\n"
      "q.add_argument('--lr', type=float)\nprint('val loss', x)");
  REQUIRE(made.lacking.size() == 1);
  CHECK(made.lacking[0].starts_with("the script has sub-commands"));
  REQUIRE(made.unread.size() == 1);
  CHECK(made.unread[0].reason == "it writes to lr, as the argument of line 2 does");
}

TEST_CASE("whatever a source holds, it is read to its end") {
  const std::string whole = read_file(kScripts + "classifier.py");
  for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
    const std::string part = whole.substr(0, cut), rest = whole.substr(cut);
    for (const std::string& source : {part, rest, part + "'''\"{(" + rest}) {
      INFO(cut);
      try {
        spec_of(source);
      } catch (const Error& error) {
        CHECK(error.code() == ExitCode::kBadSpec);
      }
    }
  }
  for (const char* opened :
       {"p.add_argument(", "p.add_argument('--lr', default=((((((((", "f'{", "f'{x:", "f'{\"", "'\\",
        "p.add_argument('--lr', default=", "print('%", "print('%(x)s', y)", "print(f'{')", "0x"})
    CHECK_NOTHROW(spec_of("p.add_argument('--x')\n" + std::string(opened)));
  CHECK_NOTHROW(spec_of("p.add_argument('--lr', type=float, default=" + std::string(100'000, '-') + "1)"));
  CHECK_NOTHROW(spec_of("p.add_argument('--lr', type=float, default=" + std::string(100'000, '[') + ")"));
}

}  // namespace
}  // namespace tune::script
