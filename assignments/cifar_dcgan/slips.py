# Usual wrong answers to notebook 4. The format is described in grader/authoring/slips.py.

# %% gan.init default_rate
# Adam's default rate is 1e-3; the class's is 2e-4.
# replace: "lr": self._learning_rate,  ->

# %% gan.init default_betas
# Adam's first beta is 0.9 unless you say otherwise.
# replace: , "betas": ADAM_BETAS ->

# %% gan.init shared_optimizer
# The networks descend different losses: each needs an optimizer of its own.
# replace: optim.Adam(self._generator.parameters(), **settings) -> optim.Adam([*self._generator.parameters(), *self._discriminator.parameters()], **settings)

# %% gan.init wrong_parameters
# The second optimizer holds the first network.
# replace: optim.Adam(self._discriminator.parameters() -> optim.Adam(self._generator.parameters()

# %% gan.init swapped_optimizers
# Each optimizer holds the parameters of the network it is named after.
# replace: self._generator_optimizer = optim.Adam(self._generator -> self._generator_optimizer = optim.Adam(self._discriminator
# replace: self._discriminator_optimizer = optim.Adam(self._discriminator -> self._discriminator_optimizer = optim.Adam(self._generator

# %% gan.init not_adam
# AdamW decays the weights; the notebook asks for Adam.
# replace: optim.Adam( -> optim.AdamW(

# %% gan.init probabilities
# The discriminator's outputs are logits.
# replace: nn.BCEWithLogitsLoss() -> nn.BCELoss()

# %% gan.init sigmoid_before_loss
# A sigmoid rounds to 0 and 1 for large logits.
# replace: nn.BCEWithLogitsLoss() -> lambda logits, labels: F.binary_cross_entropy(torch.sigmoid(logits), labels)

# %% gan.init sigmoid_twice
# BCEWithLogitsLoss has the sigmoid inside.
# replace: nn.BCEWithLogitsLoss() -> lambda logits, labels: F.binary_cross_entropy_with_logits(torch.sigmoid(logits), labels)

# %% gan.init sum_for_mean
# Take the mean over the batch.
# replace: nn.BCEWithLogitsLoss() -> nn.BCEWithLogitsLoss(reduction="sum")

# %% gan.init squared_error
# That is the loss of another kind of GAN.
# replace: nn.BCEWithLogitsLoss() -> nn.MSELoss()

# %% gan.init no_reduction
# The loss is one number.
# replace: nn.BCEWithLogitsLoss() -> nn.BCEWithLogitsLoss(reduction="none")

# %% gan.init variance_for_std
# 0.02 is the standard deviation.
# replace: mean=0.0, std=0.02 -> mean=0.0, std=0.02**0.5

# %% gan.init std_squared
# normal_ takes a standard deviation.
# replace: mean=0.0, std=0.02 -> mean=0.0, std=0.02**2

# %% gan.init uniform_weights
# The weights are drawn from a normal distribution.
# replace: nn.init.normal_(layer.weight, mean=0.0, std=0.02) -> nn.init.uniform_(layer.weight, -0.02 * 3**0.5, 0.02 * 3**0.5)

# %% gan.init transposed_left_out
# nn.ConvTranspose2d is no nn.Conv2d.
# replace: (nn.Conv2d, nn.ConvTranspose2d) -> nn.Conv2d

# %% gan.init not_initialised
# _init_weights has to be applied to both networks.
# replace: self._discriminator.apply(self._init_weights) -> pass

# %% gan.init no_batch_norm
# Batch norm is drawn too.
# replace: nn.BatchNorm2d -> nn.BatchNorm1d

# %% gan.init scales_around_0
# Scales are drawn around 1.
# replace: mean=1.0 -> mean=0.0

# %% gan.init shifts_not_0
# Shifts start at 0.
# replace: nn.init.zeros_(layer.bias) -> nn.init.normal_(layer.bias, std=0.02)

# %% gan.init linear_too
# Linear layers are not named.
# replace: (nn.Conv2d, nn.ConvTranspose2d) -> (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)

# %% gan.init biases_too
# The biases of convolutions are not named.
# replace: mean=0.0, std=0.02) -> mean=0.0, std=0.02); nn.init.zeros_(layer.bias)

# %% gan.init not_on_device
# Without .to(device) the networks stay on the CPU.
# replace: .to(device) ->

# %% gan.train not_detached
# The fakes are an input of the discriminator: cut them off from the generator.
# replace: draw_codes(len(real))).detach() -> draw_codes(len(real)))

# %% gan.train labels_swapped
# Real is 1, fake is 0.
# replace: torch.ones_like(real_logits) -> torch.zeros_like(real_logits)
# replace: torch.zeros_like(fake_logits) -> torch.ones_like(fake_logits)

# %% gan.train fakes_labelled_real
# To the discriminator fakes are 0.
# replace: torch.zeros_like(fake_logits) -> torch.ones_like(fake_logits)

# %% gan.train mean_of_both
# The discriminator descends the sum.
# replace: loss = real_loss + fake_loss -> loss = (real_loss + fake_loss) / 2

# %% gan.train real_only
# The loss on the fakes belongs to it.
# replace: loss = real_loss + fake_loss -> loss = real_loss

# %% gan.train fake_only
# The loss on the real images belongs to it.
# replace: loss = real_loss + fake_loss -> loss = fake_loss

# %% gan.train ascends
# An optimizer descends: give it the loss itself.
# replace: loss.backward() -> (-loss).backward()

# %% gan.train discriminator_not_cleared
# The generator's half leaves gradients in the discriminator.
# replace: self._discriminator_optimizer.zero_grad() -> pass

# %% gan.train generator_not_cleared
# Gradients add up until they are cleared.
# replace: self._generator_optimizer.zero_grad() -> pass

# %% gan.train joined_batches
# A joined batch shares its batch norm.
# replace: real_logits = self._discriminator(real) -> pass
# replace: fake_logits = self._discriminator(fake) -> real_logits, fake_logits = self._discriminator(torch.cat([real, fake])).chunk(2)

# %% gan.train old_codes
# The generator's half needs new codes.
# replace: draw_codes(len(real)) -> setattr(self, "codes", draw_codes(len(real))) or self.codes
# replace: draw_codes(batch_size) -> self.codes

# %% gan.train uniform_codes
# Codes are normal draws.
# replace: draw_codes(len(real)) -> torch.rand(len(real), CODE_SIZE, device=device)
# replace: draw_codes(batch_size) -> torch.rand(batch_size, CODE_SIZE, device=device)

# %% gan.train shaped_codes
# Draws from N(0, I) are left as they are, not brought to one length.
# replace: draw_codes(len(real)) -> 8 * F.normalize(draw_codes(len(real)))
# replace: draw_codes(batch_size) -> 8 * F.normalize(draw_codes(batch_size))

# %% gan.train moved_by_hand
# Clipping the weights belongs to another kind of GAN.
# replace: self._discriminator_optimizer.step() -> self._discriminator_optimizer.step(); [p.data.clamp_(-0.1, 0.1) for p in self._discriminator.parameters()]

# %% gan.train new_optimizers
# Adam remembers: an optimizer is made once, in the constructor.
# replace: self._discriminator_optimizer.zero_grad() -> self._discriminator_optimizer = optim.Adam(self._discriminator.parameters(), lr=self._learning_rate, betas=ADAM_BETAS); self._discriminator_optimizer.zero_grad()

# %% gan.train fakes_labelled_fake
# The generator wants to hear that its images are real.
# replace: torch.ones_like(logits) -> torch.zeros_like(logits)

# %% gan.train saturating
# The loss of the minimax game saturates.
# replace: loss = self._classification_loss(logits, torch.ones_like(logits)) -> loss = -self._classification_loss(logits, torch.zeros_like(logits))

# %% gan.train no_gradient
# In the generator's half the gradient has to pass.
# replace: self._generator(draw_codes(batch_size)) -> self._generator(draw_codes(batch_size)).detach()

# %% gan.train sigmoid_twice
# The loss takes logits.
# replace: (real_logits, torch -> (torch.sigmoid(real_logits), torch
# replace: (fake_logits, torch -> (torch.sigmoid(fake_logits), torch
# replace: (logits, torch -> (torch.sigmoid(logits), torch

# %% gan.train sum_for_mean
# Take means over the batch.
# replace: self._classification_loss( -> nn.BCEWithLogitsLoss(reduction="sum")(

# %% gan.train judged_too_early
# The discriminator is updated before it judges the generator's fakes.
# replace: self._discriminator_optimizer.step() -> pass
# replace: self._generator_optimizer.step() -> self._discriminator_optimizer.step(); self._generator_optimizer.step()

# %% gan.train two_updates_of_d
# One update with the sum, one step().
# replace: self._discriminator_optimizer.step() -> self._discriminator_optimizer.step(); self._discriminator_optimizer.step()

# %% gan.train no_update
# Gradients move nothing until step() is called.
# replace: self._generator_optimizer.step() -> pass

# %% gan.train generator_first
# A step begins with the discriminator.
# replace: return self._update_discriminator(real), self._update_generator(len(real)) -> return (self._update_generator(len(real)), self._update_discriminator(real))[::-1]

# %% gan.train loss_not_returned
# What is returned is drawn as a curve.
# replace: return loss.detach() -> return 0 * loss.detach()

# %% gan.train partial_batch
# The last batch of an epoch is left out when it is not full.
# replace: drop_last=True -> drop_last=False

# %% gan.train not_shuffled
# The order is drawn anew for each epoch.
# replace: shuffle=True -> shuffle=False

# %% gan.spectral not_every_convolution
# All three convolutions are to be normalised.
# replace: if isinstance(layer, nn.Conv2d): -> if index == 0:

# %% gan.spectral linear_too
# Only the convolutions are to be normalised.
# replace: super().__init__() -> super().__init__(); nn.utils.parametrizations.spectral_norm(self.fc)

# %% gan.spectral weight_norm
# weight_norm is another function.
# replace: parametrizations.spectral_norm -> parametrizations.weight_norm

# %% gan.spectral normalised_once
# The weight has to be normalised in each forward pass.
# replace: self.downsample[index] = nn.utils.parametrizations.spectral_norm(layer) -> layer.weight.data /= torch.linalg.matrix_norm(layer.weight.data.flatten(1), 2)

# %% gan.spectral no_leak
# The activations stay as they are, leaky.
# replace: super().__init__() -> super().__init__(); self.downsample[1] = nn.ReLU()

# %% gan.spectral no_norm
# No convolution is normalised.
# replace: isinstance(layer, nn.Conv2d) -> isinstance(layer, nn.Conv1d)

# %% gan.reconstruct sum_for_mean
# It is a mean over images and pixels.
# replace: return F.mse_loss(generated, target) -> return F.mse_loss(generated, target, reduction="sum")

# %% gan.reconstruct root
# There is no root in a mean squared error.
# replace: return F.mse_loss(generated, target) -> return F.mse_loss(generated, target).sqrt()

# %% gan.reconstruct absolute_error
# The differences are squared.
# replace: F.mse_loss(generated, target) -> F.l1_loss(generated, target)

# %% gan.reconstruct random_start
# The search starts at zero.
# replace: torch.zeros(len(target) -> torch.randn(len(target)

# %% gan.reconstruct no_eval
# Batch norm has to use its running statistics.
# replace: self._generator.eval() -> pass

# %% gan.reconstruct generator_trained
# The codes alone are searched for.
# replace: optim.Adam([codes] -> optim.Adam([codes, *self._generator.parameters()]

# %% gan.reconstruct default_rate
# Adam's default rate is 1e-3.
# replace: , lr=self._vis_learning_rate ->

# %% gan.reconstruct training_rate
# The searches have a rate of their own.
# replace: lr=self._vis_learning_rate -> lr=self._learning_rate

# %% gan.reconstruct not_close
# Old gradients of the codes add up.
# replace: optimizer.zero_grad() -> pass

# %% gan.reconstruct another_path
# Adam minimises the reconstruction loss alone: nothing draws the codes to zero.
# replace: optim.Adam( -> optim.AdamW(

# %% gan.reconstruct codes_do_not_move
# Nothing calls step().
# replace: optimizer.step() -> pass

# %% gan.reconstruct keeps_gradient
# The images that come back need no history.
# replace: with torch.no_grad(): -> if True:

# %% gan.reconstruct given_images_returned
# What comes back is what the generator can make.
# replace: return loss, images.cpu() -> return loss, target

# %% gan.reconstruct loss_of_others
# The loss belongs to the images returned.
# replace: loss = self._reconstruction_loss(images, target) -> loss = self._reconstruction_loss(0 * images, target)
