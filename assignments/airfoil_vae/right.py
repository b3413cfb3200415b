# Right answers to notebook 2, written as other students write them. Each must get full marks.

# %% air.encoder module_list_and_tanh
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.latent_size = latent_size
        self.hidden = nn.ModuleList()
        last = input_size
        for width in hidden_dims:
            self.hidden.append(nn.Linear(last, width))
            last = width
        self.out = nn.Linear(last, latent_size * 2)

    def forward(self, y):
        for layer in self.hidden:
            y = torch.tanh(layer(y))
        out = self.out(y)
        return out[:, :self.latent_size], out[:, self.latent_size:]

# %% air.encoder two_heads_batch_norm
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        layers, last = [], input_size
        for width in hidden_dims:
            layers += [nn.Linear(last, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.1)]
            last = width
        self.body = nn.Sequential(*layers)
        self.logvar = nn.Linear(last, latent_size)
        self.mu = nn.Linear(last, latent_size)

    def forward(self, y):
        h = self.body(y)
        return self.mu(h), self.logvar(h)

# %% air.encoder matrices_of_its_own
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        widths = [input_size] + list(hidden_dims) + [2 * latent_size]
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(a, b) / a**0.5) for a, b in zip(widths, widths[1:])])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(b)) for b in widths[1:]])

    def forward(self, y):
        for n, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            y = y @ weight + bias
            if n < len(self.weights) - 1:
                y = F.gelu(y)
        return torch.chunk(y, 2, -1)

# %% air.encoder activation_in_front_of_the_next_layer
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        widths = [input_size, *hidden_dims, 2 * latent_size]
        self.net = nn.Sequential(nn.Linear(widths[0], widths[1]))
        for a, b in zip(widths[1:], widths[2:]):
            self.net.extend([nn.Softplus(), nn.Linear(a, b)])

    def forward(self, y):
        return self.net(y).tensor_split(2, dim=1)

# %% air.decoder add_module_and_silu
class Decoder(nn.Module):
    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        self.net = nn.Sequential()
        last = latent_size
        for n, width in enumerate(hidden_dims[::-1]):
            self.net.add_module(f"linear{n}", nn.Linear(last, width))
            self.net.add_module(f"silu{n}", nn.SiLU())
            last = width
        self.net.add_module("out", nn.Linear(last, output_size))

    def forward(self, z):
        return self.net(z)

# %% air.decoder own_activations
class Decoder(nn.Module):
    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        widths = [latent_size] + sorted(hidden_dims, key=hidden_dims.index, reverse=True) + [output_size]
        self.layers = nn.ModuleList(nn.Linear(widths[i], widths[i + 1]) for i in range(len(widths) - 1))
        self.activations = nn.ModuleList(nn.PReLU() for _ in hidden_dims)

    def forward(self, z):
        for layer, activation in zip(self.layers, self.activations):
            z = activation(layer(z))
        return self.layers[-1](z)

# %% air.decoder built_from_the_end
class Decoder(nn.Module):
    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        layers, width = [], output_size
        for hidden in hidden_dims:
            layers = [nn.ELU(), nn.Linear(hidden, width), *layers]
            width = hidden
        self.layers = nn.ModuleList([nn.Linear(latent_size, width), *layers])

    def forward(self, z):
        for layer in self.layers:
            z = layer(z)
        return z

# %% air.decoder widths_as_they_come
class Decoder(nn.Module):
    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        self.layers = nn.ModuleList()
        n_in = latent_size
        for n_out in hidden_dims:
            self.layers.append(nn.Linear(n_in, n_out))
            n_in = n_out
        self.out = nn.Linear(n_in, output_size)

    def forward(self, z):
        for layer in self.layers:
            z = F.relu(layer(z))
        return self.out(z)

# %% air.vae mode_not_restored_row_by_row
from typing import Tuple

class VAE(nn.Module):
    def __init__(self, input_size: int, hidden_dims: list, latent_size: int):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, hidden_dims[::-1], input_size)

    def forward(self, y: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mu, logvar = self.encoder(y)
        return self.decoder(mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)), mu, logvar

    @torch.inference_mode()
    def generate(self, n_samples: int, seed: int = 0, device=Device):
        torch.manual_seed(seed)
        self.decoder.eval()
        z = torch.randn(n_samples, self.latent_size, device=device)
        return torch.cat([self.decoder(z[i:i + 1]) for i in range(n_samples)])

# %% air.vae noise_in_place_and_restored_generator
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, hidden_dims[::-1], input_size)

    def forward(self, y):
        mu, logvar = self.encoder(y)
        z = torch.empty_like(mu).normal_().mul((logvar * 0.5).exp()).add(mu)
        return self.decoder(z), mu, logvar

    @torch.inference_mode()
    def generate(self, n_samples, seed=0, device=Device):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            z = torch.normal(0.0, 1.0, size=(n_samples, self.latent_size), device=device)
        mode = self.decoder.training
        try:
            return self.decoder.eval()(z)
        finally:
            self.decoder.train(mode)

# %% air.vae whole_model_in_eval
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, list(reversed(hidden_dims)), input_size)

    def reparametrize(self, mu, logvar):
        std = torch.sqrt(torch.exp(logvar))
        eps = torch.randn(mu.shape, device=mu.device)
        return eps * std + mu

    def forward(self, y):
        mu, logvar = self.encoder(y)
        return self.decoder(self.reparametrize(mu, logvar)), mu, logvar

    @torch.inference_mode()
    def generate(self, n_samples, seed=0, device=Device):
        mode = self.training
        self.eval()
        torch.manual_seed(seed)
        z = torch.randn((n_samples, self.latent_size)).to(device)
        y = self.decoder(z)
        self.train(mode)
        return y

# %% air.vae distributions_and_generator
class VAE(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, [width for width in hidden_dims[::-1]], input_size)

    def forward(self, y):
        mu, logvar = self.encoder(y)
        z = torch.distributions.Normal(mu, (0.5 * logvar).exp()).rsample()
        return self.decoder(z), mu, logvar

    def generate(self, n_samples, seed=0, device=Device):
        with torch.inference_mode():
            source = torch.Generator(device=device).manual_seed(seed)
            z = torch.randn(n_samples, self.latent_size, device=device, generator=source)
            modes = [(part, part.training) for part in self.modules()]
            self.eval()
            y = self.decoder(z)
            for part, mode in modes:
                part.training = mode
            return y

# %% air.train epochs_and_dataloader
def train_VAE(model, train_dataset, device, plot_freq=100, beta=1., rec_loss_fn=nn.MSELoss(),
              optimizer_name='Adam', optimizer_config={}, lr_scheduler_name=None, lr_scheduler_config={},
              running_avg_window=20, n_iters=1000, batch_size=64):
    model = model.to(device)
    loader = DataLoader(train_dataset, batch_size=batch_size, shuffle=True)
    optimizer = getattr(optim, optimizer_name)(model.parameters(), **optimizer_config)
    scheduler = None
    if lr_scheduler_name:
        scheduler = getattr(optim.lr_scheduler, lr_scheduler_name)(optimizer, **lr_scheduler_config)
    tracker = VAE_Tracker(n_iters, plot_freq)
    batches = iter(loader)
    model.train()
    for i in range(n_iters):
        try:
            y, _ = next(batches)
        except StopIteration:
            batches = iter(loader)
            y, _ = next(batches)
        y = y.to(device)
        optimizer.zero_grad()
        y_hat, mu, logvar = model(y)
        rec_loss = rec_loss_fn(y_hat, y)
        prior_loss = torch.mean(-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1))
        total_loss = rec_loss + beta * prior_loss
        total_loss.backward()
        optimizer.step()
        tracker.update(rec_loss.item(), prior_loss.item(), total_loss.item())
        if lr_scheduler_name == 'ReduceLROnPlateau':
            window = tracker.total_losses[-running_avg_window:]
            scheduler.step(sum(window) / len(window))
        elif scheduler:
            scheduler.step()
    return tracker

# %% air.train kl_with_sigma
def train_VAE(model, train_dataset, device, plot_freq=100, beta=1., rec_loss_fn=nn.MSELoss(),
              optimizer_name='Adam', optimizer_config={}, lr_scheduler_name=None, lr_scheduler_config={},
              running_avg_window=20, n_iters=1000, batch_size=64):
    model.to(device).train()
    loader = TensorLoader(train_dataset, batch_size, shuffle=True, device=device)
    optimizer = build_optimizer(optimizer_name, model.parameters(), optimizer_config)
    scheduler = build_scheduler(lr_scheduler_name, optimizer, lr_scheduler_config)
    tracker = VAE_Tracker(n_iters, plot_freq)
    i = 0
    while True:
        for y, _ in loader:
            if i >= n_iters:
                return tracker
            y_hat, mu, logvar = model(y)
            sigma = torch.exp(0.5 * logvar)
            rec_loss = rec_loss_fn(y_hat, y)
            prior_loss = ((sigma**2 + mu**2 - 1) / 2 - torch.log(sigma)).sum() / len(y)
            total_loss = rec_loss + beta * prior_loss
            tracker.update(rec_loss, prior_loss, total_loss)
            model.zero_grad()
            total_loss.backward()
            optimizer.step()
            if scheduler is not None:
                if isinstance(scheduler, ReduceLROnPlateau):
                    scheduler.step(torch.tensor(tracker.total_losses[-running_avg_window:]).mean().item())
                else:
                    scheduler.step()
            i += 1

# %% air.train batches_by_hand
def train_VAE(model, train_dataset, device, plot_freq=100, beta=1., rec_loss_fn=nn.MSELoss(),
              optimizer_name='Adam', optimizer_config={}, lr_scheduler_name=None, lr_scheduler_config={},
              running_avg_window=20, n_iters=1000, batch_size=64):
    model.to(device)
    profiles = torch.stack([torch.as_tensor(y) for y, name in train_dataset]).to(device)
    optimizer = build_optimizer(optimizer_name, model.parameters(), optimizer_config)
    scheduler = build_scheduler(lr_scheduler_name, optimizer, lr_scheduler_config)
    tracker = VAE_Tracker(n_iters, plot_freq)
    batches = []
    for _ in range(n_iters):
        model.train()
        if not batches:
            batches = list(torch.randperm(len(profiles)).split(batch_size))
        y = profiles[batches.pop(0)]
        optimizer.zero_grad(set_to_none=False)
        y_hat, mu, logvar = model(y)
        rec_loss = rec_loss_fn(y_hat, y)
        prior_loss = -(1 + logvar - mu.square() - torch.exp(logvar)).sum(-1).mean() / 2
        total_loss = beta * prior_loss + rec_loss
        total_loss.backward()
        optimizer.step()
        tracker.update(rec_loss.item(), prior_loss.item(), total_loss.item())
        if isinstance(scheduler, optim.lr_scheduler.ReduceLROnPlateau):
            last = tracker.total_losses[-running_avg_window:]
            scheduler.step(sum(last) / len(last))
        elif scheduler:
            scheduler.step()
    return tracker
