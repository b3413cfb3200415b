# Esi has answered the first three questions; the other gaps are open.
# score: 15
# expect: kl.log_prob.values passed
# expect: kl.mc.values missing

# %% kl.D_KL own
def D_KL(mu, logvar):
    return 0.5 * torch.mean(mu**2 + torch.exp(logvar) - 1 - logvar)

# %% kl.gaussians own
def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    return log_sigma2 - log_sigma1 + (torch.exp(2 * log_sigma1) + (mu1 - mu2) ** 2) / (2 * torch.exp(2 * log_sigma2)) - 1 / 2

# %% kl.log_prob own
def log_prob(x, mu, log_sigma):
    return -0.5 * (((x - mu) ** 2) / torch.exp(2 * log_sigma).unsqueeze(-1) + 2 * log_sigma.unsqueeze(-1) + math.log(2 * math.pi)).sum(-1)
