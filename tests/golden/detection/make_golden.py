"""Makes map_cases.json: boxes, pycocotools' twelve numbers and VOC's two, for random and hostile cases.

Run by hand with pycocotools 2.0.11 and numpy installed: python make_golden.py > map_cases.json

VOC's numbers come from the plain code below. Rows are short so that the file stays small: objects are [image, category,
x, y, w, h, area, crowd, difficult], detections [image, category, x, y, w, h, score]. Objects are numbered from `first_id`.
"""
import contextlib
import io
import json
import math
import random

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def coco(case):
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i} for i in case["images"]],
        "categories": [{"id": c} for c in case["categories"]],
        "annotations": [{"id": case["first_id"] + n, "image_id": o[0], "category_id": o[1], "bbox": o[2:6], "area": o[6],
                         "iscrowd": o[7]} for n, o in enumerate(case["objects"])]}
    found = [{"image_id": d[0], "category_id": d[1], "bbox": d[2:6], "score": d[6]} for d in case["detections"]]
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(number) for number in run.stats]


def inclusive_iou(a, b):
    """PASCAL VOC counts the last pixel: boxes [x, y, w, h] grow by one on the right and below."""
    ax2, ay2, bx2, by2 = a[0] + a[2] + 1, a[1] + a[3] + 1, b[0] + b[2] + 1, b[1] + b[3] + 1
    w, h = min(ax2, bx2) - max(a[0], b[0]), min(ay2, by2) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((ax2 - a[0]) * (ay2 - a[1]) + (bx2 - b[0]) * (by2 - b[1]) - w * h)


def voc_curve(objects, detections):
    """Precision and recall after each detection; equal scores stay in the order given."""
    positives = sum(not (o[7] or o[8]) for o in objects)
    taken, hits, seen, precision, recall = set(), 0, 0, [], []
    for d in sorted(detections, key=lambda d: -d[6]):
        here = [(n, inclusive_iou(d[2:6], o[2:6])) for n, o in enumerate(objects) if o[0] == d[0]]
        n, overlap = max(here, key=lambda pair: pair[1], default=(None, 0))  # the first of equal ones
        if n is not None and overlap >= 0.5:
            if objects[n][7] or objects[n][8]:
                continue  # difficult: neither right nor wrong
            if n not in taken:
                taken.add(n)
                hits += 1
        seen += 1
        precision.append(hits / seen)
        recall.append(hits / positives)
    return precision, recall


def voc(case):
    eleven, area = [], []
    for category in case["categories"]:
        objects = [o for o in case["objects"] if o[1] == category]
        if not any(not (o[7] or o[8]) for o in objects):
            continue
        precision, recall = voc_curve(objects, [d for d in case["detections"] if d[1] == category])
        # numpy.arange(0, 1.1, 0.1)
        eleven.append(sum(max((p for p, r in zip(precision, recall) if r >= n * 0.1), default=0) for n in range(11)) / 11)
        total, before = 0.0, 0.0
        for n, r in enumerate(recall):
            total += (r - before) * max(precision[n:])
            before = r
        area.append(total)
    return [sum(values) / len(values) if values else -1.0 for values in (eleven, area)]


def case(name, objects, detections, images=None, categories=None, first_id=1):
    return {"name": name, "first_id": first_id, "objects": objects, "detections": detections,
            "images": images or sorted({row[0] for row in objects + detections}),
            "categories": categories or sorted({row[1] for row in objects + detections})}


def thing(image, category, box, area=None, crowd=0, difficult=0):
    return [image, category, *box, box[2] * box[3] if area is None else area, crowd, difficult]


def random_case(rng, name, images=8, classes=3, objects=6, copies=3, crowd=0.0, difficult=0.0, ties=False, exact=False,
                first_id=1, sizes=(8, 20, 40, 120), noise=3):
    truth, found = [], []
    for image in range(1, images + 1):
        for _ in range(rng.randint(0, objects)):
            box = [round(rng.uniform(0, 200), 1), round(rng.uniform(0, 200), 1), rng.choice(sizes), rng.choice(sizes)]
            category = rng.randint(1, classes)
            area = None if rng.random() < 0.7 else round(box[2] * box[3] * rng.uniform(0.3, 1), 1)
            truth.append(thing(image, category, box, area, int(rng.random() < crowd), int(rng.random() < difficult)))
            for _ in range(rng.randint(0, copies)):
                wobble = 0 if exact else rng.choice([0, 1, 4, 12])
                moved = [v + rng.uniform(-wobble, wobble) for v in box[:2]] + \
                        [max(1, v + rng.uniform(-wobble, wobble)) for v in box[2:]]
                if exact:  # a part of the width: an IoU of exactly one half
                    moved[2] = box[2] / rng.choice([1, 2, 4])
                value = rng.choice([0.25, 0.5, 0.75]) if ties else round(rng.random(), 3)
                found.append([image, category if rng.random() < 0.8 else rng.randint(1, classes),
                              *[round(v, 2) for v in moved], value])
        for _ in range(rng.randint(0, noise)):
            found.append([image, rng.randint(1, classes), round(rng.uniform(0, 200)), round(rng.uniform(0, 200)),
                          rng.randint(2, 90), rng.randint(2, 90), round(rng.random(), 3)])
    if first_id == 0:  # a perfect detection of the object that pycocotools takes for nothing
        found.append([*truth[0][:6], 0.99])
    rng.shuffle(found)
    return case(name, truth, found, list(range(1, images + 1)), list(range(1, classes + 1)), first_id)


def threshold_cases():
    """Widths of which an object of 100 has exactly 0.50, 0.55, ... and their neighbours one bit away."""
    for step in range(10):
        width = 50 + 5 * step
        for name, wide in (("at", width), ("just below", math.nextafter(width, 0)), ("just above", math.nextafter(width, 200))):
            yield case(f"an overlap {name} {width} hundredths", [thing(1, 1, [0, 0, 100, 50]), thing(2, 1, [0, 0, 100, 50])],
                       [[1, 1, 0, 0, wide, 50, 0.9], [2, 1, 0, 0, 40, 50, 0.8]])
    # With VOC's inclusive corners the half is at another width.
    for wide in (49, 49.5, math.nextafter(49.5, 0), 50):
        yield case(f"VOC's half, width {wide}", [thing(1, 1, [0, 0, 100, 50])], [[1, 1, 0, 0, wide, 50, 0.9]])


def area_cases():
    for side, limit in ((32, 1024), (96, 9216)):
        for name, area in (("at", limit), ("below", math.nextafter(limit, 0)), ("above", math.nextafter(limit, 1e9))):
            yield case(f"objects of an area {name} {limit}",
                       [thing(1, 1, [0, 0, side, side], area), thing(1, 1, [200, 0, side, side], area), thing(2, 1, [0, 0, 60, 60])],
                       [[1, 1, 0, 0, side, side, 0.9], [1, 1, 400, 0, side, side, 0.8], [2, 1, 0, 0, 60, 60, 0.7]])
        for width in (math.nextafter(side, 0), side, math.nextafter(side, 999)):
            yield case(f"wrong detections {width} wide", [thing(1, 1, [0, 0, 20, 20]), thing(1, 1, [50, 0, 50, 50]),
                                                         thing(1, 1, [200, 0, 120, 120])],
                       [[1, 1, 400, 400, width, side, 0.95], [1, 1, 0, 0, 20, 20, 0.9], [1, 1, 50, 0, 50, 50, 0.8],
                        [1, 1, 200, 0, 120, 120, 0.7]])


def crowded_cases(rng):
    """More than a hundred detections of one class in an image, the right ones around the limits of 1, 10 and 100."""
    for right in ([0], [1], [9, 10], [98, 99], [99, 100], [100, 101], [5, 50, 99, 100, 120]):
        objects = [thing(1, 1, [40 * n, 0, 30, 30]) for n in range(len(right))]
        found = [[1, 1, 40 * right.index(n) if n in right else 0, 0 if n in right else 500, 30, 30, round(1 - n / 200, 3)]
                 for n in range(130)]
        rng.shuffle(found)
        yield case(f"right at the places {right} of 130", objects, found)
    objects = [thing(1, 1, [40 * n, 0, 30, 30]) for n in range(4)]
    found = [[1, 1, 40 * (n // 40), 0 if n % 40 == 39 else 500, 30, 30, 0.5] for n in range(160)]
    yield case("160 detections of one score", objects, found)


def hand_made_cases():
    box, other = [10, 10, 40, 40], [100, 100, 40, 40]
    yield case("two objects at one place", [thing(1, 1, box), thing(1, 1, box)],
               [[1, 1, *box, 0.9], [1, 1, *box, 0.8], [1, 1, *box, 0.7]])
    yield case("two objects at one place, of which one is small by its area", [thing(1, 1, box, 500), thing(1, 1, box, 1600)],
               [[1, 1, *box, 0.9]])
    yield case("equal overlaps left and right", [thing(1, 1, [0, 0, 40, 40]), thing(1, 1, [20, 0, 40, 40])],
               [[1, 1, 10, 0, 40, 40, 0.9], [1, 1, 20, 0, 40, 40, 0.8], [1, 1, 0, 0, 40, 40, 0.7]])
    yield case("a crowd around an object", [thing(1, 1, [0, 0, 200, 200], crowd=1), thing(1, 1, box)],
               [[1, 1, *box, 0.9], [1, 1, *other, 0.8], [1, 1, 150, 0, 20, 20, 0.7], [1, 1, 190, 0, 40, 40, 0.6]])
    yield case("a crowd before and after an object of equal overlap",
               [thing(1, 1, box, crowd=1), thing(1, 1, box), thing(1, 1, box, crowd=1)], [[1, 1, *box, 0.9], [1, 1, *box, 0.8]])
    yield case("crowds alone", [thing(1, 1, box, crowd=1)], [[1, 1, *box, 0.9]])
    yield case("a class of crowds beside one of objects", [thing(1, 1, box, crowd=1), thing(1, 2, box)],
               [[1, 1, *box, 0.9], [1, 2, *box, 0.9]])
    yield case("no object at all", [], [[1, 1, *box, 0.9]])
    yield case("images without anything", [thing(5, 1, box)], [[5, 1, *box, 0.9], [9, 1, *box, 0.95]], images=[9, 2, 5, 7])
    yield case("classes without objects, and without detections", [thing(1, 1, box), thing(1, 3, other)],
               [[1, 1, *box, 0.9], [1, 2, *other, 0.9]], categories=[4, 2, 3, 1])
    yield case("a class whose detections are all in another image", [thing(1, 1, box)], [[2, 1, *box, 0.9]])
    yield case("boxes without area", [thing(1, 1, [10, 10, 0, 0]), thing(1, 1, box)],
               [[1, 1, 10, 10, 0, 0, 0.9], [1, 1, 20, 20, 0, 30, 0.8], [1, 1, *box, 0.7]])
    yield case("detections outside the image", [thing(1, 1, [0, 0, 40, 40])],
               [[1, 1, -10, -10, 50, 50, 0.9], [1, 1, -500, -500, 10, 10, 0.8], [1, 1, 0, 0, 40, 40, 0.7]])
    yield case("scores that are no probabilities", [thing(1, 1, box), thing(2, 1, box), thing(3, 1, box)],
               [[1, 1, *box, -3], [2, 1, *other, 7], [2, 1, *box, 1e-300], [3, 1, *box, 0], [3, 1, *other, -0.0]])
    yield case("ties between a right and a wrong one, right first", [thing(1, 1, box), thing(2, 1, box)],
               [[1, 1, *box, 0.5], [1, 1, *other, 0.5], [2, 1, *other, 0.5], [2, 1, *box, 0.5]])
    yield case("ties between a right and a wrong one, wrong first", [thing(1, 1, box), thing(2, 1, box)],
               [[2, 1, *box, 0.5], [2, 1, *other, 0.5], [1, 1, *other, 0.5], [1, 1, *box, 0.5]])
    yield case("everything right", [thing(i, c, [10 * i, 20 * c, 40, 30]) for i in (1, 2, 3) for c in (1, 2)],
               [[i, c, 10 * i, 20 * c, 40, 30, 0.9] for i in (1, 2, 3) for c in (1, 2)])
    yield case("difficult ones, found, missed and found twice",
               [thing(1, 1, box, difficult=1), thing(1, 1, other), thing(2, 1, box, difficult=1), thing(3, 2, box, difficult=1)],
               [[1, 1, *box, 0.9], [1, 1, *box, 0.85], [1, 1, *other, 0.8], [3, 2, *box, 0.7]])
    yield case("a duplicate that overlaps another object too", [thing(1, 1, [0, 0, 40, 40]), thing(1, 1, [10, 0, 40, 40])],
               [[1, 1, 0, 0, 40, 40, 0.9], [1, 1, 1, 0, 40, 40, 0.8], [1, 1, 10, 0, 40, 40, 0.7]])


def main():
    rng = random.Random(11)
    cases = [*hand_made_cases(), *threshold_cases(), *area_cases(), *crowded_cases(rng),
             random_case(rng, "ties of score", ties=True),
             random_case(rng, "ties of score in many images", images=14, classes=1, objects=3, ties=True),
             random_case(rng, "crowds", crowd=0.3),
             random_case(rng, "crowds and ties", crowd=0.5, ties=True, classes=2),
             random_case(rng, "difficult objects", difficult=0.4),
             random_case(rng, "classes without objects or detections", images=6, classes=9, objects=2, copies=2),
             random_case(rng, "overlaps exactly at a half", exact=True, ties=True),
             random_case(rng, "crowds, difficult, ties and exact overlaps at once", images=6, crowd=0.3, difficult=0.2,
                         exact=True, ties=True),
             random_case(rng, "annotation ids from 0", images=6, first_id=0, exact=True),
             random_case(rng, "annotation ids from 0, crowds", images=6, first_id=0, exact=True, crowd=0.4, ties=True),
             random_case(rng, "areas at the limits", images=8, sizes=(32, 96), exact=True),
             random_case(rng, "more numbers than one block of numpy's summation", images=25, classes=7),
             *[random_case(rng, f"random boxes {n}", images=rng.randint(1, 10), classes=rng.randint(1, 5),
                           objects=rng.randint(1, 7), copies=rng.randint(1, 4), noise=rng.randint(0, 5)) for n in range(12)]]
    for one in cases:
        one["coco"] = coco(one)
        one["voc"] = voc(one)
    print("[" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in cases) + "]")


main()
