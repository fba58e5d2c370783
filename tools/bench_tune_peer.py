#!/usr/bin/env python3
"""One step of tuning by Hugging Face's PEFT: an adapter of rank 16 at all linear layers of a Llama of SmolLM2-135M's shape.

    bench_tune_peer.py [sft] [dpo] [--ways LIST] [--steps N] [--warm N]    a line of JSON a mode: the best of the ways
    bench_tune_peer.py --peer sft|dpo WAY                                  numbers of steps come on standard input, lines of
                                                                           JSON go out, as of peer_step.py

Random weights, two threads, random tokens. sft: 4 rows of 256 tokens, the loss over all but the prompt's 64. dpo: 4 pairs of
256 tokens, prompts of 64; the reference is the model with its adapter off, as TRL has it, in a pass of its own. Heads are
computed of the replies alone (logits_to_keep), which is faster than what PEFT's or TRL's users get by default.

    bf16            weights in bf16, adapters in f32, as PEFT makes them
    bf16-autocast   the same under autocast: adapters are multiplied in bf16 too
    bf16-pure       adapters in bf16 too: fast, but small steps of the optimiser are lost
    f32-autocast    weights in f32 under autocast
    f32             no bf16, where the processor has none

and any of them with -compile: torch.compile. Each way runs in a process of its own, whose peak resident memory is told.
Tokens a second count prompts too, and each once: 1024 a step for sft, 2048 for dpo, whose reference counts for nothing.
"""
import argparse
import importlib.metadata
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROWS, TIME, PROMPT, VOCABULARY, BETA = 4, 256, 64, 49152, 0.1
WAYS = ["f32", "f32-autocast", "bf16", "bf16-autocast", "bf16-pure"]
BEST = "bf16,bf16-autocast,f32-autocast,bf16-autocast-compile,f32-autocast-compile"


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak():
    """VmHWM in MiB: of this process alone, not of torch.compile's helpers."""
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def peer(mode, way):
    sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
    os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    import torch
    from peft import LoraConfig, get_peft_model
    from torch.nn import functional as F
    from transformers import LlamaConfig, LlamaForCausalLM

    compiled, way = way.endswith("-compile"), way.removesuffix("-compile")
    torch.set_num_threads(2)
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, max_position_embeddings=8192, tie_word_embeddings=True, rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0}, attn_implementation="sdpa"))
    if way.startswith("bf16"):
        model.to(torch.bfloat16)
    model = get_peft_model(
        model, LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, task_type="CAUSAL_LM",
                          target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
        autocast_adapter_dtype=way != "bf16-pure")
    model.train()
    mine = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(mine, lr=2e-4, weight_decay=0.0, fused=True)
    forward = torch.compile(model) if compiled else model

    def log_probabilities(ids):
        """[rows, tokens of the reply]."""
        logits = forward(input_ids=ids, use_cache=False, logits_to_keep=TIME - PROMPT + 1).logits[:, :-1].float()
        return -F.cross_entropy(logits.flatten(0, 1), ids[:, PROMPT:].flatten(), reduction="none").view(len(ids), -1)

    def sft():
        return -log_probabilities(torch.randint(VOCABULARY, (ROWS, TIME))).mean()

    def dpo():
        chosen = torch.randint(VOCABULARY, (ROWS, TIME))
        rejected = torch.cat([chosen[:, :PROMPT], torch.randint(VOCABULARY, (ROWS, TIME - PROMPT))], 1)
        ids = torch.cat([chosen, rejected])
        with torch.no_grad(), model.disable_adapter():
            reference = log_probabilities(ids).sum(1)
        ratio = log_probabilities(ids).sum(1) - reference
        return -F.logsigmoid(BETA * (ratio[:ROWS] - ratio[ROWS:])).mean()

    loss_of, done = {"sft": sft, "dpo": dpo}[mode], 0
    for line in sys.stdin:
        out = {"wall": [], "processor": [], "losses": []}
        for _ in range(int(line)):
            torch.manual_seed(1000 + done)
            done += 1
            start, before = time.perf_counter(), processor()
            with torch.autocast("cpu", torch.bfloat16, enabled=way.endswith("autocast")):
                loss = loss_of()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(mine, 1.0)
            optimiser.step()
            optimiser.zero_grad()
            out["losses"].append(loss.item())
            out["wall"].append(time.perf_counter() - start)
            out["processor"].append(processor() - before)
        print(json.dumps(out | {"torch": torch.__version__, "memory_mib": peak()}), flush=True)


def ask(process, steps):
    process.stdin.write(f"{steps}\n")
    process.stdin.flush()
    line = process.stdout.readline()
    return json.loads(line) if line else None


def measure(mode, way, warm, steps):
    """None where this machine or torch cannot do it."""
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), "--peer", mode, way]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = ask(process, warm) and ask(process, steps)
        except BrokenPipeError:
            told = None
        process.stdin.close()
    if told is None:
        return None
    seconds = statistics.median(told["wall"])
    tokens = ROWS * TIME * (2 if mode == "dpo" else 1)
    return {"way": way, "tokens_per_second": round(tokens / seconds, 1), "seconds": round(seconds, 3),
            "processor": round(statistics.median(told["processor"]), 3), "memory_mib": told["memory_mib"],
            "loss": round(told["losses"][-1], 5)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("modes", nargs="*", default=["sft", "dpo"])
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--ways", default=BEST)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--warm", type=int, default=2)
    options = parser.parse_args()
    ways = options.modes[1:] if options.peer else options.ways.split(",")
    modes = options.modes[:1] if options.peer else options.modes
    if set(modes) - {"sft", "dpo"} or {way.removesuffix("-compile") for way in ways} - set(WAYS) or not ways:
        parser.error(f"modes: sft, dpo; ways: {', '.join(WAYS)}, each also with -compile")
    if options.peer:
        return peer(modes[0], ways[0])
    versions = {name: importlib.metadata.version(name) for name in ["torch", "transformers", "peft"]}
    for mode in modes:
        told = {}
        for way in ways:
            told[way] = measure(mode, way, options.warm, options.steps)
            print(mode, way, told[way] or "cannot be done here", file=sys.stderr)  # torch.compile takes minutes
        able = [result for result in told.values() if result]
        if not able:
            sys.exit(f"no way can do {mode} on this machine")
        best = max(able, key=lambda result: result["tokens_per_second"])
        print(json.dumps({"mode": mode} | best | {"versions": versions, "ways": told}), flush=True)


if __name__ == "__main__":
    main()
