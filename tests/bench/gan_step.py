"""Time of one GAN step (see gan_step.rs) in JAX (jit) and PyTorch (eager), CPU, one thread, singles.

python tests/bench/gan_step.py          needs jax and torch; prints least and median of 200 samples
"""

import os

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time

BATCH, GENERATOR, DISCRIMINATOR = 64, [16, 64, 64, 64], [64, 64, 64, 1]


def sample(run, n=20):
    """Least and median time of a call, in microseconds."""
    run(n)
    samples = []
    for _ in range(200):
        start = time.perf_counter()
        run(n)
        samples.append((time.perf_counter() - start) / n * 1e6)
    return min(samples), statistics.median(samples)


def time_jax():
    import jax
    import jax.numpy as jnp
    import numpy as np

    rng = np.random.default_rng(1)

    def init(sizes):
        uniform = lambda *shape: jnp.asarray(rng.uniform(-0.1, 0.1, shape), jnp.float32)
        return [(uniform(a, b), uniform(b)) for a, b in zip(sizes, sizes[1:])]

    def network(theta, x):
        for layer, (w, bias) in enumerate(theta):
            x = x @ w + bias
            if layer + 1 < len(theta):
                x = jnp.where(x > 0, x, 0.2 * x)
        return x

    def generate(g, u):
        return jnp.tanh(network(g, u))

    def loss_d(d, g, x, u):
        real, fake = network(d, x), network(d, generate(g, u))
        return jnp.mean(jax.nn.softplus(-real)) + jnp.mean(jax.nn.softplus(fake))

    def loss_g(g, d, u):
        return jnp.mean(jax.nn.softplus(-network(d, generate(g, u))))

    def adam(theta, m, v, grad, c_m, c_v):
        tree = jax.tree.map
        m = tree(lambda m, g: 0.5 * m + 0.5 * g, m, grad)
        v = tree(lambda v, g: 0.999 * v + 0.001 * g * g, v, grad)
        theta = tree(lambda t, m, v: t - 1e-3 * (m * c_m) / (jnp.sqrt(v * c_v) + 1e-8), theta, m, v)
        return theta, m, v

    def step(state, x, u_d, u_g, c_m, c_v):
        g, m_g, v_g, d, m_d, v_d = state
        value_d, grad = jax.value_and_grad(loss_d)(d, g, x, u_d)
        d, m_d, v_d = adam(d, m_d, v_d, grad, c_m, c_v)
        value_g, grad = jax.value_and_grad(loss_g)(g, d, u_g)
        g, m_g, v_g = adam(g, m_g, v_g, grad, c_m, c_v)
        return (g, m_g, v_g, d, m_d, v_d), value_d, value_g

    g, d = init(GENERATOR), init(DISCRIMINATOR)
    zeros = lambda theta: jax.tree.map(jnp.zeros_like, theta)
    normal = lambda *shape: jnp.asarray(rng.standard_normal(shape), jnp.float32)
    data = normal(BATCH, 64), normal(BATCH, 16), normal(BATCH, 16), jnp.float32(1), jnp.float32(1)

    def runner(step):
        state = [(g, zeros(g), zeros(g), d, zeros(d), zeros(d))]
        # The first call gives its arguments' buffers away, so that it needs copies.
        state[0] = jax.tree.map(jnp.copy, state[0])

        def run(n):
            for _ in range(n):
                state[0], *_ = step(state[0], *data)
            jax.block_until_ready(state[0])

        return run

    one = runner(jax.jit(step, donate_argnums=0))
    # Without the cost of a call from Python: many steps in one compiled loop.
    loop = jax.jit(lambda state, n, *data: jax.lax.fori_loop(0, n, lambda _, s: step(s, *data)[0], state))
    state = (g, zeros(g), zeros(g), d, zeros(d), zeros(d))
    many = lambda n: jax.block_until_ready(loop(state, n, *data))
    return {"JAX, jit": sample(one), "JAX, jit, 20 steps a call": sample(many)}


def time_torch():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)

    def network(sizes, last=None):
        layers = []
        for layer, (a, b) in enumerate(zip(sizes, sizes[1:])):
            layers.append(torch.nn.Linear(a, b))
            if layer + 2 < len(sizes):
                layers.append(torch.nn.LeakyReLU(0.2))
        return torch.nn.Sequential(*layers, *([last] if last else []))

    g, d = network(GENERATOR, torch.nn.Tanh()), network(DISCRIMINATOR)
    x, u_d, u_g = torch.randn(BATCH, 64), torch.randn(BATCH, 16), torch.randn(BATCH, 16)
    softplus = torch.nn.functional.softplus
    optimiser = lambda net: torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.999))
    opt_g, opt_d = optimiser(g), optimiser(d)

    def run(n):
        for _ in range(n):
            with torch.no_grad():
                fake = g(u_d)
            opt_d.zero_grad()
            (softplus(-d(x)).mean() + softplus(d(fake)).mean()).backward()
            opt_d.step()
            opt_g.zero_grad()
            d.requires_grad_(False)
            softplus(-d(g(u_g))).mean().backward()
            d.requires_grad_(True)
            opt_g.step()

    return {"PyTorch, eager": sample(run, 5)}


if __name__ == "__main__":
    for name, (least, median) in {**time_jax(), **time_torch()}.items():
        print(f"{name}: least {least:.1f} µs, median {median:.1f} µs")
