# Usual wrong answers to notebook 1. The format is described in grader/authoring/slips.py.

# %% kl.D_KL sum_for_mean
# Your value is the sum over batch and latent; the answer is their mean, B times K smaller.
# replace: kl.mean() -> kl.sum()

# %% kl.D_KL sum_over_latent
# You sum over the latent dimensions and average over the batch; here both are averaged, so the value is K times smaller.
# replace: kl.mean() -> kl.sum(1).mean()

# %% kl.D_KL missing_half
# Your value is twice too large: the factor 1/2 is missing.
# replace: 0.5 * ( -> 1.0 * (

# %% kl.D_KL logvar_as_log_sigma
# You read logvar as log sigma: the variance is exp(logvar), without a 2.
def D_KL(mu, logvar):
    return 0.5 * (mu**2 + torch.exp(2 * logvar) - 1 - 2 * logvar).mean()


# %% kl.D_KL sigma_for_variance
# exp(logvar / 2) is sigma, and it stands where the variance belongs: the variance is exp(logvar).
# replace: logvar.exp() -> (logvar / 2).exp()

# %% kl.D_KL wrong_sign
# Your value is negative: a KL divergence never is. Look at the sign in front.
# replace: return kl.mean() -> return -kl.mean()


# %% kl.D_KL swapped
# This is D_KL(N(0, 1) || q); asked is D_KL(q || N(0, 1)): the expectation is taken under q.
def D_KL(mu, logvar):
    return 0.5 * ((1 + mu**2) / torch.exp(logvar) - 1 + logvar).mean()


# %% kl.D_KL not_reduced
# You return one value for each element; the answer is one number, the mean over batch and latent.
# replace: return kl.mean() -> return kl


# %% kl.gaussians swapped
# You computed D_KL(N2 || N1): the KL is not symmetric, and the expectation is taken under the first.
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    return (
        log_sigma1 - log_sigma2 + (torch.exp(2 * log_sigma2) + (mu1 - mu2) ** 2) / (2 * torch.exp(2 * log_sigma1)) - 0.5
    )


# %% kl.gaussians log_sigma_as_logvar
# You read log sigma as log variance: the variance is exp(2 log sigma).
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    return 0.5 * (log_sigma2 - log_sigma1 + (torch.exp(log_sigma1) + (mu1 - mu2) ** 2) / torch.exp(log_sigma2) - 1)


# %% kl.gaussians sigma_for_variance
# exp(log_sigma) is sigma, and it stands where the variance belongs: square it, exp(2 log_sigma).
# replace: torch.exp(2 * log_sigma1), torch.exp(2 * log_sigma2) -> torch.exp(log_sigma1), torch.exp(log_sigma2)

# %% kl.gaussians missing_half
# The last term, minus one half, is missing: for two equal Gaussians the KL must be 0.
# replace: - 0.5 ->


# %% kl.gaussians averaged
# You return one number; asked is one value for each element, neither summed nor averaged.
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    var1, var2 = torch.exp(2 * log_sigma1), torch.exp(2 * log_sigma2)
    return (log_sigma2 - log_sigma1 + (var1 + (mu1 - mu2) ** 2) / (2 * var2) - 0.5).mean()


# %% kl.gaussians missing_square
# The distance of the means enters squared.
# replace: (mu1 - mu2) ** 2 -> (mu1 - mu2)

# %% kl.log_prob normaliser_without_K
# The normaliser counts once for each of the K dimensions: K (log sigma + 1/2 log 2 pi).
# replace: = K * (log_sigma -> = (log_sigma

# %% kl.log_prob without_normaliser
# The normaliser is missing: without it this is no log density, and it does not integrate to one.
# replace: - log_normaliser ->


# %% kl.log_prob log_sigma_as_logvar
# You read log sigma as log variance: divide the squared distance by exp(2 log sigma).
def log_prob(x, mu, log_sigma):
    K = x.shape[-1]
    return -0.5 * ((x - mu) ** 2).sum(-1) * torch.exp(-log_sigma) - 0.5 * K * (log_sigma + math.log(2 * math.pi))


# %% kl.log_prob sigma_for_variance
# exp(log_sigma) is sigma, and it stands where the variance belongs: divide the squared distance by exp(2 log_sigma).
# replace: torch.exp(-2 * log_sigma) -> torch.exp(-log_sigma)

# %% kl.log_prob missing_half
# The squared distance enters with the factor 1/2.
# replace: -0.5 * squared -> -squared


# %% kl.log_prob not_summed
# You return one value for each dimension; the log densities of the K dimensions add up, shape (B, N).
def log_prob(x, mu, log_sigma):
    log_sigma = log_sigma.unsqueeze(-1)
    return -0.5 * ((x - mu) / log_sigma.exp()) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)


# %% kl.log_prob mean_over_K
# You average over the K dimensions; the log densities of independent dimensions add up.
def log_prob(x, mu, log_sigma):
    log_sigma = log_sigma.unsqueeze(-1)
    return (-0.5 * ((x - mu) / log_sigma.exp()) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)).mean(-1)


# %% kl.log_prob density
# This is the density; asked is its logarithm.
def log_prob(x, mu, log_sigma):
    K = x.shape[-1]
    return torch.exp(
        -0.5 * ((x - mu) ** 2).sum(-1) * torch.exp(-2 * log_sigma) - K * (log_sigma + 0.5 * math.log(2 * math.pi))
    )


# %% kl.mc swapped
# The difference is the wrong way round: log q minus log p, averaged under q.
def kl_q_p_mc(samples_q, params_q, params_p):
    mu_q, mu_p = (params[:, None, :-1].expand_as(samples_q) for params in (params_q, params_p))
    log_q = log_prob(samples_q, mu_q, params_q[:, -1:].expand(-1, samples_q.shape[1]))
    log_p = log_prob(samples_q, mu_p, params_p[:, -1:].expand(-1, samples_q.shape[1]))
    return (log_p - log_q).mean(1)

# %% kl.mc sum_for_mean
# You sum over the samples; a Monte Carlo estimate is their mean.
def kl_q_p_mc(samples_q, params_q, params_p):
    mu_q, mu_p = (params[:, None, :-1].expand_as(samples_q) for params in (params_q, params_p))
    log_q = log_prob(samples_q, mu_q, params_q[:, -1:].expand(-1, samples_q.shape[1]))
    log_p = log_prob(samples_q, mu_p, params_p[:, -1:].expand(-1, samples_q.shape[1]))
    return (log_q - log_p).sum(1)

# %% kl.mc not_averaged
# You return one value for each sample; the estimate is the mean over the N samples, shape (B,).
def kl_q_p_mc(samples_q, params_q, params_p):
    mu_q, mu_p = (params[:, None, :-1].expand_as(samples_q) for params in (params_q, params_p))
    log_q = log_prob(samples_q, mu_q, params_q[:, -1:].expand(-1, samples_q.shape[1]))
    log_p = log_prob(samples_q, mu_p, params_p[:, -1:].expand(-1, samples_q.shape[1]))
    return log_q - log_p

# %% kl.mc averaged_over_batch
# You average over the batch too; each pair of Gaussians has its own estimate, shape (B,).
def kl_q_p_mc(samples_q, params_q, params_p):
    mu_q, mu_p = (params[:, None, :-1].expand_as(samples_q) for params in (params_q, params_p))
    log_q = log_prob(samples_q, mu_q, params_q[:, -1:].expand(-1, samples_q.shape[1]))
    log_p = log_prob(samples_q, mu_p, params_p[:, -1:].expand(-1, samples_q.shape[1]))
    return (log_q - log_p).mean()

# %% kl.mc only_log_q
# The term log p is missing: without it this is the negative entropy of q.
def kl_q_p_mc(samples_q, params_q, params_p):
    mu_q, mu_p = (params[:, None, :-1].expand_as(samples_q) for params in (params_q, params_p))
    log_q = log_prob(samples_q, mu_q, params_q[:, -1:].expand(-1, samples_q.shape[1]))
    log_p = log_prob(samples_q, mu_p, params_p[:, -1:].expand(-1, samples_q.shape[1]))
    return log_q.mean(1)

# %% kl.exact swapped
# You computed D_KL(p || q): asked is D_KL(q || p).
# replace: kl_divergence(mu_q, log_sigma_q, mu_p, log_sigma_p) -> kl_divergence(mu_p, log_sigma_p, mu_q, log_sigma_q)

# %% kl.exact mean_over_K
# You average over the K dimensions; the KL divergences of independent dimensions add up.
# replace: .sum(-1) -> .mean(-1)


# %% kl.exact sigma_terms_once
# The terms without mu count once for each of the K dimensions, not once in all.
def kl_q_p_exact(params_q, params_p):
    mu_q, log_sigma_q = params_q[:, :-1], params_q[:, -1]
    mu_p, log_sigma_p = params_p[:, :-1], params_p[:, -1]
    distance = ((mu_q - mu_p) ** 2).sum(-1)
    return log_sigma_p - log_sigma_q + (torch.exp(2 * log_sigma_q) + distance) / (2 * torch.exp(2 * log_sigma_p)) - 0.5


# %% kl.exact log_sigma_as_logvar
# You read the last column as log variance; it is log sigma.
def kl_q_p_exact(params_q, params_p):
    mu_q, logvar_q = params_q[:, :-1], params_q[:, -1:]
    mu_p, logvar_p = params_p[:, :-1], params_p[:, -1:]
    return 0.5 * (logvar_p - logvar_q + (logvar_q.exp() + (mu_q - mu_p) ** 2) / logvar_p.exp() - 1).sum(-1)


# %% kl.exact sigma_for_variance
# exp(log_sigma) is sigma, and it stands where the variance belongs: square it, exp(2 log_sigma).
def kl_q_p_exact(params_q, params_p):
    mu_q, log_sigma_q = params_q[:, :-1], params_q[:, -1:]
    mu_p, log_sigma_p = params_p[:, :-1], params_p[:, -1:]
    ratio = (log_sigma_q.exp() + (mu_q - mu_p) ** 2) / (2 * log_sigma_p.exp())
    return (log_sigma_p - log_sigma_q + ratio - 0.5).sum(-1)


# %% kl.rsample log_sigma_as_logvar
# You read the last column as log variance: sigma = exp(log_sigma), without the 1/2.
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    eps = torch.randn(mu.shape[0], num_samples, mu.shape[-1])
    return mu + torch.exp(0.5 * log_sigma) * eps


# %% kl.rsample variance_for_sigma
# You multiply the noise by the variance; multiply it by sigma.
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    eps = torch.randn(mu.shape[0], num_samples, mu.shape[-1])
    return mu + torch.exp(2 * log_sigma) * eps


# %% kl.rsample same_noise_for_every_row
# Every row b gets the same noise: draw it with shape (B, N, K).
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    eps = torch.randn(1, num_samples, mu.shape[-1])
    return mu + log_sigma.exp() * eps


# %% kl.rsample same_noise_for_every_sample
# All N samples of a row are alike: draw noise of shape (B, N, K).
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    eps = torch.randn(mu.shape[0], 1, mu.shape[-1])
    return (mu + log_sigma.exp() * eps).expand(-1, num_samples, -1)


# %% kl.rsample same_noise_for_every_dimension
# The K coordinates of a sample share one noise value: draw noise of shape (B, N, K).
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    eps = torch.randn(mu.shape[0], num_samples, 1)
    return mu + log_sigma.exp() * eps


# %% kl.rsample no_gradient
# No gradient passes: write z = mu + sigma * eps, where only eps is random.
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    with torch.no_grad():
        return mu + log_sigma.exp() * torch.randn(mu.shape[0], num_samples, mu.shape[-1])


# %% kl.rsample uniform_noise
# The noise has the wrong spread: eps is standard normal (randn), not uniform (rand).
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, None, :-1], params_q[:, None, -1:]
    return mu + log_sigma.exp() * torch.rand(mu.shape[0], num_samples, mu.shape[-1])


# %% kl.rsample axes_swapped
# The samples have shape (N, B, K); asked is (B, N, K).
def rsample(params_q, num_samples):
    mu, log_sigma = params_q[:, :-1], params_q[:, -1:]
    return mu + log_sigma.exp() * torch.randn(num_samples, *mu.shape)


# %% kl.elbo wrong_sign
# The sign is turned round: as a loss, to be minimised, the reconstruction term is -mean log p(x|z).
# replace: return -log_likelihood.mean(1) + kl -> return log_likelihood.mean(1) - kl

# %% kl.elbo kl_subtracted
# The KL term is subtracted: the loss is -mean log p(x|z) plus the KL.
# replace: return -log_likelihood.mean(1) + kl -> return -log_likelihood.mean(1) - kl

# %% kl.elbo without_kl
# The KL term is missing: this is a reconstruction loss.
# replace: return -log_likelihood.mean(1) + kl -> return -log_likelihood.mean(1)

# %% kl.elbo averaged_over_batch
# You return one number; asked is one value for each example, shape (B,).
# replace: return -log_likelihood.mean(1) + kl -> return (-log_likelihood.mean(1) + kl).mean()

# %% kl.elbo decodes_the_mean
# You decode the posterior's mean; the expectation runs over samples of z.
# replace: func_decoder(rsample(params_q, num_samples)) -> func_decoder(params_q[:, None, :-1].expand(-1, num_samples, -1))

# %% kl.elbo sum_over_samples
# You sum over the samples; the reconstruction term is their mean.
# replace: log_likelihood.mean(1) -> log_likelihood.sum(1)

# %% kl.elbo detached_samples
# The samples are detached: the encoder cannot learn from the reconstruction term.
# replace: func_decoder(rsample(params_q, num_samples)) -> func_decoder(rsample(params_q, num_samples).detach())
