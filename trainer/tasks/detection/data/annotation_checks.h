#pragma once
// What every reader asks of an annotation, whatever format it came from. Used by the readers of this folder
// alone.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/data/tally.h"
#include "trainer/tasks/detection/data/dataset.h"
#include "trainer/tasks/detection/data/layout.h"

namespace tune::trainer::detection {

// Puts objects into examples and measures images, as one reader reads them. Lives as long as that reader, on
// its thread.
class AnnotationChecks {
 public:
  AnnotationChecks(Dataset& dataset, data::Problems& problems) : dataset_(dataset), problems_(problems) {}

  // Adds the object to the example, or a problem. A box up to 1 pixel outside is clipped with a warning; one
  // without area is left out and counted. `where` names file and object. `area` < 0: the box's own.
  void add_object(const data::Corners& corners, const GroundTruth& labels, double area,
                  const std::string& where, Example& example);

  // Sets the example's size from the image's header. `stated` are the annotation's width and height, 0 where
  // it has none; another size than the image's is a problem, since the boxes would be misplaced. False when
  // there was a problem.
  bool measure(Example& example, int stated_width, int stated_height);

  // Warns of what was counted, and of objects that are there twice.
  void finish();

 private:
  void drop(const std::string& cause, const data::Corners& corners, const std::string& where,
            const Example& example);

  Dataset& dataset_;
  data::Problems& problems_;
  data::Tally without_area_, turned_, misnamed_;
};

// Class names to 1-based categories: those given, or those met.
class ClassNames {
 public:
  explicit ClassNames(const std::vector<std::string>& given);
  // 0 with a problem when the name is not among those given.
  int category(const std::string& name, const std::string& where, data::Problems& problems);
  bool fixed() const { return fixed_; }
  // The names met (or given), sorted when they were met; renumbers the objects of `dataset`.
  void finish(Dataset& dataset) const;

 private:
  bool fixed_;
  std::vector<std::string> names_;
  std::map<std::string, int> categories_;
};

// The examples of the places that belong to `part` ("": all), with the ids of the whole set and without
// sizes or objects.
std::vector<Example> examples_of(const Layout& layout, const std::string& part);

// Readers of the formats. None checks that the set is not empty.
struct ReadOptions;
Dataset read_voc(const std::filesystem::path& data, const Layout& layout, const ReadOptions& options);
Dataset read_coco(const CocoPlace& place, const ReadOptions& options);
Dataset read_yolo(const std::filesystem::path& data, const Layout& layout, const ReadOptions& options);

}  // namespace tune::trainer::detection
