#pragma once
// How an endpoint follows its references: from the version that an alias names to the worker that serves it.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/endpoint/endpoint.h"
#include "tuner/endpoint/supervisor/chosen_versions.h"

namespace tune::endpoint {

// What is served, and what is to be: chosen in the registry, then checked, then loaded by a worker. What was
// refused on the way is not tried again until the references name something else. Owned by the supervisor, on
// its thread; starts no process.
class FollowedVersions {
 public:
  FollowedVersions(std::filesystem::path store, const Endpoint& asked);

  // Chooses the first versions and begins to check them. Throws as choose_versions().
  void begin();
  bool is_checking() const { return check_ != nullptr; }
  // Takes the result of the check once there is one; true when there was. Of the first versions it throws
  // Error(kEnvironment) for damaged files, and Error(kConflict) where the references name others by now.
  bool take_check();
  // Reads the registry where it has changed since. True when something else is wanted, or `problem` changed.
  // Not while the worker loads what is to_load().
  bool look();

  // The first versions, and later what the worker has loaded last. Empty before they were checked.
  const ChosenVersions& serving() const { return serving_; }
  // Checked, and to be loaded beside those; nullptr: nothing.
  const ChosenVersions* to_load() const { return loading_ ? &*loading_ : nullptr; }
  const ChosenVersions& wanted() const;  // what is checked, loaded or served, whichever comes first
  void take_loaded();
  void refuse(const std::string& why);  // what is to be loaded
  // The worker ended while it loaded: once may be chance, twice is refused. True when it was refused.
  bool take_death();

  // Why what the references name is not served, a sentence; empty when it is.
  const std::string& problem() const { return problem_; }

 private:
  std::filesystem::path store_;
  const Endpoint& asked_;
  ChosenVersions serving_;
  std::unique_ptr<FileCheck> check_;
  std::optional<ChosenVersions> loading_, refused_;
  int deaths_ = 0;
  std::string seen_;  // the registry's size and times when it was read last
  std::string problem_;
};

}  // namespace tune::endpoint
