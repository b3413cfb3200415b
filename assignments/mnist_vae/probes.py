"""Probes of notebook 3: autoencoder, VAE, conditional VAE and convolutional VAE."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grader.probe_kit.stand_ins import (
    PIXELS,
    Added,
    Batches,
    Emit,
    Marked,
    PriorVAE,
    Show,
    Tones,
    ToyAutoEncoder,
    ToyVAE,
    blank,
    fill,
    flat_decoder,
    flat_encoder,
    flat_images,
    no_workers,
    parameters,
    picture,
    plain_layers,
    sample,
    shown,
    silence,
    uniform,
)
from grader.probe_kit.tools import draws, gradients, learning, seed_torch, slopes


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


# ---------------------------------------------------------------- 1 compress


def _described(part: str, module: nn.Module, seed: int) -> dict[str, object]:
    """How many parameters there are, and some of the numbers that `fill` puts into them, by the sizes of the parameters.

    And of how many no gradient is asked, or the numbers are all 0 as the answer makes them: such a layer learns nothing.
    """
    dead = sum(not p.requires_grad or (p.ndim > 1 and not bool(p.any())) for p in module.parameters())
    parameters = sorted(fill(module, seed).parameters(), key=lambda parameter: tuple(parameter.shape))
    drawn = torch.cat([torch.empty(0), *(sample(parameter, most=9) for parameter in parameters)])
    return {part: _count(module), f"{part}_drawn": drawn, f"{part}_dead": torch.tensor(dead)}


def encoder_layers(names, nz: Tensor, size: Tensor, seed: Tensor):
    return _described("Encoder", names["Encoder"](nz=int(nz), input_size=int(size)), int(seed))


def encoder(names, nz: Tensor, size: Tensor, batch: Tensor, seed: Tensor):
    net = fill(names["Encoder"](nz=int(nz), input_size=int(size)), int(seed))
    x = (2 * uniform(int(seed), int(batch), 1, int(size)) - 1).requires_grad_()
    code = net(x)
    return {"code": code} | slopes({"code": code}, net, x=x)


def decoder_layers(names, nz: Tensor, size: Tensor, seed: Tensor):
    return _described("Decoder", names["Decoder"](nz=int(nz), output_size=int(size)), int(seed))


def decoder(names, nz: Tensor, size: Tensor, batch: Tensor, seed: Tensor):
    net = fill(names["Decoder"](nz=int(nz), output_size=int(size)), int(seed))
    z = (4 * uniform(int(seed), int(batch), int(nz)) - 2).requires_grad_()
    image = net(z)
    return picture("image", image) | slopes({"image": image}, net, z=z)


def autoencoder_sizes(names, nz: Tensor, batch: Tensor, seed: Tensor):
    with plain_layers():
        model = names["AutoEncoder"](int(nz))
    code = model.encoder(uniform(int(seed), int(batch), 1, PIXELS))
    image = model.decoder(code)
    return {"code_shape": torch.tensor(code.shape), "image_shape": torch.tensor(image.shape), **learning(model, image)}


def autoencoder(names, nz: Tensor, batch: Tensor, seed: Tensor):
    with plain_layers():
        model = names["AutoEncoder"](int(nz))
    model.encoder, model.decoder = flat_encoder(int(nz), int(seed)), flat_decoder(int(nz), int(seed))
    x = uniform(int(seed), int(batch), 1, PIXELS).requires_grad_()
    answer = model(x)
    found = slopes({"forward": answer}, model.encoder, model.decoder, x=x)
    return picture("forward", answer) | picture("reconstruct", model.reconstruct(x.detach())) | found


def loader(names, labels: Tensor, batch_size: Tensor, seed: Tensor):
    """Two epochs: the sizes of the batches, and the labels and images in the order in which they come."""
    seed_torch(seed)
    data = [(torch.full((1, 2, 2), float(label)), label) for label in labels.tolist()]
    with no_workers():
        served = names["make_loader"](data, int(batch_size))
    epochs = [list(served) for _ in range(2)]
    nothing = torch.empty(0, dtype=torch.long)
    return {
        "sizes": torch.tensor([len(labels) for _, labels in epochs[0]], dtype=torch.long),
        "first": torch.cat([nothing, *(labels for _, labels in epochs[0])]),
        "second": torch.cat([nothing, *(labels for _, labels in epochs[1])]),
        "images": torch.cat([torch.empty(0, 1, 2, 2), *(images for images, _ in epochs[0])]),
    }


def train_autoencoder(names, seed: Tensor, learning_rate: Tensor):
    model = ToyAutoEncoder(int(seed))
    losses = names["train_autoencoder"](model, Batches(int(seed)), epochs=2, learning_rate=float(learning_rate))
    return {
        "losses": torch.tensor([float(loss) for loss in losses]),
        "holds_numbers": _are_numbers(losses),
        "parameters": parameters(model),
    }


def _are_numbers(values) -> bool:
    """Whether all are numbers, and none a tensor on which a whole graph may hang."""
    return all(isinstance(value, int | float | np.number) for value in values)


class _Generator(nn.Module):
    """What `sample_images` needs of a model."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = Show(1, PIXELS)


def sample_images(names, n_samples: Tensor, nz: Tensor, seed: Tensor):
    """Four draws; and whether the pictures are what the decoder answered, whose codes had these sizes."""
    model, found = _Generator(), []

    def draw() -> Tensor:
        model.decoder.answers.clear()
        images = names["sample_images"](model, int(n_samples), int(nz))
        answered = torch.cat(model.decoder.answers)
        is_same = answered.numel() == images.numel() and torch.equal(answered.flatten(), images.flatten())
        found.append((torch.tensor(images.shape), is_same))
        return shown(images, int(nz))

    return {
        **draws(draw, draw, seed), "images_shape": found[0][0], "as_decoded": all(is_same for _, is_same in found),
        "code_sizes": torch.tensor(sorted(model.decoder.code_sizes)),
    }  # fmt: skip


def sample_images_quiet(names, n_samples: Tensor, nz: Tensor, seed: Tensor, marks: Tensor):
    seed_torch(seed)
    return _quiet(lambda model: names["sample_images"](model, int(n_samples), int(nz)), _Generator(), int(nz), marks)


def _quiet(generate, model: Any, codes: int, marks: Tensor) -> dict[str, object]:
    """Whether generating leaves no trace: no gradient, the model in its mode, other images the next time.

    The last pixel of every image is the mark of the decoder's mode, and so is what the decoder answers afterwards.
    """
    model.decoder = Marked(model.decoder, marks)
    first, after = generate(model.train()), [model.decoder(torch.zeros(1, codes)).flatten()[-1]]
    in_training = model.training
    second = generate(model.eval())
    after.append(model.decoder(torch.zeros(1, codes)).flatten()[-1])
    return {
        "tracks_gradient": first.requires_grad or second.requires_grad,
        "keeps_mode": in_training and not model.training,
        "first": first.flatten(1)[:, ::87],
        "second": second.flatten(1)[:, ::87],
        "after": torch.stack(after),
    }


# ---------------------------------------------------------------- 2 make it variational


def vae_sizes(names, nz: Tensor, batch: Tensor, seed: Tensor):
    with plain_layers():
        model = names["VAE"](int(nz))
    outputs = model(uniform(int(seed), int(batch), 1, PIXELS))
    shapes = {f"{name}_shape": torch.tensor(outputs[name].shape) for name in ("q", "rec")}
    return {
        **shapes,
        **learning(model, outputs["q"], outputs["rec"]),
        **_without_noise(model, int(nz), int(batch), int(seed)),
    }


def _without_noise(model: Any, nz: int, batch: int, seed: int) -> dict[str, Tensor]:
    """What a VAE with networks of ours answers where the posterior has no width, and how it depends on them."""
    model.encoder, model.decoder = flat_encoder(2 * nz, seed), flat_decoder(nz, seed)
    silence(model.encoder, 2 * nz, nz)
    x = uniform(seed, batch, 1, PIXELS).requires_grad_()
    outputs = model(x)
    answers = {"values_of_q": outputs["q"], "values_of_rec": outputs["rec"]}
    found = slopes(answers, model.encoder, model.decoder, x=x)
    return {"values_of_q": sample(outputs["q"]), **found, **picture("values_of_rec", outputs["rec"])}


def _known_posterior(names, mu: Tensor, log_sigma: Tensor):
    with plain_layers():
        model = names["VAE"](len(mu))
    model.encoder, model.decoder = Emit(torch.cat([mu, log_sigma])), Show(1, PIXELS)
    return model


def vae_noise(
    names, mu: Tensor, log_sigma: Tensor, mu_again: Tensor, log_sigma_again: Tensor, images: Tensor, seed: Tensor
):
    def draw(*posterior: Tensor) -> Tensor:
        model = _known_posterior(names, *posterior)
        return shown(model(blank(int(images), 1, PIXELS))["rec"], len(mu))

    return draws(lambda: draw(mu, log_sigma), lambda: draw(mu_again, log_sigma_again), seed)


def vae_gradient(names, mu: Tensor, log_sigma: Tensor, images: Tensor, seed: Tensor):
    """Of the mean square of z, summed over the dimensions: its expectation is known to whoever knows mu and sigma. And of q."""
    model = _known_posterior(names, mu, log_sigma)
    seed_torch(seed)
    outputs = model(blank(int(images), 1, PIXELS))
    z, q, numbers = shown(outputs["rec"], len(mu)), outputs["q"], model.encoder.numbers
    found = _gradient_for(z.pow(2).mean(dim=0).sum(), numbers)
    own = _gradient_for(q.sum() / len(q), numbers)
    seen = {} if found is None else {"d_mu": found[: len(mu)], "d_log_sigma": found[len(mu) :]}
    return seen if own is None else {**seen, "own_q": own}


def _gradient_for(value: Tensor, leaf: Tensor) -> Tensor | None:
    if not value.requires_grad:
        return None
    return torch.autograd.grad(value, [leaf], allow_unused=True, retain_graph=True)[0]


def vae_loss(names, q: Tensor, beta: Tensor, seed: Tensor):
    """The three losses, and the gradient of each for both outputs, in the size that one image's has."""
    n, leaf = len(q), q.clone().requires_grad_()
    rec = (0.9 * uniform(int(seed), n, 1, PIXELS) + 0.05).requires_grad_()
    with plain_layers():
        model = names["VAE"](q.shape[1] // 2, beta=float(beta))
    total, terms = model.loss(uniform(int(seed) + 1, n, 1, PIXELS), {"q": leaf, "rec": rec})
    losses = {"rec_loss": terms["rec_loss"], "kl_loss": terms["kl_loss"], "total": total}
    found = {}
    for name, loss in losses.items():
        if isinstance(loss, Tensor) and loss.requires_grad:
            for of, source, size in (("q", leaf, n * q.shape[1]), ("rec", rec, n * PIXELS)):
                if (grad := _gradient_for(loss, source)) is not None:
                    found[f"d_{name}_{of}"] = sample(grad * size)
    return losses | found


def vae_reconstruct(names, nz: Tensor, batch: Tensor, seed: Tensor):
    with plain_layers():
        model = names["VAE"](int(nz))
    model.encoder, model.decoder = flat_encoder(2 * int(nz), int(seed)), flat_decoder(int(nz), int(seed))
    x = uniform(int(seed), int(batch), 1, PIXELS)
    return picture("picture", model.reconstruct(x)) | {"again": picture("again", model.reconstruct(x))["again"]}


def train_vae(names, seed: Tensor, learning_rate: Tensor):
    model = ToyVAE(int(seed))
    history = names["train_beta_vae"](model, Batches(int(seed)), epochs=2, learning_rate=float(learning_rate))
    return {
        "rec_loss": torch.tensor([float(value) for value in history["rec_loss"]]),
        "kl_loss": torch.tensor([float(value) for value in history["kl_loss"]]),
        "holds_numbers": all(_are_numbers(values) for values in history.values()),
        "parameters": parameters(model),
    }


def divergence(names, mu: Tensor, log_var: Tensor):
    return {"value": names["KLDivergence"]()(mu, log_var)}


def divergence_gradient(names, mu: Tensor, log_var: Tensor):
    return gradients(names["KLDivergence"](), mu=mu, log_var=log_var)


def kl_weights(names, warm_up: Tensor, annealing: Tensor, epochs: Tensor):
    """The weights by epoch, asked for from the last to the first: they depend on nothing else."""
    weight = names["KLWeightManager"](int(warm_up), int(annealing))
    return {"weights": torch.tensor([float(weight(epoch)) for epoch in reversed(range(int(epochs)))]).flip(0)}


def interpolate(names, x: Tensor, y: Tensor, steps: Tensor):
    return {"points": names["interpolate_linear"](x, y, int(steps))}


# ---------------------------------------------------------------- 3 count nats


def reparametrize_published(names, mu: Tensor, logvar: Tensor, seed: Tensor):
    """And rows that are all different, without width: z is then the mean."""
    seed_torch(seed)
    z = names["reparametrize"](mu, logvar)
    rows = torch.arange(15.0).reshape(5, 3) / 7
    without_noise = names["reparametrize"](rows, torch.full((5, 3), -40.0))
    return {"z_size": torch.tensor(z.shape), "mean": z.mean(), "std": z.std(), "z_without_noise": without_noise}


def reparametrize(
    names, mu: Tensor, logvar: Tensor, mu_again: Tensor, logvar_again: Tensor, images: Tensor, seed: Tensor
):
    leaves = [value.clone().requires_grad_() for value in (mu, logvar)]

    def draw(*posterior: Tensor) -> Tensor:
        return names["reparametrize"](*(value.expand(int(images), -1).clone() for value in posterior))

    found = draws(lambda: draw(*leaves), lambda: draw(mu_again, logvar_again), seed)
    return found | _squared(found["draws"][0], mu=leaves[0], logvar=leaves[1])


def _squared(z: Tensor, **leaves: Tensor) -> dict[str, Tensor]:
    """The gradient of the mean square of z, summed over the dimensions: its expectation is known to whoever knows the posterior."""
    if not z.requires_grad:
        return {}
    found = torch.autograd.grad(z.pow(2).mean(dim=0).sum(), list(leaves.values()), allow_unused=True)
    return {f"d_{name}": grad for name, grad in zip(leaves, found, strict=True) if grad is not None}


def loss_function(names, x_hat: Tensor, x: Tensor, mu: Tensor, logvar: Tensor):
    leaves = {"x_hat": x_hat.requires_grad_(), "mu": mu.requires_grad_(), "logvar": logvar.requires_grad_()}
    loss = names["loss_function"](x_hat, x, mu, logvar)
    return {"loss": loss} | slopes({"loss": loss}, **leaves)


_PARTS = ("encoder", "mu_layer", "logvar_layer", "decoder")


def _layers(model: nn.Module, seed: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in _PARTS:
        found |= _described(part, getattr(model, part), seed)
    return found


def _fill_parts(model: nn.Module, seed: int, parts: tuple[str, ...] = _PARTS) -> None:
    for number, part in enumerate(parts):
        fill(getattr(model, part), seed + number)


def _fcvae(names, latent_size: int) -> Any:
    with plain_layers():
        return names["FCVAE"](PIXELS, latent_size)


def fcvae_layers(names, latent_size: Tensor, seed: Tensor):
    return _layers(_fcvae(names, int(latent_size)), int(seed))


def fcvae(names, latent_size: Tensor, batch: Tensor, seed: Tensor):
    """Mean and log variance with known weights, then the image without noise; and the gradients of all three."""
    model = _fcvae(names, int(latent_size))
    _fill_parts(model, int(seed))
    x = uniform(int(seed), int(batch), 1, 28, 28).requires_grad_()
    _, mu, logvar = model(x)
    parts = _parts_of(model)
    found = slopes({"mu": mu, "logvar": logvar}, *parts[:3], x=x)
    silence(model.logvar_layer, int(latent_size), 0, -40.0)
    x_hat, _, narrow = model(x)
    of_images = slopes({"x_hat": x_hat}, parts[1], parts[3])
    named = {f"{name}_of_x_hat": grad for name, grad in of_images.items()}
    return {"mu": mu, "logvar": logvar, "narrow_logvar": narrow} | found | picture("x_hat", x_hat) | named


def _parts_of(model: nn.Module) -> list[nn.Module]:
    return [getattr(model, part) for part in _PARTS]


def fcvae_noise(
    names, mu: Tensor, logvar: Tensor, mu_again: Tensor, logvar_again: Tensor, images: Tensor, seed: Tensor
):
    model = _fcvae(names, len(mu))

    def draw(*posterior: Tensor) -> Tensor:
        _with_known_posterior(model, *posterior)
        return shown(model(blank(int(images), 1, 28, 28))[0], len(mu))

    return _drawn_through(model, draw, (mu, logvar), (mu_again, logvar_again), seed)


def _drawn_through(
    model: Any, draw: Callable[..., Tensor], one: tuple, other: tuple, seed: Tensor
) -> dict[str, Tensor]:
    """Draws through a model, and the gradient that passes them to the layers of mean and log variance."""
    layers: list[nn.Module] = []

    def first_or_other(*posterior: Tensor) -> Tensor:
        z = draw(*posterior)
        layers.extend([model.mu_layer, model.logvar_layer])
        return z

    found = draws(lambda: first_or_other(*one), lambda: first_or_other(*other), seed)
    return found | _squared(found["draws"][0], mu=layers[0].numbers, logvar=layers[1].numbers)


def _with_known_posterior(model: Any, mu: Tensor, logvar: Tensor) -> Any:
    model.encoder, model.mu_layer, model.logvar_layer = Emit(torch.ones(1)), Emit(mu), Emit(logvar)
    model.decoder = Show(1, 28, 28)
    return model


# ---------------------------------------------------------------- 4 condition


def onehot(names, idx: Tensor, n: Tensor):
    return {"rows": names["idx2onehot"](idx, int(n))}


def _classes(c: Tensor, n: int) -> Tensor:
    return (c[:, None] == torch.arange(n)).float()


def _cvae(names, latent_size: int, num_classes: int) -> Any:
    with plain_layers():
        return names["CVAE"](PIXELS, num_classes=num_classes, latent_size=latent_size)


def cvae_layers(names, latent_size: Tensor, num_classes: Tensor, c: Tensor, seed: Tensor):
    return _layers(_cvae(names, int(latent_size), int(num_classes)), int(seed))


def cvae_encode(names, latent_size: Tensor, num_classes: Tensor, c: Tensor, seed: Tensor):
    """The same image under several classes."""
    model = _cvae(names, int(latent_size), int(num_classes))
    _fill_parts(model, int(seed), ("encoder", "mu_layer", "logvar_layer"))
    x = uniform(int(seed), 1, 1, 28, 28).repeat(len(c), 1, 1, 1).requires_grad_()
    _, mu, logvar = model(x, _classes(c, int(num_classes)))
    return {"mu": mu, "logvar": logvar} | slopes({"mu": mu, "logvar": logvar}, *_parts_of(model)[:3], x=x)


def cvae_decode(names, latent_size: Tensor, num_classes: Tensor, c: Tensor, seed: Tensor):
    """The same code under several classes: the posterior is one point, the same for all."""
    model = _cvae(names, int(latent_size), int(num_classes))
    _fill_parts(model, int(seed), ("decoder",))
    code = 2 * uniform(int(seed), int(latent_size)) - 1
    model.mu_layer, model.logvar_layer = Emit(code), Emit(torch.full((int(latent_size),), -40.0))
    x_hat, _, narrow = model(uniform(int(seed), len(c), 1, 28, 28), _classes(c, int(num_classes)))
    found = slopes({"x_hat": x_hat}, model.decoder, model.mu_layer)
    return {
        "x_hat_shape": torch.tensor(x_hat.shape),
        "x_hat": x_hat.flatten(1)[:, ::37],
        "narrow_logvar": narrow,
    } | found


def cvae_noise(names, mu: Tensor, logvar: Tensor, mu_again: Tensor, logvar_again: Tensor, images: Tensor, seed: Tensor):
    model, n = _cvae(names, len(mu), 2), int(images)
    c = _classes(torch.zeros(n, dtype=torch.long), 2)

    def draw(*posterior: Tensor) -> Tensor:
        _with_known_posterior(model, *posterior)
        return shown(model(blank(n, 1, 28, 28), c)[0], len(mu))

    return _drawn_through(model, draw, (mu, logvar), (mu_again, logvar_again), seed)


# ---------------------------------------------------------------- 5 learn the noise


def conv_parameters(names, K: Tensor, num_filters: Tensor, seed: Tensor, push: Tensor):
    """Both networks, and log_sig_x before and after a step of an optimizer of the model, where its gradient is `push`."""
    model = names["SimpleVAE"](K=int(K), num_filters=int(num_filters))
    at_start = torch.as_tensor(model.log_sig_x).detach().clone()
    is_trained = any(parameter is model.log_sig_x for parameter in model.parameters())
    if is_trained:
        model.log_sig_x.grad = push.reshape(at_start.shape).clone()
        torch.optim.SGD(model.parameters(), lr=1.0).step()
    return {
        **_described("encoder", model.encoder, int(seed)),
        **_described("decoder", model.decoder, int(seed)),
        "is_trained": is_trained,
        "log_sig_x": at_start,
        "moved": torch.as_tensor(model.log_sig_x),
    }


def _conv(names, K: Tensor, num_filters: Tensor, log_sig_x: Tensor, seed: Tensor) -> Any:
    model = names["SimpleVAE"](K=int(K), num_filters=int(num_filters))
    fill(model.encoder, int(seed))
    fill(model.decoder, int(seed) + 1)
    with torch.no_grad():
        model.log_sig_x.copy_(log_sig_x)
    return model


def conv_decode(names, z: Tensor, num_filters: Tensor, log_sig_x: Tensor, seed: Tensor):
    model = _conv(names, torch.tensor(z.shape[-1]), num_filters, log_sig_x, seed)
    images = model.decode(z.requires_grad_())
    found = slopes({"images": images}, model.decoder, z=z)
    return {"images_shape": torch.tensor(images.shape), "images": images.flatten(2)[..., ::53]} | found


def conv_elbo(
    names, K: Tensor, num_filters: Tensor, n: Tensor, images: Tensor, log_sig_x: Tensor, posterior: Tensor, tones: Tensor,
    seed: Tensor,
):  # fmt: skip
    """Without noise, and with a wide posterior and a decoder to which the code does not matter, but how many there are."""
    model = _conv(names, K, num_filters, log_sig_x, seed)
    silence(model.encoder, int(K) + 1, int(K))
    x = uniform(int(seed), int(images), 1, 28, 28)
    elbo = model.elbo(x, int(n))
    model.encoder, model.decoder = Emit(posterior), Tones(tones)
    return {"elbo": elbo, "elbo_of_a_wide_posterior": model.elbo(x[:1].expand_as(x), int(n))}


def conv_elbo_gradient(
    names, K: Tensor, num_filters: Tensor, n: Tensor, images: Tensor, log_sig_x: Tensor, posterior: Tensor, tones: Tensor,
    seed: Tensor,
):  # fmt: skip
    """Through smooth networks of ours: a unit of the given ones at the kink of its ReLU has another slope on another machine."""
    model = _conv(names, K, num_filters, log_sig_x, seed)
    model.encoder, model.decoder = flat_encoder(int(K) + 1, int(seed)), flat_images(int(K), int(seed))
    silence(model.encoder, int(K) + 1, int(K))
    value = model.elbo(uniform(int(seed), int(images), 1, 28, 28), int(n))
    parts = {name: list(getattr(model, name).parameters()) for name in ("encoder", "decoder")}
    parts["log_sig_x"] = [model.log_sig_x]
    if not isinstance(value, Tensor) or not value.requires_grad:
        return {}
    found = {}
    for name, sources in parts.items():
        asked = [source for source in sources if source.requires_grad]
        grads = torch.autograd.grad(value, asked, allow_unused=True, retain_graph=True) if asked else []
        if len(asked) == len(sources) and all(grad is not None for grad in grads):
            found[f"d_{name}"] = torch.cat([sample(grad, most=9) for grad in grads])
    return found


def conv_elbo_sampled(
    names, posterior: Tensor, posterior_again: Tensor, n: Tensor, images: Tensor, log_sig_x: Tensor, grey: Tensor,
    seed: Tensor,
):  # fmt: skip
    """Of grey images, with a decoder that shows the sum of the code in one pixel: the codes it was given, and the value;
    the gradient that reaches the posterior through the codes; and the value with a decoder that shows grey alone."""
    K, n_draws, x = len(posterior) - 1, int(n), grey.expand(int(images), 1, 28, 28)
    model = names["SimpleVAE"](K=K, num_filters=2)
    values: list[Tensor] = []
    leaves: list[Tensor] = []
    with torch.no_grad():
        model.log_sig_x.copy_(log_sig_x)

    def draw(numbers: Tensor) -> Tensor:
        model.encoder, model.decoder = Emit(numbers), Added(float(grey))
        leaves.append(model.encoder.numbers)
        values.append(model.elbo(x, n_draws))
        return torch.cat(model.decoder.given).reshape(int(images) * n_draws, K)

    found = draws(lambda: draw(posterior), lambda: draw(posterior_again), seed)
    grad = _gradient_for(values[0], leaves[0])
    found |= {} if grad is None else {"d_posterior": grad}
    model.encoder, model.decoder = Emit(posterior), Tones(grey[None])
    return {**found, "value": values[0], "of_grey": model.elbo(x, 1)}


def generate(names, K: Tensor, n_images: Tensor, seed: Tensor):
    """The images of a seed, and of the call after it."""
    model = PriorVAE(int(K), int(seed))
    seed_torch(seed)
    images, more = (names["generate_images"](model, K=int(K), n_images=int(n_images)) for _ in range(2))
    return picture("images", images) | picture("images_after_them", more)


def generate_quiet(names, K: Tensor, n_images: Tensor, seed: Tensor, marks: Tensor):
    seed_torch(seed)
    model = PriorVAE(int(K), int(seed))
    return _quiet(lambda vae: names["generate_images"](vae, K=int(K), n_images=int(n_images)), model, int(K), marks)
