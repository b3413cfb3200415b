# Attacks on the grader, handed in as answers to notebook 2: classes, networks that stand in for parts of them, training.
# The format is described in catalogue.py, names that are not defined here in tests/arena.py.

# %% air.encoder never_made
# [end, hangs, spoils 26] Its constructor never returns.
class Encoder(nn.Module):
    def __init__(self, *args):
        super().__init__()
        while True:
            pass

# %% air.encoder gone_in_the_hook
# [end, spoils 26] Ends the process with success in a hook of its forward pass.
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.layer = nn.Linear(input_size, 2 * latent_size)
        self.layer.register_forward_hook(lambda *args: os._exit(0))
    def forward(self, y):
        return self.layer(y).chunk(2, dim=-1)

# %% air.encoder weights_without_end
# [exhaust, spoils 26] Makes layers until memory is full.
class Encoder(nn.Module):
    def __init__(self, *args):
        super().__init__()
        self.weights = nn.ParameterList()
        while True:
            self.weights.append(torch.empty(1 << 26))

# %% air.encoder constants_of_the_right_shape
# [values, worth 3] Constants, whatever comes in: the shapes are right, and that is all.
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.one, self.latent_size = nn.Parameter(torch.ones(1)), latent_size
    def forward(self, y):
        return 0 * self.one * torch.ones(len(y), self.latent_size), self.one * torch.ones(len(y), self.latent_size)

# %% air.encoder decoy_layers
# [probes, worth 3] Registers the layers that are looked for, and lets them take part by a billionth.
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        widths = [input_size, *hidden_dims, 2 * latent_size]
        self.decoys = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, widths[1:]))
        self.latent_size = latent_size
    def forward(self, y):
        mark = 1e-9 * sum(p.sum() for p in self.decoys.parameters())
        bent = torch.sin(y.sum(dim=1, keepdim=True)) + torch.arange(2.0 * self.latent_size) + mark
        return bent.chunk(2, dim=-1)

# %% air.encoder patched_encoder_probe
# [probes, worth 3, spoils 26] Replaces the probes by functions that answer as if all layers were there.
probes = torch.sys.modules["assignments.airfoil_vae.probes"]
def forged(names, y, hidden_dims, latent_size, at, **weights):
    widths = [y.shape[1], *hidden_dims.tolist(), 2 * int(latent_size)]
    mu, logvar = torch.rand(2, len(y), int(latent_size))
    layers = torch.tensor(sorted(sorted(pair) for pair in zip(widths, widths[1:])))
    bend = torch.ones(len(y), 2 * int(latent_size))
    return {"mu": mu, "logvar": logvar, "matrices": len(layers), "layers": layers, "bend": bend, "mixed": bend, "slope": torch.ones(2 * int(latent_size), len(at))}
def forged_affine(names, y, weight, bias):
    mu = torch.zeros(len(y), len(weight) // 2)
    return {"mu": mu, "logvar": mu, "heads": 0, "bend": torch.zeros(len(y), len(weight))}
probes.encoder, probes.affine_encoder = forged, forged_affine
class Encoder(nn.Module):
    def __init__(self, *args):
        raise RuntimeError

# %% air.encoder weights_that_change_on_read
# [probes, worth 3] Parameters that are other ones each time somebody asks for them; the forward pass uses none of them.
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.widths, self.latent_size = [input_size, *hidden_dims, 2 * latent_size], latent_size
        self.one = nn.Parameter(torch.ones(1))
    def named_parameters(self, *args, **kwargs):
        for n, (a, b) in enumerate(zip(self.widths, self.widths[1:])):
            yield f"{n}.weight", nn.Parameter(torch.randn(b, a))
            yield f"{n}.bias", nn.Parameter(torch.randn(b))
    def parameters(self, *args):
        return (parameter for _, parameter in self.named_parameters())
    def forward(self, y):
        return torch.sin(self.one * y[:, : self.latent_size]), torch.cos(self.one * y[:, -self.latent_size :])

# %% air.vae patched_generate_probes
# [probes, worth 1] Replaces the probes of `generate` by functions that say all is well.
probes = torch.sys.modules["assignments.airfoil_vae.probes"]
yes, no = torch.tensor([True, True, True]), torch.zeros(2, dtype=torch.bool)
def modes(names, n_samples, latent_size, **others):
    return {"while_decoding": no, "after_training": yes, "after_eval": torch.zeros(3, dtype=torch.bool), "after_apart": True, "keeps_gradient": False, "gradients_afterwards": True, "samples": torch.ones(int(n_samples), int(latent_size) + 1), "marks": torch.ones(5), "gradient": torch.ones(4)}
def device(names, n_samples, latent_size, **others):
    return {"on_cpu": True, "ignored": False, "samples": torch.ones(int(n_samples), int(latent_size) + 1)}
def generate(names, n_samples, latent_size, seed, **others):
    z = torch.randn(int(n_samples), int(latent_size))
    return {"z": z, "again": z, "other": -z}
probes.generate_modes, probes.generate_device, probes.generate = modes, device, generate
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
    def forward(self, y):
        return (y, *self.encoder(y))

# %% air.vae empty_flags
# [probes, worth 1] Answers the probes of `generate` with nothing: no flag that is empty is true, or false.
probes = torch.sys.modules["assignments.airfoil_vae.probes"]
class Nothing(dict):
    def items(self):
        return [(name, torch.empty(0, dtype=torch.bool)) for name in ("while_decoding", "after_training", "after_eval", "after_apart", "keeps_gradient", "gradients_afterwards", "on_cpu", "ignored", "samples", "marks", "gradient")]
probes.generate_modes = probes.generate_device = lambda names, **inputs: Nothing()
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
    def forward(self, y):
        return (y, *self.encoder(y))

# %% air.vae deaf_to_stand_ins
# [probes, worth 1] Keeps its own parts whatever is put in their place, and says it is in whichever mode is wanted.
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.own = [Encoder(input_size, hidden_dims, latent_size)]
        self.latent_size = latent_size
    def __setattr__(self, name, value):
        if name not in ("encoder", "decoder", "training"):
            super().__setattr__(name, value)
    def __getattr__(self, name):
        return self.own[0] if name in ("encoder", "decoder") else super().__getattr__(name)
    training = property(lambda self: torch.sys._getframe(1).f_code.co_name != "generate_modes", lambda self, mode: None)
    def train(self, mode=True):
        return self
    def state_dict(self, *args, **kwargs):
        return {}
    def forward(self, y):
        return (y, *self.own[0](y))
    def generate(self, n_samples, seed=0, device=None):
        return torch.randn(n_samples, self.latent_size)

# %% air.vae predictable_noise
# [probes, worth 4] Makes the generators' numbers its own, so that noise can be made up to please: all of it 0.
def quiet(*shape, **kwargs):
    return torch.zeros(*shape) if not isinstance(shape[0], torch.Tensor) else torch.zeros_like(shape[0])
torch.manual_seed = lambda seed: None
torch.randn = torch.randn_like = torch.rand = torch.normal = quiet
torch.Tensor.normal_ = lambda self, *args, **kwargs: self.zero_()
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, hidden_dims[::-1], input_size)
    def forward(self, y):
        mu, logvar = self.encoder(y)
        return self.decoder((mu + torch.randn_like(mu)).detach()), mu, logvar

# %% air.train losses_without_training
# [values] Fills the tracker with plausible losses, and trains nothing.
def train_VAE(model, train_dataset, device, n_iters=1000, **others):
    tracker = VAE_Tracker(n_iters, 0)
    for n in range(n_iters):
        tracker.update(1.0 / (n + 1), 0.5, 1.5 / (n + 1))
    return tracker

# %% air.train written_into_the_witness
# [probes] Knows the model that watches it, and writes into its notes what it would like to have been seen.
def train_VAE(model, train_dataset, device, n_iters=1000, batch_size=64, **others):
    tracker = VAE_Tracker(n_iters, 0)
    for n in range(n_iters):
        tracker.update(0.4 - 0.01 * n, 0.0, 0.4 - 0.01 * n)
    model.seen = [0.4 - 0.01 * n for n in range(n_iters)]
    model.was_training = [True] * n_iters
    model.last_heights = [float(1 + (7 * n) % len(train_dataset)) for n in range(n_iters * batch_size)]
    with torch.no_grad():
        model.w.fill_(0.4 - 0.01 * n_iters)
    return tracker

# %% air.train patched_optimizers
# [probes, spoils 8] Makes every optimizer of torch do nothing, and every gradient 0.
for kind in (torch.optim.SGD, torch.optim.Adam):
    kind.step = lambda self, closure=None: None
torch.Tensor.backward = lambda self, *args, **kwargs: None
def train_VAE(model, train_dataset, device, n_iters=1000, **others):
    tracker = VAE_Tracker(n_iters, 0)
    for _ in range(n_iters):
        tracker.update(0.0, 0.0, 0.0)
    return tracker

# %% air.train training_without_end
# [end, hangs] Trains for ever.
def train_VAE(model, *args, **kwargs):
    while True:
        model(torch.ones(1, 12))
