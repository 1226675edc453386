#include "tuner/compare/comparison_document.h"

namespace tune::compare {
namespace {

Json box_json(const ExampleBox& box) {
  Json json = {{"name", box.name}, {"bbox", {box.x, box.y, box.width, box.height}}};
  if (box.score) {
    json["score"] = *box.score;
    json["wrong"] = box.is_wrong;
  }
  return json;
}

Json boxes_json(const std::vector<ExampleBox>& boxes) {
  Json list = Json::array();
  for (const ExampleBox& box : boxes) list.push_back(box_json(box));
  return list;
}

Json classes_json(const RowQuality& row, const ComparisonMaterial& material) {
  const TestNumber& test = material.report.test;
  Json list = Json::array();
  for (const ClassScore& one : row.classes) {
    Json json{{"name", one.name}, {material.counts_objects ? "objects" : "images", one.count}};
    if (!test.of_class.empty()) json[test.of_class] = one.score;
    if (material.counts_objects && !test.second.empty()) json[test.second] = one.second;
    list.push_back(std::move(json));
  }
  return list;
}

Json curve_json(const RowQuality& row) {
  Json steps = Json::array(), values = Json::array();
  for (const MetricPoint& point : row.curve) {
    steps.push_back(point.step);
    values.push_back(number_to_json(point.value));
  }
  return {{"steps", steps}, {"values", values}};
}

Json confusion_json(const RowQuality& row, const ComparisonMaterial& material) {
  if (row.confusion.empty()) return nullptr;
  Json json{{"classes", material.confusable}, {"counts", row.confusion}};
  if (material.counts_objects) json.update({{"iou", material.overlap}, {"score", material.score}});
  return json;
}

Json example_json(const ExampleImage& image) {
  Json json{{"image_id", image.id},
            {"file_name", image.file_name},
            {"width", image.width},
            {"height", image.height},
            {"missing", image.missing}},
      found = Json::array();
  if (image.truth) {
    for (const auto& [model, answer] : image.answers)
      found.push_back({{"model", model}, {"answer", answer.text}, {"wrong", answer.is_wrong}});
    json["truth"] = *image.truth;
  } else {
    for (const auto& [model, boxes] : image.found)
      found.push_back({{"model", model}, {"detections", boxes_json(boxes)}});
    json["objects"] = boxes_json(image.objects);
  }
  json["found"] = std::move(found);
  return json;
}

}  // namespace

Json comparison_document_json(const ComparisonMaterial& material) {
  Json json = comparison_json(material.report);
  for (std::size_t i = 0; i < material.rows.size() && i < json["rows"].size(); ++i) {
    const RowQuality& row = material.rows[i];
    json["rows"][i]["classes"] = classes_json(row, material);
    json["rows"][i]["confusion"] = confusion_json(row, material);
    json["rows"][i]["curve"] = curve_json(row);
    json["rows"][i]["pictured_model"] = row.pictured ? Json(*row.pictured) : Json();
  }
  json["examples"] = Json::array();
  for (const ExampleImage& image : material.examples) json["examples"].push_back(example_json(image));
  json["unreadable"] = Json::array();
  for (const auto& [model, reason] : material.unreadable)
    json["unreadable"].push_back({{"model", model}, {"reason", reason}});
  json["made"] = format_time(material.made);
  json["tune"] = material.version;
  return json;
}

}  // namespace tune::compare
