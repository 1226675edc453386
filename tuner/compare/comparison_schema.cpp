// The JSON Schema of a comparison file, out of the table of its keys.
#include "tuner/compare/comparison.h"
#include "tuner/compare/comparison_keys.h"
#include "tuner/spec/spec.h"

namespace tune::compare {

OrderedJson comparison_schema() {
  OrderedJson schema{{"$schema", kSchemaDraft}, {"title", "tune: specification of a comparison, version 1"}};
  schema.update(object_schema(comparison_table()));
  OrderedJson& approach = schema["properties"]["approaches"]["items"];
  require_an_end(approach["properties"]["search"]);
  for (OrderedJson* trained : {&schema, &approach})
    (*trained)["not"] = {{"required", {"trainer", "command"}}};
  return schema;
}

OrderedJson file_schema() {
  return {{"$schema", kSchemaDraft},
          {"title", "tune: a search (tune --spec FILE), or a comparison (tune compare FILE)"},
          {"type", "object"},
          {"if", {{"required", {"comparison"}}}},
          {"then", comparison_schema()},
          {"else", spec_schema()}};
}

}  // namespace tune::compare
