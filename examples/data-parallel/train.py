"""A small network that several processes train together, by PyTorch's DistributedDataParallel.

torchrun starts the processes, as many as the trial has: it finds their number and a free port in the variables that tune sets.
"""
import argparse
import os
import pathlib

import torch
import torch.distributed
from torch.nn.parallel import DistributedDataParallel


def examples(count, seed):
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, 8, generator=generator)
    return inputs, inputs.sin().sum(1, keepdim=True)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lr", type=float, default=0.01)
    options.add_argument("--epochs", type=int, default=5)
    options.add_argument("--batch-size", type=int, default=64, help="of all processes together")
    options = options.parse_args()

    on_gpu = torch.cuda.is_available()
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo")
    rank, size = torch.distributed.get_rank(), torch.distributed.get_world_size()
    device = torch.device("cuda", int(os.environ["LOCAL_RANK"])) if on_gpu else torch.device("cpu")
    torch.manual_seed(int(os.environ.get("TUNE_SEED", "0")))

    model = torch.nn.Sequential(torch.nn.Linear(8, 64), torch.nn.Tanh(), torch.nn.Linear(64, 1)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
    first = 1
    checkpoint = pathlib.Path(os.environ.get("TUNE_CHECKPOINT_DIR", ".")) / "last.pt"
    if checkpoint.exists():  # all of them read it, the first one writes it
        state = torch.load(checkpoint, map_location=device)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["epoch"] + 1
    shared = DistributedDataParallel(model)

    inputs, outputs = (part.to(device) for part in examples(2048, seed=1))
    unseen, answers = (part.to(device) for part in examples(512, seed=2))
    own = options.batch_size // size
    for epoch in range(first, options.epochs + 1):
        order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(epoch)).to(device)
        for batch in order.split(options.batch_size):
            part = batch[rank * own:(rank + 1) * own]
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(shared(inputs[part]), outputs[part]).backward()
            optimizer.step()
        # Each measures its part, and the sum of all is the loss.
        mine = slice(rank * len(unseen) // size, (rank + 1) * len(unseen) // size)
        with torch.no_grad():
            loss = torch.nn.functional.mse_loss(model(unseen[mine]), answers[mine], reduction="sum")
        torch.distributed.all_reduce(loss)
        if rank == 0:
            print(f"epoch {epoch}: validation loss={loss.item() / len(unseen):.6f} by {size} processes", flush=True)
            torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch},
                       checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
    if rank == 0:
        torch.save(model.state_dict(), pathlib.Path(os.environ.get("TUNE_OUTPUT_DIR", ".")) / "model.pt")
    # Python must not end while a thread of PyTorch's still holds the last sum, so none hurries away.
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
