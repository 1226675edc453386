#pragma once
// What every reader asks of an annotation, whatever format it came from. Used by the readers of this folder
// alone.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/data/problems.h"

namespace tune::trainer::detection {

// Adds the object to the example, or a problem. A box up to 1 pixel outside is clipped with a warning.
// `where` names file and object. `area` < 0: the box's own.
void add_object(const Corners& corners, const GroundTruth& labels, double area, const std::string& where,
                Example& example, Dataset& dataset, Problems& problems);

// Sets the example's size from the image's header. `stated` are the annotation's width and height, 0 where it
// has none; another size than the image's is a problem, since the boxes would be misplaced. False when there
// was a problem.
bool measure_image(Example& example, int stated_width, int stated_height, Problems& problems);

// Class names end in JSON files, which hold nothing else.
bool is_utf8(const std::string& name);

// Class names to 1-based categories: those given, or those met.
class ClassNames {
 public:
  explicit ClassNames(const std::vector<std::string>& given);
  // 0 with a problem when the name is not among those given.
  int category(const std::string& name, const std::string& where, Problems& problems);
  bool fixed() const { return fixed_; }
  // The names met (or given), sorted when they were met; renumbers the objects of `dataset`.
  void finish(Dataset& dataset) const;

 private:
  bool fixed_;
  std::vector<std::string> names_;
  std::map<std::string, int> categories_;
};

bool has_image_extension(const std::filesystem::path& file);
// What lies directly in `folder`, sorted by name. Throws Error(kBadData) when it cannot be read.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder);
// The images of that.
std::vector<std::filesystem::path> images_in(const std::filesystem::path& folder);

// Formats; read_dataset() chooses. Neither checks that the set is not empty.
struct ReadOptions;
Dataset read_voc(const std::filesystem::path& folder, const ReadOptions& options);
Dataset read_coco(const std::filesystem::path& file, const ReadOptions& options);
Dataset read_yolo(const std::filesystem::path& folder, const ReadOptions& options);

}  // namespace tune::trainer::detection
