# Notebook 3 as four courses answered it.

# %% ae.nets.Encoder S
class Encoder(nn.Module):
    def __init__(self, nz, input_size):
        super().__init__()
        self.input_size = input_size
        self.net = nn.Sequential(
            nn.Linear(input_size, 256), nn.ReLU(),
            nn.Linear(256, 64), nn.ReLU(),
            nn.Linear(64, nz),
        )

    def forward(self, x):
        return self.net(x)

# %% ae.nets.Decoder S
class Decoder(nn.Module):
    def __init__(self, nz, output_size):
        super().__init__()
        self.output_size = output_size
        self.net = nn.Sequential(
            nn.Linear(nz, 64), nn.ReLU(),
            nn.Linear(64, 256), nn.ReLU(),
            nn.Linear(256, output_size), nn.Sigmoid(),
        )

    def forward(self, z):
        return self.net(z).reshape(-1, 1, self.output_size)

# %% ae.nets.AutoEncoder S
class AutoEncoder(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.encoder = Encoder(nz=nz, input_size=in_size)
        self.decoder = Decoder(nz=nz, output_size=out_size)

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def reconstruct(self, x):
        image = self.forward(x).reshape(-1, 28, 28)
        return image

# %% ae.train.make_loader S
def make_loader(dataset, batch_size):
    return torch.utils.data.DataLoader(dataset, batch_size=batch_size, shuffle=True, drop_last=True, num_workers=2)

# %% ae.train.train_autoencoder S
def train_autoencoder(model, loader, epochs, learning_rate=1e-3):
    model = model.train()
    device = next(model.parameters()).device
    opt = torch.optim.Adam(model.parameters(), lr=learning_rate)
    loss_fn = nn.BCELoss()
    losses = []
    for ep in range(epochs):
        for sample_img, sample_label in loader:
            x = sample_img.reshape([sample_img.shape[0], 1, -1]).to(device)
            pred = model(x)
            rec_loss = loss_fn(pred, x)
            opt.zero_grad()
            rec_loss.backward()
            opt.step()
            losses.append(rec_loss)
    return losses

# %% ae.samples S
def sample_images(model, n_samples, nz):
    model.eval()
    with torch.no_grad():
        sampled_embeddings = torch.randn([n_samples, nz])
        decoded_samples = model.decoder(sampled_embeddings.to(next(model.parameters()).device))
    return decoded_samples.reshape(-1, 28, 28)

# %% vae.model S
class VAE(nn.Module):
    def __init__(self, nz, beta=1.0):
        super().__init__()
        self.nz = nz
        self.beta = beta
        self.encoder = Encoder(nz=2 * nz, input_size=in_size)
        self.decoder = Decoder(nz=nz, output_size=out_size)

    def forward(self, x):
        q = self.encoder(x)
        mu, log_sigma = torch.chunk(q, 2, dim=-1)
        z = mu + torch.exp(log_sigma) * torch.randn_like(mu)
        reconstruction = self.decoder(z)
        return {'q': q, 'rec': reconstruction}

    def loss(self, x, outputs):
        rec_loss = nn.BCELoss()(outputs['rec'], x)
        mu, log_sigma = torch.chunk(outputs['q'], 2, dim=-1)
        kl_loss = kl_divergence(mu, log_sigma, torch.zeros_like(mu), torch.zeros_like(log_sigma)).mean()
        return rec_loss + self.beta * kl_loss, {'rec_loss': rec_loss, 'kl_loss': kl_loss}

    def reconstruct(self, x):
        outputs = self.forward(x)
        return outputs['rec'].reshape(-1, 28, 28)

# %% vae.train S
def train_beta_vae(model, loader, epochs, learning_rate=1e-3):
    model = model.train()
    device = next(model.parameters()).device
    opt = torch.optim.Adam(model.parameters(), lr=learning_rate)
    rec_loss, kl_loss = [], []
    for ep in range(epochs):
        for sample_img, _ in loader:
            x = sample_img.reshape([sample_img.shape[0], 1, -1]).to(device)
            total_loss, losses = model.loss(x, model(x))
            opt.zero_grad()
            total_loss.backward()
            opt.step()
            rec_loss.append(losses['rec_loss']); kl_loss.append(losses['kl_loss'])
    return {'rec_loss': rec_loss, 'kl_loss': kl_loss}

# %% vae.interpolate S
def interpolate_linear(x, y, steps):
    return torch.stack([x + i / (steps - 1) * (y - x) for i in range(steps)])

# %% cvae.model.idx2onehot S
def idx2onehot(idx, n):
    assert torch.max(idx).item() < n
    if idx.dim() == 1:
        idx = idx.unsqueeze(1)
    onehot = torch.zeros(idx.size(0), n).to(idx.device)
    onehot.scatter_(1, idx, 1)
    return onehot

# %% vae.anneal.KLDivergence M
class KLDivergence:
    def __call__(self, mu: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
        kld = -0.5 * torch.sum(1 + log_var - mu ** 2 - torch.exp(log_var), dim=-1)
        return kld.mean()

# %% vae.anneal.KLWeightManager M
class KLWeightManager:
    def __init__(self, warm_up_rounds: int, annealing_rounds: int):
        self.warm_up_rounds = warm_up_rounds
        self.annealing_rounds = annealing_rounds

    def __call__(self, epoch: int) -> float:
        if epoch < self.warm_up_rounds:
            return 0.0
        if epoch >= self.warm_up_rounds + self.annealing_rounds:
            return 1.0
        return (epoch - self.warm_up_rounds) / self.annealing_rounds

# %% vae.interpolate M
def interpolate_linear(x: torch.Tensor, y: torch.Tensor, steps: int) -> torch.Tensor:
    ts = torch.linspace(0, 1, steps)
    return torch.stack([x * (1 - t) + y * t for t in ts])

# %% fc.reparametrize L
def reparametrize(mu, logvar):
    sigma = torch.sqrt(torch.exp(logvar))
    eps = torch.randn_like(sigma)
    z = sigma * eps + mu
    return z

# %% fc.model L
class FCVAE(nn.Module):
    def __init__(self, input_size, latent_size=15):
        super(FCVAE, self).__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        self.hidden_dim = 400
        self.encoder = nn.Sequential(
            nn.Flatten(),
            nn.Linear(self.input_size, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
        )
        self.mu_layer = nn.Linear(self.hidden_dim, self.latent_size)
        self.logvar_layer = nn.Linear(self.hidden_dim, self.latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(self.latent_size, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.input_size), nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, x):
        x_hat = mu = logvar = None
        h = self.encoder(x)
        mu = self.mu_layer(h)
        logvar = self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        x_hat = self.decoder(z)
        return x_hat, mu, logvar

# %% fc.loss L
def loss_function(x_hat, x, mu, logvar):
    N = mu.shape[0]
    rec = nn.functional.binary_cross_entropy(x_hat, x, reduction='sum')
    kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp())
    loss = (rec + kl) / N
    return loss

# %% cvae.model.CVAE L
class CVAE(nn.Module):
    def __init__(self, input_size, num_classes=10, latent_size=15):
        super(CVAE, self).__init__()
        self.input_size = input_size
        self.latent_size = latent_size
        self.num_classes = num_classes
        self.hidden_dim = 400
        self.encoder = nn.Sequential(
            nn.Linear(self.input_size + self.num_classes, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
        )
        self.mu_layer = nn.Linear(self.hidden_dim, self.latent_size)
        self.logvar_layer = nn.Linear(self.hidden_dim, self.latent_size)
        self.decoder = nn.Sequential(
            nn.Linear(self.latent_size + self.num_classes, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.hidden_dim), nn.ReLU(),
            nn.Linear(self.hidden_dim, self.input_size), nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, x, c):
        xc = torch.cat((torch.flatten(x, start_dim=1), c), dim=1)
        h = self.encoder(xc)
        mu, logvar = self.mu_layer(h), self.logvar_layer(h)
        z = reparametrize(mu, logvar)
        x_hat = self.decoder(torch.cat((z, c), dim=-1))
        return x_hat, mu, logvar

# %% conv.vae B
class SimpleVAE(nn.Module):
    def __init__(self, K: int = 2, num_filters: int = 32):
        super().__init__()
        self.K = K
        self.encoder = nn.Sequential(
            nn.Conv2d(1, num_filters, kernel_size=5, stride=2), nn.ReLU(),
            nn.Conv2d(num_filters, num_filters * 2, kernel_size=5, stride=2), nn.ReLU(),
            nn.Conv2d(num_filters * 2, num_filters * 4, kernel_size=4), nn.ReLU(),
            nn.Flatten(), nn.Linear(num_filters * 4, K + 1),
        )
        self.decoder = nn.Sequential(
            nn.Linear(K, num_filters * 16), nn.ReLU(), nn.Unflatten(1, (num_filters, 4, 4)),
            nn.ConvTranspose2d(num_filters, num_filters, kernel_size=5, stride=2), nn.ReLU(),
            nn.ConvTranspose2d(num_filters, num_filters, kernel_size=5, stride=2, output_padding=1), nn.ReLU(),
            nn.Conv2d(num_filters, 1, kernel_size=3, padding=2), nn.Sigmoid(),
        )
        self.log_sig_x = nn.Parameter(torch.zeros(()))

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x)

    def decode(self, zs: torch.Tensor) -> torch.Tensor:
        b, n, k = zs.size()
        mean = self.decoder(zs.view(b * n, -1))
        return mean.view(b, n, 1, 28, 28)

    def elbo(self, x: torch.Tensor, n: int = 1) -> torch.Tensor:
        phi = self.encode(x)
        zs = rsample(phi, n)
        b = x.size(0)
        x_flat = x.view(b, 1, -1).expand(b, n, 784)
        mu_x = self.decode(zs).reshape(b, n, -1)
        log_p = log_prob(x_flat, mu_x, self.log_sig_x.expand(b, n))
        kl = kl_q_p_exact(phi, torch.zeros_like(phi))
        return log_p.mean() - kl.mean()

# %% conv.generate B
def generate_images(vae: nn.Module, K: int = 2, n_images: int = 9) -> torch.Tensor:
    with torch.no_grad():
        device = next(vae.parameters()).device
        z = torch.randn(n_images, K).to(device)
        images = vae.decode(z.unsqueeze(0)).squeeze(0)
    return images
