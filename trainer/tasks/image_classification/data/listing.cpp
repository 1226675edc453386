#include "trainer/tasks/image_classification/data/listing.h"

#include <algorithm>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExpected =
    "Expected a folder for each class (pit/a.jpg, scratch/b.jpg), whole or in train/, val/ and test/; a .lst "
    "file (index, label, path, with tabs); or a CSV with the columns path and label. \"classes_from\": "
    "\"file_name\" in `trainer` takes the class from names such as pit_12.jpg.";

fs::path folder_of(const fs::path& list) {
  return list.parent_path().empty() ? fs::path(".") : list.parent_path();
}

Listing list_file(const fs::path& file, const ReadOptions& options) {
  return data::has_extension(file, {".lst"}) ? list_lst(file, options) : list_table(file, options);
}

std::string names_of(const std::vector<fs::path>& files) {
  std::vector<std::string> names;
  for (const fs::path& file : files) names.push_back(file.filename().string());
  return data::listed_names(names);
}

// The lists of one set. Several labels of an image in one of them make it a set of several labels, in which
// an empty label is no mistake.
std::vector<Listing> list_alike(const std::vector<fs::path>& files, const ReadOptions& options) {
  std::vector<Listing> listings;
  for (const fs::path& file : files) listings.push_back(list_file(file, options));
  if (std::none_of(listings.begin(), listings.end(),
                   [](const Listing& listing) { return listing.multi_label; }))
    return listings;
  ReadOptions several = options;
  several.multi_label = true;
  for (std::size_t i = 0; i < files.size(); ++i)
    if (!listings[i].multi_label) listings[i] = list_file(files[i], several);
  return listings;
}

// Lists that are named as parts: train.lst, val.lst. nullopt where one is not, or two are the same part.
std::optional<Listing> list_parts(const std::vector<fs::path>& files, const ReadOptions& options) {
  std::set<std::string> parts;
  Listing whole;
  for (const fs::path& file : files) {
    const std::string part = data::part_of_name(file.stem().string());
    if (part.empty() || !parts.insert(part).second) return std::nullopt;
  }
  std::vector<Listing> listings = list_alike(files, options);
  for (std::size_t i = 0; i < files.size(); ++i) {
    Listing& listing = listings[i];
    for (ListedImage& image : listing.images) {
      image.part = data::part_of_name(files[i].stem().string());
      whole.images.push_back(std::move(image));
    }
    whole.classes = listing.classes;  // one file of names lies beside them all
    whole.numbered = listing.numbered;
    whole.multi_label = whole.multi_label || listing.multi_label;
    whole.problems.insert(whole.problems.end(), listing.problems.begin(), listing.problems.end());
    whole.warnings.insert(whole.warnings.end(), listing.warnings.begin(), listing.warnings.end());
  }
  whole.words = names_of(files);
  return whole;
}

std::vector<fs::path> lists_in(const fs::path& folder) {
  std::vector<fs::path> files = data::files_in(folder);
  std::erase_if(files, [](const fs::path& file) { return !data::has_extension(file, {".lst", ".csv"}); });
  return files;
}

bool several_classes(const Listing& listing) {
  return std::any_of(listing.images.begin(), listing.images.end(),
                     [&](const ListedImage& image) { return image.labels != listing.images.front().labels; });
}

Listing list_folder(const fs::path& folder, const ReadOptions& options) {
  const std::vector<fs::path> lists =
      options.labels == Labels::kRequired ? lists_in(folder) : std::vector<fs::path>{};
  // images/ beside a table is no class.
  if (auto listing = list_class_folders(folder, options);
      listing && (lists.empty() || several_classes(*listing))) {
    if (!lists.empty())
      listing->warnings.push_back(folder.string() + ": the folders say what is what, so " + names_of(lists) +
                                  (lists.size() == 1 ? " is" : " are") +
                                  " not read; name such a file as the data to use it instead");
    return std::move(*listing);
  }
  if (lists.size() == 1) return list_file(lists.front(), options);
  if (!lists.empty()) {
    if (auto listing = list_parts(lists, options)) return std::move(*listing);
    throw Error(ExitCode::kBadData,
                folder.string() +
                    " holds several lists, and their names do not say which are the parts for "
                    "training, validation and test: " +
                    names_of(lists),
                "Name one of them, or call them train.csv, val.csv and test.csv.");
  }
  throw Error(ExitCode::kBadData,
              folder.string() + (data::pictures_of(folder).empty()
                                     ? " holds no image"
                                     : " holds images, but nothing that says what they show"),
              kExpected);
}

Listing one_picture(const fs::path& file, const ReadOptions& options) {
  if (options.labels == Labels::kRequired)
    throw Error(ExitCode::kBadData, file.string() + " is one image, without a class",
                "Name the folder of the data set.");
  Listing listing;
  listing.words = "one image";
  listing.images.push_back({file, file.filename().generic_string(), {}, "", file.string()});
  return listing;
}

}  // namespace

fs::path listed_image(const std::string& text, const fs::path& list, const std::string& where,
                      const ReadOptions& options, Listing& listing) {
  const fs::path root = fs::absolute(options.images.empty() ? folder_of(list) : options.images);
  const fs::path given = data::with_slashes(text);
  const auto refuse = [&](const std::string& cause) {
    listing.problems.push_back({where + ": " + cause, {}, std::nullopt, false});
    return fs::path();
  };
  if (text.empty()) return refuse("the path is empty");
  if (text.find("://") != text.npos)
    return refuse("the image " + text + " is no path of this machine; fetch it, and write where it lies");
  const fs::path inside = (root / given).lexically_normal().lexically_relative(root.lexically_normal());
  if (inside.empty() || *inside.begin() == "..")
    return refuse("the image " + text + " leads out of " +
                  (options.images.empty() ? folder_of(list) : options.images).string() +
                  "; copy it there, or let `images` name a folder that holds all of them");
  const fs::path image =
      ((options.images.empty() ? folder_of(list) : options.images) / inside).lexically_normal();
  if (!data::is_there(image))
    return refuse("there is no image " + image.string() + "; put it there or take the line out");
  return image;
}

Listing list_images(const fs::path& data, const ReadOptions& options) {
  const fs::file_status status = data::status_of_data(data);
  if (fs::is_directory(status)) return list_folder(data, options);
  if (data::has_extension(data, {".lst", ".csv"})) return list_file(data, options);
  if (images::is_picture(data)) return one_picture(data, options);
  throw Error(ExitCode::kBadData, data.string() + " is neither a folder, a .lst file nor a CSV", kExpected);
}

}  // namespace tune::trainer::image_classification
