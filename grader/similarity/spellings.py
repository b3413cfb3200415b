"""Equivalent spellings: what PyTorch and Python let one write in several ways, under one name.

The table holds what students choose between without thinking. It need not be complete: a spelling that is missing here
costs a hint some of its strength, and one that is too generous is paid for by every pair of the class alike.
"""

SAME = {
    "view": "reshape", "unflatten": "reshape", "view_as": "reshape", "expand_as": "expand", "repeat": "expand",
    "concat": "cat", "concatenate": "cat", "hstack": "cat", "split": "chunk", "narrow": "item", "select": "item",
    "item": "float", "tolist": "float", "clamp": "clip", "clamp_min": "clip", "multiply": "mul", "true_divide": "div",
    "divide": "div", "subtract": "sub", "negative": "neg", "power": "pow", "bceloss": "binary_cross_entropy",
    "mseloss": "mse_loss", "inference_mode": "no_grad", "randn_like": "randn", "normal": "randn", "normal_": "randn",
    "zeros_like": "zeros", "ones_like": "ones", "size": "shape", "leakyrelu": "leaky_relu",
    "binary_cross_entropy_with_logits": "bcewithlogitsloss", "forward": "apply", "__call__": "apply", "t": "transpose",
    "moveaxis": "permute", "range": "count", "enumerate": "count", "trange": "count", "add_": "add", "mul_": "mul",
}  # fmt: skip
DROPPED = frozenset({"contiguous", "clone", "list", "tuple", "tqdm"})  # what they return is what they are given
LABELS = {"axis": "dim", "input": "", "other": "", "exponent": "", "alpha": ""}  # keywords


def one_name(name: str) -> str:
    """The name under which a function, method or layer is known here: `nn.ReLU`, `F.relu` and `torch.relu` are one."""
    lower = name.lower()
    return SAME.get(lower, lower)
