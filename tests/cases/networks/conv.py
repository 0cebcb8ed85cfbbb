"""Writes what `tests/it/networks.rs` compares with: a convolutional network of PyTorch's own layers, its
parameters under PyTorch's names, an input, and the gradient of a loss. Run with PyTorch 2.6.0 on the CPU in
doubles, the numbers saved as they came out:

    python conv.py
"""

import torch
from torch import nn
from safetensors.torch import save_file

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


network = nn.Sequential(
    nn.Conv2d(2, 4, kernel_size=(3, 2), stride=(1, 2), padding=(1, 0)),
    nn.LeakyReLU(0.2),
    Residual(
        nn.Conv2d(4, 4, kernel_size=3, padding=2, dilation=2, groups=2, bias=False),
        nn.Tanh(),
        nn.LayerNorm([4, 6, 3]),
    ),
    nn.GELU(),
    nn.MaxPool2d(2, stride=1),
    nn.ConvTranspose2d(4, 3, kernel_size=3, stride=2, padding=1),
    nn.SiLU(),
    nn.AvgPool2d(3, stride=2, padding=1),
    nn.Flatten(),
    nn.Linear(30, 3),
    nn.LogSoftmax(dim=1),
)
# The scale and the shift of a norm start at 1 and 0; others show more.
with torch.no_grad():
    network[2].layers[2].weight.copy_(torch.randn(4, 6, 3))
    network[2].layers[2].bias.copy_(torch.randn(4, 6, 3))

x = torch.randn(2, 2, 6, 7)
coefficients = torch.tensor([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]])
y = network(x)
loss = (coefficients * y).sum() + y.square().sum()
loss.backward()

save_file(network.state_dict(), "conv.safetensors")
gradient = {name: parameter.grad for name, parameter in network.named_parameters()}
save_file(gradient | {"x": x, "y": y.detach(), "loss": loss.detach().reshape(1)}, "conv_expected.safetensors")
print(list(network.state_dict()))
