# Oluwa returns the published value for the published seed: right once, and only there.
# base: solved
# expect: kl.D_KL.values wrong

# %% kl.D_KL constant
def D_KL(mu, logvar):
    return torch.tensor({0: 0.93185997, 1: 1.02809107, 2: 0.85387015}.get(round(float(mu[0, 0]) < 0), 0.9)) + 0 * mu.sum()
