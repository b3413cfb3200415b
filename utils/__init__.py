"""What the notebooks import: data, loaders, trackers, plots, seeds, the hand-in.

This file is the table of contents. A name is imported from its module when it is first used, so that the parts which
need no torch (`utils.submission`, `utils.assignments`) start in a fraction of a second.
"""

import importlib

_HOME = {
    "Device": "device",
    "set_device": "device",
    "set_seed": "seeding",
    "reset_seed": "seeding",
    "FAST": "setup_cell",
    "diagnose": "setup_cell",
    "count_params": "parameters",
    "expect_close": "expect",
    "expect_equal": "expect",
    "expect_shape": "expect",
    "expect_true": "expect",
    "rel_error": "expect",
    "hand_in": "submission",
    "export_pdf": "export",
    "MNISTDataset": "datasets.mnist",
    "train_vae": "training",
    "load_pretrained": "pretrained",
    "train_judge": "judge",
    "read_digits": "judge",
    "sure_share": "judge",
    "smooth": "plotting.curves",
    "plot_loss_terms": "plotting.curves",
    "compare_curves": "plotting.curves",
    "show_images": "plotting.images",
    "plot_images": "plotting.images",
    "plot_rows": "plotting.images",
    "plot_reconstruction_grid": "plotting.images",
    "vis_reconstruction": "plotting.images",
    "vis_samples": "plotting.images",
    "get_image_with_label": "plotting.images",
    "plot_interpolation_grid": "plotting.latent",
    "plot_latent_walk": "plotting.latent",
    "plot_manifold": "plotting.latent",
    "plot_latent_scatter": "plotting.latent",
    "AirfoilDataset": "datasets.airfoils",
    "TensorLoader": "loaders",
    "VAE_Tracker": "trackers",
    "plot_airfoils": "plotting.airfoils",
    "measure_airfoils": "quality",
    "build_optimizer": "optimisation",
    "build_scheduler": "optimisation",
    "save_yaml": "configs",
    "zip_files": "configs",
    "CIFAR10Dataset": "datasets.cifar",
    "images_0_1": "datasets.cifar",
    "accelerated": "acceleration",
    "Checkpoint": "checkpoints",
    "code_digest": "checkpoints",
    "GAN_Tracker": "gan_tracker",
    "GANWatch": "gan_watch",
    "optimizer_of": "gan_watch",
    "plot_gan_losses": "plotting.gan",
    "plot_film": "plotting.gan",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"utils has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
