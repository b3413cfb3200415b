# Hugo's sampler never ends; everything that does not call it is graded all the same.
# base: solved
# expect: kl.rsample.moments timeout
# expect: kl.exact.values passed

# %% kl.rsample rejection
def rsample(params_q, num_samples):
    samples = []
    while len(samples) < num_samples:
        z = torch.randn(params_q.shape[0], params_q.shape[1] - 1)
        if z.abs().max() < 0:
            samples.append(z)
    return torch.stack(samples, 1)
