#pragma once
// The findings of an audit as a folder that a browser shows, whatever the task.
#include <filesystem>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/problems.h"
#include "trainer/tasks/image_sets/findings.h"
#include "trainer/tasks/image_sets/picture_page.h"

namespace tune::trainer::image_sets {

// What a task says of the images of its audit, which are known by their indices.
struct AuditedLooks {
  std::function<std::filesystem::path(std::size_t image)> file;
  std::function<std::string(std::size_t image)> name;
  // Draws what the task knows of the image onto it; empty where it draws nothing.
  std::function<void(std::size_t image, Shown& shown)> draw;
};

// Writes one JPEG for each finding (the images side by side, what they share framed in yellow, bad boxes in
// red) and an index.html that lists them into a folder made before. Images that do not decode are listed
// without one. Lives for one call, on its thread.
class FindingsPage {
 public:
  FindingsPage(const std::filesystem::path& folder, AuditedLooks looks)
      : looks_(std::move(looks)), page_(folder, "Audit") {}

  // `kind` begins the names of the pictures: "problem".
  void add_problems(const std::string& title, const std::vector<data::DataProblem>& problems,
                    const std::string& kind);
  // `labels` are what the images have the same or different: "boxes".
  void add_equal(const std::string& title, const std::vector<EqualImages>& found, const std::string& kind,
                 const std::string& labels);
  void add_overlaps(const std::string& title, const std::vector<data::Overlap>& overlaps,
                    const std::string& kind);
  // Gives the number of pictures.
  std::size_t write() { return page_.write(); }

 private:
  std::optional<Shown> load(const std::filesystem::path& file);
  std::optional<Shown> drawn(std::size_t image);

  AuditedLooks looks_;
  PicturePage page_;
  std::list<std::pair<std::filesystem::path, std::optional<Shown>>> recent_;  // images are in many findings
};

}  // namespace tune::trainer::image_sets
