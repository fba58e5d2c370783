#!/usr/bin/env python3
"""Makes tests/golden/tune: what Hugging Face's PEFT and TRL say of an adapter and of the objectives that a decoder is tuned for.

    golden_tune.py [OUT]    in a Python environment with tools/golden_tune.txt

The model is tests/golden/archs/llama.gguf.zst, made again and held against that file's logits. OUT has

    adapter/            PEFT's own save_pretrained: rank 2, alpha 6, all linear layers, both halves random
    logits.safetensors  unmerged, merged [m, vocab]: PEFT's logits of golden.tokens at golden.positions of the model's file,
                        with the adapter beside the weights and laid into them
    NAME/               the gradients of an objective's loss, in the form and under the names of an adapter
    cases.json          versions, settings, the data, and of each case its loss and of each of its rows
                        policy, reference: sum of log p(token | before) over the reply with and without the adapter
                        tokens: of the reply
                        formula, gradients_apart: the second computation below, and its gradients' distance by their largest
                        Rows are all chosen, then all rejected; of kto the judged in `order`, and `others` to the same prompts

Every loss is TRL's: the trainer itself, over a batch of its own collator, padded on the right. Each is computed a second time
here, by the formula, in double precision from the logits of rows that stand alone, of a model without PEFT whose weights are
W + alpha / rank B A; both must agree to 1e-5, and the gradients to 1e-4. What TRL does, where one could do otherwise:

    all   The policy begins with the random adapter. The reference is the model with its adapter off, which TRL does where
          it is given peft_config; of a ready PEFT model it keeps a frozen copy of the adapter as reference instead.
    sft   Mean over the replies' tokens of the whole batch, the token that ends a text among them.
    dpo   -log sigmoid(beta h), h of sums over tokens, mean over pairs: the paper's eq. 7.
    dpo_chosen  dpo plus CHOSEN_WEIGHT times sft's loss of the chosen replies: TRL's loss types sigmoid and sft together.
    ipo   (h - 1 / (2 beta))^2 with h of means over a reply's tokens; the paper's eq. 17 has sums. TRL says that the authors
          agreed and that the paper's results are of means.
    distil  (1 - w) T^2 KL(teacher || policy) at temperature T, plus w of sft's, mean over the replies' tokens (Hinton et al. 2015).
          The teacher is the model with its adapter off. The divergence is that of TRL's GKDTrainer with its beta 0, which has no T^2.
    reward  -log sigmoid(u of the chosen - u of the rejected), u the last hidden row before the token that ends the reply, times the
          head's row of "+" less that of "-". By transformers' model for classification with that as its one output, and the
          loss of TRL's RewardTrainer.
    orpo  TRL's NLL is a mean over all tokens of the batch's prompts and chosen replies, but for the first of each row. The
          paper has the reply alone, per pair: -s / n, which is the case `orpo`, by the formula alone. `orpo_trl` is TRL's.
          log p of the odds is the mean over a reply's tokens in both; loss = NLL - beta log sigmoid(log odds ratio).
    kto   z = max(0, mean over the batch of (policy - reference)) of mismatched pairs, without gradient, times beta within
          the sigmoid. TRL would pair prompt i with the completion of i - 1; here its collator is given that of i + 1. The
          paper's eq. 8 is lambda - v with v = lambda sigmoid(...): the same. `kto_clamped` has the examples in an order in
          which the mean is negative, so that z is nought.
    grpo  Replies and scores are `rollouts`, given to TRL by its rollout_func. loss_type grpo: the mean over a reply's tokens,
          then over replies, the paper's eq. 3 (TRL's default, dapo, is the mean over all tokens). One step per batch of
          replies: the ratio is 1. Its beta is 0.04, advantages by the group's deviation over n - 1, plus 1e-4. The ratio
          stands before the divergence, too (use_bias_correction_kl, TRL's default): else its gradient is another's.
"""
import importlib.metadata
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

sys.setdlopenflags(os.RTLD_LAZY)  # CUDA libraries may be empty stand-ins: tools/golden.sh
os.environ |= {"TRL_EXPERIMENTAL_SILENCE": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
import datasets  # noqa: E402
import golden_archs  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers import LlamaForSequenceClassification, PreTrainedTokenizerFast  # noqa: E402
from trl import DPOConfig, DPOTrainer, GRPOConfig, GRPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer  # noqa: E402
from trl.experimental.gkd import GKDTrainer  # noqa: E402
from trl.experimental.orpo import ORPOConfig, ORPOTrainer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = "tests/golden/archs/llama.gguf.zst"
RANK, ALPHA, SIZE, BETA, SEED, DATA_SEED = 2, 6, 0.12, 0.1, 20, 30
GRPO_BETA = 0.04
CHOSEN_WEIGHT = 0.6
DISTIL_TEMPERATURE, DISTIL_LABELS = 2.0, 0.3
GOOD, BAD = ord("+"), ord("-")  # ids: that vocabulary begins with the bytes
BEGIN, END, PAD = 283, 284, 287  # <|begin|>, <|end|>, <|pad|> of that file's vocabulary
LORA = dict(r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, bias="none", task_type="CAUSAL_LM",
            target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"])


def metadata(path):
    """Of a GGUF file: its keys and values, by its specification."""
    raw = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout
    at = 24

    def number(form):
        nonlocal at
        at += struct.calcsize(form)
        return struct.unpack_from(form, raw, at - struct.calcsize(form))[0]

    def text():
        nonlocal at
        size = number("<Q")
        at += size
        return raw[at - size : at].decode()

    def value(kind):
        if kind == golden_archs.STRING:
            return text()
        if kind == golden_archs.ARRAY:
            element, size = number("<I"), number("<Q")
            return [value(element) for _ in range(size)]
        return number({golden_archs.UINT32: "<I", golden_archs.INT32: "<i", golden_archs.FLOAT32: "<f", golden_archs.BOOL: "<?"}[kind])

    return {text(): value(number("<I")) for _ in range(struct.unpack_from("<Q", raw, 16)[0])}


def base():
    name, _, build = next(golden_archs.models())
    assert name == "llama"
    model = build()
    golden_archs.fill(model, 0)
    return model.eval()


def at_positions(model, golden):
    with torch.no_grad():
        return model(torch.tensor([golden["golden.tokens"]])).logits[0, golden["golden.positions"]]


def random_adapter():
    model = get_peft_model(base(), LoraConfig(**LORA))
    rng = np.random.default_rng(SEED)
    return {name: torch.tensor(rng.standard_normal(tuple(value.shape)) * SIZE, dtype=torch.float32)
            for name, value in get_peft_model_state_dict(model).items()}


def with_adapter(adapter):
    model = get_peft_model(base(), LoraConfig(**LORA))
    set_peft_model_state_dict(model, adapter)
    return model.eval()


def save_adapter(model, folder):
    """As PEFT saves it, without its page for a hub. The modules are a set there: their order would change from run to run."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["target_modules"].sort()
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def draw(adapter):
    """Pairs and judged replies. Where a reply is improbable its odds are its probability, so some tokens are the policy's best."""
    model, rng = with_adapter(adapter), np.random.default_rng(DATA_SEED)
    uniform = lambda size: rng.integers(5, 256, size).tolist()

    def reply(prompt, size, share):
        out = []
        while len(out) < size - 1:
            with torch.no_grad():
                best = model(torch.tensor([prompt + out])).logits[0, -1, 5:256].argmax().item() + 5
            out += [best] if rng.random() < share else uniform(1)
        return out + [END]

    pairs, judged = [], []
    for before, size, share, wanted in [(7, 8, 0.8, True), (4, 13, 0.3, False), (12, 6, 0.6, True), (9, 10, 0.7, False)]:
        prompt = [BEGIN] + uniform(before - 1)
        judged.append({"prompt": prompt, "response": reply(prompt, size, share), "wanted": wanted})
    for before, chosen, rejected, shares in [(5, 20, 12, (1, 0.8)), (11, 14, 17, (0.5, 0.5)), (8, 5, 12, (0.7, 0.3))]:
        prompt = [BEGIN] + uniform(before - 1)
        pairs.append({"prompt": prompt, "chosen": reply(prompt, chosen, shares[0]), "rejected": reply(prompt, rejected, shares[1])})
    return pairs, judged


def draw_rollouts():
    """Two prompts, three replies each, of one group equal scores among them; one reply was cut before the token that ends a text."""
    rng = np.random.default_rng(DATA_SEED + 1)
    uniform = lambda size: rng.integers(5, 256, size).tolist()
    out = []
    for before, sizes, scores in [(6, (9, 4, 14), (0.25, 1.0, -0.5)), (11, (5, 12, 7), (2.0, 2.0, 0.0))]:
        replies = [uniform(size - 1) + [END] for size in sizes]
        out.append({"prompt": [BEGIN] + uniform(before - 1), "replies": replies, "scores": list(scores)})
    out[1]["replies"][2][-1] = uniform(1)[0]
    return out


class Plain:
    """The model without PEFT, its rows alone."""

    def __init__(self, adapter):
        self.model = base()
        self.adapter = {name: value.clone().requires_grad_() for name, value in adapter.items()}

    def log_probabilities(self, prompt, reply, adapted=True):
        """[len(prompt) + len(reply) - 1] of each token but the first."""
        logits = self.logits(prompt, reply, adapted)
        return logits.gather(1, torch.tensor(prompt + reply)[1:, None])[:, 0] - torch.logsumexp(logits, 1)

    def logits(self, prompt, reply, adapted):
        """[len(prompt) + len(reply) - 1, vocabulary] of what follows each token but the last."""
        weights = {}
        for name, a in self.adapter.items():
            if adapted and ".lora_A." in name:
                key = name.removeprefix("base_model.model.").replace(".lora_A", "")
                weights[key] = self.model.get_parameter(key) + ALPHA / RANK * self.adapter[name.replace("lora_A", "lora_B")] @ a
        ids = torch.tensor([prompt + reply])
        return torch.func.functional_call(self.model, weights, (ids,)).logits[0, :-1].double()

    def scores(self, rows):
        """Of (prompt, reply): sums with the adapter and without it, tokens."""
        policy = torch.stack([self.log_probabilities(*row)[-len(row[1]) :].sum() for row in rows])
        with torch.no_grad():
            reference = torch.stack([self.log_probabilities(*row, False)[-len(row[1]) :].sum() for row in rows])
        return policy, reference, torch.tensor([len(row[1]) for row in rows], dtype=torch.float64)

    def gradients(self, loss):
        return dict(zip(self.adapter, torch.autograd.grad(loss, list(self.adapter.values()))))


def log_sigmoid(x):
    return -torch.log1p(torch.exp(-x))


def plain_loss(case, plain, rows, labels, others):
    """By the formulas of the papers, but for what is said above. Also what is told of the rows."""
    s, r, n = plain.scores(rows)
    told = dict(policy=s.tolist(), reference=r.tolist(), tokens=[int(x) for x in n])
    half = len(rows) // 2
    chosen, rejected = (s - r)[:half], (s - r)[half:]
    if case == "sft":
        loss = -s.sum() / n.sum()
    elif case in ("dpo", "dpo_chosen"):
        loss = -log_sigmoid(BETA * (chosen - rejected)).mean()
        if case == "dpo_chosen":
            told |= dict(chosen_weight=CHOSEN_WEIGHT, sft=(-s[:half].sum() / n[:half].sum()).item())
            loss = loss + CHOSEN_WEIGHT * -s[:half].sum() / n[:half].sum()
    elif case == "ipo":
        loss = ((chosen / n[:half] - rejected / n[half:] - 1 / (2 * BETA)) ** 2).mean()
    elif case in ("orpo", "orpo_trl"):
        log_p = s / n
        log_odds = log_p - torch.log(1 - torch.exp(log_p))
        ratio = log_sigmoid(log_odds[:half] - log_odds[half:]).mean()
        if case == "orpo":
            nll = -log_p[:half].mean()
        else:
            nll = -torch.cat([plain.log_probabilities(*row) for row in rows[:half]]).mean()
        told |= dict(nll=nll.item(), odds=-ratio.item())
        loss = nll - BETA * ratio
    else:
        policy, reference, _ = plain.scores(others)
        mean = (policy - reference).mean().item()
        sign = torch.tensor([1.0 if wanted else -1.0 for wanted in labels])
        told |= dict(others_policy=policy.tolist(), others_reference=reference.tolist(), mean=mean, z=BETA * max(0, mean))
        loss = (1 - torch.sigmoid(sign * (BETA * (s - r) - told["z"]))).mean()
    return loss, told


def plain_grpo(plain, rollouts):
    losses, told = [], dict(advantages=[], kl=0.0)
    for group in rollouts:
        scores = torch.tensor(group["scores"], dtype=torch.float64)
        advantages = (scores - scores.mean()) / (((scores - scores.mean()) ** 2).sum() / (len(scores) - 1)).sqrt().add(1e-4)
        told["advantages"] += advantages.tolist()
        for reply, advantage in zip(group["replies"], advantages):
            p = plain.log_probabilities(group["prompt"], reply)[-len(reply) :]
            with torch.no_grad():
                d = plain.log_probabilities(group["prompt"], reply, False)[-len(reply) :]
            away = torch.exp(d - p) - (d - p) - 1
            losses.append((torch.exp(p - p.detach()) * (-advantage + GRPO_BETA * away)).mean())
            told["kl"] += away.mean().item() / sum(len(g["replies"]) for g in rollouts)
    return torch.stack(losses).mean(), told


def plain_distil(plain, pairs):
    divergences, labels = [], []
    for pair in pairs:
        prompt, reply = pair["prompt"], pair["chosen"]
        softened = lambda adapted: torch.log_softmax(plain.logits(prompt, reply, adapted)[-len(reply) :] / DISTIL_TEMPERATURE, 1)
        with torch.no_grad():
            wanted = softened(False)
        divergences.append((wanted.exp() * (wanted - softened(True))).sum(1))
        labels.append(-plain.log_probabilities(prompt, reply)[-len(reply) :])
    divergence, label = torch.cat(divergences).mean(), torch.cat(labels).mean()
    told = dict(temperature=DISTIL_TEMPERATURE, label_weight=DISTIL_LABELS, divergence=divergence.item(), labels=label.item())
    return (1 - DISTIL_LABELS) * DISTIL_TEMPERATURE**2 * divergence + DISTIL_LABELS * label, told


def trl_distil(adapter, pairs):
    """TRL's divergence and transformers' loss of a padded batch."""
    model = with_adapter(adapter)
    longest = max(len(p["prompt"] + p["chosen"]) for p in pairs)
    pad = lambda ids, filler: ids + [filler] * (longest - len(ids))
    ids = torch.tensor([pad(p["prompt"] + p["chosen"], PAD) for p in pairs])
    labels = torch.tensor([pad([-100] * len(p["prompt"]) + p["chosen"], -100) for p in pairs])
    seen = torch.tensor([pad([1] * len(p["prompt"] + p["chosen"]), 0) for p in pairs])
    with torch.no_grad(), model.disable_adapter():
        teacher = model(ids, attention_mask=seen).logits
    student = model(ids, attention_mask=seen, labels=labels)
    divergence = GKDTrainer.generalized_jsd_loss(student.logits[:, :-1], teacher[:, :-1], labels=labels[:, 1:], beta=0,
                                                 temperature=DISTIL_TEMPERATURE)
    loss = (1 - DISTIL_LABELS) * DISTIL_TEMPERATURE**2 * divergence + DISTIL_LABELS * student.loss
    loss.backward()
    return loss.item(), {name.replace(".default", ""): p.grad for name, p in model.named_parameters() if p.requires_grad}


def plain_reward(plain, rows):
    verdicts = torch.stack([(lambda last: last[GOOD] - last[BAD])(plain.logits(*row, True)[-1]) for row in rows])
    half = len(rows) // 2
    return -log_sigmoid(verdicts[:half] - verdicts[half:]).mean(), dict(verdicts=verdicts.tolist())


def peer_reward(adapter, rows):
    """transformers' model for classification, PEFT's adapter, the loss as RewardTrainer.compute_loss has it."""
    plain = base()
    config = plain.config
    config.num_labels, config.pad_token_id = 1, PAD
    model = LlamaForSequenceClassification(config)
    model.model.load_state_dict(plain.model.state_dict())
    head = plain.lm_head.weight.detach()
    with torch.no_grad():
        model.score.weight.copy_((head[GOOD] - head[BAD])[None])
    model = get_peft_model(model, LoraConfig(**{**LORA, "task_type": None}))
    set_peft_model_state_dict(model, adapter)
    model.eval()
    ids = [prompt + reply[:-1] for prompt, reply in rows]
    longest = max(map(len, ids))
    verdicts = model(torch.tensor([row + [PAD] * (longest - len(row)) for row in ids]),
                     attention_mask=torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])).logits[:, 0]
    chosen, rejected = verdicts.chunk(2)
    loss = -torch.nn.functional.logsigmoid(chosen - rejected).mean()
    loss.backward()
    return loss.item(), {name.replace(".default", ""): p.grad for name, p in model.named_parameters() if "lora_" in name}


def begin(trainer, adapter):
    assert list(trainer.model.peft_config) == ["default"]  # no copy of the adapter to be the reference
    set_peft_model_state_dict(trainer.model, adapter)


def step(trainer, adapter, inputs):
    """The loss and the gradients of a step of TRL's, up to the optimiser."""
    trainer.current_gradient_accumulation_steps = 1  # train() would set it
    loss = trainer.training_step(trainer.model, inputs, None)
    gradients = {name.replace(".default", ""): p.grad for name, p in trainer.model.named_parameters() if p.requires_grad}
    assert set(gradients) == set(adapter) and all(g is not None for g in gradients.values())
    return loss.item(), gradients


def trl_grpo(adapter, rollouts):
    """TRL's loss and gradients of given replies."""
    group = len(rollouts[0]["replies"])
    prompts = [r["prompt"] for r in rollouts for _ in r["replies"]]
    replies = [reply for r in rollouts for reply in r["replies"]]
    score = {text(reply): s for r in rollouts for reply, s in zip(r["replies"], r["scores"])}
    given = lambda asked, trainer: dict(prompt_ids=prompts, completion_ids=replies, logprobs=None)
    with tempfile.TemporaryDirectory() as folder:
        settings = GRPOConfig(output_dir=folder, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none", beta=GRPO_BETA,
                              loss_type="grpo", scale_rewards="group", temperature=1.0, num_generations=group, steps_per_generation=1,
                              per_device_train_batch_size=len(prompts), max_completion_length=64)
        trainer = GRPOTrainer(model=base(), args=settings, processing_class=tokenizer(), peft_config=LoraConfig(**LORA), rollout_func=given,
                              reward_funcs=lambda completion_ids, **_: [score[text(ids)] for ids in completion_ids],
                              train_dataset=datasets.Dataset.from_list([{"prompt": text(r["prompt"])} for r in rollouts]))
    assert trainer.ref_model is None
    trainer.model.train()
    begin(trainer, adapter)
    return step(trainer, adapter, [{"prompt": text(p)} for p in prompts])


def tokenizer():
    """One word a token, so that TRL's own way from texts to tokens gives the tokens that are wanted."""
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(golden_archs.VOCAB)}, unk_token="t0"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=words, bos_token=f"t{BEGIN}", eos_token=f"t{END}", pad_token=f"t{PAD}")


def text(ids, more=""):
    return " ".join(f"t{i}" for i in ids) + more


def trl_loss(case, adapter, pairs, judged, others):
    """TRL's loss and gradients, by its trainer's step up to the optimiser."""
    prompt = lambda record: text(record["prompt"], " ")
    if case == "sft":
        kind, config, options = SFTTrainer, SFTConfig, dict(completion_only_loss=True)
        records = [{"prompt": prompt(p), "completion": text(p["chosen"])} for p in pairs]
    elif case in ("dpo", "dpo_chosen", "ipo", "orpo_trl"):
        kind, config, options = DPOTrainer, DPOConfig, dict(beta=BETA, loss_type={"dpo": "sigmoid"}.get(case, case), label_smoothing=0.0)
        if case == "dpo_chosen":
            options |= dict(loss_type=["sigmoid", "sft"], loss_weights=[1.0, CHOSEN_WEIGHT])
        if case == "orpo_trl":
            kind, config, options = ORPOTrainer, ORPOConfig, dict(beta=BETA, remove_unused_columns=False)
        records = [{"prompt": prompt(p), "chosen": text(p["chosen"]), "rejected": text(p["rejected"])} for p in pairs]
    else:
        kind, config, options = KTOTrainer, KTOConfig, dict(beta=BETA, desirable_weight=1.0, undesirable_weight=1.0)
        records = [{"prompt": prompt(p), "completion": text(p["response"]), "label": p["wanted"]} for p in judged]
    with tempfile.TemporaryDirectory() as folder:
        # bf16 and recomputed activations are TRL's defaults.
        settings = config(output_dir=folder, use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
                          per_device_train_batch_size=len(records), max_length=128, **options)
        trainer = kind(model=base(), args=settings, train_dataset=datasets.Dataset.from_list(records),
                       processing_class=tokenizer(), peft_config=LoraConfig(**LORA))
    begin(trainer, adapter)
    examples = [trainer.train_dataset[i] for i in range(len(records))]
    for example, record in zip(examples, judged if kind is KTOTrainer else pairs):
        if kind in (DPOTrainer, KTOTrainer):
            assert example["prompt_ids"] == record["prompt"]
        if kind is DPOTrainer:
            assert (example["chosen_ids"], example["rejected_ids"]) == (record["chosen"], record["rejected"])
        if kind is KTOTrainer:
            assert example["completion_ids"] == record["response"]
        if kind is SFTTrainer:
            assert example["labels"] == [-100] * len(record["prompt"]) + record["chosen"]
        if kind is ORPOTrainer:
            assert example["chosen_labels"] == [-100] * len(record["prompt"]) + record["chosen"]
            assert example["rejected_input_ids"] == record["prompt"] + record["rejected"]
    if kind is KTOTrainer:
        for example, (_, reply) in zip(examples, others):
            example["KL_completion_ids"] = reply
    return step(trainer, adapter, trainer.data_collator(examples))


def close(name, ours, theirs, tolerance):
    apart = max((ours[key].double() - theirs[key].double()).abs().max().item() for key in ours)
    apart /= max(value.abs().max().item() for value in theirs.values())
    if not apart < tolerance:
        sys.exit(f"{name}: {apart} apart")
    return apart


def digits(value):
    """Floats to nine significant digits: what f32 holds, and a little of f64."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [digits(x) for x in value]
    return {key: digits(x) for key, x in value.items()} if isinstance(value, dict) else value


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/golden/tune"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    torch.set_num_threads(1)  # sums in one order, and nothing here is large
    golden = metadata(ROOT / MODEL)
    known = torch.tensor(golden["golden.logits"]).reshape(-1, golden_archs.VOCAB)
    plain_logits = at_positions(base(), golden)
    close(f"the logits of {MODEL}", {"": plain_logits}, {"": known}, 1e-5)

    adapter = random_adapter()
    model = with_adapter(adapter)
    save_adapter(model, out / "adapter")
    assert all(torch.equal(value, adapter[name]) for name, value in load_file(out / "adapter/adapter_model.safetensors").items())
    unmerged = at_positions(model, golden)
    merged = at_positions(model.merge_and_unload(), golden)
    close("merged", {"": merged}, {"": unmerged}, 1e-5)
    save_file({"unmerged": unmerged.contiguous(), "merged": merged.contiguous()}, out / "logits.safetensors")

    pairs, judged = draw(adapter)
    rollouts = draw_rollouts()
    plain, cases = Plain(adapter), []
    for case in ["sft", "dpo", "dpo_chosen", "ipo", "orpo", "orpo_trl", "kto", "kto_clamped", "grpo", "distil", "reward"]:
        order = [0, 3, 1, 2] if case == "kto_clamped" else [0, 1, 2, 3]
        mine = [judged[i] for i in order]
        others = [(record["prompt"], mine[(i + 1) % 4]["response"]) for i, record in enumerate(mine)]
        if case.startswith("kto"):
            rows, labels = [(p["prompt"], p["response"]) for p in mine], [p["wanted"] for p in mine]
        else:
            sides = ["chosen"] if case == "sft" else ["chosen", "rejected"]
            rows, labels = [(p["prompt"], p[side]) for side in sides for p in pairs], None
        if case == "distil":
            loss, told = plain_distil(plain, pairs)
        elif case == "reward":
            loss, told = plain_reward(plain, rows)
        else:
            loss, told = plain_grpo(plain, rollouts) if case == "grpo" else plain_loss(case, plain, rows, labels, others)
        gradients = plain.gradients(loss)
        if case == "orpo":
            told = dict(loss=loss.item()) | told
        else:
            if case == "distil":
                theirs, their_gradients = trl_distil(adapter, pairs)
            elif case == "reward":
                theirs, their_gradients = peer_reward(adapter, rows)
            else:
                theirs, their_gradients = trl_grpo(adapter, rollouts) if case == "grpo" else trl_loss(case, adapter, pairs, mine, others)
            if not abs(theirs - loss.item()) < 1e-5 * max(1, abs(theirs)):
                sys.exit(f"{case}: TRL has {theirs}, the formula {loss.item()}")
            told = dict(loss=theirs, formula=loss.item(), gradients_apart=close(case, gradients, their_gradients, 1e-4)) | told
            gradients = their_gradients
        if case.startswith("kto"):
            assert (told["mean"] > 0) == (case == "kto"), told["mean"]
            told["order"] = order
        folder = out / case
        folder.mkdir()
        save_file({name: value.float().contiguous() for name, value in gradients.items()}, folder / "adapter_model.safetensors",
                  metadata={"format": "pt"})
        shutil.copy(out / "adapter/adapter_config.json", folder)
        cases.append({"name": case, "by": "formula" if case == "orpo" else kind_of(case)} | told)
        print(f"{case}: loss {told['loss']:.7g}, gradients to {max(g.abs().max().item() for g in gradients.values()):.3g}, {told}")
    packages = ["accelerate", "datasets", "numpy", "peft", "torch", "transformers", "trl"]
    document = {
        "peer": {name: importlib.metadata.version(name) for name in packages},
        "model": MODEL,
        "settings": dict(rank=RANK, alpha=ALPHA, beta=BETA, grpo_beta=GRPO_BETA, label_smoothing=0.0, wanted_weight=1.0, unwanted_weight=1.0, type="f32",
                         clip=0, padding=PAD),
        "pairs": pairs, "judged": judged, "rollouts": rollouts, "cases": cases,
    }
    # A record and a case a line: a file that one can read.
    lines = [f'"{key}": ' + ("[\n  " + ",\n  ".join(json.dumps(digits(x)) for x in value) + "\n]" if isinstance(value, list)
                             else json.dumps(digits(value))) for key, value in document.items()]
    (out / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    moved = (unmerged - plain_logits).abs().mean().item()
    print(f"{sum(p.stat().st_size for p in out.rglob('*') if p.is_file())} bytes; the adapter moves a logit by {moved:.2f} of {known.std():.2f}")


def kind_of(case):
    return {"sft": "SFTTrainer", "dpo": "DPOTrainer sigmoid", "dpo_chosen": "DPOTrainer sigmoid and sft", "ipo": "DPOTrainer ipo", "orpo_trl": "ORPOTrainer", "grpo": "GRPOTrainer grpo",
            "distil": "GKDTrainer.generalized_jsd_loss", "reward": "LlamaForSequenceClassification"}.get(case, "KTOTrainer")


if __name__ == "__main__":
    main()
