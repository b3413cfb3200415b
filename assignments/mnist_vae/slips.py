# Usual wrong answers to notebook 3. The format is described in grader/authoring/slips.py.

# %% ae.nets.Encoder relu_at_the_end
# A ReLU follows the last layer: a code may be any number, so nothing follows it.
# replace: nn.Linear(64, nz), -> nn.Linear(64, nz), nn.ReLU(),

# %% ae.nets.Encoder without_relu
# There is no activation between the layers: three linear maps in a row are one linear map.
# replace: nn.ReLU(), ->

# %% ae.nets.Encoder without_bias
# The layers have no bias; each needs one, as nn.Linear gives it.
# replace: 256), -> 256, bias=False),
# replace: 64), -> 64, bias=False),
# replace: (64, nz), -> (64, nz, bias=False),

# %% ae.nets.Encoder hidden_layer_missing
# One layer is missing: the widths are input_size, 256, 64, nz.
# replace: nn.Linear(input_size, 256), -> nn.Linear(input_size, 64),
# replace: nn.Linear(256, 64), -> nn.Identity(),

# %% ae.nets.Encoder sigmoid_for_relu
# The activations between the layers are sigmoids; asked is ReLU.
# replace: nn.ReLU(), -> nn.Sigmoid(),

# %% ae.nets.Decoder without_sigmoid
# The sigmoid is missing: the last layer's numbers must become pixels in [0, 1].
# replace: nn.Sigmoid(), ->

# %% ae.nets.Decoder relu_before_sigmoid
# A ReLU stands between the last layer and the sigmoid: no pixel can be below 1/2.
# replace: nn.Sigmoid(), -> nn.ReLU(), nn.Sigmoid(),

# %% ae.nets.Decoder tanh_for_sigmoid
# The last activation is a tanh, from -1 to 1; pixels lie in [0, 1], take a sigmoid.
# replace: nn.Sigmoid(), -> nn.Tanh(),

# %% ae.nets.Decoder without_channel
# The image is (N, output_size); the one channel is missing: (N, 1, output_size).
# replace: .reshape(-1, 1, self.output_size) ->

# %% ae.nets.Decoder encoder_order
# The widths come in the encoder's order; the decoder's are nz, 64, 256, output_size.
# replace: nn.Linear(nz, 64), -> nn.Linear(nz, 256),
# replace: nn.Linear(64, 256), -> nn.Linear(256, 64),
# replace: nn.Linear(256, output_size), -> nn.Linear(64, output_size),

# %% ae.nets.AutoEncoder size_ignored
# The code has 32 numbers whatever nz says: pass the argument on.
# replace: nz=nz -> nz=32

# %% ae.nets.AutoEncoder pictures_as_rows
# reconstruct returns rows of pixels; pictures have shape (N, 28, 28).
# replace: return self(x).reshape(-1, 28, 28) -> return self(x)

# %% ae.nets.AutoEncoder pictures_with_channel
# reconstruct returns (N, 1, 28, 28); a picture here is (28, 28), without the channel.
# replace: return self(x).reshape(-1, 28, 28) -> return self(x).reshape(-1, 1, 28, 28)

# %% ae.nets.AutoEncoder transposed
# Rows and columns of the pictures are swapped: reshape, do not transpose.
# replace: return self(x).reshape(-1, 28, 28) -> return self(x).reshape(-1, 28, 28).transpose(1, 2)

# %% ae.nets.AutoEncoder returns_code
# forward returns the code; decode it.
# replace: return self.decoder(self.encoder(x)) -> return self.encoder(x)
# replace: return self(x).reshape -> return self.decoder(self(x)).reshape

# %% ae.train.make_loader drop_last_missing
# The last batch is not full: leave it out.
# replace: , drop_last=True ->

# %% ae.train.make_loader shuffle_missing
# The examples come in the order of the data: let the loader shuffle.
# replace: shuffle=True, ->

# %% ae.train.make_loader same_order_every_epoch
# The data are shuffled once, so every epoch has the same order: let the loader shuffle.
def make_loader(dataset, batch_size):
    order = torch.randperm(len(dataset)).tolist()
    return DataLoader([dataset[i] for i in order], batch_size=batch_size, drop_last=True)

# %% ae.train.make_loader drawn_with_replacement
# Examples are drawn with replacement: some come twice in an epoch, others never.
def make_loader(dataset, batch_size):
    sampler = torch.utils.data.RandomSampler(dataset, replacement=True)
    return DataLoader(dataset, batch_size=batch_size, sampler=sampler, drop_last=True)

# %% ae.train.make_loader labels_apart
# Images and labels are shuffled each apart: an image must keep its label.
def make_loader(dataset, batch_size):
    images, labels = zip(*dataset)
    order = torch.randperm(len(dataset)).tolist()
    pairs = [(images[i], label) for i, label in zip(order, labels)]
    return DataLoader(pairs, batch_size=batch_size, shuffle=True, drop_last=True)

# %% ae.train.train_autoencoder gradients_not_cleared
# The gradients pile up over the steps: clear them before each backward().
# replace: optimizer.zero_grad() -> pass

# %% ae.train.train_autoencoder loss_summed
# The loss is summed over the pixels and the batch; here it is averaged over both.
# replace: binary_cross_entropy(model(x), x) -> binary_cross_entropy(model(x), x, reduction="sum")

# %% ae.train.train_autoencoder summed_over_pixels
# The loss is summed over the pixels; here it is averaged over pixels and batch.
# replace: binary_cross_entropy(model(x), x) -> binary_cross_entropy(model(x), x, reduction="sum") / len(x)

# %% ae.train.train_autoencoder squared_error
# The loss is the squared error; asked is the binary cross-entropy.
# replace: binary_cross_entropy -> mse_loss

# %% ae.train.train_autoencoder arguments_swapped
# The binary cross-entropy takes the reconstruction first, then the image.
# replace: binary_cross_entropy(model(x), x) -> binary_cross_entropy(x, model(x))

# %% ae.train.train_autoencoder step_missing
# The parameters never move: after backward() the optimizer makes a step, and nothing clears the gradients between the two.
# replace: optimizer.step() -> pass

# %% ae.train.train_autoencoder learning_rate_ignored
# Adam runs with its own learning rate: give it learning_rate.
# replace: , lr=learning_rate ->

# %% ae.train.train_autoencoder other_optimizer
# The optimizer is not Adam.
# replace: optim.Adam -> optim.SGD

# %% ae.train.train_autoencoder weight_decay
# The optimizer also shrinks the weights: asked is optim.Adam without weight decay.
# replace: optim.Adam( -> optim.AdamW(

# %% ae.train.train_autoencoder evaluation_mode
# The model is in evaluation mode while it trains: call model.train() before the loop.
# replace: model.train() -> model.eval()

# %% ae.train.train_autoencoder running_average
# The list holds averages over the steps so far; asked is the loss of every step.
# replace: losses.append(loss.item()) -> losses.append((sum(losses) + loss.item()) / (len(losses) + 1))

# %% ae.samples uniform_prior
# The codes are uniform on [0, 1]: N(0, I) is randn.
# replace: torch.randn( -> torch.rand(

# %% ae.samples gradient_tracked
# The images carry the decoder's graph: decode inside torch.no_grad().
# replace: with torch.no_grad() -> with torch.enable_grad()

# %% ae.samples seed_fixed_inside
# A seed inside makes every call return the same images.
# replace: z = torch.randn -> torch.manual_seed(0); z = torch.randn

# %% ae.samples one_noise_per_image
# All numbers of a code are the same draw: draw a tensor of shape (n_samples, nz).
# replace: torch.randn(n_samples, nz, device=device) -> torch.randn(n_samples, 1, device=device).expand(-1, nz)

# %% vae.model reconstruct_samples
# reconstruct draws a code; decode the posterior's mean.
# replace: mu, _ = self.encoder(x).chunk(2, dim=-1) -> mu, s = self.encoder(x).chunk(2, dim=-1); mu = mu + s.exp() * torch.randn_like(mu)

# %% vae.model kl_swapped
# The arguments of the KL divergence are swapped: asked is D_KL(q || N(0, I)), with q first.
# replace: kl_divergence(mu, log_sigma, zeros, zeros) -> kl_divergence(zeros, zeros, mu, log_sigma)

# %% vae.model kl_summed
# kl_loss is summed over the dimensions; here it is averaged over dimensions and batch.
# replace: zeros, zeros).mean() -> zeros, zeros).sum(1).mean()

# %% vae.model bce_summed
# rec_loss is summed over the pixels; here it is averaged over pixels and batch.
# replace: x.reshape(outputs["rec"].shape)) -> x.reshape(outputs["rec"].shape), reduction="sum") / len(x)

# %% vae.model beta_missing
# beta is missing in the total: rec_loss + beta * kl_loss.
# replace: self.beta * kl_loss -> kl_loss

# %% vae.model kl_already_weighted
# kl_loss is multiplied by beta already; only the total is weighted.
# replace: zeros, zeros).mean() -> zeros, zeros).mean() * self.beta
# replace: rec_loss + self.beta * kl_loss -> rec_loss + kl_loss

# %% vae.model kl_of_logvar
# kl_loss reads log sigma as log variance.
# replace: kl_divergence(mu, log_sigma, zeros, zeros) -> kl_divergence(mu, log_sigma / 2, zeros, zeros)

# %% vae.model log_sigma_as_logvar
# z reads log sigma as log variance: sigma = exp(log_sigma).
# replace: mu + log_sigma.exp() -> mu + (log_sigma / 2).exp()

# %% vae.model no_noise
# z is the mean: add sigma * eps.
# replace: mu + log_sigma.exp() * torch.randn_like(mu) -> mu

# %% vae.model log_sigma_for_sigma
# log sigma itself multiplies the noise: take its exponential.
# replace: mu + log_sigma.exp() * -> mu + log_sigma *

# %% vae.model one_noise_for_all_images
# All images share one draw of eps: give it the shape of mu.
# replace: torch.randn_like(mu) -> torch.randn_like(mu[:1])

# %% vae.model one_noise_per_image
# All dimensions of an image share one draw of eps: give it the shape of mu.
# replace: torch.randn_like(mu) -> torch.randn_like(mu[:, :1])

# %% vae.model no_gradient_to_log_sigma
# No gradient reaches log sigma: only eps is drawn, sigma stays in the graph.
# replace: log_sigma.exp() * torch.randn_like(mu) -> log_sigma.exp().detach() * torch.randn_like(mu)

# %% vae.model seed_fixed_inside
# A seed inside gives every batch the same noise: only the notebook sets seeds.
# replace: q = self.encoder(x) -> torch.manual_seed(0); q = self.encoder(x)

# %% vae.model swapped_halves
# Mean and log sigma are swapped: the mean is the first half of the encoder's output.
# replace: mu, log_sigma = q.chunk(2, dim=-1) -> log_sigma, mu = q.chunk(2, dim=-1)

# %% vae.train gradients_not_cleared
# The gradients pile up over the steps: clear them before each backward().
# replace: optimizer.zero_grad() -> pass

# %% vae.train only_rec_loss
# Only rec_loss is minimised; the step follows the total.
# replace: total.backward() -> terms["rec_loss"].backward()

# %% vae.train beta_forgotten
# The sum of the terms is minimised, without beta: the step follows the total that model.loss returns.
# replace: total.backward() -> (terms["rec_loss"] + terms["kl_loss"]).backward()

# %% vae.train step_missing
# The parameters never move: after backward(), the optimizer makes a step.
# replace: optimizer.step() -> pass

# %% vae.train weight_decay
# The optimizer also shrinks the weights: asked is optim.Adam without weight decay.
# replace: optim.Adam( -> optim.AdamW(

# %% vae.train evaluation_mode
# The model is in evaluation mode while it trains: call model.train() before the loop.
# replace: model.train() -> model.eval()

# %% vae.train running_average
# Each list holds averages over the steps so far; asked is the value of every step.
# replace: append(value.item()) -> append((sum(history[name]) + value.item()) / (len(history[name]) + 1))

# %% vae.train total_in_history
# The history holds the total; each list holds its own term.
# replace: append(value.item()) -> append(total.item())

# %% vae.anneal.KLDivergence sum_over_batch
# The value is the sum over the batch; asked is the mean over it.
# replace: .sum(dim=1).mean() -> .sum()

# %% vae.anneal.KLDivergence mean_over_dimensions
# The value is averaged over the dimensions too; they are summed.
# replace: .sum(dim=1).mean() -> .mean()

# %% vae.anneal.KLDivergence log_sigma
# log_var is read as log standard deviation: the variance is exp(log_var).
# replace: (mu**2 + log_var.exp() - 1 - log_var) -> (mu**2 + (2 * log_var).exp() - 1 - 2 * log_var)

# %% vae.anneal.KLDivergence wrong_sign
# The value is negative; a KL divergence never is.
# replace: return 0.5 -> return -0.5

# %% vae.anneal.KLDivergence missing_half
# The value is twice too large: the factor 1/2 is missing.
# replace: return 0.5 * -> return 1.0 *

# %% vae.anneal.KLWeightManager starts_early
# The climb begins one epoch early: the weight is still 0 at t = warm-up.
# replace: (epoch - self.warm_up_rounds) -> (epoch - self.warm_up_rounds + 1)
# replace: epoch < self.warm_up_rounds -> epoch < self.warm_up_rounds - 1

# %% vae.anneal.KLWeightManager ends_early
# The climb ends one epoch early: the weight reaches 1 at t = warm-up + annealing.
# replace: / self.annealing_rounds -> / max(1, self.annealing_rounds - 1)

# %% vae.anneal.KLWeightManager ends_late
# The climb ends one epoch late: the weight reaches 1 at t = warm-up + annealing.
# replace: / self.annealing_rounds -> / (self.annealing_rounds + 1)

# %% vae.anneal.KLWeightManager warm_up_ignored
# The warm-up is ignored: the climb begins at t = warm-up, not at 0.
# replace: epoch - self.warm_up_rounds -> epoch

# %% vae.anneal.KLWeightManager not_capped
# The weight goes on climbing: it stays 1 after the annealing.
# replace: min(1.0, max(0.0, climbed)) -> max(0.0, climbed)

# %% vae.anneal.KLWeightManager counts_its_calls
# The weight follows the number of calls; it depends on `epoch` alone.
class KLWeightManager:
    def __init__(self, warm_up_rounds, annealing_rounds):
        self.warm_up_rounds = warm_up_rounds
        self.annealing_rounds = annealing_rounds
        self.calls = 0

    def __call__(self, epoch):
        climbed = self.calls - self.warm_up_rounds
        self.calls += 1
        if self.annealing_rounds == 0:
            return 0.0 if climbed < 0 else 1.0
        return min(1.0, max(0.0, climbed / self.annealing_rounds))

# %% vae.anneal.KLWeightManager negative_at_first
# The weight is negative in the warm-up; it is 0 there.
# replace: min(1.0, max(0.0, climbed)) -> min(1.0, climbed)

# %% vae.anneal.KLWeightManager jumps_late
# Without annealing rounds the weight is already 1 at t = warm-up.
# replace: epoch < self.warm_up_rounds -> epoch <= self.warm_up_rounds

# %% vae.interpolate last_missing
# The last point is missing: t runs from 0 to 1 with step 1 / (steps - 1).
# replace: torch.linspace(0, 1, steps, device=x.device) -> (torch.arange(steps, device=x.device) / steps)

# %% vae.interpolate first_missing
# The first point is missing: t begins at 0.
# replace: torch.linspace(0, 1, steps, device=x.device) -> ((1 + torch.arange(steps, device=x.device)) / steps)

# %% vae.interpolate both_missing
# Both ends are missing: t begins at 0 and ends at 1.
# replace: torch.linspace(0, 1, steps, device=x.device) -> torch.linspace(0, 1, steps + 2, device=x.device)[1:-1]

# %% vae.interpolate ends_added
# There are two points too many: steps counts all points, the two ends too.
# replace: torch.linspace(0, 1, steps, -> torch.linspace(0, 1, steps + 2,

# %% vae.interpolate reversed
# The line runs from y to x.
# replace: (1 - t) * x + t * y -> t * x + (1 - t) * y

# %% fc.reparametrize variance_for_sigma
# The noise is multiplied by the variance: sigma = exp(logvar / 2).
# replace: torch.exp(0.5 * logvar) -> torch.exp(logvar)

# %% fc.reparametrize no_noise
# There is no noise: z = mu + sigma * eps.
# replace: return mu + sigma * torch.randn_like(mu) -> return mu + 0 * sigma

# %% fc.reparametrize uniform_noise
# eps is standard normal (randn), not uniform (rand).
# replace: torch.randn_like -> torch.rand_like

# %% fc.reparametrize noise_not_scaled
# The noise is not scaled by sigma.
# replace: + sigma * -> + 0 * sigma +

# %% fc.reparametrize no_gradient_to_logvar
# No gradient reaches logvar: only eps is drawn, sigma stays in the graph.
# replace: torch.exp(0.5 * logvar) -> torch.exp(0.5 * logvar).detach()

# %% fc.reparametrize seed_fixed_inside
# A seed inside gives every batch the same noise: only the notebook sets seeds.
# replace: sigma = torch.exp( -> torch.manual_seed(0); sigma = torch.exp(

# %% fc.reparametrize one_noise_for_all_images
# All images share one draw of eps: give it the shape of mu.
# replace: torch.randn_like(mu) -> torch.randn_like(mu[:1])

# %% fc.model relu_behind_mu
# A ReLU follows mu_layer and logvar_layer: both take every sign.
# replace: mu, logvar = self.mu_layer(hidden), self.logvar_layer(hidden) -> mu, logvar = self.mu_layer(hidden).relu(), self.logvar_layer(hidden).relu()

# %% fc.model mu_layer_twice
# logvar comes from mu_layer; it has a layer of its own.
# replace: self.logvar_layer(hidden) -> self.mu_layer(hidden)

# %% fc.model without_sigmoid
# The sigmoid is missing: pixels lie in [0, 1].
# replace: nn.Sigmoid(), ->

# %% fc.model flat_image
# x_hat is flat: the decoder ends with Unflatten(1, (1, 28, 28)).
# replace: nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)), -> nn.Sigmoid(),

# %% fc.model last_relu_missing
# The encoder's last ReLU is missing: three times [Linear, ReLU].
# replace: (input_size, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU() -> (input_size, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h)

# %% fc.model no_noise
# The decoder sees mu: draw z with reparametrize.
# replace: reparametrize(mu, logvar) -> mu

# %% fc.model outputs_swapped
# mu and logvar are returned in the other order: x_hat, mu, logvar.
# replace: reparametrize(mu, logvar)), mu, logvar -> reparametrize(mu, logvar)), logvar, mu

# %% fc.model layer_missing
# A hidden layer is missing in the decoder: three times [Linear, ReLU].
# replace: nn.Linear(latent_size, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), -> nn.Linear(latent_size, h), nn.ReLU(),

# %% fc.loss bce_averaged
# The BCE is a mean over the pixels; it is their sum.
# replace: reduction="sum") -> reduction="mean") * len(x)

# %% fc.loss kl_averaged
# The KL is a mean over the dimensions; it is their sum.
# replace: (rec_loss + kl_loss) -> (rec_loss + kl_loss / mu.shape[1])

# %% fc.loss wrong_sign
# The KL has the wrong sign: the loss is BCE plus KL.
# replace: rec_loss + kl_loss -> rec_loss - kl_loss

# %% fc.loss not_divided
# The loss is the sum over the images: divide it by their number.
# replace: (rec_loss + kl_loss) / len(x) -> rec_loss + kl_loss

# %% fc.loss missing_half
# The factor 1/2 of the KL is missing.
# replace: 0.5 * torch.sum -> torch.sum

# %% fc.loss log_sigma
# logvar is read as log sigma: the variance is exp(logvar).
# replace: logvar.exp() - 1 - logvar -> (2 * logvar).exp() - 1 - 2 * logvar

# %% fc.loss arguments_swapped
# The binary cross-entropy takes the reconstruction first, then the image.
# replace: binary_cross_entropy(x_hat, x, -> binary_cross_entropy(x, x_hat,

# %% cvae.model.idx2onehot whole_numbers
# The rows are int64; the network needs float32.
# replace: .float() ->

# %% cvae.model.idx2onehot largest_plus_one
# The width follows the largest class that occurs; it is n.
# replace: F.one_hot(idx.reshape(-1), n) -> F.one_hot(idx.reshape(-1))

# %% cvae.model.idx2onehot column_not_flattened
# From a column of classes the result has three dimensions: flatten idx first.
# replace: idx.reshape(-1) -> idx

# %% cvae.model.idx2onehot other_floats
# The rows are float64, as numpy makes them; the network's weights are float32.
# replace: F.one_hot(idx.reshape(-1), n).float() -> torch.from_numpy(np.eye(n)[idx.reshape(-1).numpy()])

# %% cvae.model.idx2onehot counted_from_one
# The one stands one place too early: classes begin with 0.
# replace: F.one_hot(idx.reshape(-1), n).float() -> F.one_hot((idx.reshape(-1) - 1) % n, n).float()

# %% cvae.model.CVAE class_not_in_decoder
# The class does not reach the decoder: join c to z.
# replace: torch.cat([z, c], dim=1) -> torch.cat([z, 0 * c], dim=1)

# %% cvae.model.CVAE class_not_in_encoder
# The class does not reach the encoder: join c to the flat image.
# replace: torch.cat([x.flatten(1), c], dim=1) -> torch.cat([x.flatten(1), 0 * c], dim=1)

# %% cvae.model.CVAE decoder_without_class
# The decoder has no inputs for the class: it takes latent_size + num_classes numbers.
# replace: nn.Linear(latent_size + num_classes, h) -> nn.Linear(latent_size, h)
# replace: torch.cat([z, c], dim=1) -> z

# %% cvae.model.CVAE encoder_without_class
# The encoder has no inputs for the class: it takes input_size + num_classes numbers.
# replace: nn.Linear(input_size + num_classes, h) -> nn.Linear(input_size, h)
# replace: torch.cat([x.flatten(1), c], dim=1) -> x.flatten(1)

# %% cvae.model.CVAE class_first
# The class is joined in front; the image comes first, then the class, and z first, then the class.
# replace: [x.flatten(1), c] -> [c, x.flatten(1)]
# replace: [z, c] -> [c, z]

# %% cvae.model.CVAE no_noise
# The decoder sees mu: draw z with reparametrize.
# replace: reparametrize(mu, logvar) -> mu

# %% cvae.model.CVAE without_sigmoid
# The sigmoid is missing: pixels lie in [0, 1].
# replace: nn.Sigmoid(), ->

# %% conv.vae width_not_a_parameter
# log_sig_x is not among the model's parameters, so no optimizer moves it: make it an nn.Parameter.
# replace: nn.Parameter(torch.zeros(())) -> torch.zeros(())

# %% conv.vae width_not_used
# The width is not used: log_prob needs log_sig_x.
# replace: self.log_sig_x.expand(mean.shape[:2]) -> torch.zeros(mean.shape[:2])

# %% conv.vae width_as_log_variance
# log_sig_x is used as a log variance; it is the log standard deviation.
# replace: self.log_sig_x.expand -> (self.log_sig_x / 2).expand

# %% conv.vae wrong_sign
# The sign is turned round: elbo is maximised, the mean log-likelihood minus the mean KL.
# replace: return log_likelihood.mean() - kl.mean() -> return kl.mean() - log_likelihood.mean()

# %% conv.vae kl_added
# The KL is added; it is subtracted from the log-likelihood.
# replace: - kl.mean() -> + kl.mean()

# %% conv.vae without_kl
# The KL is missing.
# replace: - kl.mean() ->

# %% conv.vae kl_without_variance
# The KL lacks the term of the variance: sigma squared stands in it, halved, once for each dimension.
# replace: kl = kl_q_p_exact(params_q, torch.zeros_like(params_q)) -> kl = 0.5 * (params_q[:, :-1] ** 2 - 1 - 2 * params_q[:, -1:]).sum(1)

# %% conv.vae seed_fixed_inside
# A seed inside gives every batch the same noise: only the notebook sets seeds.
# replace: params_q = self.encode(x) -> torch.manual_seed(0); params_q = self.encode(x)

# %% conv.vae one_draw_only
# Each image gets one draw whatever n says: draw n codes.
# replace: rsample(params_q, n) -> rsample(params_q, 1)

# %% conv.vae width_as_log_variance_in_z
# z reads log sigma as log variance: sigma = exp(log_sigma).
# replace: rsample(params_q, n) -> rsample(params_q * torch.cat([torch.ones(self.K), torch.full((1,), 0.5)]), n)

# %% conv.vae kl_swapped
# The arguments of the KL divergence are swapped: asked is D_KL(q || N(0, I)), with q first.
# replace: kl_q_p_exact(params_q, torch.zeros_like(params_q)) -> kl_q_p_exact(torch.zeros_like(params_q), params_q)

# %% conv.vae averaged_over_pixels
# The log-likelihood is averaged over the pixels; it is summed over them.
# replace: log_likelihood.mean() -> log_likelihood.mean() / 784

# %% conv.vae summed_over_batch
# The bound is summed over the images; it is averaged over them.
# replace: return log_likelihood.mean() - kl.mean() -> return log_likelihood.mean(1).sum() - kl.sum()

# %% conv.vae summed_over_draws
# The log-likelihood is summed over the draws; it is averaged over them.
# replace: log_likelihood.mean() -> log_likelihood.sum(1).mean()

# %% conv.vae decodes_the_mean
# The posterior's mean is decoded; the expectation runs over draws of z.
# replace: self.decode(rsample(params_q, n)) -> self.decode(params_q[:, None, :-1].expand(-1, n, -1))

# %% conv.vae order_mixed
# decode mixes images and draws: unfold in the order in which you folded.
# replace: images.unflatten(0, z.shape[:2]) -> images.unflatten(0, z.shape[:2][::-1]).transpose(0, 1)

# %% conv.vae filters_ignored
# The networks have 32 filters whatever num_filters says: pass it on.
# replace: coder(K, num_filters) -> coder(K, 32)

# %% conv.vae draws_without_gradient
# No gradient passes from the images to the encoder: the draws are detached.
# replace: rsample(params_q, n) -> rsample(params_q, n).detach()

# %% conv.generate transposed_noise
# The noise is drawn with shape (K, n_images), another order: draw (n_images, K).
# replace: torch.randn(n_images, K, device=device) -> torch.randn(K, n_images, device=device).T

# %% conv.generate one_draw_each
# The noise is drawn in several calls, another order: draw (n_images, K) in one.
# replace: torch.randn(n_images, K, device=device) -> torch.cat([torch.randn(n_images, 1, device=device) for _ in range(K)], dim=1)

# %% conv.generate uniform_prior
# The codes are uniform on [0, 1]: N(0, I) is randn.
# replace: torch.randn( -> torch.rand(

# %% conv.generate batch_dimension_kept
# The images have shape (1, n_images, 1, 28, 28): take away the dimension that decode needed.
# replace: [0] ->

# %% conv.generate gradient_tracked
# The images carry the decoder's graph: decode inside torch.no_grad().
# replace: with torch.no_grad() -> with torch.enable_grad()

# %% conv.generate seed_fixed_inside
# A seed inside makes every call return the same images.
# replace: z = torch.randn -> torch.manual_seed(0); z = torch.randn
