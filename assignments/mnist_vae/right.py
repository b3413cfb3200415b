# Right answers to notebook 3, written as the source courses' students write them. Each must get full marks.

# %% ae.nets.Encoder layers_one_by_one
class Encoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.out = nn.Linear(64, nz)
        self.second = nn.Linear(256, 64)
        self.first = nn.Linear(input_size, 256)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        return self.out(F.relu(self.second(F.relu(self.first(x)))))

# %% ae.nets.Encoder module_list
class Encoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        sizes = [input_size, 256, 64, nz]
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.clamp(layer(x), min=0)
        return self.layers[-1](x)

# %% ae.nets.Decoder functional
class Decoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.fc1, self.fc2, self.fc3 = nn.Linear(nz, 64), nn.Linear(64, 256), nn.Linear(256, output_size)

    def forward(self, z):
        h = F.relu(self.fc1(z))
        h = F.relu(self.fc2(h))
        return torch.sigmoid(self.fc3(h)).unsqueeze(1)

# %% ae.nets.Decoder unflatten
class Decoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(nz, 64), nn.ReLU(inplace=True), nn.Linear(64, 256), nn.ReLU(inplace=True),
            nn.Linear(256, output_size), nn.Sigmoid(), nn.Unflatten(1, (1, output_size)),
        )
        for layer in self.net:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)

    def forward(self, z):
        return self.net(z)

# %% ae.nets.AutoEncoder decoder_first
class AutoEncoder(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.decoder = Decoder(nz, 784)
        self.encoder = Encoder(nz, 784)

    def forward(self, x):
        z = self.encoder(x)
        x_hat = self.decoder(z)
        return x_hat

    def reconstruct(self, x):
        with torch.no_grad():
            return self.forward(x).squeeze(1).view(x.shape[0], 28, 28)

# %% ae.nets.AutoEncoder pictures_by_unflatten
class AutoEncoder(nn.Module):
    def __init__(self, nz):
        nn.Module.__init__(self)
        self.nz = nz
        self.encoder, self.decoder = Encoder(nz, 28 * 28), Decoder(nz, 28 * 28)

    def forward(self, x):
        return self.decoder.forward(self.encoder.forward(x))

    def reconstruct(self, x):
        return self.decoder(self.encoder(x))[:, 0].unflatten(1, (28, 28))

# %% ae.train.make_loader random_sampler
def make_loader(dataset, batch_size):
    sampler = torch.utils.data.RandomSampler(dataset)
    return DataLoader(dataset, batch_size, sampler=sampler, drop_last=True, num_workers=0)

# %% ae.train.make_loader with_workers
def make_loader(dataset, batch_size):
    return DataLoader(dataset, batch_size, True, drop_last=True, num_workers=2, pin_memory=True, persistent_workers=True)

# %% ae.train.make_loader own_class
class Shuffled:
    def __init__(self, dataset, batch_size):
        self.dataset, self.batch_size = dataset, batch_size

    def __len__(self):
        return len(self.dataset) // self.batch_size

    def __iter__(self):
        order = torch.randperm(len(self.dataset)).tolist()
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            items = [self.dataset[i] for i in order[start : start + self.batch_size]]
            yield torch.utils.data.default_collate(items)

def make_loader(dataset, batch_size):
    return Shuffled(dataset, batch_size)

# %% ae.train.train_autoencoder bce_module
def train_autoencoder(model, loader, epochs, learning_rate=1e-3):
    model.train()
    device = next(model.parameters()).device
    criterion = nn.BCELoss()
    optimizer = torch.optim.Adam(model.parameters(), learning_rate, betas=(0.9, 0.999))
    losses = []
    for _ in range(epochs):
        for images, _ in loader:
            x = images.to(device).flatten(2)
            x_hat = model.forward(x)
            loss = criterion(x_hat, x)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
    return losses

# %% ae.train.train_autoencoder formula
def train_autoencoder(model, loader, epochs, learning_rate=1e-3):
    optimizer = optim.Adam(params=list(model.parameters()), lr=learning_rate)
    losses = []
    for epoch in range(epochs):
        for batch in loader:
            x = batch[0].reshape(len(batch[0]), 1, -1)
            model.zero_grad()
            p = model(x).clamp(1e-7, 1 - 1e-7)
            loss = -(x * p.log() + (1 - x) * (1 - p).log()).mean()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
    return losses

# %% ae.samples decorated
@torch.no_grad()
def sample_images(model, n_samples, nz):
    device = next(model.parameters()).device
    z = torch.normal(0.0, 1.0, size=(n_samples, nz)).to(device)
    return model.decoder(z).view(n_samples, 28, 28)

# %% ae.samples mode_restored
def sample_images(model, n_samples, nz):
    was_training = model.training
    model.eval()
    images = []
    for _ in range(n_samples):
        images.append(model.decoder(torch.randn(1, nz)).detach().squeeze().reshape(28, 28))
    model.train(was_training)
    return torch.stack(images)

# %% vae.model with_distributions
class VAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.beta = beta
        self.nz = nz
        self.encoder = Encoder(2 * nz, in_size)
        self.decoder = Decoder(nz, out_size)

    def forward(self, x):
        q = self.encoder(x)
        z = torch.distributions.Normal(q[:, : self.nz], q[:, self.nz :].exp()).rsample()
        return {"q": q, "rec": self.decoder(z)}

    def loss(self, x, outputs):
        mu, log_sigma = torch.split(outputs["q"], outputs["q"].shape[1] // 2, dim=1)
        rec = nn.BCELoss()(outputs["rec"], x)
        kl = torch.mean(-log_sigma + (torch.exp(2 * log_sigma) + mu**2) / 2 - 0.5)
        total = rec + self.beta * kl
        return total, {"kl_loss": kl, "rec_loss": rec}

    def reconstruct(self, x):
        q = self.encoder(x)
        return self.decoder(q[:, : self.nz])[:, 0].reshape(-1, 28, 28)

# %% vae.model helper_method
class VAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.decoder = Decoder(nz=nz, output_size=out_size)
        self.encoder = Encoder(nz=nz * 2, input_size=in_size)
        self.beta = beta

    def encode(self, x):
        q = self.encoder(x)
        half = q.size(-1) // 2
        return q, q.narrow(-1, 0, half), q.narrow(-1, half, half)

    def forward(self, x):
        q, mean, log_std = self.encode(x)
        eps = torch.empty_like(mean).normal_()
        return {"rec": self.decoder(torch.addcmul(mean, torch.exp(log_std), eps)), "q": q}

    def loss(self, x, outputs):
        mean, log_std = outputs["q"].chunk(2, -1)
        terms = {
            "rec_loss": F.binary_cross_entropy(outputs["rec"].flatten(1), x.flatten(1)),
            "kl_loss": kl_divergence(mean, log_std, torch.zeros_like(mean), torch.zeros_like(log_std)).mean(),
        }
        return terms["rec_loss"] + self.beta * terms["kl_loss"], terms

    @torch.no_grad()
    def reconstruct(self, x):
        _, mean, _ = self.encode(x)
        return self.decoder(mean).view(-1, 28, 28)

# %% vae.train written_out
def train_beta_vae(model, loader, epochs, learning_rate=1e-3):
    model.train()
    optimizer = optim.Adam(model.parameters(), lr=learning_rate)
    rec_losses, kl_losses = [], []
    for _ in range(epochs):
        for images, labels in loader:
            x = images.flatten(2)
            for p in model.parameters():
                p.grad = None
            outputs = model(x)
            loss, parts = model.loss(x, outputs)
            loss.backward()
            optimizer.step()
            rec_losses.append(float(parts["rec_loss"]))
            kl_losses.append(parts["kl_loss"].detach().cpu().item())
    return {"rec_loss": rec_losses, "kl_loss": kl_losses}

# %% vae.train own_sum
def train_beta_vae(model, loader, epochs, learning_rate=1e-3):
    optimizer = optim.Adam(model.parameters(), lr=learning_rate)
    history = {"rec_loss": [], "kl_loss": []}
    for _ in range(epochs):
        for images, _ in loader:
            x = images.flatten(2)
            _, terms = model.loss(x, model(x))
            optimizer.zero_grad()
            (terms["rec_loss"] + model.beta * terms["kl_loss"]).backward()
            optimizer.step()
            history["rec_loss"] += [terms["rec_loss"].item()]
            history["kl_loss"] += [terms["kl_loss"].item()]
    return history

# %% vae.anneal.KLDivergence module
class KLDivergence(nn.Module):
    def forward(self, mu, log_var):
        return torch.mean(-0.5 * torch.sum(1 + log_var - mu.pow(2) - log_var.exp(), dim=1), dim=0)

# %% vae.anneal.KLDivergence with_distributions
class KLDivergence:
    def __call__(self, mu, log_var):
        q = torch.distributions.Normal(mu, torch.exp(0.5 * log_var))
        p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        return torch.distributions.kl_divergence(q, p).sum() / mu.shape[0]

# %% vae.anneal.KLDivergence given_function
class KLDivergence:
    def __init__(self):
        self.prior = torch.zeros(1)

    def __call__(self, mu, log_var):
        return kl_divergence(mu, log_var / 2, self.prior, self.prior).sum(-1).mean(0)

# %% vae.anneal.KLWeightManager three_cases
class KLWeightManager:
    def __init__(self, warm_up_rounds, annealing_rounds):
        self.start, self.rounds = warm_up_rounds, annealing_rounds

    def __call__(self, epoch):
        if epoch >= self.start + self.rounds:
            return 1.0
        if epoch <= self.start:
            return 0.0
        return (epoch - self.start) / self.rounds

# %% vae.anneal.KLWeightManager numpy_clip
class KLWeightManager:
    def __init__(self, warm_up_rounds, annealing_rounds):
        self.warm_up_rounds = warm_up_rounds
        self.annealing_rounds = annealing_rounds

    def __call__(self, epoch):
        if self.annealing_rounds == 0:
            return int(epoch >= self.warm_up_rounds)
        return np.clip((epoch - self.warm_up_rounds) / self.annealing_rounds, 0, 1)

# %% vae.interpolate loop
def interpolate_linear(x, y, steps):
    points = []
    for k in range(steps):
        points.append(x + k / (steps - 1) * (y - x))
    return torch.stack(points)

# %% vae.interpolate lerp
def interpolate_linear(x, y, steps):
    return torch.lerp(x.unsqueeze(0), y.unsqueeze(0), torch.linspace(0, 1, steps)[:, None])

# %% fc.reparametrize standard_deviation
def reparametrize(mu, logvar):
    std = logvar.exp().sqrt()
    eps = torch.randn(mu.shape, device=mu.device)
    return eps * std + mu

# %% fc.reparametrize with_distributions
def reparametrize(mu, logvar):
    return torch.distributions.Normal(mu, torch.exp(logvar / 2)).rsample()

# %% fc.model written_out
class FCVAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.input_size, self.latent_size, self.hidden_dim = input_size, latent_size, 400
        self.decoder = nn.Sequential(
            nn.Linear(latent_size, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(),
            nn.Linear(400, input_size), nn.Sigmoid(), nn.Unflatten(dim=1, unflattened_size=(1, 28, 28)),
        )
        layers = [nn.Flatten()]
        for size in (input_size, 400, 400):
            layers += [nn.Linear(size, 400), nn.ReLU()]
        self.encoder = nn.Sequential(*layers)
        self.logvar_layer = nn.Linear(400, latent_size)
        self.mu_layer = nn.Linear(400, latent_size)

    def forward(self, x):
        x_hat = None
        h = self.encoder(x)
        mu = self.mu_layer(h)
        logvar = self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        x_hat = self.decoder(z)
        return x_hat, mu, logvar

# %% fc.model own_noise
class FCVAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super().__init__()
        self.latent_size = latent_size
        h = self.hidden_dim = 400

        def block(a, b):
            return nn.Sequential(nn.Linear(a, b), nn.ReLU())

        self.encoder = nn.Sequential(nn.Flatten(1, -1), block(input_size, h), block(h, h), block(h, h))
        self.mu_layer, self.logvar_layer = nn.Linear(h, latent_size), nn.Linear(h, latent_size)
        self.decoder = nn.Sequential(
            block(latent_size, h), block(h, h), block(h, h), nn.Linear(h, input_size), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))
        )

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        return self.decoder(mu + torch.randn_like(logvar) * (0.5 * logvar).exp()), mu, logvar

# %% fc.loss written_out
def loss_function(x_hat, x, mu, logvar):
    N = x.shape[0]
    bce = nn.BCELoss(reduction="sum")(x_hat, x)
    kl = -0.5 * (1 + logvar - mu**2 - torch.exp(logvar)).sum(dim=1)
    return bce / N + kl.mean()

# %% fc.loss image_by_image
def loss_function(x_hat, x, mu, logvar):
    total = 0
    for i in range(len(x)):
        rec = F.binary_cross_entropy(x_hat[i], x[i], reduction="none").sum()
        kl = -0.5 * torch.sum(1 + logvar[i] - mu[i].square() - logvar[i].exp())
        total = total + rec + kl
    return total / len(x)

# %% fc.loss means_times_sizes
def loss_function(x_hat, x, mu, logvar):
    pixels, D = x[0].numel(), mu.size(1)
    p = x_hat.clamp(1e-7, 1 - 1e-7)
    bce = -torch.mean(x * torch.log(p) + (1 - x) * torch.log(1 - p)) * pixels
    return bce + 0.5 * D * torch.mean(mu * mu + torch.exp(logvar) - logvar - 1)

# %% cvae.model.idx2onehot scatter
def idx2onehot(idx, n):
    if idx.dim() == 1:
        idx = idx.unsqueeze(1)
    onehot = torch.zeros(idx.size(0), n, device=idx.device)
    onehot.scatter_(1, idx, 1)
    return onehot

# %% cvae.model.idx2onehot identity
def idx2onehot(idx, n):
    return torch.eye(n)[idx.flatten()]

# %% cvae.model.CVAE written_out
class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__()
        self.input_size, self.num_classes, self.latent_size, self.hidden_dim = input_size, num_classes, latent_size, 400
        self.mu_layer, self.logvar_layer = nn.Linear(400, latent_size), nn.Linear(400, latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(latent_size + num_classes, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(),
            nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, input_size), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)),
        )
        self.encoder = nn.Sequential(
            nn.Linear(input_size + num_classes, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU(), nn.Linear(400, 400), nn.ReLU()
        )

    def forward(self, x, c):
        joined = torch.hstack([x.reshape(x.shape[0], -1), c])
        h = self.encoder(joined)
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        return self.decoder(torch.concat((z, c), 1)), mu, logvar

# %% cvae.model.CVAE blocks
class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super().__init__()
        self.hidden_dim = h = 400
        self.latent_size, self.num_classes = latent_size, num_classes

        def hidden(n_in):
            layers = []
            for size in (n_in, h, h):
                layers.extend([nn.Linear(size, h), nn.ReLU(inplace=True)])
            return layers

        self.encoder = nn.Sequential(*hidden(num_classes + input_size))
        heads = [nn.Linear(h, latent_size) for _ in range(2)]
        self.mu_layer, self.logvar_layer = heads
        self.decoder = nn.Sequential(
            *hidden(num_classes + latent_size), nn.Linear(h, input_size), nn.Unflatten(1, (1, 28, 28)), nn.Sigmoid()
        )

    def forward(self, x, c):
        N = x.size(0)
        joined = torch.zeros(N, 784 + c.size(1), dtype=x.dtype, device=x.device)
        joined[:, :784], joined[:, 784:] = x.view(N, 784), c
        h = self.encoder(joined)
        mu = self.mu_layer(h)
        logvar = self.logvar_layer(h)
        z = mu + torch.exp(logvar / 2) * torch.randn(N, self.latent_size, device=x.device)
        return self.decoder(torch.cat((z, c), -1)), mu, logvar

# %% conv.vae written_out
class SimpleVAE(nn.Module):
    def __init__(self, K=2, num_filters=32):
        super().__init__()
        self.K = K
        self.log_sig_x = nn.Parameter(torch.tensor(0.0))
        self.decoder = conv_decoder(K=K, num_filters=num_filters)
        self.encoder = conv_encoder(K=K, num_filters=num_filters)

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        B, N, K = z.shape
        return self.decoder(z.reshape(B * N, K)).view(B, N, 1, 28, 28)

    def elbo(self, x, n):
        params_q = self.encode(x)
        z = rsample(params_q, n)
        B, N, K = z.shape
        mean = self.decode(z).reshape(B, N, -1)
        target = x.reshape(B, 1, -1).repeat(1, N, 1)
        recon = log_prob(target, mean, self.log_sig_x * torch.ones(B, N)).mean(dim=1)
        params_p = torch.zeros(B, K + 1)
        return torch.mean(recon - kl_q_p_exact(params_q, params_p))

# %% conv.vae own_formulas
class SimpleVAE(nn.Module):
    def __init__(self, K=2, num_filters=32):
        super().__init__()
        f = num_filters
        self.encoder = nn.Sequential(
            nn.Conv2d(1, f, 5), nn.ReLU(), nn.Conv2d(f, f, 5, 2), nn.ReLU(), nn.Conv2d(f, f, 5, 2), nn.ReLU(),
            nn.Flatten(), nn.Linear(9 * f, K + 1),
        )
        self.decoder = conv_decoder(K, f)
        self.log_sig_x = nn.Parameter(torch.zeros([]))

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return torch.stack([self.decoder(codes) for codes in z])

    def elbo(self, x, n):
        q = self.encode(x)
        mu, log_sigma = q[:, :-1], q[:, -1]
        eps = torch.randn(len(x), n, mu.shape[1])
        images = self.decode(mu[:, None] + log_sigma.exp()[:, None, None] * eps)
        squares = ((x[:, None] - images) ** 2).flatten(2).sum(2)
        log_p = -squares / (2 * torch.exp(2 * self.log_sig_x)) - 784 * (self.log_sig_x + 0.5 * math.log(2 * math.pi))
        kl = 0.5 * (mu**2).sum(1) + mu.shape[1] * (0.5 * torch.exp(2 * log_sigma) - 0.5 - log_sigma)
        return log_p.mean() - kl.mean()

# %% conv.generate draws_as_batch
@torch.no_grad()
def generate_images(vae, K=2, n_images=9):
    z = torch.randn(n_images, 1, K)
    return vae.decode(z).squeeze(1)

# %% conv.generate decoder_directly
def generate_images(vae, K=2, n_images=9):
    was_training = vae.training
    vae.eval()
    with torch.inference_mode():
        images = vae.decoder(torch.normal(torch.zeros(n_images, K), torch.ones(n_images, K)))
    vae.train(was_training)
    return images
