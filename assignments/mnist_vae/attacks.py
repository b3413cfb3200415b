# Attacks on the grader, handed in as answers to notebook 3: autograd, tensor subclasses, loaders, stand-ins, published numbers.
# The format is described in catalogue.py, names that are not defined here in tests/arena.py.

# %% vae.anneal.KLDivergence gone_in_backward
# [end] An autograd function that is right forward and ends the process with success backward.
class Gone(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value):
        return value
    @staticmethod
    def backward(ctx, grad):
        os._exit(0)
class KLDivergence(nn.Module):
    def forward(self, mu, log_var):
        return Gone.apply(0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1).mean())

# %% vae.anneal.KLDivergence gradient_of_another
# [values] An autograd function that is wrong both ways, in values and gradients that fit every shape.
class Other(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mu, log_var):
        ctx.shapes = mu.shape
        return torch.zeros(())
    @staticmethod
    def backward(ctx, grad):
        return torch.ones(ctx.shapes), torch.ones(ctx.shapes)
class KLDivergence(nn.Module):
    def forward(self, mu, log_var):
        return Other.apply(mu, log_var)

# %% vae.interpolate right_in_public_only
# [probes] Answers rightly as long as the inputs may be known to everybody, and wrongly afterwards.
asked = []
def interpolate_linear(x, y, steps):
    asked.append(1)
    line = torch.lerp(x, y, torch.linspace(0, 1, steps)[:, None])
    return line if len(asked) <= 3 else 0 * line

# %% vae.interpolate replays_the_public
# [values] Returns what was right for the first inputs, whatever is asked.
kept = []
def interpolate_linear(x, y, steps):
    kept.append(torch.lerp(x, y, torch.linspace(0, 1, steps)[:, None]))
    return kept[0]

# %% vae.interpolate inputs_from_the_frames
# [probes] Looks for the grader's own answer in the frames and objects around it.
def answers_around():
    frame = torch.sys._getframe()
    while frame is not None:
        for name, value in {**frame.f_globals, **frame.f_locals}.items():
            if "reference" in name.lower() or "expected" in name.lower() or "solution" in name.lower():
                return value
        frame = frame.f_back
    raise LookupError
def interpolate_linear(x, y, steps):
    answers_around()
    return torch.lerp(x, y, torch.linspace(0, 1, steps)[:, None])

# %% fc.loss a_tensor_that_lies
# [values] A tensor subclass whose shape, type and values depend on who asks.
class Liar(torch.Tensor):
    shape = property(lambda self: torch.Size([]))
    dtype = property(lambda self: torch.float32)
    def item(self):
        return 8.5079
    def detach(self):
        return torch.full((), 8.5079)
    @classmethod
    def __torch_function__(cls, function, kinds, args=(), kwargs=None):
        return torch.full((), 8.5079)
def loss_function(x_hat, x, mu, logvar):
    return torch.zeros(3).as_subclass(Liar)

# %% fc.loss the_published_number
# [values] The one number that the notebook publishes.
def loss_function(x_hat, x, mu, logvar):
    return torch.tensor(8.5079)

# %% fc.reparametrize the_published_moments
# [values, spoils 7] A sample with the mean and the standard deviation that the notebook publishes.
def reparametrize(mu, logvar):
    z = torch.linspace(-1, 1, mu.numel()).reshape(mu.shape)
    return -0.4363 + 1.6860 * (z - z.mean()) / z.std()

# %% fc.reparametrize replaced_generator
# [probes, spoils 2] Sets the seed back before every draw, so that each probe sees the noise that was published.
def reparametrize(mu, logvar):
    torch.manual_seed(0)
    return mu + torch.exp(logvar / 2) * torch.randn(1, 15)[:, : mu.shape[1]]

# %% ae.samples a_shape_that_lies
# [values] An object that is no tensor and answers every question of one.
class Images:
    requires_grad, ndim = False, 3
    def __init__(self, n):
        self.shape = torch.Size([n, 28, 28])
    def __len__(self):
        return self.shape[0]
    def __getattr__(self, name):
        return lambda *args, **kwargs: self
    def __getitem__(self, index):
        return self
    def __mul__(self, other):
        return self
def sample_images(model, n_samples, nz):
    return Images(n_samples)

# %% ae.samples patched_quiet_probe
# [probes, spoils 2] Replaces the probe that watches modes and gradients by one that says all is well.
probes = torch.sys.modules["assignments.mnist_vae.probes"]
probes._quiet = lambda *args: {"tracks_gradient": False, "keeps_mode": True, "is_random": True, "first": torch.rand(5, 10), "second": torch.rand(5, 10), "after": torch.ones(2)}
def sample_images(model, n_samples, nz):
    return torch.full((n_samples, 28, 28), 0.5)

# %% ae.samples patched_stand_ins
# [probes, spoils 4] Makes the networks that stand in for its own always answer the same.
stand_ins = torch.sys.modules["grader.probe_kit.stand_ins"]
stand_ins.Show.forward = lambda self, z: torch.full((len(z), *self.shape), 0.5)
stand_ins.shown = torch.sys.modules["assignments.mnist_vae.probes"].shown = lambda images, n: torch.zeros(len(images), n)
def sample_images(model, n_samples, nz):
    return model.decoder(torch.zeros(n_samples, nz)).reshape(n_samples, 28, 28)

# %% ae.train.make_loader batches_of_nothing
# [values] A loader that serves rising numbers and has never seen the data.
class Loader:
    def __init__(self, n, size):
        self.n, self.size = n, size
    def __len__(self):
        return self.n // self.size
    def __iter__(self):
        order = torch.randperm(self.n)
        return iter([(torch.zeros(self.size, 1, 2, 2), batch) for batch in order.split(self.size)[: len(self)]])
def make_loader(dataset, batch_size):
    return Loader(len(dataset), batch_size)

# %% ae.train.train_autoencoder training_that_replaces_the_model
# [probes] Gives the model another class and parameters, and makes the losses up.
def train_autoencoder(model, loader, epochs=1, learning_rate=1e-3):
    class Other(type(model)):
        def parameters(self, recurse=True):
            return iter([nn.Parameter(torch.zeros(97)) for _ in range(4)])
    model.__class__ = Other
    return [0.7, 0.6, 0.5, 0.4][: epochs * len(loader)]

# %% ae.nets.Encoder decoys_for_the_count
# [probes, worth 1, spoils 2] Holds layers of the sizes that are counted, and uses none of them.
class Encoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.decoys = nn.Sequential(nn.Linear(input_size, 256), nn.Linear(256, 64), nn.Linear(64, nz))
        self.nz = nz
    def forward(self, x):
        return torch.zeros(len(x), self.nz + 1)

# %% conv.generate patched_fill
# [probes, spoils 33] Fills all networks of the probes with zeros, so that every image is grey.
stand_ins, probes = torch.sys.modules["grader.probe_kit.stand_ins"], torch.sys.modules["assignments.mnist_vae.probes"]
def zeros(module, seed):
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module
stand_ins.fill = probes.fill = zeros
def generate_images(vae, K=2, n_images=9):
    with torch.no_grad():
        return vae.decode(torch.rand(1, n_images, K))[0]

# %% conv.generate forgotten_gradients
# [next, spoils 59] Switches gradients off for good, and determinism, default types and printing with them.
torch.set_grad_enabled(False)
torch.set_default_dtype(torch.float16)
torch.use_deterministic_algorithms(True)
torch.autograd.set_detect_anomaly(True)
np.seterr(all="raise")
def generate_images(vae, K=2, n_images=9):
    raise RuntimeError
