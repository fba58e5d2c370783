#!/usr/bin/env bash
# Makes FOLDER/headlines.gguf: gemma3-270m with the adapter that run.sh tuned laid into it, for the runs that go on from there.
# Usage: examples/headlines/merged.sh FOLDER
set -euo pipefail
folder=${1:?usage: examples/headlines/merged.sh FOLDER}
[[ -f $folder/runs/headlines/done ]] || { echo "merged.sh: there are no tuned headlines in $folder; run examples/run.sh headlines first" >&2; exit 2; }
if [[ ! -f $folder/headlines.gguf || $folder/headlines.gguf -ot $folder/runs/headlines/done ]]; then
  "${ATELIER:-build/release/atelier}" model merge gemma3-270m headlines "$folder/headlines.gguf" --overwrite --studio "$folder/studio" >&2
fi
