"""Training steps of the models of bench/step_models.cc in PyTorch, as one writes them there.

Usage: peer_step.py MODEL f32|bf16|compile WEIGHTS [still]. `still`: no dropout. Numbers of steps come on standard input, lines of JSON go out.

A model is a module of step_peers/ with
  build(name) -> nn.Module   whose forward(batch, part) gives the loss
  draw() -> batch            from torch's generator, draw by draw as ours does
  rename(ours) -> state      of a dictionary of our tensors by our names
and, where they are not as below, PARTS (prefixes of parameters that are stepped together), ADAM, CLIP and COMPILE (what
torch.compile is told).
"""
import importlib
import json
import os
import pathlib
import resource
import sys
import time

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
import torch  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from torch import nn  # noqa: E402

NAME, MODE, WEIGHTS = sys.argv[1:4]
STILL = sys.argv[4:] == ["still"]
sys.path.insert(0, str(pathlib.Path(__file__).parent / "step_peers"))
peer = importlib.import_module({"gpt2": "gpt", "llama": "gpt"}.get(NAME, NAME))
PARTS, CLIP = getattr(peer, "PARTS", [""]), getattr(peer, "CLIP", True)
ADAM = getattr(peer, "ADAM", dict(lr=3e-4, weight_decay=0.1))


def adamw(prefix):
    mine = [p for name, p in model.named_parameters() if name.startswith(prefix)]
    decayed, others = [p for p in mine if p.dim() >= 2], [p for p in mine if p.dim() < 2]
    return mine, torch.optim.AdamW([{"params": decayed}, {"params": others, "weight_decay": 0.0}], fused=True, **ADAM)


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


torch.set_num_threads(2)
model = peer.build(NAME)
missing, unknown = model.load_state_dict(peer.rename({name.removeprefix("model/"): value for name, value in load_file(WEIGHTS).items()}), strict=False)
assert not unknown and not [name for name in missing if not name.endswith("position_ids")], (missing, unknown)
model.train(not STILL)
parts = [(prefix, *adamw(prefix)) for prefix in PARTS]
forward = torch.compile(model, **getattr(peer, "COMPILE", {})) if MODE == "compile" else model
done = 0
for line in sys.stdin:
    out = {"wall": [], "processor": [], "losses": []}
    for _ in range(int(line)):
        torch.manual_seed(1000 + done)
        done += 1
        batch = peer.draw()
        start, before = time.perf_counter(), processor()
        total = 0.0
        for prefix, mine, optimiser in parts:
            for name, parameter in model.named_parameters():  # what is not stepped wants no gradient
                parameter.requires_grad_(name.startswith(prefix))
            with torch.autocast("cpu", torch.bfloat16, enabled=MODE != "f32"):
                loss = forward(batch, prefix)
            loss.backward()
            if CLIP:
                nn.utils.clip_grad_norm_(mine, 1.0)
            optimiser.step()
            model.zero_grad()
            total += loss.item()
        out["losses"].append(total)
        out["wall"].append(time.perf_counter() - start)
        out["processor"].append(processor() - before)
    print(json.dumps(out | {"torch": torch.__version__}), flush=True)
