# Farid forgot a bracket in one cell; the questions that call log_prob are asked with a stand-in for it, and lose nothing.
# base: solved
# expect: kl.log_prob.values raised
# expect: kl.D_KL.values passed
# expect: kl.mc.values passed

# %% kl.log_prob bracket
def log_prob(x, mu, log_sigma):
    return (-0.5 * ((x - mu) ** 2).sum(-1) * torch.exp(-2 * log_sigma)
