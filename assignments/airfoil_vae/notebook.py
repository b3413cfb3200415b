# %% [markdown]
# # Notebook 2: A VAE that designs airfoils
#
# You teach a network what wing sections look like, and then ask it for new ones. 1547 real profiles, 200 numbers each, ten
# latent numbers in between: small enough to train in a minute or two on a CPU, real enough that mistakes show in the drawing.
#
# **After this notebook you can**
#
# - build the encoder and the decoder of a VAE for networks of any depth, and join them by the reparameterisation trick;
# - write a training loop that counts iterations rather than epochs, with any optimizer and scheduler by name;
# - say what $\beta$, the scale of the data and the reduction of a loss have to do with each other;
# - recognise a collapsed posterior, a rough sample and a good one, by eye and by a number;
# - foretell from the data's own variances which latent dimensions are worth their price;
# - ask of a deep model what a linear one would have given;
# - walk through a latent space and read it.
#
# **This is where you are going:** 24 profiles that nobody has drawn before, and the ten-dimensional space they come from,
# seen from its two widest directions.
#
# | | |
# |---|---|
# | ![Twenty-four generated airfoils, smooth and unlike each other](figures/02_samples.png) | ![The latent space, coloured by thickness](figures/02_latent.png) |
#
# And this is what may come out instead: trembling outlines (too little weight on the prior), one wing over and over (too much).
#
# ![Samples for five values of beta, from rough to all alike](figures/02_beta.png)
#
# {{points_table}}
#
# **Time.** Three to five hours of yours. All training together takes about two minutes on one CPU core; each cell that takes more
# than ten seconds says so. It uses no GPU. With `FAST=1` in the environment the whole notebook runs in under two minutes, with
# weights of ours where training takes longer.

# %% [markdown]
# ## Setup
#
# Run the next two cells first. On your machine, start Jupyter in the bundle (`make lab`). On
# [Google Colab](https://colab.research.google.com) upload this notebook and put `student.zip` into the Files panel on the left:
# the first cell unpacks it, and says what is otherwise there. On either it says what it finds and how to mend what is missing.
#
# **Rules.** Edit only the gaps (`raise NotImplementedError`). Keep the first line of a cell that begins with
# `# AUTOGRADED`. Import no package beyond the import cell's; modules of the standard library such as `math` or
# `typing` are fine. `input_size` 200 and `latent_size` 10 stay as they are.

# %%
# SETUP
import sys
import zipfile
from pathlib import Path

if "google.colab" in sys.modules and Path("student.zip").exists():
    zipfile.ZipFile("student.zip").extractall()
here = Path.cwd()
near = [here, *here.parents, *here.glob("*/")]
homes = [folder for folder in near if (folder / "utils" / "exercise").is_dir()]
if not homes:
    raise SystemExit(
        f"The course's folder `utils` is not found near {here.name}. On your machine: keep "
        "this notebook in the bundle's folder `notebooks`. On Colab: upload student.zip with "
        "the Files panel on the left, then run this cell again."
    )
sys.path.insert(0, str(homes[0]))

from utils import diagnose

diagnose("02_airfoil_vae")

# %%
# IMPORTS
import math
from typing import Tuple, Union

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from utils import (
    FAST,
    AirfoilDataset,
    Device,
    Film,
    Movable,
    TensorLoader,
    VAE_Tracker,
    add_to_poster,
    build_optimizer,
    build_scheduler,
    checking,
    count_params,
    draw_airfoils,
    expect_activations,
    expect_close,
    expect_differentiable,
    expect_equal,
    expect_fresh_noise,
    expect_network,
    expect_shape,
    expect_trainable,
    expect_true,
    hand_in,
    load_ours,
    measure_airfoils,
    our_chain,
    plot_airfoils,
    predict,
    reveal,
    save_weights,
    save_yaml,
    set_seed,
    whose,
)

# %% [markdown]
# **Short of time?** Set `LOAD_OURS = True` below and run on from there: every long training then runs one short round of your code and
# goes on with weights of ours, which it says in one line. What follows is then our training, not yours; what you hand in must be your own: set it
# back to `False` and run all before you do. (With `FAST=1` it is on from the start.)

# %%
LOAD_OURS = FAST

# %% [markdown]
# ## Symbols
#
# As in notebook 1, with one difference: $x$ is a place along the wing here, so the data is $y$.
#
# | symbol | code | what it is |
# |---|---|---|
# | $y$, $\hat y$ | `y`, `y_hat` | data: a profile of $D = 200$ heights; its reconstruction |
# | $x$ | `x` | the 200 places along the chord, the same for all profiles |
# | $z$, $\epsilon$ | `z` | a code of $K = 10$ numbers, `latent_size`; standard normal noise |
# | $\mu$, $\log\sigma^2$ | `mu`, `logvar` | mean and log **variance** of the posterior $q(z \mid y)$, shape `(B, 10)` |
# | $\beta$ | `beta` | weight of the prior loss |
# | $\sigma_y^2 = 100\,\beta$ | | variance of a height given the code, in the likelihood that this loss stands for (3.1) |
# | $\lambda_i$ | `variances` | variance of the data along its $i$-th principal direction (4.1) |
# | $B$ | in shapes | profiles in a batch |
# | $D_{KL}(q \,\Vert\, p)$ | `prior_loss` | the KL divergence from posterior to prior, in nats |
# | $\log$ | `torch.log` | the natural logarithm |

# %% [markdown]
# ## 1 The data
#
# An airfoil is the outline of a wing, cut along the flow. Each profile here is a list of 200 heights $y$ at fixed positions
# $x$: from the trailing edge ($x = 1$) along the upper surface to the nose ($x = 0$), then along the lower surface back to
# the trailing edge. The positions are closer together at both ends. Since $x$ is the same for all, a profile *is* its vector
# $y \in \mathbb{R}^{200}$.
#
# One item of the data set is a pair: the heights, a float32 numpy array of shape `(200,)`, and the profile's name.

# %%
dataset = AirfoilDataset()
x = dataset.get_x()
y, name = dataset[0]
print(f"{len(dataset)} profiles; the first is {name}: {y.dtype}, shape {y.shape}, from "
      f"{y.min():.2f} to {y.max():.2f}")
shown = ("n0012", "clarky", "s1223", "whitcomb")
dataset.plot(idx=[dataset.names.index(name) for name in shown])

# %% [markdown]
# From left to right: a symmetric section, a classic of light aircraft, one made for lift at low speed, and one made
# for speeds near that of sound. The drawings exaggerate the heights.
#
# **The unit matters.** A real section is about a tenth as high as it is long, so in units of its length the heights are
# tiny (their standard deviation is 0.04). `AirfoilDataset` multiplies all of them by one constant, `dataset.scale`, such
# that the largest $|y|$ of all profiles is 1. In 4.2 you see what happens without it.

# %%
print(f"scale {dataset.scale:.2f}; standard deviation {dataset.profiles.std():.3f}, "
      f"in chord lengths {dataset.profiles.std() / dataset.scale:.3f}")

# %% [markdown]
# ## 2 The model
#
# A VAE explains a profile $y$ by ten hidden numbers $z$ in three steps:
#
# $$\underbrace{(\mu, \log\sigma^2) = \mathrm{enc}(y)}_{\text{where in latent space?}} \qquad
# \underbrace{z = \mu + \sigma \odot \epsilon, \quad \epsilon \sim \mathcal N(0, I)}_{\text{a random point around it}} \qquad
# \underbrace{\hat y = \mathrm{dec}(z)}_{\text{the profile at that point}}$$
#
# **Move the ten numbers** before you build anything: each slider below is one number of $z$, and the decoder behind them is of a model of ours,
# trained as in 5.1. The dotted outline is the middle of the prior, $z = 0$. Find a number that makes the wing thicker, one that bends it, and
# one that does next to nothing. (Sliders need a running notebook. Where you open it anew and read `Error displaying widget` in their
# place, run their cell again; the picture stays as you left it.)

# %%
def wing_sliders(decode, about):
    """A wing and a slider for each of its ten numbers."""
    @torch.inference_mode()
    def draw(**z):
        codes = torch.tensor([[0.0] * 10, list(z.values())])
        middle, wing = decode(codes.to(Device)).cpu()
        return draw_airfoils(x, wing, title=about, behind=middle)

    return Movable(draw, {f"z{k}": (-3.0, 3.0, 0.0) for k in range(1, 11)}, about)


our_decoder = our_chain("airfoils_design", "decoder", nn.LeakyReLU()).to(Device)
wing_sliders(our_decoder, "A wing of a model of ours, and z = 0 dotted").show()

# %% [markdown]
# ### 2.1 The encoder
# **`air.encoder`** · auto 12
#
# The encoder turns a profile into a distribution. Its body is a chain of linear layers, each followed by an activation;
# `hidden_dims` lists their widths, and the chain has any depth, zero included. Its output layer is special twice:
#
# - it has `2 * latent_size` outputs, and you split them in the middle: the first half is `mu`, the second `logvar`;
# - nothing follows it. A mean may be negative, and so may the logarithm of a variance; a ReLU would forbid it.
#
# Why the logarithm? A variance must be positive, a linear layer's output need not be. With $\sigma^2 = e^{\log\sigma^2}$, `logvar.exp()`,
# every output is a valid variance.

# %%
# AUTOGRADED (12) Encoder
class Encoder(nn.Module):
    """Map a profile to the mean and log variance of its posterior.

    Args:
        input_size: Heights of a profile, 200.
        hidden_dims: Widths of the hidden layers, from the input on; may be empty.
        latent_size: Dimensions of the latent space.
    """

    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        # TODO: build the hidden layers, each a linear layer and an activation of your choice
        # TODO: add the output layer, with room for both halves
        ### BEGIN SOLUTION
        widths = [input_size, *hidden_dims]
        layers = []
        for n_in, n_out in zip(widths[:-1], widths[1:]):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], 2 * latent_size))
        ### END SOLUTION

    def forward(self, y):
        """Args: y, float, (B, input_size). Returns: mu and logvar, each (B, latent_size)."""
        # TODO: apply the layers and split the result into mu and logvar
        ### BEGIN SOLUTION
        mu, logvar = self.layers(y).chunk(2, dim=-1)
        ### END SOLUTION
        return mu, logvar


# %% [markdown]
# <details><summary>Hint</summary>
#
# The widths form a chain: `input_size`, then all of `hidden_dims`, then the output. Walk along it two neighbours at a time. Layers
# kept in a Python list are invisible to the optimizer; `nn.Sequential` and `nn.ModuleList` make them visible.
# `torch.chunk` and slicing both split a tensor.
# </details>

# %%
# TEST
set_seed(0)
batch = torch.randn(5, 200)
for hidden_dims in ([64, 32], [16], []):
    encoder = Encoder(200, hidden_dims, 10)
    mu, logvar = encoder(batch)
    expect_shape(f"mu, hidden_dims {hidden_dims}", mu, (5, 10))
    expect_shape(f"logvar, hidden_dims {hidden_dims}", logvar, (5, 10))
    widths = [200, *hidden_dims, 20]
    fewest = sum((n_in + 1) * n_out for n_in, n_out in zip(widths, widths[1:]))
    expect_true("all layers registered", count_params(encoder) >= fewest,
                f"One layer between any two of {widths}, with biases; "
                "layers in a plain list are not part of the module.")
    expect_network(
        f"Encoder, hidden_dims {hidden_dims}", encoder, batch, has_spare=not hidden_dims
    )


# %%
# TEST
set_seed(0)
encoder, batch = Encoder(200, [], 10), torch.randn(5, 200)
a, b = 20 * torch.randn(2, 9, 200)
f = lambda y: torch.stack(encoder(y))
expect_true(
    "linear, without a hidden layer",
    torch.allclose(f(a) + f(b), f(a + b) + f(0 * a), atol=1e-3),
    "No activation at the end: mu and logvar take both signs.",
)
expect_true(
    "mu is not logvar",
    not torch.allclose(*encoder(batch)),
    "Two different halves of the output.",
)
last_biases = [p for p in encoder.parameters() if p.shape == (20,)]
if last_biases:  # else you have a layer for each half
    for weight in [p for p in encoder.parameters() if p.shape == (20, 200)]:
        expect_close(
            "mu and logvar, without a hidden layer",
            torch.cat(encoder(batch), dim=1),
            batch @ weight.T + last_biases[0],
            atol=1e-4,
            hint="The two halves of the last layer's output, as they are.",
        )
    before = torch.stack(encoder(batch))
    last_biases[0].data[:10] += 1
    moved = (torch.stack(encoder(batch)) - before).mean(dim=(1, 2))
    expect_close(
        "the halves: how far mu and logvar move with the first half",
        moved,
        [1.0, 0.0],
        slips={"mu is the first half, logvar the second.": [0.0, 1.0]},
    )
encoder = Encoder(200, [16], 10).eval()
left, right = 3 * torch.randn(2, 5, 200)
left[:, 100:], right[:, :100] = 0, 0  # they share no height
bend = encoder(left)[0] + encoder(right)[0] - encoder(left + right)[0] - encoder(0 * left)[0]
expect_true(
    "not linear, with one hidden layer",
    bend.abs().max() > 1e-3,
    "Each hidden layer is followed by an activation, which mixes what the layer has added up.",
)
expect_activations("Encoder", Encoder(200, [32, 16, 24], 10), [32, 16, 24])
encoder = Encoder(200, [64, 32], 10)
print(f"Encoder(200, [64, 32], 10) has {count_params(encoder):,} parameters")
encoder = Encoder(30, [48, 32, 64], 4)
sizes = sorted(sorted(p.shape) for p in encoder.parameters() if p.ndim == 2)
body = [[30, 48], [32, 48], [32, 64]]
expect_true("one layer for each width", sizes in [sorted([*body, *end]) for end in (
    [[8, 64]], [[4, 64], [4, 64]])],
    f"Asked for [48, 32, 64], your weights have sizes {sizes}.")
expect_shape("mu of 4 dimensions", Encoder(30, [], 4)(torch.randn(5, 30))[0], (5, 4))
expect_true("layers of equal widths",
            count_params(Encoder(200, [16] * 5, 10)) >= 201 * 16 + 4 * 17 * 16 + 17 * 20,
            "Each has weights of its own.")
expect_activations("Encoder", Encoder(200, [16] * 4, 10), [16] * 4)
one_way = Encoder(30, [30, 16, 16, 12], 4).eval()
far = 40 * torch.randn(5, 30)
for matrix in [p for p in one_way.parameters() if p.ndim == 2 and p.shape != (4, 12)]:
    kept = matrix.data.clone()
    matrix.data.zero_()
    a, b = (torch.cat(one_way(x), dim=1) for x in (far, -far))
    expect_close("the answer where a layer passes nothing on", a, b, atol=1e-4,
                 hint="Each layer takes what the one before gives, and nothing passes it by.")
    matrix.data.copy_(kept)
before = torch.cat(one_way(far), dim=1)
for matrix in [p for p in one_way.parameters() if p.shape == (30, 30)]:
    matrix.data /= -100
expect_close("minus a hundred times the input, the first weights divided by minus a hundred",
             torch.cat(one_way(-100 * far), dim=1), before, rtol=1e-3, atol=1e-3,
             hint="The first layer is given y as it is.")
for p in one_way.parameters():
    if 4 in p.shape or 8 in p.shape:  # the last layer, or both of its halves
        p.data = torch.linspace(-40, 30, len(p)) if p.ndim == 1 else 0 * p.data
numbers = torch.cat([p for p in one_way.parameters() if p.shape in ((4,), (8,))]).sort()[0]
for training in (False, True):
    ends = torch.cat(one_way.train(training)(far), dim=1).sort(dim=1)[0]
    expect_close("the output of a last layer that only adds its bias", ends,
                 numbers.expand(5, 8), atol=1e-3, hint="Nothing follows the last layer.")

# %% [markdown]
# ### 2.2 The decoder
# **`air.decoder`** · auto 12
#
# The decoder is the encoder's mirror image, from `latent_size` to `output_size`. **Convention:** like the encoder it uses its
# widths in the order in which it gets them, and `VAE` below passes them reversed. A decoder that takes the encoder's list and
# reverses it itself is fine too, if your `VAE` then passes the list as it is. Heights take both signs, so again nothing follows
# the last layer.

# %%
# AUTOGRADED (12) Decoder
class Decoder(nn.Module):
    """Map a latent point to a profile.

    Args:
        latent_size: Dimensions of the latent space.
        hidden_dims: Widths of the hidden layers, from the latent space on; may be empty.
        output_size: Heights of a profile, 200.
    """

    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        # TODO: build the hidden layers and the output layer, with one output for each height
        ### BEGIN SOLUTION
        widths = [latent_size, *hidden_dims]
        layers = []
        for n_in, n_out in zip(widths[:-1], widths[1:]):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], output_size))
        ### END SOLUTION

    def forward(self, z):
        """Args: z, float, (B, latent_size). Returns: y_hat, (B, output_size)."""
        # TODO: apply the layers
        ### BEGIN SOLUTION
        y_hat = self.layers(z)
        ### END SOLUTION
        return y_hat


# %% [markdown]
# <details><summary>Hint</summary>
#
# The same chain as before, with other ends. Who reverses a list: `reversed` and `[::-1]` read it backwards without changing it;
# the method `list.reverse` changes the caller's list, and then the next model is built upside down.
# </details>

# %%
# TEST
set_seed(0)
hidden_dims = [48, 32, 64]
decoder = Decoder(10, hidden_dims, 200)
z = torch.randn(5, 10)
expect_shape("y_hat", decoder(z), (5, 200))
expect_shape("y_hat, no hidden layer", Decoder(10, [], 200)(z), (5, 200))
expect_shape("y_hat, other sizes", Decoder(4, [], 30)(z[:, :4]), (5, 30))
expect_equal(
    "hidden_dims afterwards",
    hidden_dims,
    [48, 32, 64],
    hint="Leave the list you were given as it is.",
)
sizes = sorted(sorted(p.shape) for p in decoder.parameters() if p.ndim == 2)
either = [sorted(map(sorted, zip([10, *w], [*w, 200]))) for w in ([48, 32, 64], [64, 32, 48])]
expect_true(
    "one layer for each width",
    sizes in either,
    f"Asked for [48, 32, 64] between 10 and 200, your weights have the sizes {sizes}.",
)
biases = [p.numel() for p in decoder.parameters() if min(p.shape) in (1, p.numel())]
expect_true("with biases", {48, 32, 64, 200} <= set(biases), "A linear layer has one.")
expect_true("layers of equal widths",
            count_params(Decoder(10, [16] * 5, 200)) >= 11 * 16 + 4 * 17 * 16 + 17 * 200,
            "Each has weights of its own.")
for some_dims in ([16], []):
    expect_network(
        f"Decoder, hidden_dims {some_dims}", Decoder(10, some_dims, 200), z,
        has_spare=not some_dims,
    )
expect_network(f"Decoder, hidden_dims {hidden_dims}", decoder, z)
f, a, b = Decoder(10, [], 200), 20 * torch.randn(9, 10), 20 * torch.randn(9, 10)
expect_true(
    "linear, without a hidden layer",
    torch.allclose(f(a) + f(b), f(a + b) + f(0 * a), atol=1e-3),
    "Heights can be negative: no activation at the end.",
)
bias = sum(p for p in f.parameters() if p.ndim == 1)
for weight in [p for p in f.parameters() if p.shape == (200, 10)]:
    expect_close(
        "y_hat, without a hidden layer",
        f(z),
        z @ weight.T + bias,
        atol=1e-4,
        hint="The last layer's output, as it is.",
    )
decoder = Decoder(10, [64], 200).eval()
left, right = 3 * torch.randn(2, 5, 10)
left[:, 5:], right[:, :5] = 0, 0
bend = decoder(left) + decoder(right) - decoder(left + right) - decoder(0 * left)
expect_true(
    "not linear, with one hidden layer",
    bend.abs().max() > 1e-3,
    "Each hidden layer is followed by an activation, which mixes what the layer has added up.",
)
expect_activations("Decoder", Decoder(10, [32, 16, 24], 200), [32, 16, 24])
expect_activations("Decoder", Decoder(10, [16] * 4, 200), [16] * 4)
own = {id(weight) for weight in Decoder(10, [16], 200).parameters()} & {
    id(weight) for weight in decoder.parameters()}
expect_true("layers of its own", not own, "Make them in __init__, for each decoder anew.")
one_way = Decoder(8, [8, 16, 16, 8], 30).eval()
far = 40 * torch.randn(5, 8)
for matrix in [p for p in one_way.parameters() if p.ndim == 2]:
    kept = matrix.data.clone()
    matrix.data.zero_()
    expect_close("the answer where a layer passes nothing on", one_way(far), one_way(-far),
                 atol=1e-4, hint="Each layer takes what the one before gives, and only that.")
    matrix.data.copy_(kept)
before = one_way(far)
for matrix in [p for p in one_way.parameters() if p.shape == (8, 8)]:
    matrix.data /= -100
expect_close("minus a hundred times the input, the first weights divided by minus a hundred",
             one_way(-100 * far), before, rtol=1e-3, atol=1e-3,
             hint="The first layer is given z as it is.")
numbers = torch.linspace(-40, 30, 30)
for p in one_way.parameters():
    if 30 in p.shape:
        p.data = numbers.clone() if p.ndim == 1 else 0 * p.data
for training in (False, True):
    expect_close("the output of a last layer that only adds its bias",
                 one_way.train(training)(far), numbers.expand(5, 30), atol=1e-3,
                 hint="Nothing follows the last layer.")

# %% [markdown]
# ### 2.3 Both together
# **`air.vae`** · auto 26
#
# Now join the two: `forward` is worth 13 points, `generate` 13.
#
# **`forward`** needs a random $z \sim \mathcal N(\mu, \sigma^2)$ through which gradients still reach $\mu$ and $\sigma$.
# `torch.normal(mu, sigma)` would send them back a gradient of zero (notebook 1, 3.2). The way out is to draw the noise by itself and
# shape it (Kingma and Welling 2014):
#
# $$z = \mu + \sigma \odot \epsilon, \qquad \epsilon \sim \mathcal N(0, I), \qquad \sigma = e^{\frac12\log\sigma^2}.$$
#
# Mind the factor: `logvar` is the logarithm of the *variance*, and what multiplies the noise is the *standard deviation*.
#
# **`generate`** designs: $z$ now comes from the prior $\mathcal N(0, I)$, and the decoder alone is needed. Three details
# are asked for: the seed makes the samples repeatable; evaluation mode makes layers such as dropout and batch norm
# deterministic; and inference mode keeps no gradients. A fourth is a good habit, worth no points: put the decoder back into
# the mode it was in. **Mind one side effect:** `torch.manual_seed(seed)` restarts torch's whole stream of random numbers. A look at samples in the
# middle of training would change every batch and every draw that follows; `with torch.random.fork_rng():` around the call (or
# around the two lines inside) puts the stream back.

# %%
# AUTOGRADED (26) VAE
class VAE(nn.Module):
    """A variational autoencoder for vectors.

    Args:
        input_size: Heights of a profile, 200.
        hidden_dims: Widths of the encoder's hidden layers; the decoder's are the same, reversed.
        latent_size: Dimensions of the latent space.
    """

    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, hidden_dims[::-1], input_size)

    def forward(self, y):
        """Args: y, float, (B, input_size). Returns: y_hat, as y; mu, logvar (B, latent_size)."""
        # TODO: encode, draw z with the reparameterisation trick, decode
        ### BEGIN SOLUTION
        mu, logvar = self.encoder(y)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        y_hat = self.decoder(z)
        ### END SOLUTION
        return y_hat, mu, logvar

    @torch.inference_mode()
    def generate(self, n_samples, seed=0, device=Device):
        """Decode draws from the prior: (n_samples, input_size), the same for the same seed.

        The model is on `device`.
        """
        # TODO: seed torch, draw z ~ N(0, I) on the device
        # TODO: decode it in evaluation mode
        ### BEGIN SOLUTION
        torch.manual_seed(seed)
        z = torch.randn(n_samples, self.latent_size, device=device)
        was_training = self.decoder.training
        self.decoder.eval()
        samples = self.decoder(z)
        self.decoder.train(was_training)
        ### END SOLUTION
        return samples


# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.randn_like` draws noise of the shape, type and device of another tensor: one number for each latent dimension of each profile.
# Every module knows its mode (`module.training`) and takes it back (`module.train(mode)`).
# </details>

# %%
# TEST
# an encoder that finds mu and logvar written in y
class WrittenPosterior(nn.Module):
    def forward(self, y):
        return y[:, :10], y[:, 10:20]


set_seed(0)
hidden_dims = [64, 32]
vae = VAE(200, hidden_dims, 10)
expect_equal("hidden_dims afterwards", hidden_dims, [64, 32], hint="Reverse a copy.")
sizes = sorted(sorted(p.shape) for p in vae.decoder.parameters() if p.ndim == 2)
expect_equal("sizes of the decoder's weights", sizes, [[10, 32], [32, 64], [64, 200]],
             hint="It mirrors the encoder: 10, 32, 64, 200.")
y = torch.randn(5, 200)
for name, value, shape in zip(("y_hat", "mu", "logvar"), vae(y), ((5, 200), (5, 10), (5, 10))):
    expect_shape(name, value, shape)
expect_trainable(
    "VAE.forward", vae, lambda model: sum(value.square().sum() for value in model(y.double()))
)
sizes = [sorted(p.shape) for p in VAE(30, [28, 24, 26], 4).decoder.parameters() if p.ndim > 1]
expect_equal("sizes of another decoder's weights", sorted(sizes),
             [[4, 26], [24, 26], [24, 28], [28, 30]], hint="It mirrors the encoder.")
small = VAE(30, [12], 12)
for name, value, shape in zip(
    ("y_hat", "mu", "logvar"), small(torch.randn(5, 30)), ((5, 30), (5, 12), (5, 12))
):
    expect_shape(f"{name}, other sizes", value, shape)
expect_shape("samples, other sizes", small.generate(3, device="cpu"), (3, 30))
expect_shape("one sample", small.generate(1, device="cpu"), (1, 30))
vae.encoder, vae.decoder = WrittenPosterior(), nn.Identity()  # now y_hat is z itself
y = torch.zeros(20_000, 200)
y[:, :10], y[:, 10:20] = 3.0, math.log(4.0)
z = vae(y)[0]
expect_close("mean of z", z.mean(), 3.0, atol=0.03, hint="z = mu + sigma * eps.")
expect_close(
    "standard deviation of z",
    z.std(),
    2.0,
    atol=0.03,
    slips={
        "You multiply the noise by the variance; take exp(logvar / 2).": 4.0,
        "You multiply the noise by logvar itself; take exp(logvar / 2).": math.log(4.0),
        "There is no noise in z.": 0.0,
    },
)
expect_close(
    "fourth moment of the noise",
    ((z - 3) / 2).pow(4).mean(),
    3.0,
    atol=0.15,
    slips={"eps is normal: torch.randn, not torch.rand.": 1.8},
)
for seed in (1, 2):
    y = torch.randn(6, 200, generator=torch.Generator().manual_seed(seed))
    y[:, 10:20] -= 60  # no variance to speak of
    expect_close(
        "z, mu and logvar, where sigma vanishes",
        torch.stack(vae(y)),
        torch.stack([y[:, :10], y[:, :10], y[:, 10:20]]),
        slips={
            "The order is y_hat, mu, logvar.": torch.stack([y[:, :10], y[:, 10:20], y[:, :10]])
        },
    )
y[:, 10:20] = torch.linspace(3, 8, 10)  # and where it is large
expect_close("mu and logvar, where sigma is large", torch.cat(vae(y)[1:], dim=1), y[:, :20],
             hint="Return them as the encoder gave them.")
wide = vae(y[:1].expand(4000, 200))[0].std(dim=0).log()
expect_close("its logarithm there", wide, y[0, 10:20] / 2, atol=0.1)
drawn = vae(y[:1].expand(4000, 200))[0][:, 0]
expect_true("a draw for each profile", len(drawn.unique()) > 3900, "However many there are.")
expect_fresh_noise(
    "z",
    lambda: vae(torch.zeros(6, 200))[0],
    "Each latent dimension of each profile needs its own noise.",
)
expect_differentiable(
    "VAE.forward", lambda y: torch.cat(vae(y), dim=1), y=0.3 * torch.randn(4, 200)
)

# %%
# TEST
class Watch(nn.Module):  # a decoder that returns z and remembers its mode
    def __init__(self):
        super().__init__()
        self.one, self.answers = nn.Parameter(torch.ones(1)), []

    def forward(self, z):
        self.mode, self.device = self.training, z.device.type
        answer = self.one.to(z.device) * z
        self.answers.append(answer)
        return answer


watch = Watch()
vae.decoder = nn.Sequential(nn.Sequential(watch))
samples = vae.generate(19_993, device="cpu")
expect_shape("samples, seen through a decoder that does nothing", samples, (19_993, 10))
expect_close(
    "samples, and what the decoder answered",
    samples,
    torch.cat([answer.reshape(-1, 10) for answer in watch.answers]),
    rtol=0,
    atol=0,
    hint="Return what the decoder gives, as it is.",
)
expect_close(
    "standard deviation of z",
    samples.std(),
    1.0,
    atol=0.02,
    hint="z comes from the prior N(0, I), not from mu and logvar.",
)
torch.rand(7)
expect_close(
    "same seed, same samples",
    vae.generate(19_993, device="cpu"),
    samples,
    hint="torch.manual_seed(seed) comes before the draw.",
)
expect_true(
    "other seed, other samples",
    not any(torch.equal(vae.generate(19_993, seed, "cpu"), samples) for seed in (1, 256)),
    "Use the argument seed.",
)
expect_equal(
    "different samples",
    len(samples.unique(dim=0)),
    19_993,
    hint="Each row of z is a draw of its own.",
)
expect_true("beyond 3", (samples.abs() > 3.01).any(), "Leave the draws as they are.")
few = torch.cat([vae.generate(500, seed, "cpu") for seed in (0, 1, 2)])
expect_close("standard deviation of 1500", few.std(), 1.0, atol=0.1)
expect_true("none comes twice, but for its sign", len(few.abs().unique(dim=0)) == 1500,
            "Use the argument seed as it is, and each draw once.")
expect_true("nothing adds up to 0", few[:500].mean(dim=0).abs().max() > 1e-4, "Shift nothing.")
expect_true("no spread is exactly 1", (few[:500].std(dim=0) - 1).abs().max() > 1e-4,
            "Divide by nothing.")
one = vae.generate(1, 3, "cpu")
expect_true("one sample is a draw too", one.abs().max() > 1e-3, "Whatever n_samples is.")
vae.train()
watch.mode = True
vae.generate(500, 2, "cpu")  # once more: it decodes again
expect_true(
    "evaluation mode while decoding",
    not watch.mode,
    "Call self.decoder.eval() before you decode.",
)
if not vae.decoder.training:
    print("advice: set the decoder back to the mode it was in")
expect_true(
    "no gradients", not samples.requires_grad, "Keep the line @torch.inference_mode()."
)
watch.device = ""
try:
    vae.generate(2, device="meta")  # a device without numbers
except (RuntimeError, NotImplementedError):
    pass  # not every way to draw goes there
expect_true(
    "z on the device asked for", watch.device != "cpu", "Use the argument device."
)

# %% [markdown]
# **See.** Before training, noise in gives nothing like a wing out. This is your zero point.

# %%
set_seed(0)
untrained = VAE(200, [256, 128], 10).to(Device)
plot_airfoils(x, untrained.generate(4), title="Before training")

# %% [markdown]
# ## 3 Training
#
# ### 3.1 The loop
# **`air.train`** · auto 10
#
# The loss has two terms, and each has a **reduction**, the way many numbers become one:
#
# $$\underbrace{\frac{1}{200\,B} \sum_{b=1}^{B} \sum_{i=1}^{200} (\hat y_{bi} - y_{bi})^2}_{L_\text{rec}:\ \text{mean over profiles and heights}}
# \;+\; \beta\, \underbrace{\frac{1}{B} \sum_{b=1}^{B} \sum_{k=1}^{10} \tfrac12 \left(\mu_{bk}^2 + \sigma_{bk}^2 - 1 - \log\sigma_{bk}^2\right)}_{L_\text{prior}:\ \textbf{sum}\text{ over latent dimensions, mean over profiles}}$$
#
# $L_\text{prior}$ is the KL divergence from the posterior to the prior, in nats for one profile. **This is a convention**:
# `D_KL` of notebook 1 averages over the latent dimensions too. The same $\beta$ would then weigh the prior ten times less:
# a $\beta$ found with one convention is divided or multiplied by the latent size for the other. A $\beta$ in a paper
# says something once you know both reductions.
#
# **What $\beta$ means.** Divide this loss by $\beta$. With a Gaussian likelihood of variance $\sigma_y^2$ for each height, the negative ELBO is
# $\frac{1}{2\sigma_y^2}\sum_i (\hat y_i - y_i)^2 + D_{KL}$ and a constant. The two are the same for $\frac{1}{200\,\beta} = \frac{1}{2\sigma_y^2}$, that is for
#
# $$\sigma_y^2 = 100\,\beta .$$
#
# So with mean squared error, every $\beta$ gives an ELBO: that of a model which takes heights to be uncertain by $10\sqrt\beta$.
# For $\beta = 0.0004$ that is 0.2, a fifth of the largest height (Lucas et al. 2019 and Rybkin et al. 2021 look at VAEs this way).
#
# **Iterations, not epochs.** One iteration is one batch and one step of the optimizer. The loop runs through the data as
# often as it needs and stops after exactly `n_iters`. After each step the scheduler, if there is one, takes a step too.
# Most schedulers only count. `ReduceLROnPlateau` watches a number and lowers the learning rate when it stops falling; the
# loss of a single batch jumps, so you give it the mean of the last `running_avg_window` total losses.
#
# Data, optimizer, scheduler and tracker are there. Three gaps are yours: forward, loss, step.

# %%
# AUTOGRADED (10) train_VAE
def train_VAE(model, train_dataset, device, plot_freq=100, beta=1., rec_loss_fn=nn.MSELoss(),
              optimizer_name='Adam', optimizer_config={}, lr_scheduler_name=None, lr_scheduler_config={},
              running_avg_window=20, n_iters=1000, batch_size=64):
    """Train a VAE for exactly `n_iters` iterations.

    Args:
        model: Returns (y_hat, mu, logvar) for a batch (B, 200); trained in place, on `device`.
        train_dataset: Items (y, name).
        plot_freq: Iterations between two live pictures; 0 for none.
        beta: Weight of the prior loss, >= 0.
        rec_loss_fn: (y_hat, y) to one number.
        optimizer_name, optimizer_config: A class of `torch.optim` and its settings.
        lr_scheduler_name, lr_scheduler_config: The same for `torch.optim.lr_scheduler`; None for none.
        running_avg_window: How many total losses ReduceLROnPlateau sees the mean of.

    Returns:
        The tracker, with the losses of all iterations.
    """
    model.to(device).train()
    loader = TensorLoader(train_dataset, batch_size, shuffle=True, device=device)
    optimizer = build_optimizer(optimizer_name, model.parameters(), optimizer_config)
    scheduler = build_scheduler(lr_scheduler_name, optimizer, lr_scheduler_config)
    tracker = VAE_Tracker(n_iters, plot_freq)
    while len(tracker.total_losses) < n_iters:
        for y, _ in loader:
            # TODO: run the model
            ### BEGIN SOLUTION
            y_hat, mu, logvar = model(y)
            ### END SOLUTION
            # TODO: compute rec_loss, prior_loss (sum over latent, mean over batch) and total_loss
            ### BEGIN SOLUTION
            rec_loss = rec_loss_fn(y_hat, y)
            prior_loss = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1).mean()
            total_loss = rec_loss + beta * prior_loss
            ### END SOLUTION
            tracker.update(rec_loss, prior_loss, total_loss)
            # TODO: clear the old gradients, compute the new ones, step the optimizer
            # TODO: step the scheduler, if there is one; a ReduceLROnPlateau gets the running average
            ### BEGIN SOLUTION
            optimizer.zero_grad()
            total_loss.backward()
            optimizer.step()
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(np.mean(tracker.total_losses[-running_avg_window:]))
            elif scheduler is not None:
                scheduler.step()
            ### END SOLUTION
            if len(tracker.total_losses) == n_iters:
                break
    return tracker


# %% [markdown]
# <details><summary>Hint</summary>
#
# `prior_loss` is one formula for all entries, then a sum along one dimension, then a mean. `tracker.total_losses` is a list of
# numbers, the newest last. `isinstance(scheduler, ReduceLROnPlateau)` tells the one scheduler that wants a number from the others.
# </details>

# %%
# TEST
class FixedModel(nn.Module):  # y_hat = w * y, every posterior N(m, 4): the losses are known
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.5))
        self.m = nn.Parameter(torch.tensor(1.0))
        self.s = nn.Parameter(torch.tensor(math.log(4.0)))
        self.seen, self.modes, self.sizes = [], [], []

    def forward(self, y):
        self.sizes.append(len(y))
        self.seen += [airfoil[0, 0].item() for airfoil in y.split(1)]
        self.modes.append(self.training)
        mu = self.m * torch.ones(len(y), 10, device=y.device)
        return self.w * y, mu, self.s * torch.ones_like(mu)

    def decoder(self, z):  # the loss is forward's, whose z is drawn
        return torch.zeros(len(z), 200, device=z.device)


airfoils = AirfoilDataset()
some = [airfoils[i] for i in range(20)]
kl = 0.5 * (1 + 4 - 1 - math.log(4.0))  # of one latent dimension
model = FixedModel().eval()
tracker = train_VAE(model, some, Device, plot_freq=0, beta=0.1, n_iters=7, batch_size=8)
expect_equal("iterations", len(tracker.total_losses), 7)
expect_equal(
    "airfoils in each batch", model.sizes, [8, 8, 4] * 2 + [8], hint="Use batch_size."
)
expect_close(
    "prior_loss",
    tracker.prior_losses[0],
    10 * kl,
    slips={
        "You take the mean over the latent dimensions; sum over them.": kl,
        "The prior enters with the wrong sign.": -10 * kl,
        "You sum over the batch; take the mean over it.": 80 * kl,
        "The factor 1/2 is missing.": 20 * kl,
    },
)
expected = tracker.rec_losses[0] + 0.1 * tracker.prior_losses[0]
expect_close(
    "total_loss",
    tracker.total_losses[0],
    expected,
    slips={
        "beta has no effect.": tracker.rec_losses[0] + tracker.prior_losses[0],
        "beta weighs the wrong term.": 0.1 * tracker.rec_losses[0] + tracker.prior_losses[0],
    },
)
expect_true("training mode while training", all(model.modes), "Keep model.train().")
expect_true(
    "weights take gradients afterwards",
    all(weight.requires_grad for weight in model.parameters()),
    "Leave requires_grad alone; with torch.no_grad(): is enough where none is needed.",
)
expect_true(
    "in another order in each epoch",
    model.seen[:20] != [y[0].item() for y, _ in some],
    "Keep shuffle=True.",
)

# %%
# TEST
def train_small(**options):
    set_seed(0)
    model = VAE(200, [16], 10)
    train_VAE(model, some, Device, plot_freq=0, **{"batch_size": 4, "n_iters": 5, **options})
    return model, torch.cat([p.detach().flatten() for p in model.parameters()])


# learning rate 0 after one step
stopped = {
    "lr_scheduler_name": "StepLR",
    "lr_scheduler_config": {"step_size": 1, "gamma": 0.0},
}
expect_true(
    "weights move",
    not torch.equal(train_small(n_iters=5)[1], train_small(n_iters=1)[1]),
    "Is optimizer.step() called?",
)
expect_close(
    "scheduler steps every iteration",
    train_small(n_iters=5, **stopped)[1],
    train_small(n_iters=1)[1],
    hint="The scheduler's step comes after each iteration, not after each epoch.",
)
# stops here if the scheduler does not get a number
train_small(lr_scheduler_name="ReduceLROnPlateau")
model = FixedModel().to(
    Device
)  # with this loss the gradient of w is 1 in every iteration, that of m is m
train_VAE(
    model,
    some,
    Device,
    plot_freq=0,
    beta=0.1,
    rec_loss_fn=lambda y_hat, y: y_hat.sum() / y.sum(),
    optimizer_name="SGD",
    optimizer_config={"lr": 0.1},
    n_iters=4,
)
expect_close(
    "w after four steps of 0.1",
    model.w,
    0.1,
    slips={
        "The gradients add up over the iterations; call optimizer.zero_grad().": -0.5,
        "There is no step; call optimizer.step().": 0.5,
    },
)
expect_close(
    "m, which only the prior moves, after four steps",
    model.m,
    0.9**4,
    slips={"The prior has no gradient: step down the total loss, and detach nothing.": 1.0},
)
logvar = math.log(4.0)
for _ in range(4):
    logvar -= 0.1 * (math.exp(logvar) - 1) / 2
expect_close(
    "logvar, which only the prior moves, after four steps",
    model.s,
    logvar,
    slips={"The prior has no gradient to logvar: detach nothing.": math.log(4.0)},
)


class Drawing(FixedModel):  # of three latent dimensions, one almost the prior; it draws
    def __init__(self):
        super().__init__()
        self.drawn = []

    def forward(self, y):
        self.drawn.append(torch.rand(1).item())
        ones = torch.ones(len(y), 3, device=y.device)
        mu = ones * torch.stack([0.05 * self.m, self.m, self.m])
        return super().forward(y)[0], mu, ones * torch.stack([0 * self.s, self.s, 2 * self.s])


runs = []
for seed in (1, 2):
    set_seed(seed)
    model = Drawing()
    tracker = train_VAE(
        model,
        some,
        Device,
        plot_freq=0,
        beta=0.001,
        rec_loss_fn=lambda y_hat, y: y_hat.sum() / y.sum(),
        optimizer_name="SGD",
        optimizer_config={"lr": 0.1, "momentum": 0.5},
        lr_scheduler_name="ExponentialLR",
        lr_scheduler_config={"gamma": 0.9},
        n_iters=25,
        batch_size=8,
    )
    runs.append(model.drawn)
expect_true("training mode in all epochs", all(model.modes), "model.train() holds to the end.")
expect_close(
    "prior_loss of three dimensions",
    tracker.prior_losses[0],
    0.5 * (0.05**2 + 1 + 3 - math.log(4.0) + 1 + 15 - math.log(16.0)),
    hint="The sum over the latent dimensions, however many, each as it is.",
)
w, m, lr, speed, drift = 0.5, 1.0, 0.1, 0.0, 0.0
for _ in range(25):
    speed, drift = 0.5 * speed + 1, 0.5 * drift + 0.001 * (0.05**2 + 2) * m
    w, m, lr = w - lr * speed, m - lr * drift, 0.9 * lr
expect_close("w after 25 steps with momentum and a falling rate", model.w, w, atol=1e-4,
             hint="One optimizer and one scheduler for all epochs, a step of each in each.")
expect_close("m, with beta = 0.001", model.m, m, hint="A small beta counts too.")
free = FixedModel()
losses = train_VAE(free, some, Device, plot_freq=0, beta=0.0, n_iters=2)
expect_close("m, with beta = 0", free.m, 1.0, hint="0 is a beta as any other.")
expect_close("prior_loss, with beta = 0", losses.prior_losses[0], 10 * kl,
             hint="It is recorded for any beta.")
expect_equal("numbers drawn in 25 iterations", len(set(runs[0])), 25,
             hint="Leave torch's generator as each iteration leaves it.")


class Narrow(FixedModel):  # 13 dimensions, narrow posteriors
    def forward(self, y):
        mu = self.m * torch.ones(len(y), 13, device=y.device)
        return self.w * y, mu, (self.s - 14) * torch.ones_like(mu)


steep, config, falling = Narrow().to(Device), {"lr": 1e-4}, {"gamma": 0.5}
losses = train_VAE(
    steep,
    some,
    Device,
    plot_freq=0,
    beta=3.0,
    rec_loss_fn=lambda y_hat, y: 1000 * y_hat.sum() / y.sum(),
    optimizer_name="SGD",
    optimizer_config=config,
    lr_scheduler_name="ExponentialLR",
    lr_scheduler_config=falling,
    n_iters=3,
    batch_size=20,  # one batch an epoch
)
expect_close("w after steps of 0.1, 0.05 and 0.025", steep.w, 0.5 - 0.175, atol=1e-4,
             hint="Each step goes down the whole gradient, however long.")
logvar, prior = math.log(4.0) - 14, losses.prior_losses[0]
expect_close("prior_loss of 13 narrow dimensions", prior,
             6.5 * (math.exp(logvar) - logvar), hint="Each counts, as it is.")
expect_close("total_loss with beta = 3", losses.total_losses[0],
             losses.rec_losses[0] + 3 * prior, rtol=1e-4)
expect_equal("the settings afterwards", (config, falling), ({"lr": 1e-4}, {"gamma": 0.5}),
             hint="Leave the caller's as they are.")
tiny = FixedModel()
train_VAE(tiny, some, Device, plot_freq=0, beta=1e-5, n_iters=1)
expect_true("m, with a tiny beta and Adam", tiny.m != 1, "A beta of 0.00001 counts too.")
expect_true("each run draws for itself", not set(runs[0]) & set(runs[1]),
            "Set no seed in train_VAE: the noise would be the same in every run.")
given, plain_step = [], ReduceLROnPlateau.step


def noted_step(self, metrics, *others):  # writes down what it is given
    given.append(float(metrics))
    plain_step(self, metrics, *others)


ReduceLROnPlateau.step = noted_step
try:
    losses = train_VAE(
        FixedModel(),
        some,
        Device,
        plot_freq=0,
        running_avg_window=3,
        n_iters=7,
        lr_scheduler_name="ReduceLROnPlateau",
        batch_size=4,
    ).total_losses
    many = train_VAE(
        FixedModel(),
        some,
        Device,
        plot_freq=0,
        running_avg_window=15,
        n_iters=20,
        lr_scheduler_name="ReduceLROnPlateau",
        batch_size=4,
    ).total_losses
finally:
    ReduceLROnPlateau.step = plain_step
given, later = given[:7], given[7:]
expect_close(
    "what ReduceLROnPlateau is given, 15 losses on end",
    np.array(later),
    np.array([np.mean(many[max(0, i - 14) : i + 1]) for i in range(20)]),
    hint="The mean of the last running_avg_window total losses.",
)
expect_close(
    "what ReduceLROnPlateau is given",
    np.array(given),
    np.array([np.mean(losses[max(0, i - 2) : i + 1]) for i in range(7)]),
    slips={
        "That is the last loss, which jumps.": np.array(losses),
        "That is the mean of all losses.": np.cumsum(losses) / np.arange(1, 8),
    },
    hint="The mean of the last running_avg_window total losses.",
)

# %% [markdown]
# **See.** A first real run, with a small network and few iterations. The live curves show the total and the reconstruction
# loss on the left and the KL on the right. Expect the reconstruction loss to fall below 0.01 within 300 iterations, and
# the KL to settle between 2 and 5 nats. (Some seconds on a CPU.)

# %%
set_seed(0)
first = VAE(200, [256, 128], 10)
tracker = train_VAE(first, dataset, Device, beta=4e-4, n_iters=400 if FAST else 800)
plot_airfoils(x, first.generate(8), title="After a first short run: wings, but wrinkled ones")

# %% [markdown]
# The sections have a nose, two surfaces and a tail, and their outlines tremble. What makes them smooth, and what is only said to, you
# find out in part 5.
#
# **Two numbers beside your eye.** `measure_airfoils` compares samples with the data: **roughness** is the mean size of the bend
# from point to point (second differences), **diversity** the mean distance between two profiles, both divided by the
# data's own value. A third number is the share of profiles whose surfaces cross. No single one of them tells a good model;
# the grader uses the same function and reads them together.

# %%
print("first run:", measure_airfoils(first.generate(24), dataset))
print("real data:", measure_airfoils(dataset.profiles[::60], dataset))

# %% [markdown]
# ## 4 What can go wrong
#
# ### 4.1 Too little and too much of beta
#
# $\beta$ is the price of information: every nat by which a posterior differs from the prior costs $\beta$. The experiment trains the
# same network with five values of $\beta$, from 0 to 0.02, for 800 iterations each: enough to see what $\beta$ does, too few for smooth
# outlines. (Half a minute on a CPU.)

# %% [markdown]
# **Predict `free`.** With $\beta = 0$ nothing holds the posteriors near the prior. What are the samples decoded from draws of the prior?
#
# - **A**: the best wings of all five: the reconstruction is the best
# - **B**: rough outlines that are no wings
# - **C**: one wing over and over

# %%
predict("", "free", "ABC")

# %% [markdown]
# **Predict `dear`.** With $\beta = 0.02$ one nat costs 0.02. A decoder that ignores $z$ and answers with the mean profile has a reconstruction loss
# of 0.013, half of which lies along one direction. What does training end with?
#
# - **A**: a few nats for the widest direction, and few but good wings
# - **B**: no nats at all, and one wing over and over
# - **C**: many nats, and rough samples

# %%
predict("", "dear", "ABC")

# %%
betas = [0.0, 1e-5, 4e-4, 3e-3, 2e-2]
models, rows = {}, []
for beta in betas:
    set_seed(0)
    models[beta] = VAE(200, [256, 128], 10)
    tracker = train_VAE(models[beta], dataset, Device, plot_freq=0, beta=beta,
                        n_iters=100 if LOAD_OURS else 800)
    if LOAD_OURS:
        tracker = load_ours(f"airfoils_beta_{beta:g}", models[beta], tracker)
    quality = measure_airfoils(models[beta].generate(24), dataset)
    rows.append((beta, np.mean(tracker.rec_losses[-50:]), np.mean(tracker.prior_losses[-50:]),
                 quality))
    print(f"beta {beta:g}: reconstruction {rows[-1][1]:.5f}, KL {rows[-1][2]:.3g} nats\n"
          f"    samples: {quality}")
free, dear = rows[0][3], rows[-1][3]  # the limits are those of the table in 5.1
reveal("free", {"A": free.roughness <= 28 and free.diversity >= 0.3, "B": free.roughness > 28,
                "C": free.roughness <= 28 and free.diversity < 0.3})
nats = rows[-1][2]
reveal("dear", {"A": 0.5 < nats < 10 and dear.roughness <= 28,
                "B": nats < 0.05 and dear.diversity < 0.3,
                "C": nats > 0.5 and dear.roughness > 28})

# %% figure="02_beta"
samples = torch.cat([models[beta].generate(4) for beta in betas])
plot_airfoils(x, samples, [f"beta {beta:g}" for beta in betas for _ in range(4)],
              title=f"One row for each beta{whose(*models.values())}")

# %%
figure, axes = plt.subplots(1, 3, figsize=(10, 2.6), layout="constrained")
labels = [f"{beta:g}" for beta in betas]
for axis, (title, values) in zip(axes, {
    "reconstruction loss": [rec for _, rec, _, _ in rows],
    "KL to the prior (nats)": [kl for _, _, kl, _ in rows],
    "diversity (1 = as the data)": [quality.diversity for *_, quality in rows],
}.items()):
    axis.bar(labels, values, color="#0072b2")
    axis.set(title=title, xlabel="beta")
axes[1].set_yscale("symlog", linthresh=1)

# %% [markdown]
# <details><summary>Prediction <code>free</code></summary>
#
# - **B** holds: the posteriors drift far from the prior and shrink, tens of nats away; draws of the prior land between them.
# - **A** tempts: the best reconstruction looks like the best model. But a $z$ from $\mathcal N(0, I)$ seldom falls where a profile has its code, and the decoder has not been asked about it.
# - **C** tempts: that is the failure of the other end of the scale, where nothing is told.
#
# </details>
#
# <details><summary>Prediction <code>dear</code></summary>
#
# - **B** holds: sending nothing is cheapest: every posterior becomes the prior, the decoder ignores $z$ and answers with the one profile that is least
#   wrong for all data, their mean. Between the two ends lies a range of $\beta$ where samples are wings, and unlike each other.
# - **A** tempts: the mean profile wastes 0.013, and half of it could be had for one direction. The first bit of information about it, whose variance is
#   $\lambda_1 = 1.27$, lowers the loss by at most $\lambda_1/100 = 0.0127$ a nat (next section), less than the price.
# - **C** tempts: roughness belongs to a *small* $\beta$ and to short training; a dear nat is not bought in numbers.
#
# </details>
#
# **None of the five is a design to hand in.** From $\beta = 0.0004$ on their roughness is about 21: so short a training leaves
# wrinkles, and $\beta$ does not remove them. What does, you look for in 5.1.
#
# **Move beta**: the same eight codes, decoded by the model of each $\beta$. (Five models of ours are stored with the notebook: the slider works at once.)

# %%
set_seed(1)
eight = torch.randn(8, 10)


@torch.inference_mode()
def wings_at(beta):
    """Eight designs of the stored model that was trained with this beta."""
    wings = our_chain(f"airfoils_beta_{beta:g}", "decoder", nn.LeakyReLU())(eight)
    return draw_airfoils(x, wings, f"beta {beta:g}: {measure_airfoils(wings, dataset)}")


Movable(wings_at, {"beta": [0.0, 1e-5, 4e-4, 3e-3, 2e-2]},
        "The same eight codes, decoded by models of ours, one for each beta").show()

# %% [markdown]
# **Collapse, dimension by dimension.** The KL is a sum over ten latent dimensions. The next picture takes it apart.

# %%
def kl_per_dimension(model):
    """KL to the prior of each latent dimension in nats, largest first, shape (10,)."""
    with torch.inference_mode():
        mu, logvar = model.encoder(torch.from_numpy(dataset.profiles).to(Device))
    posterior = torch.distributions.Normal(mu, logvar.exp().sqrt())
    prior = torch.distributions.Normal(0.0, 1.0)
    kl = torch.distributions.kl_divergence(posterior, prior)  # (1547, 10)
    return kl.mean(dim=0).sort(descending=True).values.cpu()


figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
for beta, hatch, colour, shift in ((1e-5, "", "#0072b2", -0.27), (4e-4, "//", "#d55e00", 0.0),
                                   (2e-2, "xx", "#009e73", 0.27)):
    axis.bar(np.arange(1, 11) + shift, kl_per_dimension(models[beta]), 0.27,
             label=f"beta {beta:g}", color=colour, hatch=hatch)
axis.set(xlabel="latent dimension, sorted", ylabel="KL (nats)",
         title=f"How much each latent dimension says{whose(*models.values())}",
         xticks=range(1, 11))
axis.legend();

# %% [markdown]
# A small $\beta$ lets many dimensions speak; at 0.02 none is left. How many *should* speak? For a linear decoder the answer is known
# (probabilistic principal component analysis: Tipping and Bishop 1999, for VAEs Lucas et al. 2019): the best model uses direction $i$ of the
# data if its variance $\lambda_i$ exceeds the variance that the likelihood explains as noise,
#
# $$\lambda_i > \sigma_y^2 = 100\,\beta .$$
#
# The next cell prints the first variances, and counts.

# %% [markdown]
# **Predict `used`.** How many latent dimensions does the model above use at $\beta = 0.0004$, of its ten?
#
# - **A**: all ten: unused ones would be a waste
# - **B**: as many as there are directions worth their price
# - **C**: fewer than are worth their price

# %%
predict("", "used", "ABC")

# %%
heights = torch.from_numpy(dataset.profiles)
variances = torch.linalg.svdvals(heights - heights.mean(dim=0)) ** 2 / len(heights)
lines = [f"beta {beta:g}: {(variances > 100 * beta).sum()} directions above {100 * beta:g}; "
         f"{(kl_per_dimension(models[beta]) > 0.05).sum()} dimensions used"
         for beta in betas[1:]]
print("variances of the data:", *(f"{value:.3f}" for value in variances[:6]),
      *("\n" + line for line in lines))
worth, used = (variances > 100 * 4e-4).sum(), (kl_per_dimension(models[4e-4]) > 0.05).sum()
reveal("used", {"A": used == 10, "B": used == worth, "C": 0 < used < worth})

# the same beta once more, after a warm-up: information is nearly free, then cheap
set_seed(0)
warmed = VAE(200, [256, 128], 10)
for beta in (1e-5, 1e-4, 4e-4):
    warmed_run = train_VAE(warmed, dataset, Device, plot_freq=0, beta=beta,
                           n_iters=100 if LOAD_OURS else 800)
if LOAD_OURS:
    warmed_run = load_ours("airfoils_warmed", warmed, warmed_run)
print(f"beta 0.0004 after a warm-up: {(kl_per_dimension(warmed) > 0.05).sum()} dimensions "
      f"used, total loss "
      f"{np.mean(warmed_run.total_losses[-50:]):.5f}; without: "
      f"{rows[2][1] + 4e-4 * rows[2][2]:.5f}")

# %% [markdown]
# In our full run the model trained from the start uses two dimensions of the four that are worth their price, and the warmed-up one uses
# four and ends with the lower loss (0.0028 against 0.0033). It had three times as many iterations; with as many from the start, two
# of our three seeds still used two and one three, while after the warm-up all used four. So "two of ten" is a matter of *training*, not of the data: a dimension that
# falls silent early finds it hard to come back. Notebook 3 comes back to this in 2.4.
#
# <details><summary>Prediction <code>used</code></summary>
#
# - **C** holds: the widest directions are learned first; meanwhile the others have learned to be silent.
# - **A** tempts: `latent_size` is 10, and a network seems to use what it is given. Every dimension in use is paid for in nats.
# - **B** tempts: it is what the best *linear* model does, and what the formula says. A training that starts with the full price ends below it.
#
# </details>

# %% [markdown]
# ### 4.2 The unit of the data is part of beta
#
# The cell below trains with one $\beta$ on the same profiles twice: scaled, and in chord lengths, where all
# heights are 6.67 times smaller. (Ten seconds on a CPU.)

# %% [markdown]
# **Predict `unit`.** The same $\beta$, the same network, heights 6.67 times smaller. What happens to the KL?
#
# - **A**: nothing: the information in a profile does not depend on its unit
# - **B**: it falls 6.67 times, as the heights do
# - **C**: it falls to nearly 0: nothing is told any more

# %%
predict("", "unit", "ABC")

# %%
units = {"scaled to max |y| = 1": list(dataset),
         "in chord lengths": [(y / dataset.scale, name) for y, name in dataset]}
figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
ends = []
for (label, profiles), style in zip(units.items(), ("-", "--")):
    set_seed(0)
    tracker = train_VAE(VAE(200, [256, 128], 10), profiles, Device, plot_freq=0, beta=4e-4,
                        n_iters=400 if FAST else 800)
    axis.plot(tracker.prior_losses, style,
              label=f"{label}: ends at {np.mean(tracker.prior_losses[-50:]):.2g} nats")
    ends.append(np.mean(tracker.prior_losses[-50:]))
axis.set(xlabel="iteration", ylabel="KL to the prior (nats)", title="One beta, two units")
axis.set_yscale("symlog", linthresh=0.1)
axis.legend()
kept = ends[1] / ends[0]
reveal("unit", {"A": kept > 0.8, "B": 0.1 < kept < 0.3, "C": kept < 0.05}, short=FAST)

# %% [markdown]
# Squared errors shrink with the square of the unit, here by $6.67^2 \approx 44$, and the KL does not shrink at all. So the same
# $\beta$ is 44 times stronger in chord lengths: enough to collapse the model. A $\beta$ belongs to a unit and to two reductions.
#
# <details><summary>Prediction <code>unit</code></summary>
#
# - **C** holds: the price of a nat is now 44 times what it was in units of the error. Divide $\beta$ by 44 for the same balance.
# - **A** tempts: the KL in nats knows no unit, and the first layer can undo any factor. But the *loss* weighs squared heights against nats.
# - **B** tempts: everything seems to shrink by the same factor. Squares shrink by its square, and the optimum does not shrink in proportion: below the price nothing is told.
#
# </details>

# %% [markdown]
# ## 5 Your design
#
# ### 5.1 Smooth and diverse
# **`air.quality`** · quality 15
#
# Choose the two configurations. The grader takes your classes and `train_VAE`, **trains your model again** with your two
# configurations, within 90 seconds of CPU time on one core, generates 24 profiles and measures them:
#
# | what the 24 profiles are | points |
# |---|---:|
# | smooth, and about as diverse as the data: roughness at most 15.5, diversity at least 0.6 | 15 |
# | slightly noisy: roughness up to 28 (or diversity down to 0.3) | 8 to 12 |
# | smooth, but all alike (collapse): diversity below 0.3 | 5 |
# | rough, or no wings: surfaces cross | 0 |
#
# It starts from seed 0 on the CPU, as the cells below do there, so `measure_airfoils` shows you nearly what the grader will see: it keeps some profiles
# back, bends all others alike before it trains, and takes the bend out again. Leave a little room to the limits.
#
# `model_config` is what `VAE` takes; `train_config` is what `train_VAE` takes beyond model, data, device and `plot_freq`. Both are written to a file,
# so they hold numbers, words, lists and dictionaries. `rec_loss_fn` is not among them; the grader uses the mean squared error.
#
# | setting | file | may be |
# |---|---|---|
# | `input_size` | `model_config.yaml` | 200, which does not change |
# | `latent_size` | `model_config.yaml` | 10, which does not change |
# | `hidden_dims` | `model_config.yaml` | a list of 1 to 16 whole numbers from 1 to 4,096 (without any the model is linear) |
# | `beta` | `train_config.yaml` | a number from 0 to 1,000,000 |
# | `n_iters` | `train_config.yaml` | a whole number from 1 to 1,000,000 |
# | `batch_size` | `train_config.yaml` | a whole number from 1 to 4,096 |
# | `running_avg_window` | `train_config.yaml` | a whole number from 1 to 1,000,000 |
# | `optimizer_name` | `train_config.yaml` | the name of an optimizer, such as Adam |
# | `optimizer_config` | `train_config.yaml` | a dictionary of its settings |
# | `lr_scheduler_name` | `train_config.yaml` | the name of a scheduler, such as StepLR, or None |
# | `lr_scheduler_config` | `train_config.yaml` | a dictionary of its settings |
#
# How to search: change one thing at a time; look at the two numbers and at the picture. Samples are alike: lower $\beta$. They are
# wrinkled: train longer first. Keep an eye on the seconds.

# %%
model_config = {"input_size": 200, "hidden_dims": [64], "latent_size": 10}
train_config = {
    "beta": 1e-4, "optimizer_name": "Adam", "optimizer_config": {"lr": 1e-3},
    "lr_scheduler_name": None, "lr_scheduler_config": {}, "n_iters": 300, "batch_size": 64,
}
# TODO: these settings are too small; replace the line below by settings of your own
### BEGIN SOLUTION
model_config["hidden_dims"] = [512, 256, 128]
train_config.update(beta=0.00043, lr_scheduler_name="StepLR",
                    lr_scheduler_config={"step_size": 200, "gamma": 0.7}, n_iters=5000)
### END SOLUTION

# %% [markdown]
# <details><summary>Hint</summary>
#
# Wrinkles are what training has not removed yet. They go on shrinking as long as weights move: count how far a schedule lets them.
# `StepLR(step_size=200, gamma=0.7)` multiplies the rate by 0.7 every 200 iterations; after 2,000 it is at 3% of its start, and what
# is rough then stays rough. In our runs of 5,000 iterations a constant rate ended three times as smooth as this schedule. Wider hidden layers need more seconds an iteration.
# </details>

# %% [markdown]
# The progress display shows how many iterations your machine does in a second; the grader's budget is CPU time on one core. Below the curves
# four codes are decoded again and again while you train: `02_wings.gif` is a film of it, to keep.

# %%
set_seed(0)
# ours are of the published configuration, whatever yours is
model = VAE(200, [512, 256, 128], 10) if LOAD_OURS else VAE(**model_config)
n_iters = min(300, train_config["n_iters"]) if LOAD_OURS else train_config["n_iters"]
four = torch.randn(4, 10, generator=torch.Generator().manual_seed(3)).to(Device)
film = Film("02_wings.gif", lambda: draw_airfoils(x, model.decoder(four), "Four codes"),
            "Four wings while the model trains")
with film.of(model):
    tracker = train_VAE(model, dataset, Device, **{**train_config, "n_iters": n_iters})
film.show()
if LOAD_OURS:
    tracker = load_ours("airfoils_design", model, tracker)

# %% figure="02_samples"
samples = model.generate(24)
plot_airfoils(x, samples, title=f"24 designs{whose(model)}")
print(measure_airfoils(samples, dataset))

# %% [markdown]
# **Keep what you trained.** The next cell writes the two configurations and your model's weights beside the notebook, about a megabyte; they go along
# with the hand-in. No points hang on the weights: the grader trains your model again, and tells you what these come to beside it.

# %%
save_yaml(model_config, "model_config.yaml")
save_yaml(train_config, "train_config.yaml")
save_weights("02_airfoil_vae", {"vae": model}, dataset.source);

# %% [markdown]
# **Read.** Look for three things: outlines without wrinkles, especially at nose and tail; surfaces that do not cross;
# thin and thick, flat and bent sections side by side. The published run, with the schedule of the hint, ends with
# $L_\text{rec}$ near 0.0016, a KL of 3.3 nats and a roughness of 11; with a constant rate all else stays and the roughness is 3.5 to 4.1.
#
# ### 5.2 What does depth buy?
#
# Before you are proud of a deep model, ask what a shallow one gives. With `hidden_dims=[]` encoder and decoder are *linear*: the model
# is principal component analysis with noise, and all else stays as it was.
#
# It gets 5,000 iterations at a constant
# rate, once with the published $\beta$ and once with a larger one; and beside it stands the deep model of 4.1 after its warm-up. (Half a minute.)

# %% [markdown]
# **Predict `depth`.** How do the linear model's samples and reconstructions at $\beta = 0.00043$ compare with those of your deep one?
#
# - **A**: rougher samples, worse reconstructions
# - **B**: smoother samples, worse reconstructions
# - **C**: smoother samples, better reconstructions

# %%
predict("", "depth", "ABC")

# %%
def best_linear_loss(beta):
    """The loss of the best linear model there is, from the data's variances alone."""
    ratio = variances / (100 * beta)
    used = ratio > 1
    return 0.5 * beta * ((ratio[used].log() + 1).sum() + ratio[~used].sum()).item()


def mean_error(model):
    """Mean squared error of the profiles decoded from their posterior means."""
    with torch.inference_mode():
        y_hat = model.eval().decoder(model.encoder(heights.to(Device))[0])
    return F.mse_loss(y_hat.cpu(), heights).item()


def distance_to_real(samples):
    """Mean absolute difference in heights between a sample and its nearest real profile."""
    apart = torch.cdist(samples.cpu(), heights, p=1) / heights.shape[1]
    return apart.min(dim=1).values.mean().item()


whom = "ours of 5.1" if LOAD_OURS else "yours"
designs = {whom: (model, tracker)}
for beta in (0.00043, 0.003):
    set_seed(0)
    design = VAE(200, [], 10)
    run = train_VAE(design, dataset, Device, plot_freq=0, beta=beta,
                    n_iters=100 if LOAD_OURS else 5000)
    if LOAD_OURS:
        run = load_ours(f"airfoils_linear_{beta:g}", design, run)
    designs[f"linear, beta {beta:g}"] = design, run
designs["deep, after the warm-up of 4.1"] = warmed, warmed_run
for name, (design, run) in designs.items():
    rec, kl = np.mean(run.rec_losses[-100:]), np.mean(run.prior_losses[-100:])
    print(f"{name}: {count_params(design):,} parameters, "
          f"{(kl_per_dimension(design) > 0.05).sum()} dimensions used\n"
          f"    mean squared error {mean_error(design):.5f}, "
          f"loss at beta 0.00043: {rec + 0.00043 * kl:.5f}\n"
          f"    samples: {measure_airfoils(design.generate(240), dataset)}\n"
          f"    {distance_to_real(design.generate(240)):.4f} from the nearest real profile")
straight = designs["linear, beta 0.00043"][0]
rough, error = ([measure_airfoils(design.generate(240), dataset).roughness
                 for design in (straight, model)], [mean_error(straight), mean_error(model)])
reveal("depth", {"A": rough[0] > rough[1] and error[0] > error[1],
                 "B": rough[0] < rough[1] and error[0] > error[1],
                 "C": rough[0] < rough[1] and error[0] < error[1]})
print(f"the best linear model at beta 0.00043: loss {best_linear_loss(0.00043):.5f}\n"
      f"two principal components: mean squared error {variances[2:].sum().item() / 200:.5f}")

# %%
plot_airfoils(x, designs["linear, beta 0.003"][0].generate(8),
              title="Designs of a linear model, beta 0.003"
              + whose(designs["linear, beta 0.003"][0]))

# %% [markdown]
# In our full runs the linear model, 6,220 parameters instead of 538,332, is smoother (roughness 2) and more diverse than the data. Its
# reconstruction is *better* too: it uses four or five dimensions, the deep model two. And the deep model's loss of 0.0030 lies above the
# 0.0029 of the best linear model, which follows from the variances alone (the trained linear model is not there yet). With two numbers the deep
# model reconstructs about as well as two principal components do. So does depth buy the *samples*? At this $\beta$ the linear ones lie farther
# from real profiles, and some have surfaces that cross. But that is the extra dimensions' doing: with a $\beta$ of 0.003 the linear model
# uses two dimensions as well, and then its samples are as near to real ones as the published model's, as diverse, eight times as smooth, and do not cross.
#
# So neither smoothness nor diversity, reconstruction or loss is evidence for a deep model here: these profiles are nearly a Gaussian cloud in a few
# directions. (That is why 5.1 asks for a hidden layer: its table alone would give the linear model all 15 points.)
#
# **Depth pays from the third number on.** The last line is the deep model of 4.1 after its warm-up, which uses four. In our full runs it
# reconstructs about as well as the linear model with four or five, and its samples stay twice as near to real profiles. A linear decoder adds the third
# number's shape to the first two's, whatever these are; a deep one need not. Ask what
# the simplest model gives before you build a deep one, and try the same question on the digits of notebook 3.
#
# <details><summary>Prediction <code>depth</code></summary>
#
# - **C** holds: with the published configuration as the deep one. Your own may be closer: a constant rate makes it smoother, a smaller $\beta$ makes it more exact.
# - **A** tempts: a hundredth of the parameters sounds like a worse model in every way. Smooth outlines are what a few directions of smooth data give.
# - **B** tempts: a simple model may be smooth and *miss* detail. Here it uses more of its dimensions than the deep one does, and misses less.
#
# </details>
#
# ## 6 What the model knows
#
# ### 6.1 From one airfoil to another
#
# Encode two sections, walk in a straight line from one `mu` to the other, and decode on the way. Every step should be a
# wing section too.

# %%
model.eval()
start, end = (torch.from_numpy(dataset[dataset.names.index(name)][0]).to(Device)
              for name in ("n0012", "s1223"))
with torch.inference_mode():
    mu = model.encoder(torch.stack([start, end]))[0]
    steps = torch.linspace(0, 1, 8, device=Device)[:, None]
    path = model.decoder((1 - steps) * mu[0] + steps * mu[1])
plot_airfoils(x, path, [f"{share:.0%} s1223" for share in steps.flatten().tolist()],
              title=f"From n0012 to s1223 through latent space{whose(model)}")

# %% [markdown]
# The section bends little by little from symmetric to cambered. Nobody told the model what camber is.
#
# ### 6.2 A map of all airfoils
#
# Ten dimensions are eight too many to look at. Principal component analysis finds the two directions along which the
# means `mu` of all 1547 profiles spread most. Each dot is one profile, coloured by its thickness, which nobody told the model.

# %% figure="02_latent"
with torch.inference_mode():
    mu = model.encoder(torch.from_numpy(dataset.profiles).to(Device))[0].cpu()
centred = mu - mu.mean(dim=0)
directions = torch.linalg.svd(centred, full_matrices=False)
position = centred @ directions.Vh[:2].T
share = (directions.S[:2] ** 2 / (directions.S**2).sum()).tolist()
upper, lower = dataset.profiles[:, 99::-1], dataset.profiles[:, 100:]
thickness = 100 * (upper - lower).max(axis=1) / dataset.scale

figure, axis = plt.subplots(figsize=(5.5, 4), layout="constrained")
dots = axis.scatter(*position.T, c=thickness, s=8, cmap="cividis", vmin=0, vmax=25)
figure.colorbar(dots, label="thickness (% of the chord)")
axis.set(xlabel=f"first direction ({share[0]:.0%} of the spread)",
         ylabel=f"second direction ({share[1]:.0%})",
         title=f"The latent space, coloured by thickness{whose(model)}")
for name in ("n0012", "s1223", "clarky"):
    place = position[dataset.names.index(name)].tolist()
    axis.plot(*place, "o", markersize=6, color="black", markeredgecolor="white")
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}
    axis.annotate(name, place, xytext=(4, 5), textcoords="offset points", fontsize=8, bbox=box)

# %% [markdown]
# Colour changes gradually across the map: neighbours in latent space are neighbours in shape. Is that the work of the KL term? Ask
# the numbers: how well do the ten nearest neighbours of a profile in the map foretell its thickness, for your model, for the model
# of 4.1 that was trained *without* KL, and for the two widest principal components of the data, which no network has seen?

# %%
def foretold(points, value):
    """Share of the variance of `value` that the mean of the ten nearest points explains."""
    apart = torch.cdist(points, points).fill_diagonal_(float("inf"))
    guess = value[apart.topk(10, largest=False).indices].mean(dim=1)
    return 1 - ((value - guess) ** 2).sum().item() / ((value - value.mean()) ** 2).sum().item()


def widest_two(points):
    centred = points - points.mean(dim=0)
    return centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T


with torch.inference_mode():
    free = models[0.0].encoder(heights.to(Device))[0].cpu()
for name, points in ((whom, mu), ("beta = 0", free),
                     ("principal components", heights)):
    print(f"{name:<21} thickness foretold by neighbours in the map: "
          f"{foretold(widest_two(points), torch.from_numpy(thickness)):.3f}")

# %% [markdown]
# In our runs all three are near 0.98: two numbers that hold the shape of a wing section hold its thickness, however they were found. The KL term
# is not what makes the colours smooth. What it does is to put the codes where the prior draws, as 4.1 showed. The symmetric sections lie along a
# straight line in the map; on it they differ mostly in thickness.

# %% [markdown]
# ### 6.3 Ten sliders on your model
#
# The sliders of part 2 once more, now on what you trained. Which numbers does *your* model use? Compare with 4.1.

# %%
wing_sliders(model.decoder, f"A wing of the model of 5.1{whose(model)}; z = 0 dotted").show()

# %% [markdown]
# ## To break, and to go on
#
# Nothing here is graded, and a first pass may skip it. Each check says green or red, and Run All goes on past a red one.
#
# ### Find the bug
#
# `first_direction` should find the widest direction of the data, the first principal component, by gradient descent. It returns a random
# direction. Its lines are right and not in the right order; mend them there.


# %%
# FIND THE BUG
def first_direction(heights, steps=300):
    """The unit vector w, (200,), for which y -> (y w) w loses least of centred profiles."""
    centred = heights - heights.mean(dim=0)
    set_seed(0)
    w = torch.randn(heights.shape[1], requires_grad=True)
    optimizer = optim.Adam([w], lr=0.05)
    for _ in range(steps):
        unit = w / w.norm()
        loss = (centred - (centred @ unit)[:, None] * unit).square().sum(dim=1).mean()
        ### BUG: loss.backward()
        optimizer.zero_grad()
        ### BUG: optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (w / w.norm()).detach()


# %% [markdown]
# <details><summary>Where to look</summary>
#
# Print the loss in each iteration: it stays where it is. What does each of the last three calls read, and what does it leave behind?
#
# </details>

# %%
# CHECK
with checking(
    "first_direction",
    "does the loss fall? What does each of the last three calls leave behind?",
):
    set_seed(1)
    made = torch.randn(400, 1) @ torch.randn(1, 200) + 0.3 * torch.randn(400, 200) + 1.0
    best = torch.linalg.svd(made - made.mean(dim=0), full_matrices=False).Vh[0]
    expect_close(
        "cosine with the first principal component",
        (first_direction(made) @ best).abs(),
        1.0,
        atol=0.01,
    )
    real = torch.from_numpy(AirfoilDataset().profiles)
    best = torch.linalg.svd(real - real.mean(dim=0), full_matrices=False).Vh[0]
    expect_close(
        "the same for the airfoils", (first_direction(real) @ best).abs(), 1.0, atol=0.01
    )

# %% [markdown]
# ### Go further
#
# **Airfoils of a thickness you choose.** Nobody told your model what thickness is, and its codes hold it nearly in a straight line (6.2). So: fit thickness as a linear function
# of the codes `mu`, and move a code *the shortest way* to where the fit says what you want. What comes out are designs to order.
#
# The check gives your function the dimensions that your model uses (4.1). Give it all ten, and see along which of them the shortest way leads then.


# %%
# GO FURTHER
def move_to_thickness(z, mu, thickness, wanted):
    """Move codes the shortest way to where a linear fit foretells the wanted thickness.

    Args:
        z: Codes to move, shape (n, K).
        mu, thickness: Codes of known profiles, shape (N, K), and their thickness, shape (N,).
        wanted: A thickness, one number.

    Returns:
        The codes moved, shape (n, K).
    """
    # TODO: fit thickness = mu @ slope + intercept by least squares
    # TODO: move each code along the slope, by as much as its own thickness misses
    ### BEGIN SOLUTION
    known = torch.cat([mu, torch.ones(len(mu), 1)], dim=1)
    *slope, intercept = torch.linalg.lstsq(known, thickness[:, None]).solution[:, 0]
    slope = torch.stack(slope)
    misses = wanted - (z @ slope + intercept)  # (n,)
    return z + misses[:, None] * slope / slope.square().sum()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# A column of ones beside the codes makes the intercept one more slope; `torch.linalg.lstsq` fits. Moving by $t$ times the slope changes the fit by $t$ times its squared length.
#
# </details>

# %%
# CHECK
with checking(
    "move_to_thickness",
    "what does the fit say of the codes you return, and did they move along its slope alone?",
):
    set_seed(0)
    known, slope = torch.randn(300, 10), torch.randn(10)
    start = torch.randn(6, 10)
    moved = move_to_thickness(start, known, known @ slope + 12.0, 15.0)
    expect_close(
        "what the fit foretells",
        moved @ slope + 12.0,
        torch.full((6,), 15.0),
        rtol=1e-3,
        atol=1e-3,
    )
    way = moved - start
    expect_close(
        "the shortest way",
        way - (way @ slope)[:, None] * slope / (slope @ slope),
        torch.zeros(6, 10),
        atol=1e-3,
    )
    used, percent = mu.std(dim=0) > 0.1, torch.from_numpy(thickness).float()
    with torch.inference_mode():
        for wanted in (8.0, 12.0, 16.0):
            codes = torch.randn(50, 10)
            codes[:, used] = move_to_thickness(codes[:, used], mu[:, used], percent, wanted)
            shapes = model.decoder(codes.to(Device)).cpu()
            upper, lower = shapes[:, :100].flip(1), shapes[:, 100:]
            got = 100 * (upper - lower).amax(dim=1) / dataset.scale
            print(
                f"asked for {wanted:.0f} % of the chord, your model's 50 designs have "
                f"{got.mean():.1f} on average ({got.std():.1f} around it)"
            )

# %% [markdown]
# ## 7 Hand in
#
# ### 7.1 Two files and the notebook
# **`air.zip`** · given
#
# The cell writes `model_config.yaml` and `train_config.yaml`, looks for gaps that are still open, and packs everything.
# Save the notebook before you run it. Then it adds your wings to `poster.pdf`, a page to keep, which grows with notebooks 3 and 4.

# %%
save_yaml(model_config, "model_config.yaml")
save_yaml(train_config, "train_config.yaml")
hand_in("02_airfoil_vae",
        files=["model_config.yaml", "train_config.yaml", "02_wings.gif"])


def my_wings():
    quality = measure_airfoils(model.generate(24), dataset)
    return {"heading": "Wings that nobody had drawn", "models": [model], "x": x,
            "profiles": model.generate(24), "facts": [
                f"{count_params(model):,} parameters", f"{len(tracker.total_losses):,} steps",
                f"beta {train_config['beta']:g}", f"{quality}"]}


add_to_poster("02_wings", my_wings)

# %% [markdown]
# ## References
#
# - D. P. Kingma and M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, arXiv:1312.6114: the model, the trick, the loss.
# - I. Higgins et al., *beta-VAE*, ICLR 2017: the weight $\beta$.
# - M. E. Tipping and C. M. Bishop, *Probabilistic Principal Component Analysis*, J. R. Statist. Soc. B 61, 1999: the linear model of 4.1 and 5.2.
# - J. Lucas et al., *Don't Blame the ELBO!*, NeurIPS 2019, arXiv:1911.02469: which dimensions of a linear VAE collapse, and at which noise.
# - O. Rybkin, K. Daniilidis and S. Levine, *Simple and Effective VAE Training with Calibrated Decoders*, ICML 2021, arXiv:2006.13202: $\beta$ as
#   the width of the likelihood.
# - M. Selig, *UIUC Airfoil Coordinates Database*, University of Illinois at Urbana-Champaign: the profiles; selection and
#   resampling are described in `data/README.md`.
