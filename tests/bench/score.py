"""Scoring detections: tune-train score beside pycocotools on the same files, and a paired bootstrap."""
import argparse
import json
import pathlib
import random
import subprocess
import tempfile
import time

from bench_support import BIN, ROOT, peer_python, write_table

KEYS = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
ROUNDS = 3


def write_case(folder, seed, images, classes, objects, detections, files=1):
    """A COCO file with `objects` boxes an image and `files` detectors with `detections` an image, most of them wrong."""
    rng = random.Random(seed)
    annotations = []
    for image in range(1, images + 1):
        for _ in range(objects):
            w, h = rng.uniform(8, 200), rng.uniform(8, 200)
            annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": rng.randint(1, classes),
                                "bbox": [rng.uniform(0, 400), rng.uniform(0, 400), w, h], "area": w * h,
                                "iscrowd": int(rng.random() < 0.02)})
    truth = folder / "truth.json"
    truth.write_text(json.dumps({"images": [{"id": i} for i in range(1, images + 1)], "annotations": annotations,
                                 "categories": [{"id": c, "name": f"class {c}"} for c in range(1, classes + 1)]}))
    paths = []
    for number in range(files):
        found = []
        for start in range(0, len(annotations), objects):
            near = rng.choices(annotations[start:start + objects], k=detections // 3)
            for index in range(detections):
                if index < len(near):
                    box = [v + rng.gauss(0, 6) for v in near[index]["bbox"]]
                    category = near[index]["category_id"]
                else:
                    box = [rng.uniform(0, 400), rng.uniform(0, 400), rng.uniform(8, 200), rng.uniform(8, 200)]
                    category = rng.randint(1, classes)
                found.append({"image_id": annotations[start]["image_id"], "category_id": category,
                              "bbox": [round(v, 2) for v in box[:2]] + [max(1, round(v, 2)) for v in box[2:]],
                              "score": round(rng.random() ** (1 if index < len(near) else 3), 4)})
        paths.append(folder / f"detections{number}.json")
        paths[-1].write_text(json.dumps(found))
    return truth, paths


def ours(truth, files, *options):
    """Seconds of the whole command, and what it says."""
    command = [BIN / "tune-train", "score", "--ground-truth", truth, "--json", *options]
    for file in files:
        command += ["--detections", file]
    begin = time.perf_counter()
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return time.perf_counter() - begin, json.loads(run.stdout)


def theirs(python, truth, file):
    run = subprocess.run([python, ROOT / "tests" / "bench" / "score_peer.py", truth, file], capture_output=True, text=True,
                         check=True)
    return json.loads(run.stdout)


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    python = peer_python("pycocotools==2.0.11", "numpy")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for classes in (6, 80):
            truth, files = write_case(folder, 1, images=1000, classes=classes, objects=6, detections=69)
            peer = [theirs(python, truth, files[0]) for _ in range(ROUNDS)]
            own = [ours(truth, files) for _ in range(ROUNDS)]
            off = max(abs(own[0][1][key] - number) for key, number in zip(KEYS, peer[0]["numbers"]))
            assert off <= 1e-9, f"the twelve numbers differ by {off}"
            a, b = min(seconds for seconds, _ in own), min(run["seconds"] for run in peer)
            rows.append([f"1,000 images, 6,000 boxes, 69,000 detections, {classes} classes", f"{a:.2f} s", f"{b:.2f} s",
                         f"{a / b:.3f}", f"{off:.0e}"])
        truth, files = write_case(folder, 2, images=360, classes=6, objects=2, detections=100, files=5)
        seconds, result = ours(truth, files, "--resamples", "1000")
        assert len(result["resamples"]["AP"]) == 5 and len(result["resamples"]["AP"][0]) == 1000
        rows.append(["5 detectors on 360 images, 36,000 detections each, 1,000 paired resamples", f"{seconds:.2f} s", "", "", ""])
    write_table("score", "Scoring detections", ["", "tune-train score", "pycocotools 2.0.11", "ratio", "largest difference"], rows,
                ["Best of three. Ours is the whole command, loading LibTorch included; pycocotools is timed from reading the",
                 "files to the summary, without Python's start. The twelve numbers of both are compared."])


if __name__ == "__main__":
    main()
