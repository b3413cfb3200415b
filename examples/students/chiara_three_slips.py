# Chiara sums where a mean is asked, swaps the Gaussians, and gives all samples of a row one noise.
# base: solved
# expect: kl.D_KL.values wrong sum_for_mean
# expect: kl.gaussians.values wrong swapped
# expect: kl.rsample.independent wrong same_noise_for_every_sample

# %% kl.D_KL sum
# replace: kl.mean() -> kl.sum()

# %% kl.gaussians swapped
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    var1, var2 = torch.exp(2 * log_sigma1), torch.exp(2 * log_sigma2)
    return log_sigma1 - log_sigma2 + (var2 + (mu2 - mu1) ** 2) / (2 * var1) - 0.5

# %% kl.rsample one_noise
def rsample(params_q, num_samples):
    mu, sigma = params_q[:, None, :-1], params_q[:, None, -1:].exp()
    return (mu + sigma * torch.randn_like(mu)).repeat(1, num_samples, 1)
