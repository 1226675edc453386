#include "tuner/endpoint/supervisor/followed_versions.h"

#include <sys/stat.h>

#include <ctime>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"

namespace tune::endpoint {
namespace {

namespace fs = std::filesystem;

// Changes with each change of the file: a commit writes to it. Empty where one may have followed within the
// same tick of the kernel's clock, so that it is read again.
std::string look_of(const fs::path& file) {
  constexpr std::int64_t kTick = 1;  // seconds: more than any file system's
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t age = now.tv_sec - status.st_mtim.tv_sec;
  if (age >= 0 && age <= kTick) return {};
  return std::to_string(status.st_ino) + ' ' + std::to_string(status.st_size) + ' ' +
         std::to_string(status.st_mtim.tv_sec) + '.' + std::to_string(status.st_mtim.tv_nsec);
}

std::string damage_text(const std::vector<std::string>& damage) {
  if (damage.size() < 2) return damage.front();
  return damage.front() + " (and " + std::to_string(damage.size() - 1) + " more such)";
}

std::vector<std::string> damage_in(FileCheck& check) {
  try {
    return check.damage();
  } catch (const Error& error) {
    return {error.what()};
  }
}

}  // namespace

FollowedVersions::FollowedVersions(fs::path store, const Endpoint& asked)
    : store_(std::move(store)), asked_(asked) {}

void FollowedVersions::begin() {
  check_ = std::make_unique<FileCheck>(choose_versions(store_, asked_), ChosenVersions{});
}

const ChosenVersions& FollowedVersions::wanted() const {
  if (check_) return check_->versions();
  return loading_ ? *loading_ : serving_;
}

bool FollowedVersions::take_check() {
  if (!check_ || !check_->is_done()) return false;
  const std::unique_ptr<FileCheck> check = std::move(check_);
  const ChosenVersions& versions = check->versions();
  const std::vector<std::string> damage = damage_in(*check);
  const bool is_first = serving_.main.version == 0;
  if (!damage.empty() && is_first)
    throw Error(
        ExitCode::kEnvironment, damage_text(damage),
        "restore it from a copy (`tune models verify` names every such file), or deploy another version");
  if (!damage.empty()) {
    loading_ = versions;
    refuse(damage_text(damage));
    return true;
  }
  if (!is_first) {
    loading_ = versions;
    deaths_ = 0;
    return true;
  }
  if (const ChosenVersions now = choose_versions(store_, asked_); now != versions)
    throw Error(ExitCode::kConflict,
                reference_text(asked_.model) + " was " + versions.main.text() + " and is " + now.main.text() +
                    " since: it moved while the files were checked",
                "the same command again deploys what it names now");
  serving_ = versions;
  return true;
}

bool FollowedVersions::look() {
  const std::string look = look_of(registry_file(models_folder(store_)));
  if (!look.empty() && look == seen_) return false;
  ChosenVersions named;
  try {
    named = choose_versions(store_, asked_);
  } catch (const Error& error) {
    // Another process may hold the registry, or be about to put it back.
    const std::string problem = std::string(error.what()) + "; what it served before goes on";
    if (problem == problem_) return false;
    problem_ = problem;
    return true;
  }
  seen_ = look;
  if (named == wanted()) {
    if (named != serving_ || problem_.empty()) return false;
    refused_.reset();
    problem_.clear();
    return true;
  }
  if (refused_ && named == *refused_ && wanted() == serving_) return false;
  check_.reset();
  loading_.reset();
  refused_.reset();
  problem_.clear();
  if (named != serving_) check_ = std::make_unique<FileCheck>(std::move(named), serving_);
  return true;
}

void FollowedVersions::take_loaded() {
  serving_ = *loading_;
  loading_.reset();
  problem_.clear();
}

void FollowedVersions::refuse(const std::string& why) {
  problem_ = loading_->main.text() + " is not served: " + why + "; " + serving_.main.text() + " goes on";
  refused_ = std::move(loading_);
  loading_.reset();
}

bool FollowedVersions::take_death() {
  constexpr int kMostDeaths = 2;
  if (++deaths_ < kMostDeaths) return false;
  refuse("the worker ended each time it loaded it");
  return true;
}

}  // namespace tune::endpoint
