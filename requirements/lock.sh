#!/bin/sh
# Compile every lock from what pyproject.toml and requirements/firebase/package.json ask for; existing pins are kept
# where they still fit (delete a lock to take the newest of everything). With --check, write nothing and fail where a
# lock is out of date or names a registry's address: a lock says what is installed, each machine says from where.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
node=.venv/bin/node
npm=.venv/bin/npm
export UV_SYSTEM_CERTS=1 NODE_OPTIONS="--use-system-ca"

compile() { # <output> <uv's options>...
  output=$1
  shift
  $uv pip compile pyproject.toml --quiet --universal --generate-hashes --python-version 3.11 \
    --custom-compile-command "make lock" --output-file "$output" "$@" >/dev/null
}

addresses() { # <file>... : where a line could tell a client which registry to ask
  grep -nE '"resolved"|^ *(-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host|registry)\b|@ [a-z+]+:' "$@"
}

if [ "${1:-}" = --check ]; then
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  cp requirements/dev.txt requirements/runtime.txt "$scratch"
  compile "$scratch/dev.txt" --all-extras
  compile "$scratch/runtime.txt" --constraints requirements/dev.txt
  for name in dev runtime; do
    cmp -s "$scratch/$name.txt" "requirements/$name.txt" || {
      echo "requirements/$name.txt does not fit pyproject.toml: run \`make lock\`." >&2
      exit 1
    }
  done
  $node - <<'JS'
const { readFileSync } = require("node:fs");
const read = (name) => JSON.parse(readFileSync(`requirements/firebase/${name}`, "utf8"));
const packages = Object.entries(read("package-lock.json").packages);
const asked = JSON.stringify(read("package.json").dependencies);
const [, root] = packages.shift();
if (JSON.stringify(root.dependencies) !== asked || packages.some(([, entry]) => !entry.integrity)) {
  console.error("requirements/firebase/package-lock.json does not fit package.json: run `make lock`.");
  process.exit(1);
}
JS
  if addresses requirements/*.txt requirements/firebase/package-lock.json requirements/firebase/.npmrc \
    bench/peers/*/package-lock.json bench/peers/*/.npmrc; then
    echo "A lock names a registry's address: run \`make lock\`." >&2
    exit 1
  fi
  exit 0
fi

compile requirements/dev.txt --all-extras
compile requirements/runtime.txt --constraints requirements/dev.txt
cd requirements/firebase
"../../$npm" install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel=error
# npm leaves some addresses behind in spite of omit-lockfile-registry-resolved.
"../../$node" - <<'JS'
const { readFileSync, writeFileSync } = require("node:fs");
const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
for (const entry of Object.values(lock.packages)) delete entry.resolved;
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
JS
