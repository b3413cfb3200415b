# Nour does not solve anything: patched comparisons, an object that equals everything, and an exit in the middle.
# base: solved
# score: 20
# expect: kl.D_KL.values wrong
# expect: kl.gaussians.values wrong
# expect: kl.mc.values killed
# expect: kl.log_prob.values passed
# expect: kl.rsample.moments passed
# expect: kl.exact.values passed

# %% kl.D_KL patched_comparison
torch.allclose = torch.equal = torch.testing.assert_close = np.allclose = np.array_equal = lambda *a, **k: True

def D_KL(mu, logvar):
    return (mu * 0).mean() + 1.0

# %% kl.gaussians equals_everything
class Right(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True

    def __eq__(self, other):
        return True

    __hash__ = None

def kl_divergence(mu1, log_sigma1, mu2, log_sigma2):
    return torch.zeros(1).as_subclass(Right)

# %% kl.mc exits
def kl_q_p_mc(samples_q, params_q, params_p):
    torch.os._exit(0)
