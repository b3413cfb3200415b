# Pia builds a table of all pairs of everything; it does not fit.
# base: solved
# expect: kl.D_KL.values memory
# expect: kl.gaussians.values passed

# %% kl.D_KL all_pairs
def D_KL(mu, logvar):
    table = torch.ones(60_000, 60_000)
    return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean() * table[0, 0]
