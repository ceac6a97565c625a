# shellcheck shell=sh
# go test, most of it subtests: the package for TOML by BurntSushi.
needs go

fetch() { source_of golang-toml 1.2.0; }
build() { go vet . || :; }
native() {
    go test -json ./... | python3 -c '
import json, sys
for line in sys.stdin:
    event = json.loads(line)
    if event["Action"] in ("pass", "fail", "skip") and "Test" in event:
        print(event["Action"], event["Package"] + "::" + event["Test"], sep="\t")'
}
yaml() {
    cat <<'END'
tests:
  - {name: toml, preset: go, run: [go, test, ./...], cwd: tree}
END
}
