"""Goodfellow's two perceptrons, and Kingma and Welling's autoencoder with torch.distributions."""
import torch
from torch import nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn import functional as F

from twin import Twin

HEIGHT, WIDTH = 5, 3


class Gan(nn.Module):
    def __init__(self, latent, hidden):
        super().__init__()
        torch.manual_seed(8)
        self.latent, pixels = latent, HEIGHT * WIDTH
        leaky, none = (lambda: nn.LeakyReLU(0.2)), nn.Identity
        self.discriminator = nn.Sequential(nn.Linear(pixels, hidden), leaky(), none(), nn.Linear(hidden, hidden), leaky(),
                                           none(), nn.Linear(hidden, 1))
        self.generator = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                       nn.Linear(hidden, pixels), nn.Tanh())

    def forward(self, batch, part):
        x = batch["inputs"].flatten(1) * 2 - 1
        z = torch.randn(len(x), self.latent)
        believed = torch.sigmoid(self.discriminator(self.generator(z)))
        if part == "generator":
            return -torch.log(believed).mean()
        real = torch.sigmoid(self.discriminator(x))
        return F.binary_cross_entropy(real, torch.full_like(real, 0.9)) - torch.log(1 - believed).mean()


class Vae(nn.Module):
    def __init__(self, latent, hidden, beta):
        super().__init__()
        torch.manual_seed(9)
        pixels, self.beta = HEIGHT * WIDTH, beta
        self.encode, self.mean, self.log_variance = nn.Linear(pixels, hidden), nn.Linear(hidden, latent), nn.Linear(hidden, latent)
        self.decode, self.output = nn.Linear(latent, hidden), nn.Linear(hidden, pixels)

    def forward(self, batch, part):
        x = batch["inputs"].flatten(1)
        h = F.relu(self.encode(x))
        posterior = Normal(self.mean(h), (0.5 * self.log_variance(h)).exp())
        z = posterior.mean + posterior.stddev * torch.randn(posterior.mean.shape)
        decoded = Bernoulli(logits=self.output(F.relu(self.decode(z))), validate_args=False)
        evidence = decoded.log_prob(x).sum(1) - self.beta * kl_divergence(posterior, Normal(0.0, 1.0)).sum(1)
        return -evidence.mean()


def picture_batches(rows, seed=4):
    g = torch.Generator().manual_seed(seed)
    return [{"inputs": torch.randint(0, 256, (n, HEIGHT, WIDTH), generator=g) / 255} for n in rows]


SHAPE = dict(height=HEIGHT, width=WIDTH)
TWINS = [
    Twin("mlp_gan", "mlp_gan", "latent = 4\nhidden = 9\n", SHAPE, Gan(4, 9), picture_batches([6, 3]),
         parts=("discriminator", "generator"), label_smoothing=0.1,
         optimiser=dict(rate=2e-3, beta1=0.5, beta2=0.999, weight_decay=0.0)),
    Twin("vae", "vae", "latent = 3\nhidden = 7\nbeta = 0.5\n", SHAPE, Vae(3, 7, 0.5), picture_batches([5, 2])),
]
