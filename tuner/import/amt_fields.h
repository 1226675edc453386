#pragma once
// The fields of SageMaker's CreateHyperParameterTuningJob (API of 2017-07-24, as botocore's service model has
// them), each once: what it must look like, and what becomes of it here.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/import/import_report.h"
#include "tuner/spec/spec_problems.h"

namespace tune::amt {

enum class FieldKind { kText, kNumber, kWholeNumber, kFlag, kObject, kObjects, kAny };

enum class Fate {
  kRead,      // the importer reads it
  kIgnored,   // means nothing on a machine of one's own
  kUnmapped,  // no key of a spec says it
};

struct FieldTable;

struct Field {
  std::string_view name;
  FieldKind kind = FieldKind::kAny;
  bool required = false;
  std::optional<double> least = {}, most = {};  // numbers; characters of texts; entries of lists
  std::vector<std::string_view> choices = {};   // of texts, in the spelling of the API
  const FieldTable* fields = nullptr;           // of objects, and of the entries of kObjects
  Fate fate = Fate::kRead;
  std::string_view reason = {};  // why it is ignored or unmapped
};

struct FieldTable {
  std::vector<Field> fields;
};

// The whole request.
const FieldTable& request_fields();

// Checks the kinds, choices and bounds of a whole request, and reports every field that nothing reads.
void check_fields(const OrderedJson& request, SpecProblems& problems, ImportReport& report);

// The same choice as the guides spell it: "IDENTICAL_DATA_AND_ALGORITHM" of "IdenticalDataAndAlgorithm".
std::string guide_spelling(std::string_view choice);
// The API's spelling of either; the text itself where it is no choice.
std::string api_spelling(const std::string& text, const std::vector<std::string_view>& choices);

// Characters, where the text is UTF-8.
std::size_t character_count(std::string_view text);

}  // namespace tune::amt
