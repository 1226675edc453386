#pragma once
// Test images that a page shows, with what each model says of them: boxes, or classes.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::compare {

// A box in pixels, with COCO's corner and sides.
struct ExampleBox {
  std::string name;             // of its class
  std::optional<double> score;  // of a detection
  double x = 0, y = 0, width = 0, height = 0;
  bool is_wrong = false;  // of a detection: it found no object of its class
};

// What a model says of a whole image.
struct ExampleAnswer {
  std::string text;
  bool is_wrong = false;
};

struct ExampleImage {
  std::int64_t id = 0;
  std::string file_name;
  int width = 0, height = 0;      // pixels
  std::string media_type, bytes;  // of the stored copy
  std::string missing;            // why there are no bytes
  std::vector<ExampleBox> objects;
  std::map<int, std::vector<ExampleBox>> found;  // by model, with at least the score; by falling score
  // Where images are told apart whole, in words.
  std::optional<std::string> truth;
  std::map<int, ExampleAnswer> answers;  // by model
};

// The "bbox" of an object or a detection in JSON; nullopt for what is none.
std::optional<ExampleBox> box_of(const Json& json);

// The image's copy, images/ID.EXT in the folder of a scoring; else why it is missing.
void read_picture(const std::filesystem::path& folder, ExampleImage& image);

// Detections choose by falling score, as `tune-train score` counts the confusion: each takes the free object
// that it overlaps most, whatever its class. Those that end with none, or with one of another class, are
// wrong.
void mark_wrong(const std::vector<ExampleBox>& objects, double overlap, std::vector<ExampleBox>& found);

}  // namespace tune::compare
