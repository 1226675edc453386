#pragma once
// What is wrong with one set of labelled images, or with two that are to be apart.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_sets/findings.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {

struct AuditRequest {
  DataChoice data;
  std::optional<std::filesystem::path> against;
  int threads = 1;
  std::ostream* notes = nullptr;
  std::function<bool()> interrupted;
};

struct AuditedClass {
  std::string name;
  std::size_t images = 0;
  // Groups of overlapping images, single ones among them, counted for the classes of their first image.
  std::size_t groups = 0;
};

struct AuditedSet {
  std::filesystem::path data;
  Dataset dataset;
  std::vector<data::DataProblem> problems;  // of files and labels, undecodable images among them
  std::vector<AuditedClass> classes;
  OrderedJson split;  // how it was cut out of its data; null where it was not
};

struct Audit : image_sets::Findings {
  // What ended the audit early; the rest holds what had been found by then.
  std::optional<Error> failure;
  std::vector<AuditedSet> sets;  // `data`, and `against` where it was given
  // Every image of the sets, one after the other; the findings are indices into it.
  std::vector<image_sets::AuditedImage> images;
  std::vector<std::string> labels;  // their classes by name
  // Images that are not equal, but show the whole of the same picture: saved again, brightened. They are not
  // among the overlaps.
  std::vector<data::Overlap> nearly_equal;
};

// Pictures that are equal or nearly, or share a part, with different classes.
std::size_t count_contradictions(const Audit& audit);
// Those of findings.h, and what is nearly equal.
std::size_t count_leaks(const Audit& audit);

// Reads every image and label and compares every pair of images. What is wrong with the data is in the
// result, and so is what kept the audit from its end: data that is no data set, an interruption.
Audit audit(const AuditRequest& request);

}  // namespace tune::trainer::image_classification
