"""Says whether every package builds Burn with the features that all default members of the workspace build it with.

Cargo gives a dependency all features that the selected packages ask for, together. Where one package alone asks for fewer
than all of them, `cargo test -p PACKAGE` after `cargo build` compiles the dependency again, and all that is built on it:
for Burn, which is at the bottom, that takes minutes. This compares Cargo's own plan of both builds.

    python3 .ci/features.py

A difference goes away when `crates/cairn-kernels/Cargo.toml` asks for the feature, too.
"""

import json
import os
import subprocess
import sys

HEAVY = "burn"


def cargo(*arguments):
    # The plan of a build is not a stable output of Cargo's; nothing is built with this.
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1"}
    return json.loads(subprocess.run(["cargo", *arguments], env=environment, check=True, stdout=subprocess.PIPE).stdout)


def name(unit):
    """The package's name: what is before the version in an identifier such as `registry+https://...#serde@1.0.0`."""
    path, _, last = unit["pkg_id"].rpartition("#")
    return last.split("@")[0] if "@" in last else path.rsplit("/", 1)[-1]


def below_heavy(*selection):
    """What Burn is built of: each unit of the plan that Burn needs, itself included, with its sets of features."""
    units = cargo("build", "--release", "--unit-graph", "-Zunstable-options", *selection)["units"]
    open_units = [index for index, unit in enumerate(units) if name(unit).startswith(HEAVY)]
    seen = set()
    while open_units:
        index = open_units.pop()
        if index not in seen:
            seen.add(index)
            open_units += [dependency["index"] for dependency in units[index]["dependencies"]]
    built = {}
    for unit in (units[index] for index in seen):
        key = (name(unit), unit["pkg_id"], unit["target"]["name"], unit["mode"])
        built.setdefault(key, set()).add(frozenset(unit["features"]))
    return built


def main():
    whole = below_heavy()
    metadata = cargo("metadata", "--no-deps", "--format-version=1")
    # The Python module is built beside the rest: `.ci/run`.
    members = metadata["workspace_default_members"]
    packages = [package["name"] for package in metadata["packages"] if package["id"] in members]
    selections = [["--all-targets"], ["--all-targets", "--features", "cairn-label/cloud"],
                  ["-p", "cairn-landmarks", "--no-default-features", "--features", "shipped,cluster", "--all-targets"]]
    selections += [["-p", package, *targets] for package in packages for targets in ([], ["--all-targets"])]
    missing = {}
    for selection in selections:
        for key, features in below_heavy(*selection).items():
            for alone in features - whole.get(key, features):
                lacks = [sorted(all_of - alone) for all_of in whole[key]]
                more = [sorted(alone - all_of) for all_of in whole[key]]
                missing.setdefault((key[0], str(lacks), str(more)), []).append(" ".join(selection))
    for (package, lacks, more), selected in sorted(missing.items()):
        print(f"{package}: lacks {lacks}, has besides {more}: {'; '.join(selected)}")
    print(f"{len(missing)} differences below {HEAVY} in {len(selections)} selections of packages")
    sys.exit(1 if missing else 0)


main()
