"""What run-matrix says of each test of a suite, out of its JSON report: VERDICT<TAB>NAME lines, with a question mark for
the name of one that is known by number alone. What it says of the processes goes to stderr."""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    report = json.load(file)
for case in report["cases"]:
    cell = ",".join(f"{axis}={value}" for axis, value in case["cell"].items())
    for result in case.get("results") or []:
        print(result["verdict"], result["name"] + (cell and "@" + cell), sep="\t")
    for _ in range(case.get("unlisted") or 0):
        print("not run", "?", sep="\t")
    print(case["id"], case["verdict"], case["reason"], sep=": ", file=sys.stderr)
