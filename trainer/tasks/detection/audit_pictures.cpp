#include "trainer/tasks/detection/audit_pictures.h"

#include "trainer/tasks/detection/detection_pictures.h"
#include "trainer/tasks/image_sets/findings_page.h"

namespace tune::trainer::detection {

std::size_t write_audit_pictures(const Audit& audit, const std::filesystem::path& folder) {
  const auto file = [&](std::size_t image) { return audit.example(image).image; };
  image_sets::FindingsPage page(folder, {file, [&](std::size_t image) { return file(image).string(); },
                                         [&](std::size_t image, image_sets::Shown& shown) {
                                           for (const GroundTruth& object : audit.example(image).objects)
                                             shown.draw(object.x1, object.y1, object.x2, object.y2,
                                                        class_colour(object.category));
                                         }});
  for (std::size_t number = 0; number < audit.sets.size(); ++number) {
    const AuditedSet& set = audit.sets[number];
    const std::string which = number == 0 ? "" : "-against";
    page.add_problems("Problems of " + set.data.string(), set.problems, "problem" + which);
    page.add_problems("Objects left out of " + set.data.string(), set.left_out, "left-out" + which);
  }
  page.add_equal("Equal files", audit.byte_equal, "bytes", "boxes");
  page.add_equal("Equal pixels in different files", audit.pixel_equal, "pixels", "boxes");
  page.add_overlaps("Overlapping crops", audit.overlaps, "overlap");
  return page.write();
}

}  // namespace tune::trainer::detection
