# Right answers to notebook 4, written as the source course's students write them. Each must get full marks.

# %% gan.init whole_class
class DCGAN:
    def __init__(self):
        self._num_epochs = NUM_EPOCHS
        self._batch_size = BATCH_SIZE
        self._code_size = CODE_SIZE
        self._learning_rate = LEARNING_RATE
        self._vis_learning_rate = VIS_LEARNING_RATE

        self._tracked_noise = torch.randn([NUM_TRACKED, CODE_SIZE], device=device)

        self._generator = Generator(self._code_size).to(device)
        self._discriminator = Discriminator().to(device)
        self._generator.apply(self._weight_initialization)
        self._discriminator.apply(self._weight_initialization)

        self._generator_optimizer = optim.Adam(self._generator.parameters(), lr=self._learning_rate, betas=(0.5, 0.999))
        self._discriminator_optimizer = optim.Adam(
            self._discriminator.parameters(), lr=self._learning_rate, betas=(0.5, 0.999)
        )
        self._classification_loss = nn.BCEWithLogitsLoss()

    @staticmethod
    def _weight_initialization(m):
        classname = m.__class__.__name__
        if classname.find("Conv") != -1:
            m.weight.data.normal_(0.0, 0.02)
        elif classname.find("BatchNorm") != -1:
            m.weight.data.normal_(1.0, 0.02)
            m.bias.data.fill_(0)

    def _reconstruction_loss(self, generated, target):
        loss = nn.MSELoss()
        return loss(generated, target)

    def train(self, train_samples):
        num_train = train_samples.shape[0]
        step = 0
        smooth_factor, plot_dis_s, plot_gen_s, plot_ws = 0.95, 0, 0, 0
        dis_losses, gen_losses = [], []
        max_steps = int(self._num_epochs * (num_train // self._batch_size))
        real_label = torch.ones(self._batch_size, 1, device=device)
        fake_label = torch.zeros(self._batch_size, 1, device=device)
        print("Start training ...")
        for epoch in range(self._num_epochs):
            np.random.shuffle(train_samples)
            for i in range(num_train // self._batch_size):
                step += 1
                batch_samples = train_samples[i * self._batch_size : (i + 1) * self._batch_size]
                batch_samples = torch.Tensor(batch_samples).to(device)

                self._discriminator_optimizer.zero_grad()
                noise = torch.randn([self._batch_size, self._code_size], device=device)
                with torch.no_grad():
                    fake_samples = self._generator(noise)
                dis_loss = self._classification_loss(self._discriminator(batch_samples), real_label)
                dis_loss += self._classification_loss(self._discriminator(fake_samples), fake_label)
                dis_loss.backward()
                self._discriminator_optimizer.step()

                self._generator_optimizer.zero_grad()
                noise = torch.randn([self._batch_size, self._code_size], device=device)
                gen_loss = self._classification_loss(self._discriminator(self._generator(noise)), real_label)
                gen_loss.backward()
                self._generator_optimizer.step()

                plot_dis_s = plot_dis_s * smooth_factor + dis_loss.item() * (1 - smooth_factor)
                plot_gen_s = plot_gen_s * smooth_factor + gen_loss.item() * (1 - smooth_factor)
                plot_ws = plot_ws * smooth_factor + (1 - smooth_factor)
                dis_losses.append(plot_dis_s / plot_ws)
                gen_losses.append(plot_gen_s / plot_ws)
                if step % 100 == 0:
                    print(f"Iteration {step}/{max_steps}: dis loss = {dis_loss:.4f}, gen loss = {gen_loss:.4f}")
            if epoch % 2 == 0:
                self._generator.eval()
                images = self._generator(self._tracked_noise)
                fig = plt.figure(figsize=(4, 4))
                plt.plot(dis_losses, label="discriminator loss")
                plt.plot(gen_losses, label="generator loss")
                plt.imshow(images[0].detach().cpu().permute(1, 2, 0))
                plt.close(fig)
                self._generator.train()
        print("... Done!")

    def reconstruct(self, samples):
        recon_code = torch.zeros([samples.shape[0], self._code_size], device=device, requires_grad=True)
        samples = torch.tensor(samples, device=device, dtype=torch.float32)
        self._generator.eval()
        recon_optimizer = optim.Adam([recon_code], lr=self._vis_learning_rate)
        for i in range(500):
            recon_optimizer.zero_grad()
            recon_samples = self._generator(recon_code)
            recon_loss = self._reconstruction_loss(recon_samples, samples)
            recon_loss.backward()
            recon_optimizer.step()
        return recon_loss, recon_samples.detach().cpu()

# %% gan.init optimizers_in_a_dictionary
class DCGAN:
    tracker = checkpoint = None

    def __init__(self):
        self._num_epochs, self._batch_size, self._code_size = NUM_EPOCHS, BATCH_SIZE, CODE_SIZE
        self._learning_rate, self._vis_learning_rate = LEARNING_RATE, VIS_LEARNING_RATE
        self._tracked_noise = draw_codes(NUM_TRACKED)
        self._generator, self._discriminator = Generator(CODE_SIZE).to(device), Discriminator().to(device)
        for network in (self._generator, self._discriminator):
            for module in network.modules():
                if hasattr(module, "kernel_size"):
                    with torch.no_grad():
                        module.weight.copy_(0.02 * torch.randn_like(module.weight))
                if hasattr(module, "running_mean"):
                    nn.init.normal_(module.weight, 1, 0.02)
                    nn.init.constant_(module.bias, 0)
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), LEARNING_RATE, ADAM_BETAS)
            for name, network in (("g", self._generator), ("d", self._discriminator))
        }
        self._generator_optimizer = self.optimizers["g"]
        self._discriminator_optimizer = self.optimizers["d"]

    def _classification_loss(self, logits, labels):
        return F.binary_cross_entropy_with_logits(logits, labels)

# %% gan.init layer_types_in_a_table
class DCGAN:
    """A generator, a discriminator, and who moves them."""

    tracker = None
    checkpoint = None

    def __init__(self):
        self._num_epochs, self._batch_size, self._code_size = 25, 128, 64
        self._learning_rate, self._vis_learning_rate = 0.0002, 0.01
        self._tracked_noise = torch.normal(0.0, 1.0, (NUM_TRACKED, self._code_size), device=device)
        self._discriminator = Discriminator().apply(DCGAN._init_weights).to(device)
        self._generator = Generator(starting_shape=self._code_size).apply(DCGAN._init_weights).to(device)
        self._discriminator_optimizer, self._generator_optimizer = (
            optim.Adam(params=list(network.parameters()), betas=ADAM_BETAS, lr=LEARNING_RATE, weight_decay=0)
            for network in (self._discriminator, self._generator)
        )
        self._classification_loss = lambda logits, labels: (F.softplus(logits) - labels * logits).mean()

    @staticmethod
    def _init_weights(layer):
        mean = {nn.Conv2d: 0.0, nn.ConvTranspose2d: 0.0, nn.BatchNorm2d: 1.0}.get(type(layer))
        if mean is None:
            return
        layer.weight.data = mean + 0.02 * torch.randn(layer.weight.shape)
        if mean == 1.0:
            layer.bias.data.zero_()

# %% gan.train two_backward_passes
class DCGAN(DCGAN):
    def _fake(self, n):
        return self._generator(torch.randn(n, self._code_size).to(device))

    def train(self, train_samples):
        data = TensorDataset(torch.tensor(train_samples))
        loader = torch.utils.data.DataLoader(data, batch_size=self._batch_size, shuffle=True, drop_last=True)
        for epoch in range(self._num_epochs):
            for (real,) in loader:
                real = real.to(device)
                n = real.size(0)
                ones, zeros = torch.full((n, 1), 1.0, device=device), torch.full((n, 1), 0.0, device=device)
                fake, other = self._fake(n), self._fake(n)
                for p in self._discriminator.parameters():
                    p.requires_grad_(True)
                self._discriminator.zero_grad()
                self._classification_loss(self._discriminator(fake.detach()), zeros).backward()
                self._classification_loss(self._discriminator(real), ones).backward()
                self._discriminator_optimizer.step()
                for p in self._discriminator.parameters():
                    p.requires_grad_(False)
                self._generator.zero_grad()
                self._classification_loss(self._discriminator(other), ones).backward()
                self._generator_optimizer.step()

# %% gan.train softplus_and_permutations
class DCGAN(DCGAN):
    def train(self, train_samples):
        x = torch.as_tensor(train_samples).to(device)
        size = self._batch_size
        for _ in range(self._num_epochs):
            order = torch.randperm(len(x))
            for at in range(0, len(x) - size + 1, size):
                real = x[order[at : at + size]]
                d_loss = F.softplus(-self._discriminator(real)).mean()
                d_loss = d_loss + F.softplus(self._discriminator(self._generator(draw_codes(size)).detach())).mean()
                d_loss.backward()
                self._discriminator_optimizer.step()
                self._discriminator_optimizer.zero_grad()
                g_loss = F.softplus(-self._discriminator(self._generator(draw_codes(size)))).mean()
                g_loss.backward()
                self._generator_optimizer.step()
                self._generator_optimizer.zero_grad()
                self._discriminator_optimizer.zero_grad()
                if self.tracker:
                    self.tracker.update(d_loss.item(), g_loss.item())

# %% gan.train two_methods_and_the_given_loop
class DCGAN(DCGAN):
    def _judged(self, images, label):
        logits = self._discriminator(images)
        return self._classification_loss(logits, logits.new_full(logits.shape, label))

    def _update_discriminator(self, real):
        self._discriminator_optimizer.zero_grad(set_to_none=False)
        with torch.no_grad():
            fake = self._generator(torch.randn(real.size(0), CODE_SIZE, device=device))
        loss = self._judged(fake, 0.0) + self._judged(real, 1.0)
        loss.backward()
        self._discriminator_optimizer.step()
        return loss.item()

    def _update_generator(self, batch_size):
        for parameter in self._generator.parameters():
            parameter.grad = None
        codes = torch.normal(torch.zeros(batch_size, self._code_size, device=device), 1.0)
        loss = self._judged(self._generator(codes), 1.0)
        loss.backward()
        self._generator_optimizer.step()
        return loss.item()

    def train(self, train_samples):
        images = TensorDataset(torch.as_tensor(train_samples))
        loader = TensorLoader(images, self._batch_size, shuffle=True, drop_last=True, device=device)
        first = 0
        if self.checkpoint:
            first = self.checkpoint.resume(self)
        for epoch in range(first, self._num_epochs):
            self._generator.train()
            self._discriminator.train()
            for (batch,) in loader:
                batch = images_0_1(batch)
                losses = self._update_discriminator(batch), self._update_generator(batch.size(0))
                if self.tracker is not None:
                    self.tracker.update(*losses)
            if self.tracker is not None:
                self.tracker.end_epoch(sample(self, self._tracked_noise))
            if self.checkpoint:
                self.checkpoint.save(self, epoch + 1)

# %% gan.spectral all_layers_written_out
class SpectralDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        spectral = torch.nn.utils.parametrizations.spectral_norm
        self.conv1 = spectral(nn.Conv2d(3, 32, 4, 2, 1))
        self.conv2 = spectral(nn.Conv2d(32, 64, 4, 2, 1))
        self.bn2 = nn.BatchNorm2d(64)
        self.conv3 = spectral(nn.Conv2d(64, 128, 4, 2, 1))
        self.bn3 = nn.BatchNorm2d(128)
        self.fc = nn.Linear(2048, 1)

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x))
        x = F.leaky_relu(self.bn2(self.conv2(x)))
        x = F.leaky_relu(self.bn3(self.conv3(x)))
        return self.fc(x.reshape(x.size(0), -1))

# %% gan.spectral older_function
class SpectralDiscriminator(Discriminator):
    def __init__(self):
        super().__init__()
        for layer in (self.downsample[0], self.downsample[2], self.downsample[5]):
            nn.utils.spectral_norm(layer)

# %% gan.spectral two_power_iterations
class SpectralDiscriminator(Discriminator):
    def __init__(self, *args):
        Discriminator.__init__(self, *args)
        convolutions = [layer for layer in self.modules() if type(layer) is nn.Conv2d]
        for convolution in convolutions:
            nn.utils.parametrizations.spectral_norm(convolution, name="weight", n_power_iterations=2)

# %% gan.reconstruct parameter_and_one_at_the_end
class DCGAN(DCGAN):
    def _reconstruction_loss(self, generated, target):
        return ((generated - target) ** 2).flatten(1).mean(dim=1).mean()

    def reconstruct(self, samples):
        target = torch.tensor(np.asarray(samples)).float().to(device)
        self._generator.train(False)
        z = nn.Parameter(torch.zeros((target.shape[0], CODE_SIZE), device=device))
        adam = torch.optim.Adam(params=[z], lr=VIS_LEARNING_RATE)
        step = 0
        while step < VIS_STEPS:
            loss = self._reconstruction_loss(self._generator(z), target)
            (z.grad,) = torch.autograd.grad(loss, [z])
            adam.step()
            step += 1
        return self._generator(z).detach().cpu()

# %% gan.reconstruct frozen_generator_sum_inside
class DCGAN(DCGAN):
    def _reconstruction_loss(self, generated, target):
        return torch.mean(torch.square(target - generated))

    def reconstruct(self, samples):
        images = torch.as_tensor(samples).to(device=device, dtype=torch.float32)
        modes = self._generator.training
        for parameter in self._generator.parameters():
            parameter.requires_grad = False
        self._generator.eval()
        codes = torch.zeros_like(draw_codes(len(images))).requires_grad_()
        optimizer = optim.Adam([codes], lr=self._vis_learning_rate)
        for _ in range(VIS_STEPS):
            optimizer.zero_grad()
            (self._reconstruction_loss(self._generator(codes), images) * images.numel()).backward()
            optimizer.step()
        with torch.no_grad():
            found = self._generator(codes)
        for parameter in self._generator.parameters():
            parameter.requires_grad = True
        self._generator.train(modes)
        return self._reconstruction_loss(found, images).item(), found.cpu()

# %% gan.reconstruct loss_a_sum_over_a_count
class DCGAN(DCGAN):
    def _reconstruction_loss(self, generated, target):
        return F.mse_loss(generated, target, reduction="sum") / target.numel()

    def reconstruct(self, samples):
        networks = self._generator.eval(), self._discriminator.eval()
        samples = samples if isinstance(samples, torch.Tensor) else torch.from_numpy(samples)
        samples = samples.to(device)
        codes = torch.full((samples.shape[0], 64), 0.0, device=device).requires_grad_(True)
        adam = optim.Adam([{"params": codes}], lr=0.01, betas=(0.9, 0.999), eps=1e-8)
        for _ in range(VIS_STEPS):
            images = networks[0](codes)
            self._reconstruction_loss(images, samples).backward(inputs=[codes])
            adam.step()
            adam.zero_grad(set_to_none=False)
        images = networks[0](codes).detach()
        return [self._reconstruction_loss(images, samples), images.to("cpu")]
