#pragma once
// Everything wrong with a data set in one message, so that a person repairs it in one go.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tune::trainer::data {

struct Corners {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // pixels
};

// One thing that is wrong, and where it can be looked at.
struct DataProblem {
  std::string text;             // names file and object, the cause and, where it differs, the cure
  std::filesystem::path image;  // empty where the problem belongs to no image
  std::optional<Corners> box;   // as the annotation has it
  bool left_out = false;        // the object was left out, and the set is used all the same
};

// Owned by a reader, on its thread. Collects and throws; judges nothing.
class Problems {
 public:
  // A sentence that names file and object, the cause and, where it is not the same for all, the cure.
  void add(std::string problem);
  void add(DataProblem problem);
  // What is for a collector alone, and refuses nothing.
  void leave_out(DataProblem problem);
  bool empty() const { return all_.empty(); }
  // Throws Error(kBadData) with `title`, the first 20 problems and the number of the others, if there are
  // any.
  void throw_if_any(const std::string& title, const std::string& hint) const;
  // As throw_if_any(), unless there is a `collector`: it gets them all, and nothing is thrown.
  void settle(std::vector<DataProblem>* collector, const std::string& title, const std::string& hint) const;

 private:
  std::vector<DataProblem> all_, left_out_;
};

}  // namespace tune::trainer::data
