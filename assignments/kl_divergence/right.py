# Right answers to notebook 1, written as the source courses' students write them. Each must get full marks.

# %% kl.D_KL elementwise_sum
def D_KL(mu, logvar):
    kl = -0.5 * (1 + logvar - mu ** 2 - torch.exp(logvar))
    return torch.sum(torch.sum(kl, dim=1), dim=0) / (mu.shape[0] * mu.shape[1])

# %% kl.D_KL with_sigma
def D_KL(mu, logvar):
    sigma = torch.exp(logvar / 2)
    return torch.mean((mu.pow(2) + sigma.pow(2) - 1) / 2 - torch.log(sigma))

# %% kl.gaussians with_sigma
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    sigma1 = torch.exp(log_sigma1)
    sigma2 = torch.exp(log_sigma2)
    return torch.log(sigma2 / sigma1) + (sigma1**2 + (mu1 - mu2) ** 2) / (2 * sigma2**2) - 1 / 2

# %% kl.gaussians lambda
kl_divergence = lambda m1, s1, m2, s2: s2 - s1 - 0.5 + 0.5 * (torch.exp(2 * (s1 - s2)) + ((m1 - m2) / s2.exp()) ** 2)

# %% kl.log_prob with_var
def log_prob(x, mu, log_sigma):
    K = x.size(2)
    var = torch.exp(log_sigma) ** 2
    return -K / 2 * torch.log(2 * math.pi * var) - torch.norm(x - mu, dim=2) ** 2 / (2 * var)

# %% kl.log_prob helper_function
def square(t):
    return t * t

def log_prob(x, mu, log_sigma):
    log_sigma = log_sigma.unsqueeze(2).expand_as(x)
    return torch.sum(-0.5 * math.log(2 * math.pi) - log_sigma - 0.5 * square((x - mu) / torch.exp(log_sigma)), dim=-1)

# %% kl.mc own_densities
def kl_q_p_mc(samples_q, params_q, params_p):
    def density(params):
        mu, log_sigma = params[:, :-1].unsqueeze(1), params[:, -1].unsqueeze(1)
        distance = ((samples_q - mu) ** 2).sum(2)
        return -distance / (2 * torch.exp(2 * log_sigma)) - (params.shape[1] - 1) * log_sigma
    return torch.mean(density(params_q) - density(params_p), dim=1)

# %% kl.mc expanded
def kl_q_p_mc(samples_q, params_q, params_p):
    B, N, K = samples_q.shape
    mu_q = params_q[:, :K].unsqueeze(1).repeat(1, N, 1)
    mu_p = params_p[:, :K].unsqueeze(1).repeat(1, N, 1)
    log_sigma_q = params_q[:, K].unsqueeze(1).repeat(1, N)
    log_sigma_p = params_p[:, K].unsqueeze(1).repeat(1, N)
    return (log_prob(samples_q, mu_q, log_sigma_q) - log_prob(samples_q, mu_p, log_sigma_p)).sum(dim=1) / N

# %% kl.exact loop_over_dimensions
def kl_q_p_exact(params_q, params_p):
    total = 0
    for k in range(params_q.shape[1] - 1):
        total = total + kl_divergence(params_q[:, k], params_q[:, -1], params_p[:, k], params_p[:, -1])
    return total

# %% kl.exact trace_and_det
def kl_q_p_exact(params_q, params_p):
    mu_q, mu_p = params_q[:, :-1], params_p[:, :-1]
    var_q, var_p = torch.exp(2 * params_q[:, -1]), torch.exp(2 * params_p[:, -1])
    K = mu_q.shape[1]
    return 0.5 * (K * var_q / var_p + torch.sum((mu_p - mu_q) ** 2, 1) / var_p - K + K * torch.log(var_p / var_q))

# %% kl.rsample randn_like
def rsample(params_q, num_samples):
    B, K = params_q.shape[0], params_q.shape[1] - 1
    mu = params_q[:, :K].unsqueeze(1).expand(B, num_samples, K)
    sigma = torch.exp(params_q[:, K]).reshape(B, 1, 1)
    return torch.randn_like(mu) * sigma + mu

# %% kl.rsample stack
def rsample(params_q, num_samples):
    mu, sigma = params_q[:, :-1], torch.exp(params_q[:, -1:])
    return torch.stack([mu + sigma * torch.randn(mu.shape) for _ in range(num_samples)], dim=1)

# %% kl.elbo expanded_log_sigma
def elbo(x, params_q, num_samples, func_decoder, log_sig_x):
    B, D = x.shape
    z = rsample(params_q, num_samples)
    mean = func_decoder(z)
    log_sigma = log_sig_x.expand(B, num_samples)
    recon = log_prob(x.unsqueeze(1).expand(B, num_samples, D), mean, log_sigma).mean(dim=1)
    params_p = torch.zeros_like(params_q)
    return -(recon - kl_q_p_exact(params_q, params_p))

# %% kl.elbo own_kl
def elbo(x, params_q, num_samples, func_decoder, log_sig_x):
    mu, log_sigma = params_q[:, :-1], params_q[:, -1]
    kl = 0.5 * (mu**2).sum(1) + 0.5 * mu.shape[1] * (torch.exp(2 * log_sigma) - 1 - 2 * log_sigma)
    x_hat = func_decoder(rsample(params_q, num_samples))
    sigma = torch.exp(log_sig_x)
    nll = 0.5 * (((x[:, None] - x_hat) / sigma) ** 2).sum(-1) + x.shape[1] * (log_sig_x + 0.5 * math.log(2 * math.pi))
    return nll.mean(1) + kl
