#include "store/study_versions.h"

#include "tuner/core/store_layout.h"

namespace tune::store {

std::vector<StudyVersion> versions_of_study(const std::filesystem::path& store, const std::string& study,
                                            WallTime study_created) {
  std::vector<StudyVersion> found;
  const std::filesystem::path file = registry_file(models_folder(store));
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return found;
  const ModelRegistry registry(file, OpenMode::kRead);
  for (const std::string& model : registry.models()) {
    const auto current = registry.current(model);
    const std::vector<Promotion> promotions = registry.promotions(model);
    for (ModelVersion& version : registry.versions(model)) {
      if (version.study != study || version.created < study_created) continue;
      StudyVersion& one = found.emplace_back();
      one.is_current = current && current->version == version.version;
      for (const Promotion& promotion : promotions)
        if (promotion.to == version.version && promotion.outcome == PromotionOutcome::kMoved)
          one.promotions.push_back(promotion);
      one.version = std::move(version);
    }
  }
  return found;
}

}  // namespace tune::store
