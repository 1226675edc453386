"""A trainer for tests of devices: holds memory for a while, and reports what it saw.

On a GPU unless --cpu, which needs no torch.
"""
import argparse
import json
import os
import pathlib
import signal
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--reports", type=pathlib.Path, required=True, help="PID.json goes there once the memory is held")
    parser.add_argument("--gib", type=float, default=0.25, help="how much to hold")
    parser.add_argument("--seconds", type=float, default=2, help="how long to hold it")
    parser.add_argument("--once", action="store_true", help="only the first of all processes holds; the others end at once")
    parser.add_argument("--die", action="store_true", help="the one that holds kills itself after it")
    return parser.parse_args()


def is_first(folder):
    try:
        os.close(os.open(folder / "first", os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


def hold_on_cpu(gib):
    return bytearray(int(gib * 2**30)), {}


def hold_on_gpu(gib):
    import torch

    free, total = torch.cuda.mem_get_info()
    seen = {"devices": torch.cuda.device_count(), "uuid": f"GPU-{torch.cuda.get_device_properties(0).uuid}",
            "used_before_mib": (total - free) >> 20}
    block = torch.empty(int(gib * 2**30), dtype=torch.uint8, device="cuda").fill_(1)
    torch.cuda.synchronize()
    return block, seen


def report(folder, seen):
    file = folder / f"{os.getpid()}.json"
    temporary = file.with_suffix(".part")
    temporary.write_text(json.dumps(seen))
    temporary.replace(file)


def main():
    options = arguments()
    if not options.once or is_first(options.reports):
        held, seen = (hold_on_cpu if options.cpu else hold_on_gpu)(options.gib)
        begin = time.time()
        seen |= {"pid": os.getpid(), "visible": os.environ.get("CUDA_VISIBLE_DEVICES"), "begin": begin,
                 "end": begin + options.seconds, "bytes": len(held)}
        report(options.reports, seen)
        time.sleep(options.seconds)
        if options.die:
            os.kill(os.getpid(), signal.SIGKILL)
    print("loss=0.5", flush=True)


if __name__ == "__main__":
    main()
