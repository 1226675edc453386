#include "trainer/synthetic/steel_data_set.h"

#include <fstream>
#include <pugixml.hpp>
#include <sstream>
#include <system_error>

#include "trainer/images/encode.h"
#include "trainer/synthetic/steel_defects.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::synthetic {
namespace {

namespace fs = std::filesystem;

void add(pugi::xml_node parent, const char* name, const std::string& text) {
  parent.append_child(name).text().set(text.c_str());
}

std::string voc_xml(const SteelImage& image, const std::string& file_name) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("annotation");
  add(root, "filename", file_name);
  pugi::xml_node size = root.append_child("size");
  add(size, "width", std::to_string(image.size));
  add(size, "height", std::to_string(image.size));
  add(size, "depth", "3");
  for (const detection::GroundTruth& object : image.objects) {
    pugi::xml_node node = root.append_child("object");
    add(node, "name", steel_classes()[static_cast<std::size_t>(object.category) - 1]);
    add(node, "difficult", "0");
    pugi::xml_node box = node.append_child("bndbox");
    add(box, "xmin", std::to_string(static_cast<int>(object.x1)));
    add(box, "ymin", std::to_string(static_cast<int>(object.y1)));
    add(box, "xmax", std::to_string(static_cast<int>(object.x2)));
    add(box, "ymax", std::to_string(static_cast<int>(object.y2)));
  }
  std::ostringstream text;
  document.save(text, "  ", pugi::format_default | pugi::format_no_declaration);
  return text.str();
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(ExitCode::kEnvironment, "cannot create " + folder.string() + ": " + error.message());
}

// The class of an image, and the name of its file.
struct Name {
  std::string steel_class, file;
};

Name name_of(int index) {
  const std::vector<std::string>& classes = steel_classes();
  const auto number = static_cast<std::size_t>(index);
  const std::string& name = classes[number % classes.size()];
  return {name, name + "_" + std::to_string(number / classes.size() + 1)};
}

}  // namespace

void write_steel_data_set(const fs::path& folder, int images, int size, std::uint64_t seed,
                          const std::function<void(int)>& progress) {
  create_folder(folder / "images");
  create_folder(folder / "annotations");
  for (int index = 0; index < images; ++index) {
    const SteelImage image = draw_steel_image(size, seed, index);
    const std::string name = name_of(index).file;
    images::write_grey_as_jpeg(folder / "images" / (name + ".jpg"), image.grey, size, size);
    write_file_atomically(folder / "annotations" / (name + ".xml"), voc_xml(image, name + ".jpg"));
    progress(index + 1);
  }
}

void write_steel_classes(const fs::path& folder, int images, int size, std::uint64_t seed,
                         const std::function<void(int)>& progress) {
  for (int index = 0; index < images; ++index) {
    const SteelImage image = draw_steel_image_of_one_class(size, seed, index);
    const Name name = name_of(index);
    create_folder(folder / name.steel_class);
    images::write_grey_as_jpeg(folder / name.steel_class / (name.file + ".jpg"), image.grey, size, size);
    progress(index + 1);
  }
}

}  // namespace tune::trainer::synthetic
