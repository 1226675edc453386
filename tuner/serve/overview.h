#pragma once
// What the first page shows: everything that a store holds, in short.
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "tuner/core/json.h"
#include "tuner/serve/study_book.h"

namespace tune::serve {

// What a study's database files looked like: another stamp, another content.
std::string stamp_of(const std::filesystem::path& study_folder);
// The same of the registry of models and of where endpoints stand.
std::string stamp_of_models(const std::filesystem::path& store);

// Keeps what was said of each study for as long as its files do not change, so that a store of many studies
// costs what changes in it. Any thread.
class Overview {
 public:
  Overview(StudyBook& book, std::string version) : book_(book), version_(std::move(version)) {}
  OrderedJson make();

 private:
  struct Kept {
    std::string stamp;
    OrderedJson summary;
  };
  OrderedJson summary_of(const std::string& study, const std::string& models);

  StudyBook& book_;
  const std::string version_;
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;
};

}  // namespace tune::serve
