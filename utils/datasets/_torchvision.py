"""Make `import torchvision` work when its compiled part does not fit the installed torch.

torchvision registers fake kernels for two compiled operators, `nms` and `qnms`, while it is imported. When its
binary was built for another torch (a CPU torch beside a CUDA torchvision, a mixed pip and conda installation), the
operators do not exist and the import stops with "operator torchvision::nms does not exist". This course uses data
sets, transforms and `make_grid` only, none of which needs compiled code, so declaring the two operators is enough.

Every entry that needs torchvision (`utils.datasets`, the notebooks through `utils`, the grader's zygote, the tests)
calls `import_torchvision`; a working installation is left alone.
"""

import importlib
import sys
from types import ModuleType

_OPERATORS = ("torchvision::nms", "torchvision::qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its missing operators first if, and only if, the plain import fails for them.

    Returns:
        The torchvision module.

    Raises:
        ImportError: If torchvision is not installed at all.
        RuntimeError: If the import fails for any other reason than the missing operators.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
    _forget_half_imported()
    _declare_operators()
    return importlib.import_module("torchvision")


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]


def _declare_operators() -> None:
    import torch

    for operator in _OPERATORS:
        torch.library.define(operator, _SCHEMA)
