# %% [markdown]
# # Notebook 1: The KL divergence and the ELBO
#
# A variational autoencoder is trained with a loss of two terms: one says how well data is reconstructed, the other how
# far the code of each example strays from a prior. The second term is a **KL divergence**, both together are the
# negative **ELBO**. In this notebook you derive them, write them in a few lines of PyTorch each, and check every line
# against an independent computation. Notebooks 2 and 3 build on what you write here.
#
# **After this notebook you can**
#
# - derive the KL divergence between Gaussians, and say why it is not a distance;
# - turn a formula into code without losing track of sums, means, and log variances;
# - check a closed form against Monte Carlo, and say how many samples that takes;
# - draw samples that a gradient can pass through, and say what breaks without them;
# - derive the ELBO, write its negative as a loss, and say what a weight `beta` on its KL term does to a model.
#
# {{points_table}}
#
# *auto*: graded by running your `# AUTOGRADED` cell. *manual*: a person reads your response. *given*: runs as it is.
#
# **Time.** Two to four hours of yours. The finished notebook runs in half a minute on one CPU core (20 seconds with
# `FAST=1`); it uses no GPU.

# %% [markdown]
# **Where you are going.** In section 2.4 the error of your Monte Carlo estimate of a KL falls like $1/\sqrt N$:
#
# ![Bars that fall with the number of samples, along the dashed law of one over root N](figures/01_kl_compare.png)
#
# In section 3.4 one toy VAE is trained with three weights of its KL term. Of the three, only the middle one both reconstructs
# and generates:
#
# ![Six clusters reconstructed and generated with beta too small, right and too large](figures/01_kl_beta.png)

# %% [markdown]
# ## Setup
#
# Run the next two cells first. On your machine, start Jupyter in the bundle (`make lab`). On
# [Google Colab](https://colab.research.google.com) upload this notebook and put `student.zip` into the Files panel on the left:
# the first cell unpacks it, and says what is otherwise there. On either it says what it finds and how to mend what is missing.
#
# **Rules.** Write only where a `# TODO:` or *Your answer here.* asks you to. Keep the first line `# AUTOGRADED (…)` of a
# cell as it is: the grader finds your answer by it. Import no package beyond the import
# cell's; modules of the standard library such as `math` or `typing` are fine. `torch.distributions` is not allowed in your
# answers: the checks compare with it.

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

diagnose("01_kl_divergence")

# %%
# IMPORTS
# NOT ALLOWED: torch.distributions
import math
from typing import Tuple, Union

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.optim import lr_scheduler
from tqdm.auto import tqdm

from utils import (
    FAST,
    checking,
    expect_close,
    expect_differentiable,
    expect_equal,
    expect_fresh_noise,
    expect_shape,
    expect_true,
    hand_in,
    predict,
    reveal,
    set_seed,
)
from utils.plotting import divergence as plots

# %% [markdown]
# ## Symbols and conventions
#
# The same symbols in text, code and figures, in all four notebooks:
#
# | symbol | code | what it is |
# |---|---|---|
# | $x$, $\hat x$ | `x`, `x_hat` | data; its reconstruction, the mean of $p(x \mid z)$ |
# | $z$, $\epsilon$ | `z`, `eps` | a code (latent variable); standard normal noise |
# | $q$, $p$ | `params_q`, `params_p` | the density that is averaged over; the one it is compared with, often the prior $\mathcal N(0, I)$ |
# | $\mu$, $\sigma$ | `mu`, `sigma` | mean and standard deviation of a Gaussian |
# | $\log\sigma^2$ | `logvar` | the log **variance** |
# | $\log\sigma$ | `log_sigma` | the log **standard deviation**; `logvar = 2 * log_sigma` |
# | $\sigma_x$ | `log_sig_x` is $\log\sigma_x$ | standard deviation of $x$ given $z$ |
# | $B$, $N$, $K$, $D$ | in shapes | examples in a batch; samples for each example; dimensions of a code; dimensions of $x$ |
# | $D_{KL}(q \,\Vert\, p)$ | `kl`, `D_KL` | the KL divergence of $q$ from $p$, in nats |
# | $\log$ | `torch.log` | the natural logarithm; divide nats by $\log 2$ for bits |
#
# Most wrong answers in this subject are right formulas in another convention. Four hold here:
#
# | | convention | the other one you meet |
# |---|---|---|
# | unit | nats | bits |
# | spread | `logvar` or `log_sigma`, as the docstring says | the other of the two |
# | `params` of shape `(B, K+1)` | an isotropic Gaussian for each of $B$ examples: $K$ means, then **one** `log_sigma` | one sigma a dimension |
# | a loss | is minimised: negative ELBO | the ELBO itself, maximised |
#
# Whether a function sums or averages over the latent dimensions differs from one exercise to the next, on purpose: the
# literature does both. Read the `Returns` line of each docstring. A mean over $K$ dimensions is $K$ times smaller than
# the sum, which changes the balance with every other term of a loss.

# %% [markdown]
# ## 1 The KL divergence between Gaussians
#
# You have two densities over the same variable $z$. If $z$ really comes from $q$ but you code or bet as if it came from
# $p$, you lose on average
#
# $$D_{KL}(q \,\|\, p) = \mathbb{E}_{z \sim q}\!\left[\log \frac{q(z)}{p(z)}\right] = \int q(z) \log \frac{q(z)}{p(z)} \, dz$$
#
# nats per draw. This is the **Kullback–Leibler divergence**. It is zero when $q = p$ and positive otherwise. The average
# is taken over the **first** argument, so it is not symmetric: what $p$ does where $q$ is never seen does not count.
#
# For Gaussians the integral has a closed form, and two facts about moments are all you need to find it:
# if $z$ has mean $\mu$ and variance $\sigma^2$, then $\mathbb{E}[z] = \mu$ and $\mathbb{E}[z^2] = \mu^2 + \sigma^2$.

# %% [markdown]
# ### 1.1 Two Gaussians, by hand
# **`kl.general`** · manual 10
#
# Let $q = \mathcal{N}(\mu_2, \sigma_2^2)$ and $p = \mathcal{N}(\mu_1, \sigma_1^2)$ be scalar Gaussians. Derive
#
# $$D_{KL}(q \,\|\, p) = \log\frac{\sigma_1}{\sigma_2} + \frac{\sigma_2^2 + (\mu_1 - \mu_2)^2}{2 \sigma_1^2} - \frac12 .$$
#
# Start from the definition, show each step, and say where you use which moment.
#
# *Check yourself:* with $\mu_2 = 1,\ \sigma_2 = 2,\ \mu_1 = 0,\ \sigma_1 = 3$ the formula gives 0.1832 nats.

# %% [markdown]
# **RESPONSE:**
#
# <!-- BEGIN SOLUTION -->
# The log density of a Gaussian is $\log \mathcal{N}(z; \mu, \sigma^2) = -\log\sigma - \tfrac12\log 2\pi - \frac{(z-\mu)^2}{2\sigma^2}$.
# In the difference of two of them the constant $\tfrac12 \log 2\pi$ cancels:
#
# $$\log\frac{q(z)}{p(z)} = \log\frac{\sigma_1}{\sigma_2} - \frac{(z-\mu_2)^2}{2\sigma_2^2} + \frac{(z-\mu_1)^2}{2\sigma_1^2}.$$
#
# Take the expectation under $q$, term by term. The first term is a constant. In the second, $\mathbb{E}_q[(z-\mu_2)^2] = \sigma_2^2$
# is the variance of $q$, so the term is $-\tfrac12$. In the third, write $z-\mu_1 = (z-\mu_2) + (\mu_2-\mu_1)$ and square:
#
# $$\mathbb{E}_q[(z-\mu_1)^2] = \mathbb{E}_q[(z-\mu_2)^2] + 2(\mu_2-\mu_1)\,\mathbb{E}_q[z-\mu_2] + (\mu_2-\mu_1)^2 = \sigma_2^2 + (\mu_1-\mu_2)^2,$$
#
# because $\mathbb{E}_q[z-\mu_2] = 0$. Together,
#
# $$D_{KL}(q\,\|\,p) = \log\frac{\sigma_1}{\sigma_2} + \frac{\sigma_2^2 + (\mu_1-\mu_2)^2}{2\sigma_1^2} - \frac12. \qquad\blacksquare$$
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>Hint</summary>
#
# Write out both log densities and subtract them before you take the expectation. One of the two squares has its own
# variance as expectation. For the other, insert a zero: $z - \mu_1 = (z - \mu_2) + (\mu_2 - \mu_1)$.
#
# </details>

# %% [markdown]
# ### 1.2 Against the standard normal, by hand
# **`kl.scalar`** · manual 5
#
# In a VAE, $p$ is often the standard normal. Let $q = \mathcal{N}(\mu, \sigma^2)$ and $p = \mathcal{N}(0, 1)$. Derive
#
# $$D_{KL}(q \,\|\, p) = \tfrac12\left(\mu^2 + \sigma^2 - 1 - \log \sigma^2\right)$$
#
# from the definition, using only $\mathbb{E}_q[z] = \mu$ and $\mathbb{E}_q[z^2] = \mu^2 + \sigma^2$ (do not plug numbers into
# 1.1; use 1.1 to check your result). Then show that it is zero only for $\mu = 0,\ \sigma = 1$.
#
# *Check yourself:* $\mu = 1,\ \sigma = 2$ gives 1.3069 nats.

# %% [markdown]
# **RESPONSE:**
#
# <!-- BEGIN SOLUTION -->
# With $\log q(z) = -\tfrac12\log\sigma^2 - \tfrac12\log 2\pi - \frac{(z-\mu)^2}{2\sigma^2}$ and
# $\log p(z) = -\tfrac12\log 2\pi - \frac{z^2}{2}$,
#
# $$D_{KL}(q\,\|\,p) = \mathbb{E}_q\!\left[-\tfrac12\log\sigma^2 - \frac{z^2 - 2\mu z + \mu^2}{2\sigma^2} + \frac{z^2}{2}\right].$$
#
# Insert the moments. The middle term has $\mathbb{E}_q[z^2 - 2\mu z + \mu^2] = (\mu^2+\sigma^2) - 2\mu^2 + \mu^2 = \sigma^2$, so it is $-\tfrac12$.
# The last term is $\tfrac12(\mu^2+\sigma^2)$. Together,
#
# $$D_{KL}(q\,\|\,p) = \tfrac12\left(\mu^2 + \sigma^2 - 1 - \log\sigma^2\right).$$
#
# **Zero.** $\mu^2 \ge 0$ with equality for $\mu = 0$. And $\sigma^2 - 1 - \log\sigma^2 \ge 0$ because $\log t \le t-1$, with equality
# for $t = \sigma^2 = 1$. Both are zero only for $\mu = 0,\ \sigma = 1$, that is for $q = p$. $\blacksquare$
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>Hint</summary>
#
# Expand $(z - \mu)^2$ before you take its expectation; both moments appear. For the last part, look at the two terms in
# $\mu$ and in $\sigma^2$ apart, and use $\log t \le t - 1$.
#
# </details>

# %% [markdown]
# ### 1.3 The closed form in code
# **`kl.D_KL`** · auto 5
#
# Without this term a VAE is an autoencoder with noise: nothing in its loss asks for codes where the prior draws. An **encoder**
# is a network that emits, for each of $B$ examples, $K$ means and $K$ log variances. Apply the formula of 1.2 to each of the
# $B \cdot K$ entries, and average:
#
# $$\mathtt{D\_KL} = \frac{1}{BK} \sum_{b=1}^{B} \sum_{k=1}^{K} \tfrac12\left(\mu_{bk}^2 + \sigma_{bk}^2 - 1 - \log\sigma_{bk}^2\right)$$
#
# where $\sigma_{bk}^2$ is the variance and `logvar` holds $\log \sigma_{bk}^2$. **Convention:** the mean runs over the batch
# **and** the latent dimensions. Any real number is a valid log variance; a variance would have to be kept positive.


# %%
# AUTOGRADED (5) D_KL
def D_KL(mu, logvar):
    """KL divergence of N(mu, exp(logvar)) from N(0, 1), mean over batch and latent dimensions.

    Args:
        mu: Means, float tensor of shape (B, K).
        logvar: Natural logs of the variances, float tensor of shape (B, K).

    Returns:
        Scalar tensor: the mean over all B * K entries, in nats.
    """
    # TODO: find the KL of every entry from the formula of 1.2.
    # TODO: average over all entries.
    ### BEGIN SOLUTION
    kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)  # (B, K)
    return kl.mean()
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: you have the log of the variance, and the formula wants the variance too; undo the logarithm. One reduction at
# the end covers both dimensions. The functions: `torch.exp`, `torch.mean`.
#
# </details>

# %%
# TEST
Normal = torch.distributions.Normal
kl_between = torch.distributions.kl_divergence
for seed, published in enumerate((0.9318599700927734, 1.0280910730361938, 0.853870153427124)):
    torch.manual_seed(seed)
    mu, logvar = torch.randn(10, 5), torch.randn(10, 5)
    as_log_sigma = kl_between(Normal(mu, logvar.exp()), Normal(0, 1)).mean()
    sigma_used = 0.5 * (mu**2 + (logvar / 2).exp() - 1 - logvar).mean()
    slips = {
        "you sum over the latent dimensions; here the mean runs over them too.": 5 * published,
        "you sum over batch and latent; take the mean.": 50 * published,
        "logvar is the log of the variance; you used it as the log of sigma.": as_log_sigma,
        "sigma stands where the variance belongs, which is exp(logvar).": sigma_used,
    }
    hint = "Is the ½ there?"
    expect_close(f"D_KL, seed {seed}", D_KL(mu, logvar), published, slips=slips, hint=hint)
for few, up, times in ((7, 0, 1), (10, -20, 1), (10, 18, 1), (9, 0, 30)):
    given = times * mu[:few, :3], logvar[:few, :3] + up
    right = kl_between(Normal(given[0], (given[1] / 2).exp()), Normal(0, 1)).mean()
    case = f"{few} examples, mu near {times}, logvar near {up}"
    expect_close(f"D_KL, {case}", D_KL(*given), right)
expect_differentiable("D_KL", D_KL, axes=(0, 1), mu=mu, logvar=logvar)
many = torch.randn(601, 3, generator=torch.Generator().manual_seed(0))
rows = torch.tensor([[0.0, 0.0], [0.01, 0.0], [1.0, 0.0]])  # the first is the prior itself
for given in ((many, many.flip(0)), (rows, 0 * rows)):
    right = kl_between(Normal(given[0], (given[1] / 2).exp()), Normal(0, 1)).mean()
    expect_close(f"D_KL of {len(given[0])} examples", D_KL(*given), right, atol=1e-6)
narrow = torch.linspace(-3, 3, 7)[:, None].requires_grad_()
D_KL(narrow.detach(), narrow).backward()
expect_close("slopes by logvar", narrow.grad, (narrow.detach().exp() - 1) / 14)

# %% [markdown]
# **Predict `width`.** Two Gaussians around 0: one of variance $e^2$ (`logvar = 2`), one of variance $e^{-2}$ (`logvar = -2`). Which one costs more?
#
# - **A**: the wide one
# - **B**: the narrow one
# - **C**: both the same: they lie equally far from `logvar = 0`

# %%
predict("", "width", "ABC")

# %% [markdown]
# Now see what the divergence charges. The left curve moves a unit Gaussian away from zero; the right one stretches and
# squeezes it in place.

# %%
values = torch.linspace(-3, 3, 61)
zero = torch.zeros(1, 1)
kl_of_mu = torch.stack([D_KL(value.view(1, 1), zero) for value in values])
kl_of_logvar = torch.stack([D_KL(zero, value.view(1, 1)) for value in values])
plots.plot_price(values, kl_of_mu, values, kl_of_logvar)
wide, narrow = kl_of_logvar[50], kl_of_logvar[10]  # logvar 2 and -2
print(f"logvar 2 costs {wide:.2f} nats, logvar -2 costs {narrow:.2f}")
alike = abs(wide - narrow) < 0.01
reveal(
    "width", {"A": wide > narrow and not alike, "B": narrow > wide and not alike, "C": alike}
)

# %% [markdown]
# A mean two standard deviations off costs 2 nats. Halving or doubling the variance costs 0.10 and 0.15 nats; far from there a
# wide Gaussian pays exponentially in `logvar`, a narrow one linearly.
#
# <details><summary>Prediction <code>width</code></summary>
#
# - **A** holds: 2.19 nats against 0.57. The variance itself stands in the formula, and $e^2$ is far from 1; of the narrow one only the logarithm is large.
# - **B** tempts: a narrow density looks like the bolder claim. It would pay more if it stood in the second place, where 1.5 puts it.
# - **C** tempts: a logarithm makes the two look like mirror images. The formula holds $\sigma^2$ as well as $\log\sigma^2$.
#
# </details>

# %% [markdown]
# ### 1.4 Many dimensions
# **`kl.multivariate`** · manual 5
#
# Let $q = \mathcal{N}(\boldsymbol\mu, \operatorname{diag}(\sigma_1^2, \dots, \sigma_K^2))$ and $p = \mathcal{N}(\mathbf{0}, I)$ in $K$ dimensions.
# Show that
#
# $$D_{KL}(q \,\|\, p) = -\frac12 \sum_{k=1}^{K} \left(1 + \log \sigma_k^2 - \sigma_k^2 - \mu_k^2\right).$$
#
# Say in one sentence where you need the covariance to be diagonal, and by which factor this differs from what `D_KL`
# returns for a single example.

# %% [markdown]
# **RESPONSE:**
#
# <!-- BEGIN SOLUTION -->
# Both densities factorise: $q(\mathbf z) = \prod_k q_k(z_k)$ with $q_k = \mathcal N(\mu_k, \sigma_k^2)$, because the covariance is
# diagonal, and $p(\mathbf z) = \prod_k p_k(z_k)$ with $p_k = \mathcal N(0, 1)$. The logarithm turns the quotient of products into a sum:
#
# $$D_{KL}(q\,\|\,p) = \mathbb{E}_q\!\left[\sum_{k=1}^{K} \log\frac{q_k(z_k)}{p_k(z_k)}\right] = \sum_{k=1}^{K} \mathbb{E}_{q_k}\!\left[\log\frac{q_k(z_k)}{p_k(z_k)}\right].$$
#
# In the last step each summand depends on $z_k$ alone, so the other dimensions integrate to one. Each expectation is the scalar
# divergence of 1.2, hence
#
# $$D_{KL}(q\,\|\,p) = \sum_{k=1}^{K} \tfrac12\left(\mu_k^2 + \sigma_k^2 - 1 - \log\sigma_k^2\right) = -\frac12\sum_{k=1}^{K}\left(1 + \log\sigma_k^2 - \sigma_k^2 - \mu_k^2\right). \qquad\blacksquare$$
#
# The diagonal is needed for $q$ to factorise; with correlations the log determinant of the covariance does not split. `D_KL` averages
# over the $K$ dimensions, so for one example it returns this sum divided by $K$.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>Hint</summary>
#
# A Gaussian with diagonal covariance is a product of scalar Gaussians. What does the logarithm make of a product, and
# what happens to the dimensions a term does not depend on?
#
# </details>

# %% [markdown]
# ### 1.5 Any two Gaussians in code
# **`kl.gaussians`** · auto 5
#
# Some models learn their prior, or compare two posteriors; then both arguments are free. Write the formula of 1.1 for
# tensors, entry by entry, without any reduction. Networks here emit the log **standard deviation**,
# $\mathtt{log\_sigma} = \log\sigma$, so $\sigma^2 = e^{2 \log\sigma}$. With $N_1 = \mathcal{N}(\mu_1, \sigma_1^2)$ and
# $N_2 = \mathcal{N}(\mu_2, \sigma_2^2)$, the function returns
#
# $$D_{KL}(N_1 \,\|\, N_2) = \mathbb{E}_{z \sim N_1}\!\left[\log \frac{N_1(z)}{N_2(z)}\right].$$
#
# **Mind the names:** in 1.1 the first argument carries index 2, here index 1.


# %%
# AUTOGRADED (5) kl_divergence
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    """KL divergence D_KL(N1 || N2) of scalar Gaussians, entry by entry.

    Args:
        mu1: Means of the first Gaussian N1, float tensor of any shape.
        log_sigma1: Natural logs of the standard deviations of N1, same shape.
        mu2: Means of the second Gaussian N2, same shape.
        log_sigma2: Natural logs of the standard deviations of N2, same shape.

    Returns:
        D_KL(N1 || N2) in nats, same shape; neither summed nor averaged.
    """
    # TODO: turn the log standard deviations into variances.
    # TODO: combine the three terms of the formula of 1.1, with the names of this function.
    ### BEGIN SOLUTION
    var1, var2 = torch.exp(2 * log_sigma1), torch.exp(2 * log_sigma2)
    return log_sigma2 - log_sigma1 + (var1 + (mu1 - mu2) ** 2) / (2 * var2) - 0.5
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: rename the indices of 1.1 on paper first. A quotient of sigmas is a difference of logs, so no division by a
# sigma that may be tiny is needed there. The function: `torch.exp`.
#
# </details>

# %%
# TEST
Normal = torch.distributions.Normal
kl_between = torch.distributions.kl_divergence
set_seed(0)
mu1, mu2 = torch.randn(2, 7, 3)
log_sigma1 = torch.linspace(-2.5, 2.5, 21).reshape(7, 3)
log_sigma2 = 0.9 * log_sigma1.flip(0)
N1, N2 = Normal(mu1, log_sigma1.exp()), Normal(mu2, log_sigma2.exp())
as_logvar = kl_between(
    Normal(mu1, (log_sigma1 / 2).exp()), Normal(mu2, (log_sigma2 / 2).exp())
)
ratio = (N1.scale + (mu1 - mu2) ** 2) / (2 * N2.scale)
slips = {
    "sigma stands where the variance belongs; square it.": (
        log_sigma2 - log_sigma1 + ratio - 0.5
    ),
    "the arguments are swapped: the average runs over N1, the first.": kl_between(N2, N1),
    "log_sigma is the log of sigma, and you used it as the log of the variance.": as_logvar,
}
got = kl_divergence(mu1, log_sigma1, mu2, log_sigma2)
hint = "One value for every entry; with mu1 = mu2 only the sigmas remain."
expect_close("kl_divergence", got, kl_between(N1, N2), rtol=1e-4, slips=slips, hint=hint)
narrow = {"log_sigma1": 0.2 * log_sigma1, "log_sigma2": 0.2 * log_sigma2}
expect_differentiable(
    "kl_divergence",
    lambda mu1, mu2, log_sigma1, log_sigma2: kl_divergence(mu1, log_sigma1, mu2, log_sigma2),
    axes=(0, 1),
    mu1=mu1,
    mu2=mu2,
    **narrow,
)
cases = {
    "of equal sigmas": (mu1, log_sigma2, mu2, log_sigma2),
    "of nearly equal sigmas": (mu1, log_sigma2 + 0.07, mu1, log_sigma2),
    "of equal means": (mu1, log_sigma1, mu1, log_sigma2),
    "from sigma = 1": (mu1, log_sigma1, mu2, 0 * log_sigma2),
    "of three dimensions": [one[None] for one in (mu1, log_sigma1, mu2, log_sigma2)],
    "of one row": (mu1[0], log_sigma1[0], mu2[0], log_sigma2[0]),
    "of narrow ones": (mu1, log_sigma1 - 20, mu2, log_sigma2 - 20),
    "of wide ones": (mu1, log_sigma1 + 9, mu2, log_sigma2 + 5),
    "far apart": (20 * mu1, log_sigma1, -20 * mu2, log_sigma2),
    "from the prior": (mu1, log_sigma1, 0 * mu2, 0 * log_sigma2),
}
for case, given in cases.items():
    one, other = (Normal(mean, log_sigma.exp()) for mean, log_sigma in (given[:2], given[2:]))
    right = kl_between(one, other)
    expect_close(f"kl_divergence {case}", kl_divergence(*given), right, rtol=1e-4)
same = mu1.clone().requires_grad_()
kl_divergence(same, log_sigma1, mu1, log_sigma2).sum().backward()
expect_close("slope where the means are equal", same.grad, 0 * mu1)

# %% [markdown]
# The order of the arguments is a choice with consequences. On the left, your function prices a change of width in both
# directions. On the right, the target has two modes and you may offer one Gaussian: once the best for $D_{KL}(p \,\|\, q)$,
# once for $D_{KL}(q \,\|\, p)$.

# %% [markdown]
# **Predict `swap`.** Which is larger?
#
# - **A**: $D_{KL}(\mathcal{N}(0, 1) \,\|\, \mathcal{N}(0, 0.5^2))$, the narrow one second
# - **B**: $D_{KL}(\mathcal{N}(0, 0.5^2) \,\|\, \mathcal{N}(0, 1))$, the narrow one first
# - **C**: both the same: the two Gaussians differ as much in either order

# %%
predict("", "swap", "ABC")

# %% [markdown]
# **Predict `modes`.** One Gaussian $q$ for a target $p$ with two modes. Which demand makes it cover both? Ask where the average is taken.
#
# - **A**: the smallest $D_{KL}(p \,\|\, q)$
# - **B**: the smallest $D_{KL}(q \,\|\, p)$
# - **C**: neither: one Gaussian has one mode, and takes the taller one of the target

# %%
predict("", "modes", "ABC")

# %%
sigmas = torch.logspace(-1, 1, 80)
zeros = torch.zeros(80)
forward = kl_divergence(zeros, zeros, zeros, sigmas.log())
reverse = kl_divergence(zeros, sigmas.log(), zeros, zeros)

grid = torch.linspace(-6, 6, 601)
step = grid[1] - grid[0]


def bump(mu, sigma):
    """Density of N(mu, sigma^2) on the grid."""
    return torch.exp(-0.5 * ((grid - mu) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))


def divergence_on_grid(a, b):
    """D_KL(a || b) of two densities given on the grid, by adding up slices."""
    return (a * (a.clamp_min(1e-30).log() - b.clamp_min(1e-30).log())).sum() * step


target = 0.6 * bump(-2.0, 0.6) + 0.4 * bump(2.0, 0.8)
candidates = [(m, s) for m in torch.linspace(-3, 3, 61) for s in torch.linspace(0.3, 3, 55)]
covers = min(candidates, key=lambda c: divergence_on_grid(target, bump(*c)))
picks = min(candidates, key=lambda c: divergence_on_grid(bump(*c), target))
fits = {"smallest D_KL(p || q)": bump(*covers), "smallest D_KL(q || p)": bump(*picks)}
plots.plot_asymmetry(sigmas, forward, reverse, grid, target, fits)
at_half = (sigmas - 0.5).abs().argmin()
first, second = forward[at_half], reverse[at_half]
reveal("swap", {"A": first > 1.1 * second, "B": second > 1.1 * first,
                "C": (first - second).abs() < 0.1 * first})
widths = covers[1], picks[1]  # the modes are 4 apart: over 1.5 covers both
reveal("modes", {"A": widths[0] > 1.5 > widths[1], "B": widths[1] > 1.5 > widths[0],
                 "C": max(widths) < 1.5})

# %% [markdown]
# Left, at $\sigma = 0.5$, the first form costs 0.81 nats and the second 0.32: a second argument that is too narrow is the dearer one.
# Right, $D_{KL}(p \,\|\, q)$ averages over the target: $q$ must have mass wherever $p$ has some, so it covers both modes and the
# valley between. $D_{KL}(q \,\|\, p)$ averages over $q$: it may ignore a mode, but must not stray where $p$ is nearly zero.
#
# <details><summary>Prediction <code>swap</code></summary>
#
# - **A** holds: where the wide density often draws, the narrow one is nearly zero, and its logarithm is a large negative number.
# - **B** tempts: what stands first does the averaging, and a narrow density seems the more surprising one. But it draws nothing where the wide one is small.
# - **C** tempts: a distance would have this symmetry. A divergence weighs the places by its first argument alone.
#
# </details>
#
# <details><summary>Prediction <code>modes</code></summary>
#
# - **A** holds: the average runs over the target, and wherever the target has mass, a $q$ near zero costs many nats.
# - **B** tempts: $q$ comes first, as in a VAE, and one expects of a VAE that it covers the data. Here $q$ pays only for where *it* puts mass.
# - **C** tempts: the fitted density has one peak. But it may be wide enough to lie under both modes, with its peak in the valley.
#
# </details>
#
# A VAE uses the second form for its posterior. For one effect of it take a target of *two correlated* dimensions, each with variance
# 1, and a $q$ whose dimensions are independent (**mean field**):

# %%
rho = 0.9  # correlation of the target p
inverse = torch.linalg.inv(torch.tensor([[1.0, rho], [rho, 1.0]]))


def mean_field_kl(variance):
    """D_KL(q || p) of N(0, variance I) and p with correlation rho, in two dimensions."""
    trace, log_det_p = variance * inverse.trace(), math.log(1 - rho**2)
    return 0.5 * (trace - 2 + log_det_p - 2 * variance.log())


variances = torch.linspace(0.05, 1.5, 291)
best = variances[mean_field_kl(variances).argmin()]
print(f"best variance of q in each dimension: {best:.3f}; the target's own: 1; 1 - rho^2 = "
      f"{1 - rho**2:.3f}")

# %% [markdown]
# The best independent $q$ has the variance $1 - \rho^2$, not 1: it fits into the narrow ridge instead of spreading over the
# marginals (Blei et al. 2017, section 2). Where the true posterior has no correlations there is no such shrinking.

# %% [markdown]
# ## 2 Estimating in place of integrating
#
# Many integrals have no closed form. Where you can draw samples $z_1, \dots, z_N$ from $q$ and evaluate both densities, you can average:
# $D_{KL}(q \,\|\, p) \approx \frac1N \sum_n \left[\log q(z_n) - \log p(z_n)\right]$. Here you have a closed form too, and can watch
# how good the estimate is.

# %% [markdown]
# ### 2.1 The log density of an isotropic Gaussian
# **`kl.log_prob`** · auto 5
#
# Everything that follows, the ELBO too, is built from this one function. In $K$ dimensions, with one standard deviation
# $\sigma$ shared by all of them,
#
# $$\log \mathcal{N}(x; \mu, \sigma^2 I) = -\frac{1}{2\sigma^2}\bigg[\sum_{k=1}^{K} (x_k - \mu_k)^2\bigg] - K \log \sigma - \frac{K}{2} \log 2\pi .$$
#
# The tensors carry a batch of $B$ examples with $N$ samples each; `log_sigma` holds $\log\sigma$ and has no last dimension:
# all $K$ dimensions share it. **Convention:** summed over $K$, since the density is that of the whole vector.


# %%
# AUTOGRADED (5) log_prob
def log_prob(x, mu, log_sigma):
    """Log density of isotropic Gaussians.

    Args:
        x: Where the density is evaluated, float tensor of shape (B, N, K).
        mu: Means, float tensor of shape (B, N, K).
        log_sigma: Natural logs of the standard deviations, shape (B, N), one for all K.

    Returns:
        log N(x; mu, sigma^2 I) in nats, shape (B, N). Summed over K.
    """
    # TODO: sum the squared differences over the last dimension.
    # TODO: scale them by the variance.
    # TODO: subtract the logarithm of the normaliser, which depends on K.
    ### BEGIN SOLUTION
    K = x.shape[-1]
    squared = ((x - mu) ** 2).sum(-1)  # (B, N)
    log_normaliser = K * (log_sigma + 0.5 * math.log(2 * math.pi))
    return -0.5 * squared * torch.exp(-2 * log_sigma) - log_normaliser
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: the sum over $k$ leaves the shape `(B, N)`, which is the shape of `log_sigma`; do the sum first and nothing needs
# to be broadcast. $K$ is a number you can read from a shape. The functions: `torch.sum` with `dim`, `math.log`.
#
# </details>

# %%
# TEST
Normal = torch.distributions.Normal
set_seed(0)
x, mu = torch.randn(2, 7, 5, 4)
log_sigma = 0.5 * torch.randn(7, 5)
right = Normal(mu, log_sigma.exp().unsqueeze(-1)).log_prob(x).sum(-1)
as_logvar = Normal(mu, (log_sigma / 2).exp().unsqueeze(-1)).log_prob(x).sum(-1)
half_log_2pi = 0.5 * math.log(2 * math.pi)
by_sigma = -((x - mu) ** 2).sum(-1) / (2 * log_sigma.exp()) - 4 * (log_sigma + half_log_2pi)
slips = {
    "you divide by sigma; the squared distance is divided by the variance.": by_sigma,
    "the normaliser counts once for each of the K dimensions.": right
    + 3 * (log_sigma + half_log_2pi),
    "K log sigma is there, but log 2 pi must be multiplied by K too.": right
    + 3 * half_log_2pi,
    "you take the mean over K; the density of a vector needs the sum.": right / 4,
    "log_sigma is the log of sigma, and you used it as the log of the variance.": as_logvar,
}
hint = "Try K = 1, mu = 0, sigma = 1 by hand."
expect_close("log_prob", log_prob(x, mu, log_sigma), right, slips=slips, hint=hint)
for few, by in ((3, 0), (4, -9), (4, -12), (4, 6)):  # K = 3; a very narrow density; a wide one
    given = math.exp(by) * x[..., :few], 0 * mu[..., :few], log_sigma + by
    right = Normal(given[1], given[2].exp().unsqueeze(-1)).log_prob(given[0]).sum(-1)
    expect_close(f"log_prob, K = {few}, log_sigma near {by}", log_prob(*given), right)
expect_differentiable("log_prob", log_prob, axes=(0, 1, 2), x=x, mu=mu, log_sigma=log_sigma)
wide = 3000 * x, mu, log_sigma  # far out; then many samples, and many dimensions
many, long = torch.randn(2, 1, 1100, 2), torch.randn(2, 1, 2, 1100)
for given in (wide, (*many, many[0, ..., 0]), (*long, log_sigma[:1, :2])):
    right = Normal(given[1], given[2].exp().unsqueeze(-1)).log_prob(given[0]).sum(-1)
    shape = tuple(given[0].shape)
    expect_close(f"log_prob, shape {shape}", log_prob(*given), right, rtol=1e-4)
at, alike = mu.clone().requires_grad_(), torch.zeros(7, 5, requires_grad=True)
log_prob(at, mu, alike).sum().backward()
expect_close("slope by x at the mean", at.grad, 0 * mu)
expect_true("slope by log_sigma, all alike", alike.grad is not None, "Detach nothing.")
expect_close("slope by log_sigma at the mean", alike.grad, -4.0 * torch.ones(7, 5))

# %% [markdown]
# A density must integrate to one, and that is a check you can make without any library: add up `exp(log_prob)` over a fine
# grid in two dimensions.

# %%
side = torch.linspace(-6, 6, 241)
points = torch.cartesian_prod(side, side).unsqueeze(0)  # (1, N, 2)
log_sigma = torch.full(points.shape[:2], math.log(0.8))
density = log_prob(points, torch.full_like(points, 0.5), log_sigma).exp()
print(f"exp(log_prob) adds up to {density.sum() * (side[1] - side[0]) ** 2:.6f}")

# %% [markdown]
# ### 2.2 The KL by Monte Carlo
# **`kl.mc`** · auto 5
#
# For a mixture of Gaussians or a normalising flow the divergence has no closed form, and one estimates it. You are given samples
# $z_{bn} \sim q_b$; average over them:
#
# $$\widehat{D}_{KL}(q_b \,\|\, p_b) = \frac1N \sum_{n=1}^{N} \left[\log q_b(z_{bn}) - \log p_b(z_{bn})\right]$$
#
# Each row of `params_q` and `params_p` describes one isotropic Gaussian: the first $K$ columns are its mean, the last is its
# `log_sigma`. **Convention:** the mean runs over the samples only; each example keeps its own estimate.


# %%
# AUTOGRADED (5) kl_q_p_mc
def kl_q_p_mc(samples_q, params_q, params_p):
    """Monte Carlo estimate of D_KL(q || p) for isotropic Gaussians.

    Args:
        samples_q: Samples of q, float tensor of shape (B, N, K).
        params_q: Parameters of q, shape (B, K+1): K means, then log_sigma.
        params_p: Parameters of p, shape (B, K+1), in the same order.

    Returns:
        The estimate of D_KL(q || p) in nats, shape (B,). Averaged over the N samples.
    """
    # TODO: split each params tensor into means and log_sigma, with a sample dimension.
    # TODO: evaluate both log densities at the samples.
    # TODO: average their difference over the samples.
    ### BEGIN SOLUTION
    mu_q, log_sigma_q = params_q[:, None, :-1].expand_as(samples_q), params_q[:, None, -1]
    mu_p, log_sigma_p = params_p[:, None, :-1].expand_as(samples_q), params_p[:, None, -1]
    log_ratio = log_prob(samples_q, mu_q, log_sigma_q) - log_prob(samples_q, mu_p, log_sigma_p)
    return log_ratio.mean(1)  # (B, N) to (B,)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: `log_prob` wants a mean for every sample, so give the parameters a sample dimension and stretch it. The
# functions: `Tensor.unsqueeze`, `Tensor.expand`, `torch.mean` with `dim`.
#
# </details>

# %%
# TEST
Normal = torch.distributions.Normal
set_seed(0)
params_q = 0.5 * torch.randn(6, 4)  # B = 6, K = 3
params_p = params_q + torch.linspace(0.1, 1, 6)[:, None] * torch.randn(
    6, 4
)  # from near to far
q = Normal(params_q[:, None, :-1], params_q[:, None, -1:].exp())
p = Normal(params_p[:, None, :-1], params_p[:, None, -1:].exp())
samples_q = q.sample((50,)).squeeze(2).transpose(0, 1)  # (6, 50, 3)
log_q, log_p = q.log_prob(samples_q).sum(-1), p.log_prob(samples_q).sum(-1)
right = (log_q - log_p).mean(1)
slips = {
    "q and p are swapped.": -right,
    "you sum over the samples; take their mean.": 50 * right,
    "only log p is there; the estimate needs log q - log p.": -log_p.mean(1),
}
expect_close("kl_q_p_mc", kl_q_p_mc(samples_q, params_q, params_p), right, slips=slips)
expect_differentiable(
    "kl_q_p_mc",
    kl_q_p_mc,
    axes=(0,),
    samples_q=samples_q,
    params_q=params_q,
    params_p=params_p,
)
of_one = kl_q_p_mc(samples_q[:, :1], params_q, params_p)
expect_close("kl_q_p_mc of one sample", of_one, (log_q - log_p)[:, 0])
fewer = kl_q_p_mc(samples_q[:, :23, 1:], params_q[:, 1:], params_p[:, 1:])  # N = 23, K = 2
log_ratio = q.log_prob(samples_q)[:, :23, 1:] - p.log_prob(samples_q)[:, :23, 1:]
expect_close("kl_q_p_mc, other sizes", fewer, log_ratio.sum(-1).mean(1))
many, centred = q.sample((601,)).squeeze(2).transpose(0, 1), 0 * params_p
centred[:, -1] = params_p[:, -1]
for case, samples, params in (
    ("601 samples", many, params_p),
    ("far apart", 40 * many, params_p),
    ("p around 0", many, centred),
):
    p = Normal(params[:, None, :-1], params[:, None, -1:].exp())
    right = (q.log_prob(samples) - p.log_prob(samples)).sum(-1).mean(1)
    got = kl_q_p_mc(samples, params_q, params)
    expect_close(f"kl_q_p_mc, {case}", got, right, rtol=1e-4, atol=1e-4)
same = params_q.clone().requires_grad_()
expect_true(
    "a gradient where q is p",
    kl_q_p_mc(samples_q, same, params_q).requires_grad,
    "The estimate is 0 there, and its slope is not.",
)

# %% [markdown]
# A thousand estimates with ten samples each, for two Gaussians that nearly agree: $q = \mathcal{N}(0, I)$ and $p = \mathcal{N}(0.1, I)$ in two
# dimensions. The exact value is $2 \cdot 0.1^2 / 2 = 0.01$ nats.

# %% [markdown]
# **Predict `negative`.** A divergence is at least 0. How many of the thousand *estimates* are negative?
#
# - **A**: none
# - **B**: a few, fewer than one in a hundred
# - **C**: many, more than one in five

# %%
predict("", "negative", "ABC")

# %%
set_seed(0)
alike_q, alike_p = torch.zeros(1000, 3), torch.tensor([[0.1, 0.1, 0.0]]).expand(1000, 3)
estimates = kl_q_p_mc(torch.randn(1000, 10, 2), alike_q, alike_p)
below = (estimates < 0).float().mean()
print(f"mean {estimates.mean():.4f} nats; {below:.0%} are negative")
reveal("negative", {"A": below == 0, "B": 0 < below < 0.01, "C": below > 0.2})

# %% [markdown]
# On average the estimates are right, yet about two in five are negative: a single $\log q - \log p$ may have either sign,
# only its expectation may not. A negative KL in a training log is no bug when it is estimated; from a closed form it is one.
#
# <details><summary>Prediction <code>negative</code></summary>
#
# - **C** holds: about two in five. The estimate is right on average and noisy one by one.
# - **A** tempts: what is true of the quantity seems to be true of its estimates. It is true of their mean.
# - **B** tempts: negative values look like rare accidents. Here the noise of ten samples is far larger than the 0.01 that is estimated, and the sign is almost a coin's.
#
# </details>

# %% [markdown]
# ### 2.3 The KL, exactly
# **`kl.exact`** · auto 5
#
# The exact value has no noise of its own and needs no samples. (Whether a *sum* that contains it has less noise is another question:
# section 3.3 shows a case where it has more.) Sum the formula of 1.1 over $K$ dimensions that share one sigma:
#
# $$D_{KL}(q \,\|\, p) = K \log\frac{\sigma_p}{\sigma_q} + \frac{K \sigma_q^2 + \sum_{k=1}^{K} (\mu_{q,k} - \mu_{p,k})^2}{2 \sigma_p^2} - \frac{K}{2}$$
#
# **Convention:** summed over $K$, one value for each of the $B$ examples.


# %%
# AUTOGRADED (5) kl_q_p_exact
def kl_q_p_exact(params_q, params_p):
    """Exact D_KL(q || p) of isotropic Gaussians.

    Args:
        params_q: Parameters of q, float tensor of shape (B, K+1): K means, then log_sigma.
        params_p: Parameters of p, shape (B, K+1), in the same order.

    Returns:
        D_KL(q || p) in nats, shape (B,). Summed over the K dimensions.
    """
    # TODO: split each params tensor into means and log_sigma.
    # TODO: find the KL of every dimension and sum over the dimensions.
    ### BEGIN SOLUTION
    mu_q, mu_p = params_q[:, :-1], params_p[:, :-1]  # (B, K)
    log_sigma_q, log_sigma_p = params_q[:, -1:].expand_as(mu_q), params_p[:, -1:].expand_as(mu_p)
    return kl_divergence(mu_q, log_sigma_q, mu_p, log_sigma_p).sum(-1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: `kl_divergence` of 1.5 works entry by entry on four tensors of one shape, so stretch `log_sigma` to the shape
# of the means, `(B, K)`. Then one reduction is left. The functions: slicing with `-1:`, `Tensor.expand_as`, `torch.sum`
# with `dim`.
#
# </details>

# %%
# TEST
Normal = torch.distributions.Normal
kl_between = torch.distributions.kl_divergence
set_seed(0)
params_q, params_p = 0.5 * torch.randn(2, 6, 4)  # B = 6, K = 3
q, p = (Normal(params[:, :-1], params[:, -1:].exp()) for params in (params_q, params_p))
centred = kl_between(Normal(0.0, q.scale), Normal(0.0, p.scale))[:, 0]  # without means
right = kl_between(q, p).sum(-1)
ratio = (q.scale + (q.mean - p.mean) ** 2) / (2 * p.scale)
slips = {
    "sigma stands where the variance belongs; square it.": (
        p.scale.log() - q.scale.log() + ratio - 0.5
    ).sum(-1),
    "the arguments are swapped.": kl_between(p, q).sum(-1),
    "you average over the K dimensions; sum over them.": right / 3,
    "the terms without mu count once for each of the K dimensions.": right - 2 * centred,
}
expect_close("kl_q_p_exact", kl_q_p_exact(params_q, params_p), right, slips=slips)
fewer = kl_q_p_exact(params_q[:4, 1:], params_p[:4, 1:])  # B = 4, K = 2
expect_close("kl_q_p_exact, other sizes", fewer, kl_between(q, p)[:4, 1:].sum(-1))
single = kl_q_p_exact(params_q[:, 2:], params_p[:, 2:])  # K = 1
expect_close("kl_q_p_exact, one dimension", single, kl_between(q, p)[:, 2])
expect_differentiable(
    "kl_q_p_exact", kl_q_p_exact, axes=(0,), params_q=params_q, params_p=params_p
)
far = torch.cat([8 * q.mean, params_q[:, -1:]], dim=1)
away = torch.cat([-8 * p.mean, params_p[:, -1:]], dim=1)
expect_close(
    "kl_q_p_exact, far apart",
    kl_q_p_exact(far, away),
    kl_between(Normal(8 * q.mean, q.scale), Normal(-8 * p.mean, p.scale)).sum(-1),
    rtol=1e-4,
)
centred, around_q, narrow, narrower = 0 * params_p, *(params_q.clone() for _ in range(3))
centred[:, -1] = around_q[:, -1] = params_p[:, -1]
narrow[:, -1] -= 15
narrower[:, -1] = -16 + params_p[:, -1]
many = 0.5 * torch.randn(2, 601, 3)
cases = {
    "p around 0": (params_q, centred),
    "p = N(0, I)": (params_q, torch.zeros(6, 4)),
    "equal means": (params_q, around_q),
    "both narrow": (narrow, narrower),
    "narrow, far apart": (params_p, narrower),
    "601 examples": many,
}
for case, (q_, p_) in cases.items():
    one, other = (Normal(both[:, :-1], both[:, -1:].exp()) for both in (q_, p_))
    right = kl_between(one, other).sum(-1)
    expect_close(f"kl_q_p_exact, {case}", kl_q_p_exact(q_, p_), right, rtol=1e-4, atol=1e-4)
same = params_q.clone().requires_grad_()
kl_q_p_exact(same, params_q).sum().backward()
expect_close("slope where q is p", same.grad, 0 * params_q)

# %% [markdown]
# Two of your functions now answer the same question in two conventions. Against the standard normal, `kl_q_p_exact` sums over
# $K$ dimensions and wants `log_sigma`; `D_KL` averages over them and wants `logvar`. Translate one into the other:

# %%
summed = kl_q_p_exact(params_q, torch.zeros_like(params_q)).mean()
averaged = D_KL(params_q[:, :-1], 2 * params_q[:, -1:].expand(6, 3))
print(
    f"kl_q_p_exact, mean over the batch: {summed:.4f} nats; K * D_KL: {3 * averaged:.4f} nats"
)

# %% [markdown]
# ### 2.4 How many samples are enough?
# **`kl.compare`** · given
#
# Now let the two answers meet. Take $q = \mathcal{N}(0, I)$ and $p = \mathcal{N}(10, e^2 I)$ in $K = 4$ dimensions, estimate the KL from $N$
# samples, repeat ten times, and compare with the exact value. The numbers of samples are spaced evenly in their logarithm, and both
# axes are logarithmic: a power of $N$ is then a straight line, and its exponent the slope.

# %% [markdown]
# **Predict `samples`.** By which factor does the mean error fall from 10 samples to 1000?
#
# - **A**: about 3
# - **B**: about 10
# - **C**: about 100

# %%
predict("", "samples", "ABC")

# %% figure="01_kl_compare"
set_seed(0)
params_q = torch.zeros(1, 5)  # mu_q = 0, log_sigma_q = 0
params_p = torch.tensor([[10.0, 10.0, 10.0, 10.0, 1.0]])  # mu_p = 10, log_sigma_p = 1
exact = kl_q_p_exact(params_q, params_p)

counts = torch.logspace(0, 3, 16).round().long()  # 1, 2, 3, ... 10, ... 100, ... 1000


def estimate_error(n):
    """Absolute error of one estimate from n samples, in nats; q is standard normal here."""
    return (kl_q_p_mc(torch.randn(1, n, 4), params_q, params_p) - exact).abs()[0]


errors = torch.stack(
    [torch.stack([estimate_error(int(n)) for n in counts]) for _ in range(10)]
)
error_of_one = float(torch.stack([estimate_error(1) for _ in range(2000)]).mean())
plots.plot_error_against_samples(counts, errors, error_of_one)
print(f"exact value {exact[0]:.4f} nats")
means = errors.mean(0)
said = (f"{means[counts == n].item():.3f} with {n}" for n in (1, 10, 100, 1000))
print("mean error:", ", ".join(said))
fall = means[counts == 10].item() / means[counts == 1000].item()
reveal("samples", {"A": fall < 5, "B": 5 <= fall < 30, "C": fall >= 30})

# %% [markdown]
# The bars follow the dashed line, of slope $-\frac12$: the error of one sample divided by $\sqrt N$, the rate of a mean of independent draws.
# From 10 samples to 1000 the law asks for a factor of ten; ten repeats show it roughly. One more digit costs a hundred times the samples.
#
# <details><summary>Prediction <code>samples</code></summary>
#
# - **B** holds: a hundred times the samples, and $\sqrt{100} = 10$.
# - **A** tempts: who remembers a root may take it twice, or think of 10 samples in place of a hundred times as many: $\sqrt{10}$ is about 3.
# - **C** tempts: a hundred times the work seems to earn a hundred times the precision. The *variance* does fall that much; its root is the error.
#
# </details>
#
# A VAE takes *one* sample for each example and step. In practice that suffices: the gradient is a mean over the batch, and the noise of
# its examples is independent. In the toy VAE of 3.4, after training and with batches of 256, sixteen samples for each example halve
# the noise of the gradient; the same number of samples, spent on sixteen times as many examples, divides it by four.
# Kingma and Welling (2014, section 2.3) use one sample and batches of 100.

# %% [markdown]
# ## 3 The ELBO
#
# A latent-variable model draws $z \sim p(z) = \mathcal{N}(0, I)$ and then $x \sim p(x \mid z) = \mathcal{N}(f(z), \sigma_x^2 I)$ with a decoder $f$. Training
# it means making $\log p(x) = \log \int p(x \mid z)\, p(z)\, dz$ large, and for a network $f$ that integral has no closed form that
# one could use. The **evidence lower bound** (ELBO) takes its place.
#
# ### 3.1 The bound, by hand
# **`kl.bound`** · manual 5
#
# Let $q(z)$ be any density that is positive where $p(z \mid x)$ is. Derive in a few lines
#
# $$\log p(x) = \underbrace{\mathbb{E}_{q(z)}[\log p(x \mid z)] - D_{KL}(q(z) \,\|\, p(z))}_{\text{ELBO}} + D_{KL}(q(z) \,\|\, p(z \mid x)).$$
#
# Then say in one sentence each why the ELBO is a lower bound of $\log p(x)$, and for which $q$ it is tight.

# %% [markdown]
# **RESPONSE:**
#
# <!-- BEGIN SOLUTION -->
# $\log p(x)$ is a constant in $z$, so it equals its expectation under $q$; by Bayes' rule, and with $q(z)/q(z)$ inserted,
#
# $$\log p(x) = \mathbb{E}_{q(z)}\!\left[\log \frac{p(x \mid z)\, p(z)}{p(z \mid x)}\right]
# = \mathbb{E}_{q(z)}\!\left[\log p(x \mid z) - \log\frac{q(z)}{p(z)} + \log\frac{q(z)}{p(z \mid x)}\right]$$
#
# $$= \mathbb{E}_{q(z)}[\log p(x \mid z)] - D_{KL}(q(z) \,\|\, p(z)) + D_{KL}(q(z) \,\|\, p(z \mid x)). \qquad\blacksquare$$
#
# A divergence is at least 0, so without the last term the right side is at most $\log p(x)$: a lower bound. The last term is 0, and the bound
# tight, exactly when $q(z) = p(z \mid x)$, the true posterior.
# <!-- END SOLUTION -->

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\log p(x)$ does not depend on $z$, so it is its own expectation under $q$. Bayes' rule gives $p(x) = p(x \mid z)\, p(z) / p(z \mid x)$ for every $z$.
# Insert $q(z)/q(z)$, and sort the logarithms into two divergences and a rest.
#
# </details>

# %% [markdown]
# You may raise the ELBO over $q$ and $f$ together. One $q$ for each example would mean one set of parameters for each; a VAE trains
# **one** network, the encoder, that maps every $x$ to the parameters of its $q(z \mid x)$. This is called **amortised** inference
# (Kingma and Welling 2014; Rezende et al. 2014). Two pieces are missing: samples that let gradients through, and the bound in code.

# %% [markdown]
# ### 3.2 Samples with a gradient
# **`kl.rsample`** · auto 5
#
# `torch.normal(mu, sigma)` gives samples, and PyTorch even tracks them: `requires_grad` is True. But the gradient that arrives at `mu`
# and `sigma` is **zero**, without an error message; the next cell shows it. The **reparameterisation trick** (Kingma and Welling
# 2014, section 2.4) draws noise that does not depend on the parameters, and moves it into place with operations that do:
#
# $$z_{bn} = \mu_b + \sigma_b\, \epsilon_{bn}, \qquad \epsilon_{bn} \sim \mathcal{N}(0, I_K)$$
#
# Each example $b$ and each sample $n$ gets its own noise vector. **Convention:** draw all of it with one call, in the shape
# `(B, N, K)`; with the same seed you then get the numbers the checks expect.

# %% [markdown]
# **Predict `slopes`.** What are $\partial z / \partial \mu$ and $\partial z / \partial \log\sigma$ for a sample of your `rsample`?
#
# - **A**: $1$ and $\epsilon$
# - **B**: $1$ and $\sigma\epsilon$
# - **C**: $0$ and $0$: a sample is a random number

# %%
predict("", "slopes", "ABC")

# %%
mu, sigma = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
z = torch.normal(mu, sigma)
z.sum().backward()
print(f"torch.normal: requires_grad {z.requires_grad}; d z / d mu = {mu.grad.tolist()}")


# %%
# AUTOGRADED (5) rsample
def rsample(params_q, num_samples):
    """Reparameterised samples of isotropic Gaussians.

    Args:
        params_q: Parameters, float tensor of shape (B, K+1): K means, then log_sigma.
        num_samples: Number N of samples for each of the B examples, at least 1.

    Returns:
        Samples of shape (B, N, K), on the device of params_q; gradients flow back to params_q.
        The noise is drawn by one call, in the shape (B, N, K).
    """
    # TODO: split params_q into means and sigma, with a dimension for the samples.
    # TODO: draw the noise, scale it and shift it.
    ### BEGIN SOLUTION
    mu, sigma = params_q[:, None, :-1], params_q[:, None, -1:].exp()  # (B, 1, K), (B, 1, 1)
    B, _, K = mu.shape
    eps = torch.randn(B, num_samples, K, device=params_q.device, dtype=params_q.dtype)
    return mu + sigma * eps
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: the noise comes first and knows nothing of the parameters; then scale, then shift. Let broadcasting add the
# sample dimension to the means and to sigma. The functions: `torch.randn`, `torch.exp`, indexing with `None`.
#
# </details>

# %%
# TEST
set_seed(0)
params_q = torch.tensor([[1.0, -2.0, -1.0], [0.0, 3.0, -6.0], [-1.0, 1.0, 0.5]])
samples = rsample(params_q, 100_000)
expect_shape("samples", samples, (3, 100_000, 2), "B examples, N samples each, K dimensions.")

hint = "The noise needs the shape (B, N, K): each example, sample and dimension has its own."
expect_fresh_noise("rsample", lambda: rsample(torch.zeros(3, 3), 10), hint)
expect_shape("one sample of one", rsample(params_q[:1], 1), (1, 1, 2))
mu, sigma = params_q[:, :-1], params_q[:, -1:].exp().expand(3, 2)
slips = {
    "the last column is log sigma, and you used it as the log of the variance.": (
        -0.5 * sigma.log()
    )
}
off, spread = (samples.mean(1) - mu) / sigma, samples.std(1) / sigma
expect_close(
    "spread of the samples, log of its ratio to sigma",
    spread.log(),
    torch.zeros(3, 2),
    atol=0.02,
    slips=slips,
)
expect_close("mean of the samples", off, torch.zeros(3, 2), atol=0.02)
hint = "Leave the noise as randn draws it: its mean is a draw too, no exact 0."
expect_true("the mean of the samples varies", off.abs().max() > 1e-5, hint)
eps = (samples - mu[:, None]) / sigma[:, None]
alike = torch.corrcoef(torch.stack([eps[0, :, 0], eps[1, :, 0], eps[0, :, 1]])).triu(1).abs()
expect_true("examples and dimensions have their own noise", alike.max() < 0.05, hint)
expect_differentiable(
    "rsample", lambda params_q: rsample(params_q, 4), axes=(0,), params_q=params_q
)
hint = "One sample, or two rows, get noise as any others, and so they do without gradients."
flat = torch.zeros(6, 4)
expect_fresh_noise("one sample a row", lambda: rsample(torch.zeros(20, 4), 1), hint)
with torch.no_grad():
    one, pairs = rsample(flat, 1), torch.stack([rsample(flat[:2], 2) for _ in range(3)])
expect_true("noise where gradients are off", one.abs().max() > 1e-3, hint)
expect_true("noise of its own in each of two rows", pairs.diff(dim=1).abs().max() > 1e-3, hint)
apart = (pairs[:, :, 0] - pairs[:, :, 1]).abs()
expect_true("two samples, now near and now far", apart.std() > 1e-3, "Leave randn as it is.")
for size in (-12.0, 6.0):
    spread = rsample(torch.tensor([[0.0, 0.0, size]]), 4000).std().log()
    expect_close(f"log of a sigma of exp({size:g})", spread, size, rtol=0, atol=0.1)

# %% [markdown]
# Three posteriors, 300 samples each. Every cloud should fill its own circles, and no cloud should be a line or a copy of
# another. A sample moves one to one with its mean ($\partial z / \partial \mu = 1$) and by $\sigma\epsilon$ with $\log\sigma$: the outermost points feel a
# change of width most.

# %%
set_seed(1)
three = torch.tensor([[-2.0, 0.0, -0.7], [1.0, 1.5, -1.5], [1.5, -1.5, -0.2]])
plots.plot_clouds(rsample(three, 300), three)

one = torch.tensor([[0.3, -1.0]], requires_grad=True)  # mu and log sigma
z = rsample(one, 1)
slopes = torch.autograd.grad(z.sum(), one)[0][0]
moved = (z - one[0, 0]).detach().flatten()[0]  # sigma times eps
print(f"d z / d mu = {slopes[0]:.3f}, d z / d log sigma = {slopes[1]:.3f}; "
      f"sigma eps = {moved:.3f}, eps = {moved * math.e:.3f}")
reveal(
    "slopes",
    {
        "A": torch.isclose(slopes[1], moved * math.e),
        "B": torch.isclose(slopes[1], moved),
        "C": (slopes == 0).all(),
    },
)

# %% [markdown]
# <details><summary>Prediction <code>slopes</code></summary>
#
# - **B** holds: $\sigma = e^{\log\sigma}$ is its own derivative. A network that emits $\log\sigma$ feels a step as a share of the width.
# - **A** tempts: $z = \mu + \sigma\epsilon$ is linear in $\sigma$, and its slope *there* is $\epsilon$. What is trained is $\log\sigma$; the chain rule brings one more $\sigma$.
# - **C** tempts: that is what `torch.normal` sends back, as the cell above showed. Here the noise is drawn apart, and $z$ is an ordinary function of both.
#
# </details>

# %% [markdown]
# #### What goes wrong without it
#
# Here is a one-dimensional posterior $q$ that should become $p = \mathcal{N}(2, 0.5^2)$ by gradient descent on your Monte Carlo KL,
# with four samplers: yours; yours cut off from its parameters; and two with frozen noise. A `torch.manual_seed` inside the function
# freezes *the draws of a call*: 64 points if you ask for 64, a single one if you ask for one.

# %% [markdown]
# **Predict `frozen`.** $q$ starts at $\mathcal{N}(0, 1)$. Where does it end in the last three cases: cut off, 64 frozen draws, one frozen draw?
#
# - **A**: all three stay near the start: without fresh noise nothing is learned
# - **B**: near the start; near the target; with its mean near the target and a sigma that grows
# - **C**: near the start; near the target; near the target too, but less exactly

# %%
predict("", "frozen", "ABC")


# %%
def fit(sampler, steps=300):
    """Fit q to N(2, 0.5^2) by gradient descent; return its mean and sigma."""
    set_seed(0)
    params_q = torch.tensor([[0.0, 0.0]], requires_grad=True)
    params_p = torch.tensor([[2.0, math.log(0.5)]])
    optimizer = torch.optim.SGD([params_q], lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        kl_q_p_mc(sampler(params_q), params_q, params_p).sum().backward()
        optimizer.step()
    mu, log_sigma = params_q.detach()[0]
    return mu, log_sigma.exp()


set_seed(0)
frozen = torch.randn(1, 64, 1)


def frozen_sampler(draws):
    """A sampler whose noise is the same in every call."""
    return lambda params: params[:, None, :-1] + params[:, None, -1:].exp() * frozen[:, :draws]


samplers = {
    "reparameterised": lambda params: rsample(params, 64),
    "cut off": lambda params: rsample(params, 64).detach(),
    "64 frozen draws": frozen_sampler(64),
    "one frozen draw": frozen_sampler(1),
}
fitted, ends = {}, {}
for title, sampler in samplers.items():
    mu, sigma = fit(sampler)
    fitted[f"{title}\nmu = {mu:.2f}, sigma = {sigma:.2f}"] = bump(mu, sigma)
    ends[title] = abs(mu - 2) < 0.5, sigma
plots.plot_fits(grid, bump(2.0, 0.5), fitted)
cut, many, single = (
    ends[title] for title in ("cut off", "64 frozen draws", "one frozen draw")
)
reveal("frozen", {"A": not (cut[0] or many[0] or single[0]),
                  "B": not cut[0] and many[0] and single[1] > 1,
                  "C": not cut[0] and many[0] and single[0] and single[1] < 1})

# %% [markdown]
# Cut off, the gradient that is left, $\mathbb{E}_q[\nabla \log q(z)]$, is zero on average: $q$ stays near its start and jitters, and no
# error message says so. With 64 frozen draws $q$ fits those 64 points and lands near the target, a little beside it. With one frozen draw
# the mean can move that one point onto the mode of $p$ whatever sigma is, and $\log q$ of the point falls with $\log\sigma$: a wider
# $q$ is rewarded without end, and sigma grows as long as you train.
#
# <details><summary>Prediction <code>frozen</code></summary>
#
# - **B** holds: each case optimises what it sees: nothing, 64 points, one point. One point can be made likely by its place alone, and $\log q$ rewards every further nat of width.
# - **A** tempts: frozen noise sounds like no noise. But the draws are moved by $\mu$ and $\sigma$, and a gradient comes back through them.
# - **C** tempts: fewer draws usually mean the same answer with more error. With one draw the *objective* is another: nothing in it asks for the right width.
#
# </details>
#
# #### Another way to a gradient
#
# Not everything that one samples can be reparameterised (a discrete $z$ cannot be moved by a small step). The **score-function estimator**
# needs the density alone: $\nabla \mathbb{E}_q[g(z)] = \mathbb{E}_q[g(z)\, \nabla \log q(z)] + \mathbb{E}_q[\nabla g(z)]$, the second term for
# a $g$ that itself depends on the parameters. Both estimators of $\frac{d}{d\mu} D_{KL}(\mathcal N(\mu, 1) \,\|\, \mathcal N(2, 0.5^2))$ at $\mu = 0$,
# from one draw each:

# %%
set_seed(0)
eps = torch.randn(20_000)  # z = mu + eps with mu = 0
log_ratio = -0.5 * eps**2 + 0.5 * ((eps - 2) / 0.5) ** 2 + math.log(0.5)
estimates = {
    "score function": log_ratio * eps,  # d log q / d mu = z - mu
    "reparameterised": (eps - 2) / 0.5**2,  # d log p / d z, log q does not change
}
figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
for (name, values), style in zip(estimates.items(), ("-", "--")):
    axis.hist(values.numpy(), bins=200, range=(-60, 30), histtype="step", linestyle=style,
              label=name)
    print(f"{name:<16} mean {values.mean():6.2f}, standard deviation {values.std():5.2f} "
          f"(exact gradient -8)")
axis.set(xlabel="estimate of the gradient from one draw", ylabel="draws",
         title="The same mean; the score function spreads wider")
axis.legend();

# %% [markdown]
# Both have the right mean. Here the score function's standard deviation is four times as large: sixteen times the samples for
# the same precision. Its variance depends on the problem and can be lowered by subtracting a baseline; that the trick of 3.2 has
# less noise is usual, not a law.

# %% [markdown]
# ### 3.3 The negative ELBO
# **`kl.elbo`** · auto 5
#
# Now put the pieces together. The function `elbo` returns the **negative** ELBO. The expectation $\mathbb{E}_{q(z \mid x)}$ is estimated with
# $N$ reparameterised samples, the KL to the prior $\mathcal{N}(0, I)$ is **exact**:
#
# $$\mathtt{elbo}_b = -\bigg[\frac1N \sum_{n=1}^{N} \log p(x_b \mid z_{bn})\bigg] + D_{KL}(q_b \,\|\, \mathcal{N}(0, I)), \qquad \log p(x \mid z) = \log \mathcal{N}(x; f(z), \sigma_x^2 I)$$
#
# **Convention:** this is a loss, to be minimised: the negative of the bound, with a minus before the first term and a plus
# before the second. It is summed over the $D$ dimensions of $x$ and over the $K$ of $z$, and averaged over the samples.
# `log_sig_x` is $\log \sigma_x$, one number for the whole data set.


# %%
# AUTOGRADED (5) elbo
def elbo(x, params_q, num_samples, func_decoder, log_sig_x):
    """Negative ELBO of each example: a loss, to be minimised.

    Args:
        x: Data, float tensor of shape (B, D).
        params_q: Parameters of each posterior, shape (B, K+1): K means, then log_sigma.
        num_samples: Number N of samples of the posterior.
        func_decoder: Function from z of shape (B, N, K) to the mean of x, shape (B, N, D).
        log_sig_x: Natural log of the standard deviation of x given z: one number, of shape ().

    Returns:
        -mean_n log p(x | z_n) + D_KL(q || N(0, I)) in nats, shape (B,). The KL is the exact one.
    """
    # TODO: draw samples of the posterior with `rsample` and decode them.
    # TODO: average the log density of x over the samples.
    # TODO: add the exact KL to the prior.
    ### BEGIN SOLUTION
    x_hat = func_decoder(rsample(params_q, num_samples))  # (B, N, D)
    log_sigma = log_sig_x * torch.ones_like(x_hat[..., 0])  # (B, N)
    log_likelihood = log_prob(x[:, None].expand_as(x_hat), x_hat, log_sigma)
    kl = kl_q_p_exact(params_q, torch.zeros_like(params_q))
    return -log_likelihood.mean(1) + kl
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# The idea: three calls of functions you have written (`rsample`, `log_prob`, `kl_q_p_exact`). $x$ needs a sample dimension
# to meet the decoder's output; in your parameters the prior is a row of zeros. The functions: `Tensor.unsqueeze`,
# `Tensor.expand`, `torch.zeros_like`.
#
# </details>

# %%
# TEST
Normal = torch.distributions.Normal
kl_between = torch.distributions.kl_divergence
set_seed(0)
weights = torch.randn(2, 5)
decoder = lambda z: torch.tanh(z @ weights.to(z.dtype))
x, log_sig_x = torch.randn(4, 5), torch.tensor(-0.5)
params_q = 0.5 * torch.randn(4, 3)
torch.manual_seed(1)
z = rsample(params_q, 8)
log_p = Normal(decoder(z), log_sig_x.exp()).log_prob(x[:, None]).sum(-1).mean(1)
q = Normal(params_q[:, :-1], params_q[:, -1:].exp())
kl = kl_between(q, Normal(0.0, 1.0)).sum(-1)
slips = {
    "the KL is subtracted; in a loss it is added.": -log_p - kl,
    "the sign of log p: this is the bound's, a loss needs the negative.": log_p + kl,
    "the KL is missing.": -log_p,
    "you average over the dimensions of x or z; sum over them.": -log_p / 5 + kl,
}
torch.manual_seed(1)
loss = elbo(x, params_q, 8, decoder, log_sig_x)
hint = "Draw the samples with one call of your rsample."
expect_close("elbo", loss, -log_p + kl, slips=slips, hint=hint)
expect_shape("elbo of one", elbo(x[:1], params_q[:1], 1, decoder, log_sig_x), (1,))
far = torch.tensor([[8.0, -9.0, -20.0], [-6.0, 7.0, -20.0]])  # no width: z is the mean
log_p = Normal(decoder(far[:, :2]), log_sig_x.exp()).log_prob(x[:2]).sum(-1)
kl = kl_between(Normal(far[:, :2], far[:, 2:].exp()), Normal(0.0, 1.0)).sum(-1)
expect_close(
    "elbo, far from the prior", elbo(x[:2], far, 3, decoder, log_sig_x), kl - log_p, rtol=1e-4
)
for width in (-10.0, 7.0):
    log_p = Normal(decoder(far[:, :2]), math.exp(width)).log_prob(x[:2]).sum(-1)
    given = x[:2], far, 3, decoder, torch.tensor(width)
    expect_close(f"elbo, log_sig_x = {width:g}", elbo(*given), kl - log_p, rtol=1e-4)
expect_equal(
    "log_sig_x afterwards", log_sig_x.item(), -0.5, hint="Leave your arguments alone."
)
hint = "The encoder learns from both terms: keep params_q and the samples attached."
expect_differentiable(
    "elbo",
    lambda params_q: elbo(x.to(params_q), params_q, 8, decoder, log_sig_x),
    hint,
    params_q=params_q,
)


class Linear(nn.Module):  # notes its codes
    def __init__(self):
        super().__init__()
        self.codes = []

    def forward(self, z):
        self.codes.append(z.detach())
        return 30 * z @ weights


linear = Linear()
log_p = Normal(30 * far[:, :2] @ weights, log_sig_x.exp()).log_prob(x[:2]).sum(-1)
kl = kl_between(Normal(far[:, :2], far[:, 2:].exp()), Normal(0.0, 1.0)).sum(-1)
got = elbo(x[:2], far, 1100, linear, log_sig_x)
expect_close("elbo, reconstructions far from x", got, kl - log_p, rtol=1e-4)
expect_equal("codes that are decoded", sum(z.numel() for z in linear.codes), 2 * 1100 * 2)
expect_true("the decoder's mode afterwards", linear.training, "Leave modes to the caller.")
near = torch.tensor([[0.05, -0.03, 0.02], [0.0, 0.04, -0.01]])
log_p = Normal(0.0, 1.0).log_prob(x[:2]).sum(-1)
kl = kl_between(Normal(near[:, :2], near[:, 2:].exp()), Normal(0.0, 1.0)).sum(-1)
blank = lambda z: 0 * z @ weights.to(z.dtype)
for count in (3, 1):
    got = elbo(x[:2], near, count, blank, torch.tensor(0.0)) + log_p
    expect_close(f"the KL near the prior, num_samples = {count}", got, kl, atol=1e-5)
with torch.no_grad():
    three = [elbo(x, params_q, 1, decoder, log_sig_x) for _ in range(2)]
three.append(elbo(x, params_q, 1, decoder, log_sig_x).detach())
hint = "Each call draws anew, where num_samples is 1 too, and where gradients are off."
expect_true("each call draws anew", torch.stack(three).std(0).min() > 1e-6, hint)

# %% [markdown]
# Is it really a bound? Take a model where $\log p(x)$ can be integrated: a linear decoder $f(z) = Wz$. Then $x$ is
# Gaussian with covariance $WW^\top + \sigma_x^2 I$, and if the columns of $W$ are orthogonal and equally long, the true posterior
# is one of your isotropic Gaussians. Move $q$ away from it and see.

# %%
set_seed(0)
sigma_x, scale = 0.5, 1.5
W = scale * torch.linalg.qr(torch.randn(5, 2))[0]  # orthogonal columns of length 1.5
x = torch.randn(1, 5)
covariance = W @ W.T + sigma_x**2 * torch.eye(5)
exact = -torch.distributions.MultivariateNormal(torch.zeros(5), covariance).log_prob(x)[0]

variance = 1 / (1 + scale**2 / sigma_x**2)  # of the true posterior
posterior = torch.cat(
    [variance / sigma_x**2 * x @ W, torch.tensor([[0.5 * math.log(variance)]])], 1
)


def loss_at(distance, num_samples):
    """Negative ELBO when q is the true posterior with its mean moved along the first axis."""
    moved = posterior + torch.tensor([[distance, 0.0, 0.0]])
    return elbo(x, moved, num_samples, lambda z: z @ W.T, torch.tensor(math.log(sigma_x)))


distances = torch.linspace(-1.5, 1.5, 31)
losses = torch.cat([loss_at(float(distance), 20_000) for distance in distances])
counts = [1, 10, 100, 1000]
repeats = range(50 if FAST else 200)
estimates = torch.stack([torch.cat([loss_at(0.5, n) for _ in repeats]) for n in counts])
plots.plot_bound(distances, losses, float(exact), counts, estimates)
print(f"-log p(x) = {exact:.4f} nats")
print(f"-ELBO at the true posterior = {loss_at(0.0, 100_000)[0]:.4f} nats")
print(f"-ELBO at a distance of 0.5 = {estimates[-1].mean():.4f} nats")

# %% [markdown]
# At the true posterior the two numbers agree; everywhere else the negative ELBO is larger, by exactly $D_{KL}(q \,\|\, p(z \mid x))$.
# More samples make the estimate quieter but do not lower it: the gap comes from $q$, not from $N$. (It is the *expectation* that is a bound:
# the whiskers of a one-sample estimate reach below the line.)
#
# **Exact or sampled?** You may estimate the KL from the same samples, $\log q(z) - \log p(z)$, instead of taking the closed form. The next cell
# compares the noise of the two, at the true posterior and half a unit away from it.
#
# **A tighter bound.** With the weights $w_n = p(x \mid z_n)\, p(z_n) / q(z_n)$ the ELBO is $\mathbb{E}[\log w_1]$. Averaging *inside* the
# logarithm, $\mathbb{E}\big[\log \frac1N \sum_n w_n\big]$, is the **importance-weighted bound** (Burda et al. 2016): it tightens with $N$.

# %% [markdown]
# **Predict `exact`.** Which estimate of the negative ELBO, from one sample, has less noise?
#
# - **A**: with the exact KL, in both places: it has one source of noise less
# - **B**: with the sampled KL at the true posterior, where it has none; half a unit away both have about as much
# - **C**: both the same everywhere: they have the same mean

# %%
predict("", "exact", "ABC")

# %%
def draws_at(distance, repeats, num_samples):
    """log p(x | z) and log q(z) - log p(z) of samples of the moved q; shapes (repeats, N)."""
    moved = posterior + torch.tensor([[distance, 0.0, 0.0]])
    z = rsample(moved.expand(repeats, -1), num_samples)  # (repeats, N, 2)
    shape = z.shape[:2]
    log_x = log_prob(x.expand(*shape, 5), z @ W.T, torch.full(shape, math.log(sigma_x)))
    log_q = log_prob(z, moved[:, None, :-1].expand_as(z), moved[:, -1].expand(shape))
    return log_x, log_q - log_prob(z, torch.zeros_like(z), torch.zeros(shape))


set_seed(0)
noise = []
for place, distance in (("at the true posterior", 0.0), ("at a distance of 0.5", 0.5)):
    log_x, log_ratio = draws_at(distance, 4000, 1)
    noise += [log_x.std(), (log_x - log_ratio).std()]
    print(f"standard deviation of -ELBO {place}: {noise[-2]:.2f} with the exact KL, "
          f"{noise[-1]:.2f} with the sampled one")
here, away = noise[0] / noise[1].clamp_min(1e-6), noise[2] / noise[3]  # exact over sampled
reveal("exact", {"A": here < 0.9 and away < 0.9, "B": here > 10 and 0.8 < away < 1.25,
                 "C": 0.9 < here < 1.1 and 0.9 < away < 1.1})

counts = [1, 2, 5, 10, 30, 100, 300]
weights = {n: torch.sub(*draws_at(0.5, 500, n)) for n in counts}  # log w, shape (500, n)
tight = [float(-(w.logsumexp(1) - math.log(n)).mean()) for n, w in weights.items()]
loose = [float(-w.mean()) for w in weights.values()]
figure, axis = plt.subplots(figsize=(6, 2.8), layout="constrained")
axis.plot(counts, loose, "s--", label="negative ELBO")
axis.plot(counts, tight, "o-", label="importance-weighted")
axis.axhline(float(exact), color="black", linestyle=":", label="-log p(x)")
axis.set(xscale="log", xlabel="samples N", ylabel="nats (mean of 500)",
         title="Averaging inside the logarithm closes the gap")
axis.legend();

# %% [markdown]
# At the true posterior $\log w$ is the constant $\log p(x)$: the noise of the sampled KL cancels that of the likelihood, and the exact KL
# leaves it in. So "use the closed form where there is one" is no law. Half a unit away the two are about equally noisy.
#
# <details><summary>Prediction <code>exact</code></summary>
#
# - **B** holds: at the posterior the two noises are the same with opposite signs, and the sum is a constant.
# - **A** tempts: to integrate a term exactly takes away *its* noise. It also takes away what balanced the noise of the other term.
# - **C** tempts: the mean says where an estimate is centred, and nothing about how far it scatters.
#
# </details>

# %% [markdown]
# ### 3.4 The weight of the KL
# **`kl.beta`** · manual 5 · manual 5
#
# Many VAEs weigh the second term (Higgins et al. 2017): $\text{loss} = -\mathbb{E}_q[\log p(x \mid z)] + \beta\, D_{KL}(q \,\|\, p)$. With $\beta = 1$ it is the
# negative ELBO. For $\beta > 1$ it is larger, still an upper bound of $-\log p(x)$ and a looser one; for $\beta < 1$ it is **no bound**. And $\beta$ is
# not a new thing: multiply the loss of a Gaussian likelihood by $\sigma_x^2$, and up to a constant it is
# $\tfrac12\mathbb{E}_q\|x - \hat x\|^2 + \beta\sigma_x^2 D_{KL}(q \,\|\, p)$: for a fixed $\sigma_x$ only the product $\beta\sigma_x^2$ matters to the
# trained networks.
#
# Below you train one small VAE three times, with $\beta$ of 0.001, 1 and 100, on points in the plane that form six clusters.
#
# **Write one or two sentences on each before you run the cells below, then complete your responses.** For each of the two
# extremes, say what happens to the reconstructions, and what happens to the **quality** (do generated points lie where
# data lies?) and the **diversity** (are all clusters found?) of samples decoded from the prior. Explain it with the two
# terms of the loss, and use the numbers of the table that the experiment prints.
#
# (a) $\beta$ too large (5 points). (b) $\beta$ too small (5 points).

# %% [markdown]
# **Predict `toy`.** Which of the three models has the largest share of *samples* on the data?
#
# - **A**: $\beta = 0.001$: it reconstructs best
# - **B**: $\beta = 1$
# - **C**: $\beta = 100$: its codes match the prior best

# %%
predict("", "toy", "ABC")


# %%
def draw_clusters(count):
    """Points in six clusters on the unit circle, spread 0.08; shape (count, 2)."""
    angle = torch.randint(0, 6, (count,)) * (math.pi / 3)
    return torch.stack([angle.cos(), angle.sin()], dim=1) + 0.08 * torch.randn(count, 2)


def mlp(size_in, size_out):
    """A network with two hidden layers of 64 units."""
    hidden = [nn.Linear(size_in, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh()]
    return nn.Sequential(*hidden, nn.Linear(64, size_out))


def train_toy_vae(data, beta, steps):
    """Train a VAE with a latent plane; return reconstructions, samples, both loss terms."""
    set_seed(0)
    encoder, decoder = mlp(2, 3), mlp(2, 2)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    log_sigma = torch.full((256, 1), math.log(0.1))
    for _ in range(steps):
        x = data[torch.randint(len(data), (256,))]
        params_q = encoder(x)
        x_hat = decoder(rsample(params_q, 1))  # (256, 1, 2)
        rec_loss = -log_prob(x[:, None], x_hat, log_sigma).mean()
        kl_loss = kl_q_p_exact(params_q, torch.zeros_like(params_q)).mean()
        optimizer.zero_grad()
        (rec_loss + beta * kl_loss).backward()
        optimizer.step()
    with torch.no_grad():
        x_hat = decoder(rsample(encoder(data), 1))[:, 0]
        return x_hat, decoder(torch.randn(len(data), 2)), rec_loss.item(), kl_loss.item()


def judge_samples(samples):
    """Share of samples within 3 sigma of a cluster; number of clusters that hold over 2 %."""
    angles = torch.arange(6) * (math.pi / 3)
    centres = torch.stack([angles.cos(), angles.sin()], dim=1)
    distance, nearest = torch.cdist(samples, centres).min(1)
    is_on_data = distance < 3 * 0.08
    shares = torch.bincount(nearest[is_on_data], minlength=6) / len(samples)
    return is_on_data.float().mean().item(), int((shares > 0.02).sum())


# %% [markdown]
# The next cell trains the three models: about 15 seconds on a CPU.

# %% figure="01_kl_beta"
set_seed(0)
data = draw_clusters(2000)
columns, shares = {}, {}
print("    beta   -log p(x|z)        KL   samples on the data   clusters found")
for beta in (0.001, 1.0, 100.0):
    x_hat, generated, rec_loss, kl_loss = train_toy_vae(
        data, beta, steps=400 if FAST else 1500
    )
    share, found = judge_samples(generated)
    print(
        f"{beta:8g}   {rec_loss:8.2f} nats  {kl_loss:6.2f} nats   {share:19.0%}   {found} of 6"
    )
    columns[f"beta = {beta:g}"] = (x_hat, generated)
    shares[beta] = share
plots.plot_toy_vaes(data, columns)
plt.savefig("01_kl_beta.png", dpi=80)
best = max(shares, key=shares.get)
reveal("toy", {"A": best == 0.001, "B": best == 1, "C": best == 100}, short=FAST)

# %% [markdown]
# **RESPONSE:** (a) beta too large
#
# <!-- BEGIN SOLUTION -->
# With $\beta = 100$ the KL term outweighs the likelihood. The cheapest posterior is the prior itself, for every $x$: the KL falls to
# about 0 nats, so $z$ carries no information about $x$ (**posterior collapse**), and the decoder learns to ignore it. Its best constant
# answer under a squared error is the mean of the data, here the empty centre of the circle. Reconstructions are all that one
# point, and $-\log p(x \mid z)$ is large. Samples from the prior pass through the same decoder: no diversity (0 of 6 clusters) and poor
# quality (0 % on the data), although codes and prior match perfectly. With images this is the blurred average picture.
# <!-- END SOLUTION -->

# %% [markdown]
# **RESPONSE:** (b) beta too small
#
# <!-- BEGIN SOLUTION -->
# With $\beta = 0.001$ the KL is almost free and the model is an autoencoder with a little noise. The posteriors become narrow and move far
# apart to make reconstruction exact: $-\log p(x \mid z)$ is the best of the three, the KL is large (about 11 nats). The codes then
# occupy a few small islands, not the region where $\mathcal N(0, I)$ puts its mass. Samples from the prior fall into the holes
# between the islands, where the decoder was not trained: they are varied but lie off the data (a small share on it), and some
# clusters may be missed: their codes lie where the prior hardly draws. Good reconstructions say nothing about samples.
# <!-- END SOLUTION -->

# %% [markdown]
# The middle column pays a few nats, codes and prior overlap, and both rows look like data. Between the clusters some
# generated points form bridges: the decoder is continuous and the prior has mass between the codes of two clusters. Which
# $\beta$ is right depends on the convention: whoever averages a term where you sum it needs another number for the same balance.
#
# <details><summary>Prediction <code>toy</code></summary>
#
# - **B** holds: a few nats hold the shape of the data, and the codes still lie where the prior draws.
# - **A** tempts: good reconstructions look like a good model. They ask the decoder only about codes of data, and the prior draws elsewhere.
# - **C** tempts: codes that match the prior are what sampling needs. Here they match it by saying nothing, and every sample is the mean.
#
# </details>

# %% [markdown]
# ## To break, and to go on
#
# Nothing here is graded, and a first pass may skip it. Each check says green or red, and Run All goes on past a red one.
#
# ### Find the bug
#
# `fit_by_kl` should make $\mathcal N(\mu, \sigma^2)$ equal to a target by gradient descent on their exact KL. It finds the right mean and a
# wrong spread. One line is wrong; mend it there.


# %%
# FIND THE BUG
def fit_by_kl(mu_p, sigma_p, steps=500):
    """Fit N(mu, exp(logvar)) to N(mu_p, sigma_p^2) by gradient descent; mu and sigma."""
    mu, logvar = (torch.zeros(1, requires_grad=True) for _ in range(2))
    target = torch.tensor([mu_p]), torch.tensor([sigma_p]).log()
    optimizer = optim.Adam([mu, logvar], lr=0.05)
    for _ in range(steps):
        ### BUG: loss = kl_divergence(mu, logvar, *target).sum()
        loss = kl_divergence(mu, logvar / 2, *target).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return mu.item(), (logvar / 2).exp().item()


# %% [markdown]
# <details><summary>Where to look</summary>
#
# Print both sigmas: yours is the root of the target's. Which of the two logarithms does `kl_divergence` of 1.5 ask for, and which one
# is trained here?
#
# </details>

# %%
# CHECK
with checking(
    "fit_by_kl", "which logarithm does kl_divergence take, and which one is trained?"
):
    for target in ((2.0, 0.5), (-1.0, 3.0)):
        found = torch.tensor(fit_by_kl(*target))
        expect_close(
            f"mean and sigma fitted to {target}",
            found,
            torch.tensor(target),
            rtol=0,
            atol=0.05,
        )

# %% [markdown]
# ### Go further
#
# **A bound for training.** The curve of 3.3 averaged the weights $w_n = p(x \mid z_n)\, p(z_n) / q(z_n)$ inside the logarithm. Write it as a loss
# for a whole batch, the *negative* importance-weighted bound $-\log \frac1N \sum_n w_n$ of each example, and give it to the toy VAE of 3.4 if you
# like. With $N = 1$ it is the negative ELBO with a sampled KL.


# %%
# GO FURTHER
def iw_bound(x, params_q, num_samples, func_decoder, log_sig_x):
    """Negative importance-weighted bound of each example: a loss. Arguments as of `elbo`.

    Returns:
        -log mean_n w_n in nats, shape (B,); finite however small the weights are.
    """
    # TODO: draw samples; find the logarithm of every weight, shape (B, N)
    # TODO: average the weights without leaving the logarithms
    ### BEGIN SOLUTION
    z = rsample(params_q, num_samples)  # (B, N, K)
    x_hat, zeros = func_decoder(z), torch.zeros(z.shape[:2])
    mu_q, log_sigma_q = params_q[:, None, :-1].expand_as(z), params_q[:, -1:].expand_as(zeros)
    log_x = log_prob(x[:, None].expand_as(x_hat), x_hat, zeros + log_sig_x)
    log_z = log_prob(z, torch.zeros_like(z), zeros)
    log_w = log_x + log_z - log_prob(z, mu_q, log_sigma_q)
    return math.log(num_samples) - log_w.logsumexp(1)
    ### END SOLUTION


# %% [markdown]
# <details><summary>Hint</summary>
#
# Three calls of your `log_prob` give the logarithm of a weight. `torch.logsumexp` adds up without leaving the logarithm; a mean is a sum over $N$ terms, divided by $N$.
#
# </details>

# %%
# CHECK
with checking("iw_bound", "log w has three densities; the mean stands inside the logarithm."):
    set_seed(0)
    directions = 1.5 * torch.linalg.qr(torch.randn(5, 2))[0]
    batch, log_sig = torch.randn(6, 5), torch.tensor(math.log(0.5))
    spread = directions @ directions.T + 0.25 * torch.eye(5)
    log_p = torch.distributions.MultivariateNormal(torch.zeros(5), spread).log_prob(batch)
    narrow = 1 / (1 + 1.5**2 / 0.25)  # the true posterior's variance
    true_q = torch.cat(
        [4 * narrow * batch @ directions, torch.full((6, 1), 0.5 * math.log(narrow))], 1
    )
    linear = lambda z: z @ directions.T
    for n in (1, 7):
        expect_close(
            f"at the true posterior, n = {n}",
            iw_bound(batch, true_q, n, linear, log_sig),
            -log_p,
            rtol=1e-3,
            atol=1e-3,
        )
    moved = true_q + torch.tensor([0.5, 0.5, 0.0])
    one, many = (
        iw_bound(batch.repeat(500, 1), moved.repeat(500, 1), n, linear, log_sig).mean()
        for n in (1, 300)
    )
    expect_close("one sample, q moved by 0.5", one, 2.5 - log_p.mean(), rtol=0, atol=0.25)
    expect_close("300 samples, q moved by 0.5", many, -log_p.mean(), rtol=0, atol=0.3)
    far = iw_bound(batch + 200, true_q, 5, linear, log_sig)
    expect_true("finite where the weights are tiny", torch.isfinite(far).all(), "logsumexp.")
    moved = moved.repeat(2000, 1).requires_grad_()
    iw_bound(batch.repeat(2000, 1), moved, 1, linear, log_sig).sum().backward()
    expect_close(
        "what pulls the means back",
        moved.grad[:, :2].mean(0),
        torch.tensor([0.5, 0.5]) / narrow,
        rtol=0,
        atol=0.5,
        hint="Keep params_q attached, in the samples too.",
    )

# %% [markdown]
# ## Hand in
#
# Save the notebook (Ctrl+S or Cmd+S), then run the next cell. It lists what is still open, question by question, and writes
# `01_kl_divergence_submission.zip` with a receipt. You may hand in an unfinished notebook; what is open scores zero.

# %%
hand_in("01_kl_divergence", files=["01_kl_beta.png"])

# %% [markdown]
# ## References
#
# - D. P. Kingma and M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014, arXiv:1312.6114. The reparameterisation trick
#   and, in appendix B, the closed form of 1.4.
# - D. J. Rezende, S. Mohamed and D. Wierstra, *Stochastic Backpropagation and Approximate Inference in Deep Generative
#   Models*, ICML 2014, arXiv:1401.4082. The same trick, and amortised inference under the name of recognition model.
# - Y. Burda, R. Grosse and R. Salakhutdinov, *Importance Weighted Autoencoders*, ICLR 2016, arXiv:1509.00519. The tighter bound of 3.3.
# - I. Higgins et al., *beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework*, ICLR 2017. The weight $\beta$.
# - D. M. Blei, A. Kucukelbir and J. D. McAuliffe, *Variational Inference: A Review for Statisticians*, JASA 2017,
#   arXiv:1601.00670. Section 2: the bound of part 3, mean field and what it does to variances.
