"""The configuration that the notebook publishes, as its two files hold it; a test holds it to them."""

from typing import Any

MODEL: dict[str, Any] = {"input_size": 200, "hidden_dims": [512, 256, 128], "latent_size": 10}
TRAIN: dict[str, Any] = {
    "beta": 0.00043, "optimizer_name": "Adam", "optimizer_config": {"lr": 1e-3}, "lr_scheduler_name": "StepLR",
    "lr_scheduler_config": {"step_size": 200, "gamma": 0.7}, "n_iters": 5000, "batch_size": 64,
}  # fmt: skip
