"""What every twin is: a module, its batches and its optimiser, run for ten steps."""
import json

import torch
from safetensors.torch import save_file

STEPS = 10
IGNORED = -100


class Twin:
    """`module(batch, part)` returns (loss, ) of that part; its state dict has our parameters' names.

    rename: from the module's parameter names to ours, where they differ; convert: our values from its (and gradients).
    """

    def __init__(self, name, architecture, model, shape, module, batches, parts=("model",), optimiser=None,
                 label_smoothing=0.0, seed=7, rename=None, convert=None):
        self.name, self.architecture, self.model, self.shape = name, architecture, model, shape
        self.module, self.batches, self.parts = module, batches, parts
        self.optimiser = dict(name="adamw", rate=3e-3, beta1=0.9, beta2=0.99, eps=1e-8, weight_decay=0.1, clip=1.0) | (optimiser or {})
        self.label_smoothing, self.seed = label_smoothing, seed
        self.rename, self.convert = rename or (lambda n: n), convert or (lambda n, t: t)
        self.losses = []

    def ours(self, name, tensor):
        return self.convert(name, tensor.detach()).clone().contiguous()

    def named(self, prefix, name, tensor):
        """By our name. One with {} in it is nn.MultiheadAttention's product: queries, keys and values end to end."""
        name, tensor = self.rename(name), self.ours(name, tensor)
        if "{}" not in name:
            return {prefix + name: tensor}
        return {prefix + name.format(part): t.contiguous() for part, t in zip("qkv", tensor.chunk(3))}

    def part_parameters(self, part):
        if len(self.parts) == 1:
            return list(self.module.named_parameters())
        return [(n, p) for n, p in self.module.named_parameters() if n.startswith(part + ".")]

    def write(self, path):
        torch.set_num_threads(1)
        tensors = {}
        for n, p in self.module.named_parameters():
            tensors |= {k: t.clone() for k, t in self.named("w/", n, p).items()}
        for i, batch in enumerate(self.batches):
            for field, value in batch.items():
                tensors[f"b/{i}/{field}"] = value.contiguous()
        o = self.optimiser
        optimisers = {}
        for part in self.parts:
            named = self.part_parameters(part)
            groups = [{"params": [p for _, p in named if p.dim() >= 2], "weight_decay": o["weight_decay"]},
                      {"params": [p for _, p in named if p.dim() < 2], "weight_decay": 0.0}]
            if o["name"] == "adamw":
                optimisers[part] = torch.optim.AdamW(groups, lr=o["rate"], betas=(o["beta1"], o["beta2"]), eps=o["eps"])
            elif o["name"] == "sgd":
                # PyTorch's SGD knows no decoupled decay: none is asked for.
                optimisers[part] = torch.optim.SGD([p for _, p in named], lr=o["rate"], momentum=o["momentum"])
            else:
                raise ValueError(o["name"])
        self.losses = []
        for step in range(STEPS):
            row = []
            torch.manual_seed(self.seed + step)
            for part in self.parts:
                self.module.zero_grad(set_to_none=True)
                loss = self.module(self.batches[step % len(self.batches)], part)
                loss.backward()
                named = self.part_parameters(part)
                if step == 0:
                    for n, p in named:
                        g = p.grad if p.grad is not None else torch.zeros_like(p)
                        tensors |= {k: t.clone() for k, t in self.named(f"g/{part}/", n, g).items()}
                if o["clip"] > 0:
                    torch.nn.utils.clip_grad_norm_([p for _, p in named], o["clip"])
                optimisers[part].step()
                row.append(loss.item())
            self.losses.append(row)
        tensors["losses"] = torch.tensor(self.losses, dtype=torch.float64)
        metadata = {"architecture": self.architecture, "model": self.model, "shape": json.dumps(self.shape),
                    "optimiser": json.dumps(o), "label_smoothing": str(self.label_smoothing), "seed": str(self.seed),
                    "peer": f"torch {torch.__version__.split('+')[0]}"}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, str(path), metadata)


def token_batches(vocabulary, rows, time, count=2, seed=1, ragged=False):
    """Batches of a language model: inputs, targets moved by one, some ignored."""
    g = torch.Generator().manual_seed(seed)
    batches = []
    for _ in range(count):
        ids = torch.randint(0, vocabulary, (rows, time + 1), generator=g)
        batch = {"inputs": ids[:, :-1], "targets": ids[:, 1:].clone()}
        if ragged:
            lengths = torch.randint(1, time + 1, (rows,), generator=g)
            lengths[0] = time
            batch["lengths"] = lengths
            for i, n in enumerate(lengths.tolist()):
                batch["targets"][i, n:] = IGNORED
        batch["targets"][0, 1] = IGNORED
        batches.append(batch)
    return batches
