#include "trainer/tasks/image_classification/data/reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "trainer/data/in_parallel.h"
#include "trainer/data/part_names.h"
#include "trainer/data/tally.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/images/image.h"
#include "trainer/tasks/image_classification/data/listing.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> parts_in(const Listing& listing) {
  std::vector<std::string> parts;
  for (const char* part : data::kPartNames)
    if (std::any_of(listing.images.begin(), listing.images.end(),
                    [&](const ListedImage& image) { return image.part == part; }))
      parts.emplace_back(part);
  return parts;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string words_of(const Listing& listing, const std::vector<std::string>& parts) {
  std::string words = listing.words;
  for (const std::string& part : parts) {
    const auto count = std::count_if(listing.images.begin(), listing.images.end(),
                                     [&](const ListedImage& image) { return image.part == part; });
    words += (part == parts.front() ? "; parts: " : ", ") + part + " (" + std::to_string(count) + ")";
  }
  return words;
}

// Makes a data set of what was listed; lives for one call.
class Reading {
 public:
  Reading(const fs::path& data, const ReadOptions& options)
      : data_(data), options_(options), listing_(list_images(data, options)), parts_(parts_in(listing_)) {}

  Dataset read() {
    require_part();
    for (data::DataProblem& problem : listing_.problems) problems_.add(std::move(problem));
    std::sort(listing_.images.begin(), listing_.images.end(),
              [](const ListedImage& a, const ListedImage& b) { return a.name < b.name; });
    refuse_repeated();
    find_classes();
    dataset_.multi_label = options_.multi_label.value_or(listing_.multi_label);
    dataset_.labelled = options_.labels == Labels::kRequired;
    dataset_.form = words_of(listing_, parts_);
    dataset_.warnings = std::move(listing_.warnings);
    for (const ListedImage& image : listing_.images)
      if (options_.part.empty() || image.part == options_.part) add(image);
    for (const auto& [name, tally] : unknown_) tell_unknown(name, tally);
    look_at_headers();
    if (dataset_.labelled) refuse_equal_bytes();
    if (dataset_.labelled && options_.classes.empty()) look_at_classes();
    problems_.settle(options_.problems, data_.string() + " cannot be used",
                     "Replace, rename or take out what is named above.");
    if (dataset_.examples.empty() && !options_.problems)
      throw Error(ExitCode::kBadData, data_.string() + " holds no image",
                  "Put JPEG, PNG, BMP, TIFF or WebP files there.");
    return std::move(dataset_);
  }

 private:
  struct Unknown {
    std::size_t images = 0;
    std::string first;
  };

  void require_part() const {
    if (options_.part.empty() || has(parts_, options_.part)) return;
    throw Error(ExitCode::kBadData, data_.string() + " has no part of its own for " + options_.part,
                parts_.empty() ? "It is one set (" + listing_.words + "); `split` cuts it."
                               : "Its parts are " + data::listed_names(parts_) + ".");
  }

  void add_problem(const std::string& text, const fs::path& image) {
    problems_.add({text, image, std::nullopt, false});
  }

  void refuse_repeated() {
    std::map<fs::path, const ListedImage*> seen;
    for (const ListedImage& image : listing_.images)
      if (const auto [first, added] = seen.emplace(image.image.lexically_normal(), &image); !added)
        add_problem(image.where + ": the image " + image.name + " is listed twice, first in " +
                        first->second->where + "; take one out",
                    image.image);
  }

  // Of the part that is trained on, where the set has one.
  void find_classes() {
    dataset_.classes = options_.classes.empty() ? listing_.classes : options_.classes;
    if (dataset_.classes.empty()) {
      std::set<std::string> names;
      for (const ListedImage& image : listing_.images)
        if (!has(parts_, "train") || image.part == "train")
          names.insert(image.labels.begin(), image.labels.end());
      dataset_.classes.assign(names.begin(), names.end());
      if (listing_.numbered)
        std::sort(dataset_.classes.begin(), dataset_.classes.end(), [](const auto& a, const auto& b) {
          return data::whole_number(std::string_view(a)) < data::whole_number(std::string_view(b));
        });
    }
    for (std::size_t i = 0; i < dataset_.classes.size(); ++i) {
      if (!data::is_utf8(dataset_.classes[i]))
        add_problem(data_.string() + ": the name of a class is not UTF-8; rename it", {});
      if (!index_of_.emplace(dataset_.classes[i], static_cast<int>(i)).second)
        add_problem(data_.string() + ": the class " + dataset_.classes[i] + " is named twice", {});
    }
  }

  void add(const ListedImage& image) {
    Example example{image.image, image.name, {}, image.part};
    if (dataset_.labelled) {
      std::set<int> labels;
      for (const std::string& name : image.labels)
        if (const auto found = index_of_.find(name); found != index_of_.end())
          labels.insert(found->second);
        else if (Unknown& unknown = unknown_[name]; unknown.images++ == 0)
          unknown.first = image.where;
      if (!dataset_.multi_label && labels.size() != 1) {
        if (image.labels.size() > 1)
          add_problem(image.where + ": the image has " + std::to_string(image.labels.size()) +
                          " labels, where each has one class",
                      image.image);
        return;
      }
      example.labels.assign(labels.begin(), labels.end());
    }
    dataset_.examples.push_back(std::move(example));
  }

  void tell_unknown(const std::string& name, const Unknown& unknown) {
    const std::string images = unknown.images == 1 ? "is that of 1 image, " + unknown.first
                                                   : "is that of " + std::to_string(unknown.images) +
                                                         " images, the first being " + unknown.first;
    add_problem("the class \"" + name + "\" " + images +
                    (options_.classes.empty()
                         ? ", but no image of the part to train on shows it; add some, or take it out"
                         : ", but is none of the labels: " + data::listed_names(options_.classes)),
                {});
  }

  void look_at_headers() {
    std::vector<std::string> failures(dataset_.examples.size());
    std::vector<char> misnamed(dataset_.examples.size(), 0);
    data::in_parallel(failures.size(), options_.threads, [&](std::size_t i) {
      try {
        const fs::path& image = dataset_.examples[i].image;
        const auto named = images::format_of_name(image);
        misnamed[i] = images::read_header(image).format != named.value_or(images::FileFormat::kJpeg) &&
                              named.has_value()
                          ? 1
                          : 0;
      } catch (const Error& error) {
        failures[i] = std::string(error.what()) + ". " + error.hint();
      }
    });
    data::Tally other_formats;
    for (std::size_t i = 0; i < failures.size(); ++i) {
      if (!failures[i].empty()) add_problem(failures[i], dataset_.examples[i].image);
      if (misnamed[i] != 0) other_formats.add(dataset_.examples[i].image.string());
    }
    other_formats.tell(" image is of another format than its name says",
                       " images are of another format than their names say", dataset_.warnings);
  }

  // Only files of the same size are read.
  void refuse_equal_bytes() {
    std::map<std::uintmax_t, std::vector<std::size_t>> by_size;
    for (std::size_t i = 0; i < dataset_.examples.size(); ++i) {
      std::error_code error;
      const std::uintmax_t size = fs::file_size(dataset_.examples[i].image, error);
      if (!error) by_size[size].push_back(i);
    }
    std::vector<std::size_t> candidates;
    for (const auto& of_size : by_size) {
      const std::vector<std::size_t>& members = of_size.second;
      const bool differ = std::any_of(members.begin(), members.end(), [&](std::size_t i) {
        return dataset_.examples[i].labels != dataset_.examples[members.front()].labels;
      });
      if (differ) candidates.insert(candidates.end(), members.begin(), members.end());
    }
    std::sort(candidates.begin(), candidates.end());
    std::vector<std::string> hashes(candidates.size());
    data::in_parallel(candidates.size(), options_.threads, [&](std::size_t i) {
      try {
        hashes[i] = sha256_of_file(dataset_.examples[candidates[i]].image);
      } catch (const Error&) {  // a problem already: its header could not be read either
      }
    });
    std::map<std::string, std::size_t> first_of;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (hashes[i].empty()) continue;
      const auto [first, added] = first_of.emplace(hashes[i], candidates[i]);
      const Example &one = dataset_.examples[first->second], &other = dataset_.examples[candidates[i]];
      if (added || one.labels == other.labels) continue;
      add_problem(one.image.string() + " and " + other.image.string() + " are the same file, but one shows " +
                      label_text(dataset_, one) + " and the other " + label_text(dataset_, other) +
                      "; take one out",
                  other.image);
    }
  }

  void look_at_classes() {
    if (dataset_.classes.empty() && !dataset_.examples.empty())
      add_problem(data_.string() + ": no image shows a class; check the labels", {});
    if (dataset_.classes.size() == 1 && !dataset_.multi_label)
      add_problem(data_.string() + " shows one class only, " + dataset_.classes.front() +
                      "; there is nothing to tell apart, add images of another",
                  {});
    std::vector<std::size_t> images(dataset_.classes.size());
    for (const Example& example : dataset_.examples)
      if (!has(parts_, "train") || example.part == "train")
        for (const int label : example.labels) ++images[static_cast<std::size_t>(label)];
    std::vector<std::string> lone;
    for (std::size_t i = 0; i < images.size(); ++i)
      if (images[i] == 1) lone.push_back(dataset_.classes[i]);
    if (!lone.empty() && (options_.part.empty() || options_.part == "train"))
      dataset_.warnings.push_back(data_.string() + ": only one image to learn from shows " +
                                  data::listed_names(lone));
  }

  fs::path data_;
  const ReadOptions& options_;
  Listing listing_;
  std::vector<std::string> parts_;
  data::Problems problems_;
  std::map<std::string, int> index_of_;
  std::map<std::string, Unknown> unknown_;
  Dataset dataset_;
};

}  // namespace

Dataset read_dataset(const fs::path& data, const ReadOptions& options) {
  return Reading(data.has_filename() ? data : data.parent_path(), options).read();
}

std::vector<std::string> parts_of_set(const fs::path& data, const ReadOptions& options, std::string* words) {
  const Listing listing = list_images(data.has_filename() ? data : data.parent_path(), options);
  std::vector<std::string> parts = parts_in(listing);
  if (words != nullptr) *words = words_of(listing, parts);
  return parts;
}

std::string recognised(const fs::path& data, const Dataset& dataset) {
  return "data: " + data.string() + " is " + dataset.form + "; " +
         plural_text(dataset.examples.size(), "image");
}

}  // namespace tune::trainer::image_classification
