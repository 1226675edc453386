"""pycocotools over two files: prints the seconds from reading them to the summary, and the twelve numbers, as JSON."""
import contextlib
import io
import json
import sys
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

begin = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO(sys.argv[1])
    run = COCOeval(truth, truth.loadRes(sys.argv[2]), "bbox")
    run.evaluate()
    run.accumulate()
    run.summarize()
print(json.dumps({"seconds": time.perf_counter() - begin, "numbers": list(map(float, run.stats))}))
