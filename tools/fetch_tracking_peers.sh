#!/usr/bin/env bash
# Installs the readers that tests/tracking_test.py holds what a run tells against, into FOLDER/venv-tensorboard and
# FOLDER/venv-wandb. Of TensorBoard only what reads event files: neither TensorFlow nor its server.
# Usage: tools/fetch_tracking_peers.sh FOLDER
set -euo pipefail
folder=${1:?usage: tools/fetch_tracking_peers.sh FOLDER}
environment() {
  local venv=$folder/venv-$1 wanted="${*:2}"
  [[ -f $venv/ready && $(<"$venv/ready") == "$wanted" ]] && return
  rm -rf "$venv"
  python3 -m venv "$venv"
  # shellcheck disable=SC2086 # several words
  "$venv/bin/pip" install -q --disable-pip-version-check $wanted >&2
  printf '%s\n' "$wanted" >"$venv/ready"
}
environment tensorboard --no-deps tensorboard==2.21.0 protobuf==7.36.2 numpy==2.4.6 absl-py==2.5.1
environment wandb wandb==0.28.2 pillow==13.0.0
