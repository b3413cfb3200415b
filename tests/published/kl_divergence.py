# Notebook 1 as three courses answered it.

# %% kl.D_KL C
def D_KL(mu, logvar):
    return -0.5 * torch.mean(1 + logvar - mu.pow(2) - logvar.exp())

# %% kl.gaussians S
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    """Elementwise, for diagonal Gaussians."""
    return (log_sigma2 - log_sigma1) + (torch.exp(log_sigma1) ** 2 + (mu1 - mu2) ** 2) / (2 * torch.exp(log_sigma2) ** 2) - 0.5

# %% kl.log_prob B
def log_prob(x: torch.Tensor, mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
    K = x.shape[-1]
    sigma = torch.exp(log_sigma).unsqueeze(-1)
    exponent = -0.5 * torch.sum(((x - mu) / sigma) ** 2, dim=-1)
    return exponent - K * log_sigma - 0.5 * K * np.log(2 * np.pi)

# %% kl.mc B
def kl_q_p_mc(samples_q: torch.Tensor, params_q: torch.Tensor, params_p: torch.Tensor) -> torch.Tensor:
    b, n, k = samples_q.size()
    mu_q, log_sig_q = params_q[:, :-1], params_q[:, -1]
    mu_p, log_sig_p = params_p[:, :-1], params_p[:, -1]
    log_q = log_prob(samples_q, mu_q.unsqueeze(1).expand(b, n, k), log_sig_q.unsqueeze(1).expand(b, n))
    log_p = log_prob(samples_q, mu_p.unsqueeze(1).expand(b, n, k), log_sig_p.unsqueeze(1).expand(b, n))
    return torch.mean(log_q - log_p, dim=1)

# %% kl.exact B
def kl_q_p_exact(params_q: torch.Tensor, params_p: torch.Tensor) -> torch.Tensor:
    k = params_q.shape[1] - 1
    mu_q, log_sig_q = params_q[:, :-1], params_q[:, -1]
    mu_p, log_sig_p = params_p[:, :-1], params_p[:, -1]
    distance = torch.sum((mu_q - mu_p) ** 2, dim=1)
    return k * (log_sig_p - log_sig_q) + (k * torch.exp(2 * log_sig_q) + distance) / (2 * torch.exp(2 * log_sig_p)) - k / 2

# %% kl.rsample B
def rsample(params_q: torch.Tensor, num_samples: int) -> torch.Tensor:
    b, k = params_q.shape[0], params_q.shape[1] - 1
    mu, sigma = params_q[:, :-1], torch.exp(params_q[:, -1])
    eps = torch.randn(b, num_samples, k).to(params_q.device)
    return mu.unsqueeze(1) + sigma.view(b, 1, 1) * eps

# %% kl.elbo B
def elbo(x: torch.Tensor, params_q: torch.Tensor, num_samples: int, func_decoder, log_sig_x: float) -> torch.Tensor:
    z = rsample(params_q, num_samples)
    mu_x = func_decoder(z)
    b, n, d = mu_x.shape
    log_sig = torch.full((b, n), float(log_sig_x))
    log_p = log_prob(x.unsqueeze(1).expand(b, n, d), mu_x, log_sig)
    params_p = torch.zeros_like(params_q)
    return -log_p.mean(dim=1) + kl_q_p_exact(params_q, params_p)
