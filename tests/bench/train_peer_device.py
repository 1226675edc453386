"""What train_peer.py does to images and boxes, for an accelerator: whole batches at once, nothing that waits for the device."""
import torch
import torch.nn.functional as F


def padded(boxes):
    """[N, M, 5]: each image's boxes and classes, filled up with boxes of class 0."""
    table = torch.zeros(len(boxes), max(len(rows) for rows in boxes), 5)
    for i, rows in enumerate(boxes):
        table[i, :len(rows)] = rows
    return table


def augment(images, boxes):
    """Flips, brightness and contrast, and a zoom crop, one choice an image: of [B, 3, H, W] bytes and padded boxes."""
    n, at = images.shape[0], {"device": images.device}
    x = images.float().div_(255)
    scale, flip = 0.7 + 0.3 * torch.rand(n, 1, **at), torch.randint(0, 2, (n, 2), **at) * 2 - 1
    shift = (1 - scale) * (2 * torch.rand(n, 2, **at) - 1)
    factor = flip * scale
    theta = torch.cat([torch.diag_embed(factor), shift.unsqueeze(2)], 2)
    x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), align_corners=False)
    x = (x * (0.8 + 0.4 * torch.rand(n, 1, 1, 1, **at)) + 0.2 * (torch.rand(n, 1, 1, 1, **at) - 0.5) - 0.45) / 0.225
    corners = boxes[:, :, :4].unflatten(2, (2, 2)) * 2 - 1
    moved = ((corners - shift[:, None, None]) / factor[:, None, None] + 1) / 2
    low, high = moved.amin(2).clamp(0, 1), moved.amax(2).clamp(0, 1)
    keep = ((high - low) > 0.01).all(2, keepdim=True)
    return x.contiguous(memory_format=torch.channels_last), torch.cat([low, high, boxes[:, :, 4:] * keep], 2)


def targets(boxes, defaults, corners):
    """Classes [B, D] and offsets [B, D, 4] of the default boxes."""
    there = boxes[:, :, 4] > 0
    low = torch.maximum(boxes[:, :, None, :2], corners[:, :2])
    high = torch.minimum(boxes[:, :, None, 2:4], corners[:, 2:])
    shared = (high - low).clamp(min=0).prod(3)
    area = (boxes[:, :, 2:4] - boxes[:, :, :2]).prod(2).unsqueeze(2) + defaults[:, 2] * defaults[:, 3] - shared
    overlap = torch.where(there.unsqueeze(2), shared / area, -1)
    best, match = overlap.max(1)
    # Each object gets the default box that overlaps it most; those that are none go to a column that is dropped.
    none = overlap.shape[2]
    forced = torch.where(there, overlap.argmax(2), none)
    objects = torch.arange(boxes.shape[1], device=boxes.device).expand_as(forced)
    best = F.pad(best, (0, 1)).scatter(1, forced, 1.0)[:, :none]
    match = F.pad(match, (0, 1)).scatter(1, forced, objects)[:, :none]
    found = best >= 0.5
    chosen = boxes.gather(1, match.unsqueeze(2).expand(-1, -1, 5))
    classes = torch.where(found, chosen[:, :, 4].long(), 0)
    centre = ((chosen[:, :, :2] + chosen[:, :, 2:4]) / 2 - defaults[:, :2]) / defaults[:, 2:] / 0.1
    size = torch.log(((chosen[:, :, 2:4] - chosen[:, :, :2]) / defaults[:, 2:]).clamp(min=1e-6)) / 0.2
    return classes, torch.where(found.unsqueeze(2), torch.cat([centre, size], 2), 0)


def loss_of(logits, predicted, classes, offsets):
    losses = F.cross_entropy(logits.float().transpose(1, 2), classes, reduction="none")
    positive = classes > 0
    count = positive.sum(1, keepdim=True)
    background = losses.masked_fill(positive, -1)
    rank = background.argsort(1, descending=True).argsort(1)
    mined = (background.clamp(min=0) * (rank < 3 * count)).sum()
    box = (F.smooth_l1_loss(predicted.float(), offsets, reduction="none").sum(2) * positive).sum()
    return ((losses * positive).sum() + mined + box) / count.sum().clamp(min=1)
