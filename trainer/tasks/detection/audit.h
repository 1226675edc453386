#pragma once
// What is wrong with one data set, or with two that are to be apart.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/image_sets/findings.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

struct AuditRequest {
  std::filesystem::path data;
  std::optional<std::filesystem::path> against;
  std::optional<PartChoice> part;  // of `data`
  std::filesystem::path images;    // of `data`, see ReadOptions
  int threads = 1;
  std::ostream* notes = nullptr;
  std::function<bool()> interrupted;
};

struct AuditedClass {
  std::string name;
  std::size_t images = 0, objects = 0;
  // Groups of overlapping images, single ones among them, counted for the main class of their first image.
  std::size_t groups = 0;
};

struct AuditedSet {
  std::filesystem::path data;
  Dataset dataset;
  std::vector<data::DataProblem> problems;  // of files and annotations, undecodable images among them
  std::vector<data::DataProblem> left_out;  // objects that are not used, while the set is
  std::vector<AuditedClass> classes;
  std::map<std::size_t, std::size_t> objects;  // objects in an image -> images
  // How it was cut out of its data (image_sets::CutSets::description); null where it was not.
  OrderedJson split;
};

using image_sets::EqualImages;

struct Audit : image_sets::Findings {
  // What ended the audit early; the rest holds what had been found by then.
  std::optional<Error> failure;
  std::vector<AuditedSet> sets;  // `data`, and `against` where it was given
  // Every image of the sets, one after the other; the findings are indices into it.
  struct Place {
    std::size_t set = 0, index = 0;
  };
  std::vector<Place> images;
  std::vector<image_sets::AuditedImage> shown;  // the same images as others see them

  const Example& example(std::size_t image) const {
    return sets[images[image].set].dataset.examples[images[image].index];
  }
};

// Reads every image and annotation and compares every pair of images. What is wrong with the data is in the
// result, and so is what kept the audit from its end: data that is no data set, an interruption.
Audit audit(const AuditRequest& request);

}  // namespace tune::trainer::detection
