# Greta mixes up two shapes: the answer raises for every input.
# base: solved
# expect: kl.exact.values raised
# expect: kl.mc.values passed

# %% kl.exact shapes
def kl_q_p_exact(params_q, params_p):
    mu_q, log_sigma_q = params_q[:, :-1], params_q[:, -1]
    mu_p, log_sigma_p = params_p[:, :-1], params_p[:, -1]
    return kl_divergence(mu_q, log_sigma_q.expand(len(mu_q), 99), mu_p, log_sigma_p).sum(-1)
