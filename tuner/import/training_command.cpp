#include "tuner/import/training_command.h"

#include <algorithm>
#include <array>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/import/detection_import.h"
#include "tuner/spec/placeholder.h"

namespace tune::amt {
namespace {

constexpr const char* kProgram = "sagemaker_program";

const NamedText* fixed_named(const Definition& definition, const std::string& name) {
  const auto found = std::find_if(definition.fixed.begin(), definition.fixed.end(),
                                  [&](const NamedText& each) { return each.name == name; });
  return found == definition.fixed.end() ? nullptr : &*found;
}

// As the toolkit writes them: --name, and -n for a name of one letter.
void add_argument(const std::string& name, const std::string& value, std::vector<std::string>& command) {
  if (name.size() > 1) {
    command.push_back("--" + name + "=" + value);
    return;
  }
  command.push_back("-" + name);
  command.push_back(value);
}

// tune's own placeholders go before a static hyperparameter of the same name, such as seed, so that is
// written out.
std::string argument_of(const NamedText& fixed, const Definition& definition) {
  const std::vector<std::string>& own = built_in_placeholders();
  const bool is_taken = std::find(own.begin(), own.end(), fixed.name) != own.end();
  return is_taken ? passed_text(fixed.text, definition) : "{{" + fixed.name + "}}";
}

void add_arguments(const Definition& definition, std::vector<std::string>& command) {
  for (const Range& range : definition.ranges) add_argument(range.name, "{{" + range.name + "}}", command);
  for (const NamedText& hint : definition.hints) add_argument(hint.name, "{{" + hint.name + "}}", command);
  for (const NamedText& fixed : definition.fixed)
    if (!is_of_service(fixed.name)) add_argument(fixed.name, argument_of(fixed, definition), command);
}

// As the toolkit names the folder of a channel.
std::string channel_variable(const std::string& channel) {
  std::string name = "SM_CHANNEL_";
  for (const char c : channel) name += c == '-' || c == '.' ? '_' : upper_case(c);
  return name;
}

bool is_secret(const std::string& name) {
  constexpr std::array kEnds{"TOKEN", "SECRET", "PASSWORD", "API_KEY", "ACCESS_KEY"};
  return std::any_of(kEnds.begin(), kEnds.end(), [&](const char* end) { return name.ends_with(end); });
}

[[noreturn]] void refuse_shell(char sign) {
  throw Error(ExitCode::kUsage,
              std::string("no shell reads --command, so \"") + sign + "\" would mean nothing in it",
              "put it in quotes if it is meant as text, or name a script");
}

}  // namespace

std::vector<std::string> command_words(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool is_open = false;  // a word has begun, perhaps an empty one in quotes
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_next = i + 1 < text.size();
    if (quote != '\0' && c == quote) {
      quote = '\0';
    } else if (c == '\\' && quote != '\'' && has_next &&
               (quote == '\0' || text[i + 1] == '"' || text[i + 1] == '\\')) {
      word += text[++i];
      is_open = true;
    } else if (quote != '\0') {
      word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
      is_open = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (is_open) words.push_back(word);
      word.clear();
      is_open = false;
    } else if (std::string("|&;<>$`").find(c) != std::string::npos) {
      refuse_shell(c);
    } else {
      word += c;
      is_open = true;
    }
  }
  if (quote != '\0')
    throw Error(ExitCode::kUsage, std::string("a ") + quote + " of --command is not closed",
                "close it, or write \\" + std::string(1, quote));
  if (is_open) words.push_back(word);
  if (words.empty())
    throw Error(ExitCode::kUsage, "--command names no program", "for example --command 'python3 train.py'");
  return words;
}

bool is_of_service(const std::string& name) {
  return name == kObjectiveParameter || name.starts_with("sagemaker_");
}

std::string passed_text(const std::string& text, const Definition& definition) {
  if (fixed_named(definition, kProgram) == nullptr) return text;
  if (text == "true") return "True";
  if (text == "false") return "False";
  if (!text.starts_with('"')) return text;
  const OrderedJson value = OrderedJson::parse(text, nullptr, false);
  return value.is_string() ? value.get<std::string>() : text;
}

OrderedJson value_of(const std::string& text) {
  const OrderedJson value = OrderedJson::parse(text, nullptr, false);
  return value.is_number() && argument_text(Json(value)) == text ? value : OrderedJson(text);
}

void write_service_parameter(const NamedText& parameter, const Definition& definition, SearchDraft& draft) {
  const std::string text = passed_text(parameter.text, definition);
  if (parameter.name == kProgram) return;  // write_command() says what became of it
  if (parameter.name == kObjectiveParameter)
    draft.ignore(parameter.pointer, text, "SageMaker adds it to tell the algorithm of the objective");
  else if (parameter.name == "sagemaker_submit_directory")
    draft.leave_out(parameter.pointer, text, "unpack the code from there into the folder of the spec");
  else if (parameter.name.find("distributed") != std::string::npos ||
           parameter.name.find("mpi") != std::string::npos)
    draft.leave_out(parameter.pointer, text,
                    "a trial is one process; start several from the command, as with torchrun");
  else
    draft.ignore(parameter.pointer, text, "it is for SageMaker's own programs");
}

void write_command(const Definition& definition, const ImportOptions& options, SpecProblems& problems,
                   SearchDraft& draft) {
  const NamedText* program = fixed_named(definition, kProgram);
  const OrderedJson image = definition.image;
  if (!options.command.empty()) {
    std::vector<std::string> command = options.command;
    const bool names_some = std::any_of(command.begin(), command.end(), [](const std::string& word) {
      return !find_placeholders(word).empty();
    });
    if (!names_some) add_arguments(definition, command);
    draft.put(
        "/command", command, "--command",
        names_some ? "" : "each hyperparameter is an argument of it, as SageMaker passes them to a script");
    draft.ignore(definition.image_pointer, image, "--command trains in its place");
    if (program != nullptr) draft.ignore(program->pointer, program->text, "--command trains in its place");
    return;
  }
  if (program == nullptr) {
    const bool is_classifier = algorithm_of(definition.image) == "image-classification";
    draft.leave_out(
        definition.image_pointer, image,
        std::string(is_classifier ? "there is no built-in trainer for it yet" : "images are not run here") +
            ": say how a trial is trained, with --command 'python3 train.py'");
    return;
  }
  const std::string script = passed_text(program->text, definition);
  if (script.find_first_not_of(" \t\r\n") == std::string::npos) {
    problems.add(program->pointer, "the name of the script is empty",
                 "name the script that trains, or give --command 'python3 train.py'");
    return;
  }
  // Scripts look there for the folder that their model belongs in.
  std::vector<std::string> command{"env", "SM_MODEL_DIR={{output_dir}}", "SM_OUTPUT_DATA_DIR={{output_dir}}",
                                   script.ends_with(".sh") ? "bash" : "python3", script};
  add_arguments(definition, command);
  draft.put("/command", command, program->pointer,
            "the script lies in the folder of the spec, and gets its arguments as from SageMaker");
  draft.ignore(definition.image_pointer, image, "the script runs with what is installed here");
}

void write_environment(const Definition& definition, const PathMap& paths, SearchDraft& draft) {
  for (const NamedText& each : definition.environment) {
    const auto local = paths.local(each.text);
    const std::string note = local ? "by --map"
                             : is_secret(each.name)
                                 ? "a secret does not belong in a spec: {\"from_env\": \"NAME\"} passes "
                                   "on a variable of yours"
                                 : "";
    draft.put(member_pointer("/environment", each.name), local.value_or(each.text), each.pointer, note);
  }
  for (const NamedText& channel : definition.channels) {
    const std::string variable = channel_variable(channel.name),
                      to = member_pointer("/environment", variable);
    const auto local = paths.local(channel.text);
    if (!local)
      draft.leave_out(channel.pointer, channel.text,
                      "say where this data lies here: --map " + channel.text + "=FOLDER");
    else if (!draft.contains(to))
      draft.put(to, *local, channel.pointer, "where scripts for SageMaker look for it");
  }
  if (fixed_named(definition, kProgram) == nullptr) return;
  for (const auto& [name, value] : {std::pair{"SM_HOSTS", "[\"algo-1\"]"}, {"SM_CURRENT_HOST", "algo-1"}})
    if (const std::string to = member_pointer("/environment", name); !draft.contains(to))
      draft.put(to, value, fixed_named(definition, kProgram)->pointer, "a trial has one machine");
}

}  // namespace tune::amt
