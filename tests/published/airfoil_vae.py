# Notebook 2 as its course answered it.

# %% air.encoder C
class Encoder(nn.Module):
    def __init__(self, input_size: int, hidden_dims: list, latent_size: int):
        super().__init__()
        layers = []
        in_dim = input_size
        for h_dim in hidden_dims:
            layers.append(nn.Linear(in_dim, h_dim))
            layers.append(nn.ReLU())
            in_dim = h_dim
        layers.append(nn.Linear(in_dim, 2 * latent_size))
        self.encoder = nn.Sequential(*layers)

    def forward(self, y: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        mu, logvar = torch.chunk(self.encoder(y), 2, dim=1)
        return mu, logvar

# %% air.decoder C
class Decoder(nn.Module):
    def __init__(self, latent_size: int, hidden_dims: list, output_size: int):
        super().__init__()
        layers = []
        in_dim = latent_size
        for h_dim in hidden_dims:
            layers.append(nn.Linear(in_dim, h_dim))
            layers.append(nn.ReLU())
            in_dim = h_dim
        layers.append(nn.Linear(in_dim, output_size))
        self.decoder = nn.Sequential(*layers)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.decoder(z)

# %% air.vae C
class VAE(nn.Module):
    def __init__(self, input_size: int, hidden_dims: list, latent_size: int):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = Encoder(input_size, hidden_dims, latent_size)
        self.decoder = Decoder(latent_size, hidden_dims[::-1], input_size)

    def forward(self, y: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mu, logvar = self.encoder(y)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return self.decoder(z), mu, logvar

    @torch.inference_mode()
    def generate(self, n_samples: int, seed: int = 0, device: Union[str, torch.device] = Device) -> torch.Tensor:
        torch.manual_seed(seed)
        self.decoder.eval()
        z = torch.randn(n_samples, self.latent_size).to(device)
        return self.decoder(z)

# %% air.train C
def train_VAE(model: VAE, train_dataset, device, plot_freq: int = 100, beta: float = 1.,
              rec_loss_fn: nn.Module = nn.MSELoss(), optimizer_name: str = 'Adam', optimizer_config: dict = dict(),
              lr_scheduler_name: Union[str, None] = None, lr_scheduler_config: dict = dict(),
              running_avg_window: int = 20, n_iters: int = 1000, batch_size: int = 64):
    model = model.to(device)
    model.train()
    optimizer = optim.__getattribute__(optimizer_name)(model.parameters(), **optimizer_config)
    scheduler = None
    if lr_scheduler_name is not None:
        scheduler = lr_scheduler.__getattribute__(lr_scheduler_name)(optimizer, **lr_scheduler_config)
    train_loader = DataLoader(train_dataset, batch_size=batch_size, shuffle=True)
    tracker = VAE_Tracker(n_iters, plot_freq)
    iter_pbar = tqdm(range(n_iters), desc='Iters', unit='iter', leave=True, disable=True)
    iteration = 0
    while iteration < n_iters:
        for y, _ in train_loader:
            y = y.to(device)
            y_hat, mu, logvar = model(y)
            rec_loss = rec_loss_fn(y_hat, y)
            prior_loss = torch.mean(-0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), dim=1), dim=0)
            total_loss = rec_loss + beta * prior_loss
            optimizer.zero_grad()
            total_loss.backward()
            optimizer.step()
            tracker.update(rec_loss.item(), prior_loss.item(), total_loss.item())
            if scheduler is not None:
                if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
                    scheduler.step(np.mean(tracker.total_losses[-running_avg_window:]))
                else:
                    scheduler.step()
            iteration += 1
            iter_pbar.update(1)
            if iteration >= n_iters:
                break
    return tracker
