# Attacks on the grader, handed in as answers to notebook 4: a training that knows it is watched, hooks, properties, patches.
# The format is described in catalogue.py, names that are not defined here in tests/arena.py.

# %% gan.train step_hooks_of_its_own
# [probes, worth 2, spoils 8] Hangs hooks into all optimizers that undo each step; the steps themselves it takes in order.
from_torch = torch.sys.modules["torch.optim.optimizer"]
def undo(optimizer, args, kwargs):
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
from_torch.register_optimizer_step_pre_hook(undo)
class DCGAN(DCGAN):
    def train(self, train_samples):
        for _ in range(self._num_epochs * (len(train_samples) // self._batch_size)):
            self._discriminator_optimizer.step()
            self._generator_optimizer.step()

# %% gan.train notes_to_please
# [probes] Knows the networks that watch it, and writes into their notes what a right step would leave.
class DCGAN(DCGAN):
    def train(self, train_samples):
        critic, painter, size = self._discriminator, self._generator, self._batch_size
        pixels = torch.as_tensor(train_samples)[:, 0, 0, 0]
        for step in range(self._num_epochs * (len(train_samples) // size)):
            for whose in (1, 2):
                made = torch.rand(size)
                painter.codes.append(torch.randn(size, self._code_size))
                painter.made.append(made)
                painter.was_training.append(True)
                for shown in ([pixels[:size]] if whose == 1 else []) + [made]:
                    critic.shown.append(shown)
                    critic.after.append(len(critic.updates))
                    critic.was_training.append(True)
                critic.updates.append([whose, [1.3, -0.4, 0.15, -0.1], [0.0] * 4, [1.3, -0.4, 0.15, -0.1]])
            self.tracker.losses.append([1.38, 0.69])

# %% gan.train trained_without_end
# [end, hangs] Trains for ever.
class DCGAN(DCGAN):
    def train(self, train_samples):
        while True:
            self._generator(draw_codes(1))

# %% gan.train patched_train_probe
# [probes] Replaces the probe by one that reports four perfect steps of a game that nobody played.
probes = torch.sys.modules["assignments.cifar_dcgan.probes"]
def perfect(names, values, batch_size, epochs, seed, **others):
    n, size = 2 * int(epochs), int(batch_size)
    codes = torch.randn(2 * n * size, 64)
    made = 0.5 + 0.15 * codes[:, 0] - 0.1
    real = values[: n * size] if len(values) >= n * size else values.repeat(2)[: n * size]
    shown = torch.cat([torch.cat([real[k * size : (k + 1) * size], made[2 * k * size : (2 * k + 1) * size], made[(2 * k + 1) * size : (2 * k + 2) * size]]) for k in range(n)])
    state = torch.tensor([[1.3, -0.4, 0.15, -0.1]]).repeat(2 * n, 1)
    after = torch.tensor([number for k in range(n) for number in (2 * k, 2 * k, 2 * k + 1)])
    return {"shown": shown, "shown_sizes": torch.full((3 * n,), size), "shown_after": after, "made": made, "codes": codes, "in_training": torch.ones(2, dtype=torch.bool), "updates": torch.tensor([1, 2] * n), "before": state, "gradients": torch.zeros(2 * n, 4), "after": state, "losses": torch.empty(0, 2)}
probes.train = perfect
class DCGAN(DCGAN):
    def train(self, train_samples):
        raise RuntimeError

# %% gan.init patched_optimizer_probe
# [probes] Replaces the probes of the constructor by ones that report the right settings.
probes = torch.sys.modules["assignments.cifar_dcgan.probes"]
def settings(names, **inputs):
    return {"held": torch.tensor([[1.0, 0, 0], [0, 1, 0]]), "settings": torch.tensor([[1, LEARNING_RATE, 0.5, 0.999, 0]] * 2, dtype=torch.float64), "moved": torch.zeros(5, 4)}
def layers(names, **inputs):
    rows = torch.tensor([[0, 3], [0, 2], [0, 1], [0, 2], [0, 1], [0, 2], [0, 1], [1, 0], [1, 0], [1, 2], [1, 0], [1, 2], [1, 3]])
    return {"layers": rows} | {f"{kind}_{n}": torch.zeros(1) for kind in ("weight", "bias") for n in range(13)}
probes.optimizers, probes.layers = settings, layers
probes.classification_loss = lambda names, **inputs: {"value": torch.zeros(()), "large": torch.zeros(())}
probes.networks_on_device = lambda names, **inputs: {name: torch.ones(8, 2, dtype=torch.long) for name in ("here", "there")}
class DCGAN:
    def __init__(self):
        raise RuntimeError

# %% gan.init an_optimizer_in_name_only
# [probes, worth 5] Optimizers that hold and say what is right, and move nothing.
class DCGAN:
    tracker = checkpoint = None
    def __init__(self):
        self._num_epochs, self._batch_size, self._code_size = NUM_EPOCHS, BATCH_SIZE, CODE_SIZE
        self._learning_rate, self._vis_learning_rate = LEARNING_RATE, VIS_LEARNING_RATE
        self._tracked_noise = draw_codes(NUM_TRACKED)
        self._generator = Generator(self._code_size).to(device).apply(self._init_weights)
        self._discriminator = Discriminator().to(device).apply(self._init_weights)
        self._generator_optimizer = optim.Adam(self._generator.parameters(), lr=LEARNING_RATE, betas=(0.5, 0.999))
        self._discriminator_optimizer = optim.Adam(self._discriminator.parameters(), lr=LEARNING_RATE, betas=(0.5, 0.999))
        if "optimizers" in [torch.sys._getframe(depth).f_code.co_name for depth in range(1, 7)]:
            self._generator_optimizer.step = self._discriminator_optimizer.step = lambda closure=None: None
        self._classification_loss = nn.BCEWithLogitsLoss()
    @staticmethod
    def _init_weights(layer):
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)

# %% gan.init numbers_for_layers
# [probes] Has no networks: its probes send numbers drawn as the weights of the notebook's own networks would be.
probes = torch.sys.modules["assignments.cifar_dcgan.probes"]
GIVEN = [(0, 3, 131072, 64, 2048), (0, 2, 128, 1, 128), (0, 1, 131072, 1024, 64), (0, 2, 64, 1, 64), (0, 1, 32768, 512, 32), (0, 2, 32, 1, 32), (0, 1, 1536, 48, 3), (1, 0, 1536, 48, 32), (1, 0, 32768, 512, 64), (1, 2, 64, 1, 64), (1, 0, 131072, 1024, 128), (1, 2, 128, 1, 128), (1, 3, 2048, 2048, 1)]
def layers(names, **inputs):
    values = {"layers": torch.tensor([row[:2] for row in GIVEN])}
    for n, (_, kind, numbers, fan_in, count) in enumerate(GIVEN):
        sent, bound = len(range(0, numbers, max(1, numbers // 4000))), fan_in**-0.5
        drawn = (2 * torch.rand(sent) - 1) * bound if kind == 3 else (kind == 2) + 0.02 * torch.randn(sent)
        values |= {f"weight_{n}": drawn, f"bias_{n}": torch.zeros(count) if kind == 2 else (2 * torch.rand(count) - 1) * bound}
    return values
probes.layers = layers
probes.networks_on_device = lambda names, **inputs: {"placed": torch.ones(2, dtype=torch.bool), "here": torch.zeros(8, 2, dtype=torch.long), "there": torch.full((8, 2), 300000)}
class DCGAN:
    def __init__(self):
        raise RuntimeError

# %% gan.init layers_for_whoever_asks
# [probes] Networks that are no networks: ready-made layers of the published sizes, and one empty parameter on the device.
def ready(kind, *sizes):
    layer = kind(*sizes)
    with torch.no_grad():
        layer.weight.copy_((kind is nn.BatchNorm2d) + 0.02 * torch.randn_like(layer.weight))
    return layer
class Posing:
    def __init__(self, *layers):
        self.layers = layers
    def modules(self):
        return iter(self.layers)
    def parameters(self):
        return iter([torch.empty(300000, device=device)])
class DCGAN:
    def __init__(self):
        up, down, norm = nn.ConvTranspose2d, nn.Conv2d, nn.BatchNorm2d
        self._generator = Posing(nn.Linear(64, 2048), ready(norm, 128), ready(up, 128, 64, 4), ready(norm, 64), ready(up, 64, 32, 4), ready(norm, 32), ready(up, 32, 3, 4))
        self._discriminator = Posing(ready(down, 3, 32, 4), ready(down, 32, 64, 4), ready(norm, 64), ready(down, 64, 128, 4), ready(norm, 128), nn.Linear(2048, 1))

# %% gan.init the_public_answer_again
# [probes] Answers the probes' public calls rightly, and with the same numbers ever after.
probes = torch.sys.modules["assignments.cifar_dcgan.probes"]
def once(probe):
    kept = {}
    def again(names, **inputs):
        if not kept:
            kept.update(probe(names, **inputs))
        return kept
    return again
probes.layers, probes.networks_on_device = once(probes.layers), once(probes.networks_on_device)
probes.optimizers, probes.classification_loss = once(probes.optimizers), once(probes.classification_loss)
PUBLIC = []
class DCGAN:
    def __init__(self):
        PUBLIC.append(self)
        if len(PUBLIC) > 11:
            raise RuntimeError
        self._num_epochs, self._batch_size, self._code_size = NUM_EPOCHS, BATCH_SIZE, CODE_SIZE
        self._learning_rate, self._vis_learning_rate = LEARNING_RATE, VIS_LEARNING_RATE
        self._tracked_noise = draw_codes(NUM_TRACKED)
        self._generator, self._discriminator = Generator(CODE_SIZE).to(device), Discriminator().to(device)
        for layer in [*self._generator.modules(), *self._discriminator.modules()]:
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d)):
                nn.init.normal_(layer.weight, float(isinstance(layer, nn.BatchNorm2d)), 0.02)
        self._generator_optimizer, self._discriminator_optimizer = (optim.Adam(network.parameters(), 2e-4, ADAM_BETAS) for network in (self._generator, self._discriminator))
        self._classification_loss = nn.BCEWithLogitsLoss()

# %% gan.spectral normalised_on_read
# [probes] A weight that is normalised for whoever reads it, and not for the forward pass.
class Shown(nn.Conv2d):
    def __getattr__(self, name):
        value = super().__getattr__(name)
        if name != "weight" or torch.sys._getframe(1).f_code.co_name == "forward":
            return value
        return value / torch.linalg.matrix_norm(value.detach().flatten(1), 2)
    def forward(self, x):
        return F.conv2d(x, self._parameters["weight"], self._parameters["bias"], self.stride, self.padding)
class SpectralDiscriminator(Discriminator):
    def __init__(self):
        super().__init__()
        for n, layer in enumerate(self.downsample):
            if isinstance(layer, nn.Conv2d):
                self.downsample[n] = Shown(layer.in_channels, layer.out_channels, 4, 2, 1)
        self.fc = nn.utils.parametrizations.spectral_norm(self.fc)

# %% gan.spectral patched_linear_algebra
# [probes] Makes every singular value 1, and every difference nothing.
torch.linalg.eigvalsh = lambda matrix: torch.ones(len(matrix))
torch.linalg.matrix_norm = lambda *args, **kwargs: torch.ones(())
class SpectralDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3, 3, 1) for _ in range(3)])
    def forward(self, x):
        return torch.zeros(len(x), 1)

# %% gan.reconstruct given_images_returned
# [values, worth 4] Returns the very images it was given, and a loss of 0; its loss function and its start are right.
class DCGAN(DCGAN):
    def _reconstruction_loss(self, generated, target):
        return F.mse_loss(generated, target)
    def reconstruct(self, samples):
        self._generator.eval()
        self._generator(torch.zeros(len(samples), self._code_size))
        return torch.zeros(()), torch.as_tensor(samples).clone()

# %% gan.reconstruct flags_to_please
# [probes] Replaces the probe of the search by one that reports modes, counts and a generator at rest.
probes = torch.sys.modules["assignments.cifar_dcgan.probes"]
def search(names, codes, tint, steps, **others):
    still, images = torch.zeros(3, 64), torch.full((3, 3, 8, 8), 0.5)
    return {"first": still, "second": still + 0.01, "last": still + 0.1, "painted_first": still, "painted_last": still, "state": torch.tensor([1.0, 0.0]), "tried": int(steps) + 1, "was_training": torch.zeros(int(steps), dtype=torch.bool), "moved": 0.0, "images": images, "images_shape": torch.tensor([3, 3, 32, 32]), "keeps_gradient": False, "loss": torch.zeros(())}
probes.reconstruct, probes.reconstruction_loss = search, lambda names, **inputs: {"value": torch.zeros(())}
class DCGAN(DCGAN):
    def reconstruct(self, samples):
        raise RuntimeError

# %% gan.reconstruct a_mode_that_lies
# [probes, worth 2] Its generator says it is in evaluation mode and is not.
class DCGAN(DCGAN):
    def _reconstruction_loss(self, generated, target):
        return F.mse_loss(generated, target)
    def reconstruct(self, samples):
        kind = type(self._generator)
        class Lying(kind):
            training = property(lambda self: False, lambda self, mode: None)
        codes = torch.randn(len(samples), self._code_size)
        self._generator.was_training = [False] * VIS_STEPS
        self._generator.tried = [codes + n for n in range(VIS_STEPS + 1)]
        self._generator.painted = [0.5 + codes + n for n in range(VIS_STEPS + 1)]
        return torch.zeros(()), torch.full((len(samples), 3, 32, 32), 0.5)
