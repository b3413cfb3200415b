# Notebook 4 as its course answered it: one class for all three cells.

# %% gan.spectral S
class SpectralDiscriminator(nn.Module):
    def __init__(self):
        super(SpectralDiscriminator, self).__init__()
        spectral_norm = nn.utils.spectral_norm
        self.downsample = nn.Sequential(
            spectral_norm(nn.Conv2d(in_channels=3, out_channels=32, kernel_size=4, stride=2, padding=1, bias=True)),
            nn.LeakyReLU(),
            spectral_norm(nn.Conv2d(in_channels=32, out_channels=64, kernel_size=4, stride=2, padding=1, bias=True)),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(),
            spectral_norm(nn.Conv2d(in_channels=64, out_channels=128, kernel_size=4, stride=2, padding=1, bias=True)),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(),
        )
        self.fc = nn.Linear(4 * 4 * 128, 1)

    def forward(self, input):
        return self.fc(self.downsample(input).reshape((-1, 4 * 4 * 128)))

# %% gan.init S
class DCGAN(nn.Module):
    def __init__(self):
        super(DCGAN, self).__init__()
        self.num_epoch = 25
        self.batch_size = 128
        self.log_step = 100
        self.visualize_step = 2
        self.code_size = 64
        self.learning_rate = 2e-4
        self.vis_learning_rate = 1e-2
        self.tracked_noise = torch.randn([64, self.code_size], device=device)
        self._actmax_label = torch.ones([64, 1], device=device)
        self._discriminator = Discriminator().to(device)
        self._generator = Generator(self.code_size).to(device)
        self._l2_loss = nn.MSELoss()
        self._classification_loss = nn.BCEWithLogitsLoss()
        self._discriminator.apply(self._weight_initialization)
        self._generator.apply(self._weight_initialization)
        betas = (0.5, 0.999)
        self._generator_optimizer = torch.optim.Adam(self._generator.parameters(), betas=betas)
        self._discriminator_optimizer = torch.optim.Adam(self._discriminator.parameters(), betas=betas)

    def _weight_initialization(self, m):
        classname = m.__class__.__name__
        if classname.find('Conv') != -1:
            nn.init.normal_(m.weight.data, 0.0, 0.02)
        elif classname.find('BatchNorm') != -1:
            nn.init.normal_(m.weight.data, 1.0, 0.02)
            nn.init.constant_(m.bias.data, 0)

    def _loss(self, logits, labels):
        return self._classification_loss(logits, labels)

    def _reconstruction_loss(self, generated, target):
        return self._l2_loss(generated, target)

    def train(self, train_samples):
        num_train = train_samples.shape[0]
        step = 0
        smooth_factor = 0.95
        plot_dis_s = plot_gen_s = plot_ws = 0
        dis_losses, gen_losses = [], []
        max_steps = int(self.num_epoch * (num_train // self.batch_size))
        fake_label = torch.zeros([self.batch_size, 1], device=device)
        real_label = torch.ones([self.batch_size, 1], device=device)
        self._generator.train()
        self._discriminator.train()
        for epoch in range(self.num_epoch):
            np.random.shuffle(train_samples)
            for i in range(num_train // self.batch_size):
                step += 1
                batch_samples = train_samples[i * self.batch_size : (i + 1) * self.batch_size]
                batch_samples = torch.Tensor(batch_samples).to(device)

                self._discriminator.zero_grad()
                real_dis_loss = self._loss(self._discriminator(batch_samples), real_label)
                real_dis_loss.backward()

                noise = torch.randn([self.batch_size, self.code_size], device=device)
                fake_samples = self._generator(noise)
                fake_dis_loss = self._loss(self._discriminator(fake_samples.detach()), fake_label)
                fake_dis_loss.backward()
                self._discriminator_optimizer.step()

                self._generator.zero_grad()
                noise = torch.randn([self.batch_size, self.code_size], device=device)
                gen_loss = self._loss(self._discriminator(self._generator(noise)), real_label)
                gen_loss.backward()
                self._generator_optimizer.step()

                dis_loss = real_dis_loss + fake_dis_loss
                plot_dis_s = plot_dis_s * smooth_factor + dis_loss.item() * (1 - smooth_factor)
                plot_gen_s = plot_gen_s * smooth_factor + gen_loss.item() * (1 - smooth_factor)
                plot_ws = plot_ws * smooth_factor + (1 - smooth_factor)
                dis_losses.append(plot_dis_s / plot_ws)
                gen_losses.append(plot_gen_s / plot_ws)
                if step % self.log_step == 0:
                    print('Iteration {0}/{1}: {2:.4f}, {3:.4f}'.format(step, max_steps, dis_loss, gen_loss))
            if epoch % self.visualize_step == 0:
                images = self._generator(self.tracked_noise.detach()).cpu().detach()
                plt.imshow(make_grid(images, padding=1, normalize=True).numpy().transpose((1, 2, 0)))
                plt.show()
                plt.plot(dis_losses)
                plt.show()

    def reconstruct(self, samples):
        recon_code = torch.zeros([samples.shape[0], self.code_size], device=device, requires_grad=True)
        samples = torch.tensor(samples, device=device, dtype=torch.float32)
        self._generator.eval()
        recon_optimizer = torch.optim.Adam([recon_code], lr=self.vis_learning_rate)
        for i in range(500):
            recon_optimizer.zero_grad()
            recon_samples = self._generator(recon_code)
            recon_loss = self._reconstruction_loss(recon_samples, samples)
            recon_loss.backward()
            recon_optimizer.step()
        return recon_loss, recon_samples.detach().cpu()
