"""The training loop that the fully connected VAEs share."""

import sys
from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

LEARNING_RATE = 1e-3
_CLASSES = 10

LossFunction = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # of x_hat, x, mu, logvar


def train_vae(
    epoch: int,
    model: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    cond: bool = False,
    *,
    loss_function: LossFunction | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> float:
    """Train a VAE for one epoch and print the epoch's loss.

    Args:
        epoch: The number to print.
        model: `model(x)`, or `model(x, c)` if `cond`, returns x_hat, mu and logvar.
        loader: Gives (images, labels); images float in [0, 1], labels int64, shape (B,).
        cond: Also give the model the labels as one-hot vectors, float, shape (B, 10).
        loss_function: From x_hat, x, mu, logvar to a scalar, a mean over the batch; the notebook's `loss_function` when None.
        optimizer: Keeps its moments between epochs; a new Adam with rate 1e-3 for this epoch alone when None.

    Returns:
        The mean of the batches' losses, in nats per image.

    Raises:
        ValueError: If the loader is empty, the loss is not finite, or there is no loss function.

    Source:
        The loop of the EECS 498-007 assignment on VAEs.
    """
    loss_function = loss_function or _loss_of_the_notebook()
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    device = next(model.parameters()).device
    model.train()
    losses = []
    # A bar of the notebook's, which goes when it is full. Where only a text can be shown it is on stdout, so that the line below
    # takes its place; on stderr each would leave an empty box behind.
    for images, labels in tqdm(loader, desc=f"epoch {epoch}", leave=False, mininterval=1, file=sys.stdout):
        x = images.to(device)
        inputs = (x, F.one_hot(labels.to(device), _CLASSES).float()) if cond else (x,)
        x_hat, mu, logvar = model(*inputs)
        loss = loss_function(x_hat, x, mu, logvar)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    mean = _mean_loss(losses, epoch)
    print(f"Epoch {epoch:2d}: loss {mean:.2f} nats per image")
    return mean


def _loss_of_the_notebook() -> LossFunction:
    """The student's own: a copy of it in here would be the answer to a question."""
    loss_function = getattr(sys.modules["__main__"], "loss_function", None)
    if not callable(loss_function):
        raise ValueError(
            "train_vae: no loss_function is given and the notebook defines none; run the cell that defines it first, "
            "or pass loss_function=..."
        )
    return loss_function


def _mean_loss(losses: list[Tensor], epoch: int) -> float:
    if not losses:
        raise ValueError("train_vae: the loader gave no batch; is the batch size larger than the data set?")
    mean = torch.stack(losses).mean().item()  # one wait for the device an epoch, not one a step
    if not torch.isfinite(torch.tensor(mean)):
        raise ValueError(f"train_vae: the loss of epoch {epoch} is {mean}; look for log(0) or a missing Sigmoid.")
    return mean
