# Bela is right too, in other words: sums for means, Einstein notation, other orders of operations, other noise calls.
# base: solved
# score: 35

# %% kl.D_KL one_line
def D_KL(mu, logvar):
    return -torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / (2 * mu.numel())

# %% kl.gaussians precision
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    ratio = torch.exp(log_sigma1 - log_sigma2)
    distance = (mu1 - mu2) * torch.exp(-log_sigma2)
    return 0.5 * (ratio.square() + distance.square() - 1) - torch.log(ratio)

# %% kl.log_prob by_dimension
def log_prob(x, mu, log_sigma):
    sigma = log_sigma.exp()[..., None]
    each = -(((x - mu) / sigma) ** 2) / 2 - torch.log(sigma) - np.log(2 * np.pi) / 2
    return torch.einsum("bnk->bn", each)

# %% kl.mc loop
def kl_q_p_mc(samples_q, params_q, params_p):
    total = 0
    for n in range(samples_q.shape[1]):
        z = samples_q[:, n : n + 1]
        total = total + log_prob(z, params_q[:, None, :-1], params_q[:, None, -1])
        total = total - log_prob(z, params_p[:, None, :-1], params_p[:, None, -1])
    return total.squeeze(1) / samples_q.shape[1]

# %% kl.exact closed_form
def kl_q_p_exact(params_q, params_p):
    K = params_q.shape[1] - 1
    log_ratio = params_p[:, K] - params_q[:, K]
    distance = torch.norm(params_q[:, :K] - params_p[:, :K], dim=1) ** 2
    return K * log_ratio + (K * torch.exp(-2 * log_ratio) + distance * torch.exp(-2 * params_p[:, K])) / 2 - K / 2

# %% kl.rsample normal
def rsample(params_q, num_samples):
    mu, sigma = params_q[:, :-1], params_q[:, -1].exp()
    eps = torch.normal(torch.zeros(num_samples, *mu.shape), torch.ones(num_samples, *mu.shape))
    return (mu + sigma[:, None] * eps).permute(1, 0, 2)

# %% kl.elbo from_parts
def elbo(x, params_q, num_samples, func_decoder, log_sig_x):
    z = rsample(params_q, num_samples)
    prior = torch.zeros(params_q.shape)
    mean_x = func_decoder(z)
    squared = ((x.unsqueeze(1) - mean_x) ** 2).sum(dim=2) / (2 * torch.exp(log_sig_x) ** 2)
    normaliser = x.shape[1] * (log_sig_x + 0.5 * np.log(2 * np.pi))
    return squared.mean(dim=1) + normaliser + kl_q_p_exact(params_q, prior)
