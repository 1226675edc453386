#!/usr/bin/env python3
"""A script as many are: add_argument("--not-one") in a docstring is none."""
import argparse
import logging

logger = logging.getLogger(__name__)


def str2bool(value):
    return value.lower() in ("yes", "true", "1")


def parse_arguments():
    parser = argparse.ArgumentParser(description="trains")
    parser.add_argument("data", help="folder of the data")  # add_argument("--nor-this")
    parser.add_argument(
        "-b", "--batch-size",
        default=2 ** 6,  # a power
        type=int,
        metavar="N",
    )
    parser.add_argument('--lr', '--learning-rate', type=float, help='initial rate '
                        'of learning, "peak"', default=3e-4)
    parser.add_argument(help=f"decay", default=1e-4, type=float, dest="wd", *["--weight-decay"])
    parser.add_argument("--wd2", default=1e-4, type=float, dest="weight_decay")
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--optimizer", choices=("sgd", "adamw"), default="sgd")
    parser.add_argument("--dataset", choices=["cifar10", "cifar100"], default="cifar10")
    parser.add_argument("--nesterov", action="store_true")
    parser.add_argument("--no-cuda", action="store_true", default=False)
    parser.add_argument("--augment", type=str2bool, default=True)
    parser.add_argument("--pretrained", type=bool, default=True)
    parser.add_argument("--dropout", default=0.1)
    group = parser.add_argument_group("training")
    group.add_argument("--epochs", type=int, default=30)
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--output-dir", default="runs")
    group.add_argument("--milestones", type=int, nargs="+", default=[10, 20])
    group.add_argument("--workers", type=int, default=os.cpu_count())
    for extra in EXTRAS:
        group.add_argument(extra)
    return parser.parse_args()


def main():
    args = parse_arguments()
    for epoch in range(args.epochs):
        print(f"Epoch [{epoch + 1}/{args.epochs}] train loss: {loss.item():.4f} | val loss: {val_loss:.4f}, val acc: {100 * accuracy:.2f}%")
        print("time: %.1fs" % seconds)
        logger.info("epoch %d: F1 %.3f", epoch, f1)
    print("\nfinal", "test accuracy:", test_accuracy)


if __name__ == "__main__":
    main()
