"""What the notebooks import: data, loaders, trackers, plots, seeds, the hand-in.

This file is the table of contents. A name is imported from its module when it is first used, so that the parts which
need no torch (`utils.submission`, `utils.assignments`) start in a fraction of a second.
"""

import importlib

_HOME = {
    "Device": "training.device",
    "set_device": "training.device",
    "set_seed": "training.seeding",
    "reset_seed": "training.seeding",
    "FAST": "exercise.setup_cell",
    "diagnose": "exercise.setup_cell",
    "Film": "training.film",
    "Movable": "plotting.sliders",
    "show_plane": "plotting.pointer",
    "draw_manifold": "plotting.latent",
    "draw_airfoils": "plotting.airfoils",
    "add_to_poster": "exercise.poster",
    "count_params": "training.parameters",
    "expect_close": "exercise.expect",
    "expect_equal": "exercise.expect",
    "expect_shape": "exercise.expect",
    "expect_true": "exercise.expect",
    "rel_error": "exercise.expect",
    "expect_differentiable": "exercise.promises",
    "expect_one_device": "exercise.promises",
    "expect_trainable": "exercise.promises",
    "expect_network": "exercise.networks",
    "expect_rows": "exercise.networks",
    "expect_chain": "exercise.networks",
    "expect_activations": "exercise.networks",
    "expect_fresh_noise": "exercise.noise",
    "checking": "exercise.checking",
    "predict": "exercise.predictions",
    "reveal": "exercise.predictions",
    "hand_in": "submission",
    "save_weights": "submission.trained",
    "export_pdf": "export",
    "MNISTDataset": "datasets.mnist",
    "train_vae": "training.loops",
    "load_pretrained": "training.pretrained",
    "load_ours": "training.ours",
    "is_ours": "training.ours",
    "our_chain": "training.ours",
    "whose": "training.ours",
    "train_judge": "training.digit_reader",
    "read_digits": "training.digit_reader",
    "sure_share": "training.digit_reader",
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
    "TensorLoader": "training.loaders",
    "VAE_Tracker": "training.trackers",
    "plot_airfoils": "plotting.airfoils",
    "measure_airfoils": "datasets.airfoil_measures",
    "diversity_within": "datasets.digit_measures",
    "build_optimizer": "training.optimisation",
    "build_scheduler": "training.optimisation",
    "save_yaml": "exercise.files",
    "zip_files": "exercise.files",
    "CIFAR10Dataset": "datasets.cifar",
    "images_0_1": "datasets.cifar",
    "accelerated": "training.acceleration",
    "Checkpoint": "training.checkpoints",
    "code_digest": "training.checkpoints",
    "GAN_Tracker": "training.gan_tracker",
    "GANWatch": "training.gan_watch",
    "optimizer_of": "training.gan_watch",
    "plot_gan_losses": "plotting.gan",
    "make_grid": "plotting.images",
    "plot_film": "plotting.gan",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"utils has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
