# Usual wrong answers to notebook 2. The format is described in grader/authoring/slips.py.

# %% air.encoder layers_in_a_list
# The layers stand in a plain list, which the optimizer cannot see.
class Encoder(nn.Module):
    def __init__(self, input_size, hidden_dims, latent_size):
        super().__init__()
        widths = [input_size, *hidden_dims]
        self.hidden = [nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:])]
        self.last = [nn.Linear(widths[-1], 2 * latent_size)]

    def forward(self, y):
        for layer in self.hidden:
            y = F.relu(layer(y))
        return self.last[0](y).chunk(2, dim=-1)


# %% air.encoder same_half_twice
# mu and logvar are the same half of the output.
# replace: return mu, logvar -> return mu, mu

# %% air.encoder swapped
# mu is the first half of the output, logvar the second.
# replace: return mu, logvar -> return logvar, mu

# %% air.encoder exponentiated
# logvar is the layer's output itself; VAE takes the exponential.
# replace: return mu, logvar -> return mu, torch.exp(logvar / 2)

# %% air.encoder activation_on_logvar
# The logarithm of a variance takes every sign: nothing follows the output layer.
# replace: return mu, logvar -> return mu, F.softplus(logvar)

# %% air.encoder activation_at_the_end
# Nothing follows the output layer: a mean takes every sign.
# replace: self.layers(y) -> F.relu(self.layers(y))

# %% air.encoder no_activation
# A chain of linear layers without activations is one linear layer.
# replace: nn.Linear(n_in, n_out), nn.LeakyReLU() -> nn.Linear(n_in, n_out)

# %% air.encoder activation_before_layer
# An activation follows each hidden layer; it does not stand before it.
# replace: nn.Linear(n_in, n_out), nn.LeakyReLU() -> nn.LeakyReLU(), nn.Linear(n_in, n_out)

# %% air.decoder list_changed
# list.reverse changes the caller's list: reverse a copy.
# replace: widths = -> hidden_dims.reverse(); widths =

# %% air.decoder sorted_widths
# The widths are sorted: use them in the order they come in.
# replace: *hidden_dims -> *sorted(hidden_dims)

# %% air.decoder activation_at_the_end
# Heights take every sign: nothing follows the last layer.
# replace: self.layers(z) -> torch.sigmoid(self.layers(z))

# %% air.decoder no_activation
# A chain of linear layers without activations is one linear layer.
# replace: nn.Linear(n_in, n_out), nn.LeakyReLU() -> nn.Linear(n_in, n_out)

# %% air.decoder activation_before_layer
# An activation follows each hidden layer; it does not stand before it.
# replace: nn.Linear(n_in, n_out), nn.LeakyReLU() -> nn.LeakyReLU(), nn.Linear(n_in, n_out)

# %% air.decoder layers_in_a_list
# The layers stand in a plain list, which the optimizer cannot see.
class Decoder(nn.Module):
    def __init__(self, latent_size, hidden_dims, output_size):
        super().__init__()
        widths = [latent_size, *hidden_dims[::-1], output_size]
        self.layers = [nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:])]

    def forward(self, z):
        for layer in self.layers[:-1]:
            z = F.relu(layer(z))
        return self.layers[-1](z)


# %% air.vae variance_for_sigma
# What multiplies the noise is the standard deviation, exp(logvar / 2).
# replace: torch.exp(logvar / 2) -> torch.exp(logvar)

# %% air.vae logvar_for_sigma
# What multiplies the noise is exp(logvar / 2), not logvar.
# replace: torch.exp(logvar / 2) -> logvar

# %% air.vae uniform_noise
# eps is standard normal.
# replace: torch.randn_like(mu) -> torch.rand_like(mu)

# %% air.vae no_noise
# You decode the mean; forward needs a sample.
# replace: y_hat = self.decoder(z) -> y_hat = self.decoder(mu)

# %% air.vae one_noise_per_row
# The dimensions of z share their noise.
# replace: torch.randn_like(mu) -> torch.randn(len(mu), 1, device=mu.device)

# %% air.vae one_noise_per_batch
# The profiles of a batch share their noise.
# replace: torch.randn_like(mu) -> torch.randn(mu.shape[1], device=mu.device)

# %% air.vae no_gradient
# z is detached: the encoder cannot learn from the reconstruction.
# replace: z = mu + torch.exp(logvar / 2) * torch.randn_like(mu) -> z = (mu + torch.exp(logvar / 2) * torch.randn_like(mu)).detach()

# %% air.vae no_gradient_to_logvar
# torch.normal draws, but lets no gradient through: z = mu + sigma * eps.
# replace: torch.exp(logvar / 2) * torch.randn_like(mu) -> torch.normal(torch.zeros_like(mu), torch.exp(logvar / 2).detach())

# %% air.vae outputs_swapped
# The three outputs are y_hat, mu, logvar, in this order.
# replace: return y_hat, mu, logvar -> return y_hat, logvar, mu

# %% air.vae not_decoded
# The first output is the decoded z.
# replace: return y_hat, mu, logvar -> return z, mu, logvar

# %% air.vae uniform_prior
# The prior is N(0, I): randn, not rand.
# replace: z = torch.randn(n_samples -> z = torch.rand(n_samples

# %% air.vae not_seeded
# torch.manual_seed(seed) comes before the draw.
# replace: torch.manual_seed(seed) -> pass

# %% air.vae seed_ignored
# The argument seed has no effect.
# replace: torch.manual_seed(seed) -> torch.manual_seed(0)

# %% air.vae no_eval
# Decode in evaluation mode.
# replace: self.decoder.eval() -> pass

# %% air.vae device_ignored
# z is made on the device asked for.
# replace: device=device) -> device=Device)

# %% air.vae keeps_gradient
# The samples keep a gradient.
# replace: @torch.inference_mode() -> # no gradients

# %% air.train mean_over_latent
# The prior loss is averaged over the latent dimensions: sum over them, average over the batch.
# replace: .sum(dim=1).mean() -> .mean()

# %% air.train sum_over_batch
# The prior loss is summed over the batch: average over it, sum over the latent dimensions.
# replace: .sum(dim=1).mean() -> .sum()

# %% air.train missing_half
# The factor 1/2 of the prior loss is missing.
# replace: 0.5 * (mu**2 -> (mu**2

# %% air.train wrong_sign
# The prior loss has the wrong sign: it is never negative.
# replace: 0.5 * (mu**2 -> -0.5 * (mu**2

# %% air.train beta_ignored
# beta has no effect on the total loss.
# replace: rec_loss + beta * prior_loss -> rec_loss + prior_loss

# %% air.train beta_on_reconstruction
# beta weighs the reconstruction loss; it belongs to the prior loss.
# replace: rec_loss + beta * prior_loss -> beta * rec_loss + prior_loss

# %% air.train own_reconstruction_loss
# rec_loss_fn is not used.
# replace: rec_loss_fn(y_hat, y) -> F.mse_loss(y_hat, y)

# %% air.train gradients_add_up
# The gradients add up over the iterations: call optimizer.zero_grad() before backward.
# replace: optimizer.zero_grad() -> pass

# %% air.train reconstruction_only
# Only the reconstruction loss is trained: the gradients must come from the total loss.
# replace: total_loss.backward() -> rec_loss.backward()

# %% air.train no_step
# The weights do not move: call optimizer.step().
# replace: optimizer.step() -> pass

# %% air.train left_in_eval
# The model trains in training mode: call model.train() first.
# replace: model.to(device).train() -> model.to(device)

# %% air.train not_shuffled
# The profiles come in the same order in every epoch: leave shuffle=True in place.
# replace: shuffle=True -> shuffle=False

# %% air.train scheduler_never_stepped
# The scheduler takes no step.
# replace: elif scheduler is not None: -> elif False:

# %% air.train scheduler_once_an_epoch
# The scheduler takes a step only once an epoch; it takes one after every iteration.
# replace: elif scheduler is not None: -> elif scheduler is not None and len(tracker.total_losses) % len(loader) == 0:

# %% air.train plateau_last_loss
# ReduceLROnPlateau gets the last loss, which jumps: give it the mean of the last running_avg_window total losses.
# replace: np.mean(tracker.total_losses[-running_avg_window:]) -> total_loss.item()

# %% air.train plateau_mean_of_all
# ReduceLROnPlateau gets the mean of all losses: only the last running_avg_window count.
# replace: tracker.total_losses[-running_avg_window:] -> tracker.total_losses

# %% air.train plateau_reconstruction
# ReduceLROnPlateau gets the reconstruction loss: give it the running average of the total loss.
# replace: tracker.total_losses[-running_avg_window:] -> tracker.rec_losses[-running_avg_window:]
