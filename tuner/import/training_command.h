#pragma once
// How a trial is trained where no built-in trainer does it: the command, its environment, its arguments.
#include <string>
#include <vector>

#include "tuner/import/amt_import.h"
#include "tuner/import/amt_request.h"
#include "tuner/import/search_draft.h"

namespace tune::amt {

// Whether a static hyperparameter is for SageMaker's own programs: sagemaker_program,
// _tuning_objective_metric.
bool is_of_service(const std::string& name);
void write_service_parameter(const NamedText& parameter, const Definition& definition, SearchDraft& draft);

// A command line as it is typed, cut into arguments as a shell cuts it: at blanks, with '...', "..." and \.
// Throws Error(kUsage) for a quote that is not closed, and for what only a shell would do, such as pipes and
// variables.
std::vector<std::string> command_words(const std::string& text);

// The text that a script gets of a hyperparameter. In script mode (sagemaker_program) SageMaker's Python SDK
// writes values as JSON, and its toolkit reads them back: "\"sgd\"" is sgd, and true is Python's True.
std::string passed_text(const std::string& text, const Definition& definition);
// As a number where that is written as the same text again, so that a program gets the same argument.
OrderedJson value_of(const std::string& text);

// Adds `command`: the one that is given, else that of the script which the request names. Says so where
// neither is.
void write_command(const Definition& definition, const ImportOptions& options, SpecProblems& problems,
                   SearchDraft& draft);
// Adds `environment`: that of the request, and where the data lies, as SageMaker's toolkit tells scripts.
void write_environment(const Definition& definition, const PathMap& paths, SearchDraft& draft);

}  // namespace tune::amt
