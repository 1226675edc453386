"""Makes coco_cases.json: ground truth, detections and the twelve numbers of pycocotools for random and hostile cases.

Run by hand with pycocotools and numpy installed: python make_golden.py > coco_cases.json
"""
import contextlib
import io
import json
import random

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def score(case):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(json.dumps(case["ground_truth"]))
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(json.loads(json.dumps(case["detections"]))), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(number) for number in run.stats]


def random_case(rng, images, classes, objects, detections, name, crowd=0.0, ties=False, exact=False, first_id=1):
    truth, found = [], []
    for image in range(1, images + 1):
        for _ in range(rng.randint(0, objects)):
            w, h = rng.choice([8, 20, 40, 120]), rng.choice([10, 32, 60, 130])
            box = [round(rng.uniform(0, 200), 2), round(rng.uniform(0, 200), 2), w, h]
            category = rng.randint(1, classes)
            truth.append({"id": len(truth) + first_id, "image_id": image, "category_id": category, "bbox": box, "area": w * h,
                          "iscrowd": int(rng.random() < crowd)})
            for _ in range(rng.randint(0, detections)):
                wobble = 0 if exact else rng.choice([0, 1, 4, 12])
                moved = [v + rng.uniform(-wobble, wobble) for v in box[:2]] + [max(1, v + rng.uniform(-wobble, wobble)) for v in box[2:]]
                if exact:  # half the width: an IoU of exactly one half
                    moved[2] = box[2] / rng.choice([1, 2, 4])
                value = rng.choice([0.25, 0.5, 0.75]) if ties else round(rng.random(), 4)
                found.append({"image_id": image, "category_id": category if rng.random() < 0.8 else rng.randint(1, classes),
                              "bbox": [round(v, 3) for v in moved], "score": value})
        for _ in range(rng.randint(0, 3)):
            found.append({"image_id": image, "category_id": rng.randint(1, classes), "score": round(rng.random(), 4),
                          "bbox": [round(rng.uniform(0, 200), 1), round(rng.uniform(0, 200), 1), rng.randint(2, 90), rng.randint(2, 90)]})
    if first_id == 0:  # a perfect detection of the object that pycocotools takes for nothing
        found.append({"image_id": truth[0]["image_id"], "category_id": truth[0]["category_id"], "bbox": truth[0]["bbox"],
                      "score": 0.99})
    case = {"name": name, "ground_truth": {"images": [{"id": i} for i in range(1, images + 1)], "annotations": truth,
                                           "categories": [{"id": c, "name": f"class {c}"} for c in range(1, classes + 1)]},
            "detections": found}
    case["expected"] = score(case)
    return case


def main():
    rng = random.Random(11)
    cases = [
        random_case(rng, 12, 4, 5, 3, "random boxes"),
        random_case(rng, 8, 3, 6, 3, "ties of score", ties=True),
        random_case(rng, 8, 3, 6, 3, "crowds", crowd=0.3),
        random_case(rng, 6, 9, 2, 2, "classes without objects or detections"),
        random_case(rng, 2, 1, 6, 40, "more than a hundred detections in an image"),
        random_case(rng, 8, 3, 5, 3, "overlaps exactly at a threshold", exact=True, ties=True),
        random_case(rng, 6, 3, 6, 4, "crowds, ties and exact overlaps at once", crowd=0.3, exact=True, ties=True),
        random_case(rng, 6, 3, 6, 4, "annotation ids from 0", first_id=0, exact=True),
        random_case(rng, 30, 7, 6, 4, "more numbers than one block of numpy's summation"),
    ]
    print(json.dumps(cases))


main()
