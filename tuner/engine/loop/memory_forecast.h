#pragma once
// How much of a GPU's memory the next trial will take, by what earlier ones took.
#include <cstdint>
#include <memory>
#include <optional>

#include "store/study_store.h"
#include "strategies/memory_model.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

// Owned by the desk, on its thread. Knows what attempts took that are in the store, and is told of the others
// as they end. Fits a model where something is asked, not before.
class MemoryForecast {
 public:
  MemoryForecast(const Spec& spec, const store::StudyStore& store);

  void add(const ParameterSet& parameters, const store::AttemptFacts& facts);
  // Bytes that such a trial will hardly exceed; nullopt while too little is known.
  std::optional<std::uint64_t> most(const ParameterSet& parameters, const Json& overrides) const;
  // The least that any trial was seen to take; nullopt while too little is known to forecast any.
  std::optional<std::uint64_t> least() const;

 private:
  const Spec& spec_;
  strategies::MemoryModel model_;
};

}  // namespace tune::engine
