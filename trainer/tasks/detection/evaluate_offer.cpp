// `tune-train evaluate`: COCO's numbers of a model on a data set, per class too, and which classes it mixes
// up.
#include <iomanip>
#include <sstream>

#include "trainer/tasks/detection/evaluate_and_predict.h"
#include "trainer/tasks/detection/quality_json.h"
#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::detection {
namespace {

OrderedJson to_json(const Evaluation& evaluation) {
  const Quality& quality = evaluation.quality;
  const metrics::CocoSummary& coco = quality.coco;
  return {{"schema", 1},
          {"form", evaluation.form},
          {"warnings", evaluation.warnings},
          {"images", evaluation.images},
          {"AP", coco.ap},
          {"AP50", coco.ap50},
          {"AP75", coco.ap75},
          {"APs", coco.ap_small},
          {"APm", coco.ap_medium},
          {"APl", coco.ap_large},
          {"AR1", coco.ar1},
          {"AR10", coco.ar10},
          {"AR100", coco.ar100},
          {"ARs", coco.ar_small},
          {"ARm", coco.ar_medium},
          {"ARl", coco.ar_large},
          {"classes", classes_json(evaluation.classes, quality.objects, coco)},
          {"confusion", confusion_json(evaluation.classes, quality.confusion)},
          {"images_per_second", evaluation.images_per_second}};
}

// Columns are numbered, since names are long.
void print_confusion(const Evaluation& evaluation, std::ostream& out) {
  const metrics::Confusion& confusion = evaluation.quality.confusion;
  const std::size_t classes = evaluation.classes.size();
  out << "\nWhat is taken for what, at IoU " << std::setprecision(2) << confusion.overlap
      << " and a score of " << confusion.score << ":\n"
      << std::left << std::setw(28) << "true class" << std::right;
  for (std::size_t c = 0; c < classes; ++c) out << std::setw(7) << c + 1;
  out << std::setw(9) << "missed"
      << "\n";
  for (std::size_t row = 0; row <= classes; ++row) {
    const std::string name = row < classes ? visible_text(evaluation.classes[row]) : "(nothing there)";
    out << std::right << std::setw(3) << (row < classes ? std::to_string(row + 1) : "") << " " << std::left
        << std::setw(24) << name << std::right;
    for (std::size_t c = 0; c < classes; ++c) out << std::setw(7) << confusion.counts[row][c];
    if (row < classes) out << std::setw(9) << confusion.counts[row][classes];
    out << "\n";
  }
}

void print_text(const Evaluation& evaluation, std::ostream& out) {
  const metrics::CocoSummary& coco = evaluation.quality.coco;
  out << std::fixed << std::setprecision(3) << evaluation.images << " images\n\n"
      << std::left << std::setw(24) << "class" << std::right << std::setw(7) << "AP" << std::setw(8) << "AP50"
      << "\n";
  const auto row = [&](const std::string& name, double ap, double ap50) {
    out << std::left << std::setw(24) << name << std::right << std::setw(7) << ap << std::setw(8) << ap50
        << "\n";
  };
  for (std::size_t i = 0; i < evaluation.classes.size(); ++i)
    row(visible_text(evaluation.classes[i]), coco.class_ap[i], coco.class_ap50[i]);
  row("all", coco.ap, coco.ap50);
  out << "\nAP75 " << coco.ap75 << "   small " << coco.ap_small << "   medium " << coco.ap_medium
      << "   large " << coco.ap_large << "   (-1: no such object)\n";
  print_confusion(evaluation, out);
}

loop::Answer answer_evaluate(const loop::Request& request) {
  const Evaluation evaluation =
      evaluate_model(request.text("model"), data_choice(request), loop::threads_for(request), request.notes);
  if (request.as_json) return {to_json(evaluation), ""};
  std::ostringstream text;
  print_text(evaluation, text);
  return {{}, text.str()};
}

}  // namespace

loop::Offer evaluate_offer() {
  std::vector<loop::Option> options{{"model", "MODEL", "folder of a model", true},
                                    {"data", "DATA", "data set with annotations", true},
                                    {"threads", "N", "of the CPU; all cores by default"}};
  image_sets::add_part_options(options, kImagesOption);
  return {"evaluate", options, answer_evaluate};
}

}  // namespace tune::trainer::detection
