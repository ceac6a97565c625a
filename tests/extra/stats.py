#!/usr/bin/env python3
"""Thousands of questions to runner/stats, and what R and scipy answer: whichever of the two is here.

tests/extra/stats/values.c is compiled for it, with CC or cc. Exit 0: the same, 1: different, 77: neither is here.
"""

import functools
import math
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SYSTEM = "/usr/bin/python3"  # people have several; packages of the distribution are of this one
PLANS = [(0.3, 0.9), (0.05, 0.95), (0.01, 0.99), (0.003, 0.95)]  # below, and how surely
LOOKS = 40
CLOSE = 1e-8  # relative; both are a little off in far tails of large counts, each in others

try:
    import scipy.signal
    import scipy.stats
except ImportError:
    scipy = None
    if os.path.realpath(sys.executable) != os.path.realpath(SYSTEM) and not subprocess.run(
            [SYSTEM, "-c", "import scipy.stats"], stderr=subprocess.DEVNULL, check=False).returncode:
        os.execv(SYSTEM, [SYSTEM, __file__])


def counts(chance, most):
    """Failures and attempts: of few and of many, hardly any or any share of them."""
    attempts = round(10 ** chance.uniform(0, math.log10(most)))
    few = min(attempts, chance.choice([0, 0, 1, 2, 5, 20]))
    return chance.choice([few, chance.randint(0, attempts), attempts - few]), attempts


def layer(chance, most):
    failures, attempts = counts(chance, most)
    others, other_attempts = counts(chance, most)
    return [failures, attempts, others, other_attempts]


def questions(chance):
    """Names and numbers."""
    for _ in range(400):
        failures, attempts = counts(chance, 10**6)
        near = (failures + chance.uniform(-4, 4) * math.sqrt(failures + 1)) / attempts
        rate = chance.choice([10 ** chance.uniform(-9, 0), min(max(near, 1e-9), 1)])
        yield "at_most", [failures, attempts, rate]
        yield "at_least", [failures, attempts, rate]
        confidence = chance.choice([0.5, 0.9, 0.95, 0.99, 0.999])
        for name in ("upper", "lower", "any_low", "any_high"):
            yield name, [failures, attempts, confidence]
        yield "fisher", layer(chance, 10 ** chance.randint(1, 5))
        yield "layers", sum((layer(chance, 60) for _ in range(chance.randint(1, 5))), [])
    for below, confidence in PLANS:
        for failures in range(LOOKS):
            yield "needed", [below, confidence, failures]
            yield "too_many", [below, confidence, failures]


def ask_ours(asked):
    """One program answers all."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "values"
        sources = [ROOT / "tests/extra/stats/values.c", *sorted((ROOT / "runner/stats").glob("*.c"))]
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2", f"-I{ROOT}", "-o", program,
                        *sources, "-lm"], check=True)
        lines = "".join(f"{name} {' '.join(map(repr, numbers))}\n" for name, numbers in asked)
        answers = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    return [float(line.split("\t")[1]) for line in answers.splitlines()]


# ---- plans, once more ----


def plan_below(below, error):
    """Attempts needed with 0, 1, 2 ... failures: where a soak is that no look has ended is a list, by failures."""
    clean = math.log1p(-below)
    needed = [math.ceil(math.log(error) / clean)]
    if error - math.exp(needed[0] * clean) < error * below / 2:
        needed[0] += 1
    spare, spent = error - math.exp(needed[0] * clean), 0
    goes_on = scipy.stats.binom.pmf(range(LOOKS), needed[0], below)
    for failures in range(1, LOOKS):
        goes_on[failures - 1] = 0
        more = 1
        while spent + goes_on[failures] * (1 - below)**more > spare * (1 - 1 / (failures + 1)):
            more += 1
        spent += goes_on[failures] * (1 - below)**more
        needed.append(needed[-1] + more)
        goes_on = scipy.signal.convolve(goes_on, scipy.stats.binom.pmf(range(LOOKS), more, below), method="direct")[:LOOKS]
    return needed


def plan_not_below(below, error):
    """Attempts within which 1, 2, 3 ... failures are too many, one attempt after another."""
    within, goes_on, spent, attempts = [0], [1.0], 0, 0
    for failures in range(1, LOOKS):
        arrived = 0
        while True:
            then = [(goes_on[k] if k < len(goes_on) else 0) * (1 - below) + (goes_on[k - 1] if k else 0) * below
                    for k in range(failures)]
            more = sum(goes_on) - sum(then)
            if spent + arrived + more > error * (1 - 1 / (failures + 1)):
                break
            goes_on, arrived, attempts = then, arrived + more, attempts + 1
        spent += arrived
        within.append(attempts if attempts >= failures else 0)
    return within


@functools.lru_cache(None)
def plan(name, below, confidence):
    return {"needed": plan_below, "too_many": plan_not_below}[name](below, 1 - confidence)


# ---- R ----

R_FUNCTIONS = """
options(warn = -1)
upper <- function(k, n, c) if (k == n) 1 else qbeta(c, k + 1, n - k)
lower <- function(k, n, c) if (k == 0) 0 else qbeta(1 - c, k, n - k + 1)
left <- function(p, q, k, n, c) (if (k > 0) k * log(p) else 0) + (if (n > k) (n - k) * log(q) else 0) -
    log(1 - c) - lbeta(k + .1, n - k + 1) + lbeta(.1, 1)
# Bounds are looked for among logarithms: of the rate, or of what it leaves.
root <- function(f, a, b) uniroot(f, c(a, b), tol = 1e-15, maxiter = 10000)$root
by_rate <- function(k, n, c, a, b) exp(root(function(x) left(exp(x), -expm1(x), k, n, c), a, b))
by_rest <- function(k, n, c, a, b) -expm1(root(function(x) left(-expm1(x), exp(x), k, n, c), a, b))
any_low <- function(k, n, c) if (k == 0) 0 else if (k == n) by_rate(k, n, c, -80, 0) else
    if (k < n / 2) by_rate(k, n, c, log(k / n) - 80, log(k / n)) else by_rest(k, n, c, log((n - k) / n), -1e-20)
any_high <- function(k, n, c) if (k == n) 1 else if (k == 0) by_rate(k, n, c, -80, -1e-12) else
    if (k < n / 2) by_rate(k, n, c, log(k / n), -1e-12) else by_rest(k, n, c, log((n - k) / n) - 80, log((n - k) / n))
at_most <- function(k, n, p) pbinom(k, n, p)
at_least <- function(k, n, p) pbinom(k - 1, n, p, lower.tail = FALSE)
needed <- too_many <- function(...) NaN
fisher <- function(a, n, b, m) phyper(a - 1, n, m, a + b, lower.tail = FALSE)
layers <- function(...) {
    l <- matrix(c(...), 4)
    l <- l[, l[2,] > 0 & l[4,] > 0 & l[1,] + l[3,] > 0 & l[1,] + l[3,] < l[2,] + l[4,], drop = FALSE]
    if (ncol(l) == 0) 1
    else if (ncol(l) == 1) do.call(fisher, as.list(l))
    else mantelhaen.test(array(rbind(l[1,], l[2,] - l[1,], l[3,], l[4,] - l[3,]), c(2, 2, ncol(l))),
                         exact = TRUE, alternative = "greater")$p.value
}
"""


def ask_r(asked):
    calls = "".join(f'cat(sprintf("%.17g\\n", {name}({", ".join(map(repr, numbers))})))\n' for name, numbers in asked)
    answers = subprocess.run(["Rscript", "--vanilla", "-"], input=R_FUNCTIONS + calls, stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    return [float(line) for line in answers.split()]


# ---- scipy ----


def summed(numbers):
    """The distribution of the sum over layers, by numpy."""
    seen, least, chances = 0, 0, [1.0]
    for i in range(0, len(numbers), 4):
        failures, attempts, others, other_attempts = numbers[i:i + 4]
        low, high = max(0, failures + others - other_attempts), min(failures + others, attempts)
        drawn = scipy.stats.hypergeom(attempts + other_attempts, failures + others, attempts)
        chances = scipy.signal.convolve(chances, drawn.pmf(range(low, high + 1)), method="direct")
        seen, least = seen + failures, least + low
    return min(1.0, sum(chances[seen - least:][::-1]))


def scipy_answer(name, numbers):
    failures, attempts, rest = numbers[:3]
    if name == "at_most":
        return scipy.stats.binom.cdf(failures, attempts, rest)
    if name == "at_least":
        return scipy.stats.binom.sf(failures - 1, attempts, rest)
    if name == "upper":
        return 1.0 if failures == attempts else scipy.stats.beta.isf(1 - rest, failures + 1, attempts - failures)
    if name == "lower":
        return 0.0 if failures == 0 else scipy.stats.beta.ppf(1 - rest, failures, attempts - failures + 1)
    if name == "fisher":
        return scipy.stats.hypergeom.sf(failures - 1, attempts + numbers[3], failures + rest, attempts)
    if name == "layers":
        return summed(numbers)
    if name in ("needed", "too_many"):
        return plan(name, failures, attempts)[rest]
    return math.nan  # R alone is asked


def ask_scipy(asked):
    return [scipy_answer(name, numbers) for name, numbers in asked]


# ---- beside each other ----


def compare(who, asked, ours, theirs):
    wrong, most = 0, {}
    for (name, numbers), our, their in zip(asked, ours, theirs, strict=True):
        if math.isnan(their):
            continue
        if their > 1e-280:
            most[name] = max(most.get(name, 0), abs(our - their) / their)
        if abs(our - their) > CLOSE * their + 1e-280:  # what is hardly a double is as good as 0
            wrong += 1
            print(f"{name} {numbers}: {our!r}, and {who} says {their!r}")
    print(f"{who}: {len(asked)} questions, {wrong} differ;", ", ".join(f"{n} {m:.0e}" for n, m in most.items()))
    return wrong


def main():
    there = (["R"] if shutil.which("Rscript") else []) + (["scipy"] if scipy else [])
    if not there:
        print("stats.py: there is neither R nor scipy here", file=sys.stderr)
        return 77
    asked = list(questions(random.Random(int(os.environ.get("STATS_SEED", "1")))))
    ours = ask_ours(asked)
    return 1 if sum(compare(who, asked, ours, {"R": ask_r, "scipy": ask_scipy}[who](asked)) for who in there) else 0


if __name__ == "__main__":
    sys.exit(main())
