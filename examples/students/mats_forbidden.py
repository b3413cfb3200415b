# Mats lets torch.distributions do the work, which notebook 1 rules out.
# base: solved
# expect: kl.D_KL.values forbidden
# expect: kl.log_prob.values forbidden
# expect: kl.gaussians.values passed

# %% kl.D_KL library
def D_KL(mu, logvar):
    q = torch.distributions.Normal(mu, torch.exp(0.5 * logvar))
    return torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).mean()

# %% kl.log_prob library
from torch.distributions import Normal

def log_prob(x, mu, log_sigma):
    return Normal(mu, log_sigma.exp().unsqueeze(-1)).log_prob(x).sum(-1)
