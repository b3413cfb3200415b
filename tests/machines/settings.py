"""Machines that this one can stand in for: what the libraries are told of the processor, and what cannot be told them.

A setting of the environment says which instructions a library may use, and so in which order it adds up. Threads and
the place of numbers in memory change that order too; they are arranged in the zygote (`tests.machines.zygotes`). Of
processors that nobody has at hand, one that rounds anew each time says the most.
"""

import importlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Setting:
    """One machine."""

    name: str
    says: str
    environment: dict[str, str] = field(default_factory=dict)
    zygote: str = ""  # a module of tests.machines.zygotes that starts the sandbox


def _of_numpy() -> list[str]:
    """What numpy would choose its kernels by on this processor, and can do without."""
    core = importlib.import_module("numpy._core._multiarray_umath")
    return [feature for feature in core.__cpu_dispatch__ if core.__cpu_features__[feature]]


OLDEST = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Prescott",
    "NPY_DISABLE_CPU_FEATURES": " ".join(_of_numpy()),
}

SETTINGS = (
    Setting("as it is", "this processor, nothing set"),
    Setting("aten default", "torch's own kernels without AVX", {"ATEN_CPU_CAPABILITY": "default"}),
    Setting("aten avx2", "torch's own kernels with AVX2", {"ATEN_CPU_CAPABILITY": "avx2"}),
    Setting("aten avx512", "torch's own kernels with AVX-512", {"ATEN_CPU_CAPABILITY": "avx512"}),
    Setting("onednn sse41", "convolutions with SSE 4.1", {"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    Setting("onednn avx2", "convolutions with AVX2", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    Setting("mkl compatible", "matrix products as on every processor", {"MKL_CBWR": "COMPATIBLE"}),
    Setting("mkl avx2", "matrix products with AVX2", {"MKL_CBWR": "AVX2"}),
    Setting("mkl sse42", "matrix products with SSE 4.2", {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}),
    Setting("oldest", "all of them at their oldest, numpy and its BLAS too", OLDEST),
    Setting("two threads", "two threads in the sandbox", zygote="two_threads"),
    Setting("misaligned", "weights and inputs four bytes off their places in memory", zygote="misaligned"),
    Setting("rounds at random", "every sum, product of matrices and function rounds anew each time", zygote="random_rounding"),
)  # fmt: skip
QUICK = ("oldest", "rounds at random")


def setting(name: str) -> Setting:
    return next(one for one in SETTINGS if one.name == name)
