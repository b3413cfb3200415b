"""The checks of notebook 3."""

from grader.authoring.check import Check, Judge, Probe
from grader.authoring.contract import Contract
from grader.authoring.judges import close, close_gradients

from . import draws, nets, sampling


def _check(
    name: str, title: str, points: float, probe: Probe, judge: Judge, uses_reference: bool = True,
    *, advice: Judge | None = None, unsteady: tuple[str, ...] = (),
) -> Check:  # fmt: skip
    return Check(
        name, name.rpartition(".")[0], title, points, probe, judge=judge, uses_reference=uses_reference, advice=advice,
        unsteady=unsteady,
    )  # fmt: skip


_NET = draws.settings(nz=(2, 7), size=(20, 40))
_CODE = draws.settings(nz=(3, 7))
_LOG_SIGMA, _LOGVAR = draws.posterior("log_sigma"), draws.posterior("logvar")

CALLS = {
    "ae.nets.AutoEncoder": ("Encoder", "Decoder"),
    "vae.model": ("Encoder", "Decoder"),
    "fc.model": ("reparametrize",),
    "cvae.model.CVAE": ("reparametrize",),
}
AS_IF = {"reparametrize": draws.as_other_draw}

CHECKS = (
    _check(
        "ae.nets.Encoder.layers", "three linear layers with biases: input_size, 256, 64, nz", 1,
        Probe("encoder_layers", _NET), nets.drawn_weights,
    ),
    _check(
        "ae.nets.Encoder.values", "ReLU between the layers, none behind the last", 1,
        Probe("encoder", _NET), nets.all_of(nets.close_pictures(), nets.reached),
    ),
    _check(
        "ae.nets.Decoder.layers", "three linear layers with biases: nz, 64, 256, output_size", 1,
        Probe("decoder_layers", _NET), nets.drawn_weights,
    ),
    _check(
        "ae.nets.Decoder.values", "ReLU between the layers, a sigmoid behind the last, one channel", 1,
        Probe("decoder", _NET), nets.all_of(nets.close_pictures(), nets.reached),
    ),
    _check(
        "ae.nets.AutoEncoder.sizes", "codes of nz numbers, images of 784 pixels", 1,
        Probe("autoencoder_sizes", _CODE), nets.close_pictures(),
    ),
    _check(
        "ae.nets.AutoEncoder.values", "decoded codes, and the same as pictures", 1,
        Probe("autoencoder", _CODE), nets.all_of(nets.close_pictures(), nets.reached),
    ),
    _check(
        "ae.train.make_loader.batches", "full batches only, every example at most once, beside its label", 1,
        Probe("loader", draws.loading), nets.full_batches, False,
    ),
    _check(
        "ae.train.make_loader.order", "a new random order in every epoch", 1,
        Probe("loader", draws.loading), nets.shuffled, False,
    ),
    _check(
        "ae.train.train_autoencoder.loss", "the binary cross-entropy of every step, averaged over pixels and batch", 1,
        Probe("train_autoencoder", draws.training), nets.losses, advice=nets.tensors_kept, unsteady=("long_run",),
    ),
    _check(
        "ae.train.train_autoencoder.steps", "Adam's steps, each with fresh gradients", 3,
        Probe("train_autoencoder", draws.training), nets.steps, unsteady=("long_run",),
    ),
    _check(
        "ae.samples.prior", "pictures of independent draws from N(0, I)", 1,
        Probe("sample_images", draws.settings(n_samples=(1000, 1100), nz=(33, 45))), sampling.prior, False,
    ),
    _check(
        "ae.samples.quiet", "no gradient tracked, new images every time", 1,
        Probe("sample_images_quiet", draws.marked(draws.settings(n_samples=(5, 9), nz=(3, 6)))), nets.quiet, False, advice=nets.mode_afterwards,
    ),
    _check(
        "vae.model.sizes", "2 nz numbers for each image, and a reconstruction", 1,
        Probe("vae_sizes", _CODE), nets.close_pictures(),
    ),
    _check(
        "vae.model.noise", "z with mean mu and standard deviation exp(log sigma)", 1,
        Probe("vae_noise", _LOG_SIGMA), sampling.noise("log_sigma"), False,
    ),
    _check(
        "vae.model.gradient", "gradients pass through z to mean and log sigma", 1,
        Probe("vae_gradient", _LOG_SIGMA), nets.all_of(sampling.gradient("log_sigma", weighs=True), nets.reached, nets.loss_gradients),
    ),
    _check(
        "vae.model.loss", "mean BCE plus beta times mean D_KL(q || N(0, I)), and each of them", 3,
        Probe("vae_loss", draws.outputs), close(),
    ),
    _check(
        "vae.model.reconstruct", "the decoded mean of the posterior, as pictures", 1,
        Probe("vae_reconstruct", _CODE), nets.decodes_the_mean,
    ),
    _check(
        "vae.train.history", "both terms of every step", 1,
        Probe("train_vae", draws.training), nets.history, advice=nets.tensors_kept, unsteady=("long_run",),
    ),
    _check(
        "vae.train.steps", "steps on the total loss, each with fresh gradients", 3,
        Probe("train_vae", draws.training), nets.steps, unsteady=("long_run",),
    ),
    _check(
        "vae.anneal.KLDivergence.values", "summed over the dimensions, averaged over the batch", 1,
        Probe("divergence", draws.gaussians("mu", "log_var")), close(),
    ),
    _check(
        "vae.anneal.KLDivergence.gradient", "gradients reach mu and log_var", 1,
        Probe("divergence_gradient", draws.gaussians("mu", "log_var")), close_gradients(),
    ),
    _check(
        "vae.anneal.KLWeightManager.ramp", "0 up to the warm-up, a straight climb, 1 after", 1,
        Probe("kl_weights", draws.ramp), close(),
    ),
    _check(
        "vae.anneal.KLWeightManager.jump", "0, then 1, without annealing rounds", 1,
        Probe("kl_weights", draws.jump, draws.at_once), close(),
    ),
    _check(
        "vae.interpolate.points", "evenly spaced points, both ends included", 2,
        Probe("interpolate", draws.line((3, 9))), close(),
    ),
    _check(
        "vae.interpolate.ends", "two steps are the two ends", 1,
        Probe("interpolate", draws.line((2, 3))), close(),
    ),
    _check(
        "fc.reparametrize.published", "the published mean and standard deviation of seed 0", 1,
        Probe("reparametrize_published", draws.single, draws.published_draw, public=0), nets.close_pictures(1e-4, 1e-4),
    ),
    _check(
        "fc.reparametrize.noise", "z with mean mu, standard deviation exp(logvar / 2), and gradients to both", 1,
        Probe("reparametrize", _LOGVAR), nets.all_of(sampling.noise("logvar"), sampling.gradient("logvar"), sampling.of_every_size), False,
    ),
    _check(
        "fc.model.layers", "the layers of encoder, mu_layer, logvar_layer and decoder", 2,
        Probe("fcvae_layers", draws.settings(latent_size=(4, 9))), nets.drawn_weights,
    ),
    _check(
        "fc.model.values", "mu, logvar and the decoded z", 3,
        Probe("fcvae", draws.settings(latent_size=(4, 9))), nets.close_pictures(),
    ),
    _check(
        "fc.model.noise", "the decoder sees a draw with this mean and variance", 1,
        Probe("fcvae_noise", _LOGVAR), nets.all_of(sampling.noise("logvar"), nets.reached), False,
    ),
    _check(
        "fc.loss.values", "BCE and KL, summed, divided by the number of images", 1,
        Probe("loss_function", draws.images_and_codes, draws.published_loss), nets.loss_and_gradients,
    ),
    _check(
        "cvae.model.idx2onehot.rows", "a one in the place of the class, float32", 2,
        Probe("onehot", draws.indices(7)), nets.float32_rows,
    ),
    _check(
        "cvae.model.idx2onehot.column", "the same from a column of classes", 1,
        Probe("onehot", draws.indices(5, 1)), nets.float32_rows,
    ),
    _check(
        "cvae.model.CVAE.layers", "the layers of encoder, mu_layer, logvar_layer and decoder", 1,
        Probe("cvae_layers", draws.conditions), nets.drawn_weights,
    ),
    _check(
        "cvae.model.CVAE.encode", "image and class give mu and logvar", 1,
        Probe("cvae_encode", draws.conditions), nets.uses_class("mu"),
    ),
    _check(
        "cvae.model.CVAE.decode", "z and class give the image", 2,
        Probe("cvae_decode", draws.conditions), nets.uses_class("x_hat"),
    ),
    _check(
        "cvae.model.CVAE.noise", "the decoder sees a draw with this mean and variance", 1,
        Probe("cvae_noise", _LOGVAR), nets.all_of(sampling.noise("logvar"), nets.reached), False,
    ),
    _check(
        "conv.vae.parameters", "both networks, and log_sig_x as a trainable scalar", 1,
        Probe("conv_parameters", draws.pushed(draws.settings(K=(2, 6), num_filters=(3, 9)))), nets.log_sig_x,
    ),
    _check(
        "conv.vae.decode", "codes of shape (B, N, K) become images (B, N, 1, 28, 28)", 2,
        Probe("conv_decode", draws.codes), nets.close_pictures(),
    ),
    _check(
        "conv.vae.elbo", "mean log-likelihood minus mean KL, where the noise does not matter", 4,
        Probe("conv_elbo", draws.bound), close(1e-4, 1e-3),
    ),
    _check(
        "conv.vae.noise", "the log-likelihood is averaged over draws of z", 1,
        Probe("conv_elbo_sampled", draws.wide), sampling.averaged_over_draws,
    ),
    _check(
        "conv.vae.gradient", "gradients reach encoder, decoder and log_sig_x", 2,
        Probe("conv_elbo_gradient", draws.bound), close_gradients(1e-2, 1e-2),
    ),
    _check(
        "conv.generate.images", "the images of a seed: one draw of shape (n_images, K), decoded", 3,
        Probe("generate", draws.settings(K=(3, 6), n_images=(8, 12))), nets.close_pictures(),
    ),
    _check(
        "conv.generate.quiet", "no gradient tracked, new images every time", 2,
        Probe("generate_quiet", draws.marked(draws.settings(K=(3, 6), n_images=(8, 12)))), nets.quiet, False, advice=nets.mode_afterwards,
    ),
)  # fmt: skip

CONTRACTS = (
    Contract("ae.nets.Encoder", pays="ae.nets.Encoder.values", watches=("Encoder.forward",), arguments=("self", "x")),
    Contract("ae.nets.Decoder", pays="ae.nets.Decoder.values", watches=("Decoder.forward",), arguments=("self", "z")),
    Contract(
        "ae.nets.AutoEncoder", pays="ae.nets.AutoEncoder.values", watches=("AutoEncoder.forward", "AutoEncoder.reconstruct:modes"),
        arguments=("self", "x"),
    ),
    Contract(
        "ae.train.make_loader", pays="ae.train.make_loader.batches", watches=("make_loader",), arguments=("dataset",),
        returns="anything",
    ),
    Contract(
        "ae.train.train_autoencoder", pays="ae.train.train_autoencoder.loss", watches=("train_autoencoder:weights,modes",),
        arguments=("model", "loader"), returns="anything", is_random=True,
    ),
    # The images may be a piece of what the stand-in's decoder returned; the mode is asked about by a check of its own.
    Contract("ae.samples", pays="ae.samples.quiet", watches=("sample_images:modes",), arguments=("model",), is_random=True),
    Contract(
        "vae.model", pays="vae.model.reconstruct", watches=("VAE.forward:shared", "=VAE.loss:shared,dtype", "VAE.reconstruct:modes"),
        arguments=("self", "x"), is_random=True,
    ),
    Contract(
        "vae.train", pays="vae.train.history", watches=("train_beta_vae:weights,modes",), arguments=("model", "loader"),
        returns="anything", is_random=True,
    ),
    Contract(
        "vae.anneal.KLDivergence", pays="vae.anneal.KLDivergence.gradient", watches=("KLDivergence.__call__",),
        arguments=("self", "mu", "log_var"),
    ),
    Contract(
        "vae.anneal.KLWeightManager", pays="vae.anneal.KLWeightManager.jump", watches=("KLWeightManager.__call__",),
        returns="numbers",
    ),
    Contract("vae.interpolate", pays="vae.interpolate.ends", watches=("interpolate_linear",), arguments=("x", "y")),
    Contract(
        "fc.reparametrize", pays="fc.reparametrize.noise", watches=("reparametrize",), arguments=("mu", "logvar"), is_random=True,
    ),
    Contract("fc.model", pays="fc.model.noise", watches=("FCVAE.forward:shared",), arguments=("self", "x"), is_random=True),
    Contract("fc.loss", pays="fc.loss.values", watches=("loss_function",), arguments=("x_hat", "x", "mu", "logvar")),
    Contract(
        "cvae.model.idx2onehot", pays="cvae.model.idx2onehot.column", watches=("idx2onehot",), arguments=("idx",),
    ),
    Contract(
        "cvae.model.CVAE", pays="cvae.model.CVAE.noise", watches=("CVAE.forward:shared",), arguments=("self", "x", "c"),
        is_random=True,
    ),
    Contract(
        "conv.vae", pays="conv.vae.noise", watches=("=SimpleVAE.encode:shared", "=SimpleVAE.decode:shared", "SimpleVAE.elbo"),
        arguments=("self", "x"), is_random=True,
    ),
    Contract("conv.generate", pays="conv.generate.quiet", watches=("generate_images:modes",), arguments=("vae",), is_random=True),
)  # fmt: skip
