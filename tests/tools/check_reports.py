#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what was rendered against what is published, both ways.

check_reports.py TOP FILE...: each JSON report is valid by report.schema.json and has no property that the schema does
not know; each XML report is valid by report.xsd; every property of the schema stands in docs/report-formats.md, and every
attribute of the XSD is one of those properties in camel case; every metric of each .prom file is in the document; every
metric, and every label, that the alert rules and the dashboard use is written by some .prom file; no sample stands twice in
one .prom file.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema

XML_ONLY = {"name", "xmlns"}  # <verdict name="...">, <origin name="...">: lists of words in JSON
JSON_ONLY = {"schema", "version", "lines", "locations", "findings", "changes", "history", "verdicts", "origins",
             "runway", "maintenance", "hsm", "crl", "ocsp", "comparison"}  # elements, or said by the namespace, in XML


def closed(schema):
    """The same schema, refusing what it does not name."""
    schema = copy.deepcopy(schema)

    def close(node):
        if isinstance(node, dict):
            if "properties" in node:
                node["additionalProperties"] = False
            for value in node.values():
                close(value)
        elif isinstance(node, list):
            for value in node:
                close(value)

    close(schema)
    return schema


def properties(node, found):
    if isinstance(node, dict):
        for name, value in node.get("properties", {}).items():
            found.add(name)
            properties(value, found)
        properties(node.get("items"), found)
    return found


def snake(name):
    return re.sub("([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def metrics_of(text):
    """name -> label names"""
    found = {}
    for name, labels in re.findall(r"^([a-z_0-9]+)(?:\{(.*)\})? [-+0-9.eInf]+$", text, re.M):
        found.setdefault(name, set()).update(re.findall(r'([a-z_]+)="(?:[^"\\]|\\.)*"', labels))
    return found


def doubles_of(text):
    """Samples that stand twice, which a collector refuses; the order of labels does not matter."""
    seen, doubles = set(), []
    for name, labels in re.findall(r"^([a-z_0-9]+)(?:\{(.*)\})? [-+0-9.eInf]+$", text, re.M):
        sample = name, frozenset(re.findall(r'([a-z_]+="(?:[^"\\]|\\.)*")', labels))
        if sample in seen:
            doubles.append(f"{name}{{{labels}}}")
        seen.add(sample)
    return doubles


def uses_of(text):
    """(metric, label) pairs of PromQL expressions; label "" for the bare name"""
    for name, labels in re.findall(r"\b((?:crlagent|x509)_[a-z0-9_]+)(?:\{([^}]*)\})?", text):
        yield name, ""
        for label in re.findall(r"([a-z_]+)\s*[=!]", labels):
            yield name, label


def main(top, files):
    faults = []
    say = lambda where, text: faults.append(f"{where}: {text}")
    schema = json.loads((top / "installer/schema/report.schema.json").read_text())
    xsd_file = top / "installer/schema/report.xsd"
    document = (top / "docs/report-formats.md").read_text()
    words = set(re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`([^`]*)`", document))))
    words |= {f"crlagent_crl_{w}_timestamp_seconds" for w in ("next_update", "this_update", "next_publish")}

    jsonschema.Draft202012Validator.check_schema(schema)
    strict = jsonschema.Draft202012Validator(closed(schema))
    known = properties(schema, set())
    for name in sorted(known - words):
        say("docs/report-formats.md", f"JSON property '{name}' is not described")
    attributes = set(re.findall(r'<xs:attribute name="(\w+)"', xsd_file.read_text())) - XML_ONLY
    for name in sorted(attributes):
        if snake(name) not in known:
            say("report.xsd", f"attribute '{name}' has no counterpart in JSON")
    for name in sorted(known - JSON_ONLY - {snake(a) for a in attributes}):
        say("report.xsd", f"JSON property '{name}' has no counterpart")

    count = {"json": 0, "xml": 0, "prom": 0}
    written = {}
    for file in files:
        kind = file.suffix[1:]
        count[kind] = count.get(kind, 0) + 1
        if kind == "json":
            for e in list(strict.iter_errors(json.loads(file.read_text())))[:3]:
                say(file.name, f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}")
        elif kind == "xml":
            done = subprocess.run(["xmllint", "--noout", "--schema", str(xsd_file), str(file)], capture_output=True, text=True)
            if done.returncode:
                say(file.name, done.stderr[:300])
        elif kind == "prom":
            for sample in doubles_of(file.read_text())[:3]:
                say(file.name, f"{sample} stands twice")
            for name, labels in metrics_of(file.read_text()).items():
                written.setdefault(name, set()).update(labels)
    for name in sorted(set(written) - words):
        say("docs/report-formats.md", f"metric '{name}' is not described")
    if written and count["xml"]:  # the run that renders everything
        dashboard = json.loads((top / "installer/monitoring/grafana-crl-health.json").read_text())
        exprs = [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
        exprs += [v["query"] for v in dashboard["templating"]["list"] if v["type"] == "query"]
        rules = (top / "installer/monitoring/crlagent.rules.yml").read_text()
        exprs += re.findall(r"^\s+expr: (.*)$", rules, re.M)
        pairs = {p for e in exprs for p in uses_of(e)}
        if len(pairs) < 20:
            say("monitoring", f"only {len(pairs)} uses of metrics found")
        for name, label in sorted(pairs):
            if name not in written:
                say("monitoring", f"'{name}' is used, and never written")
            elif label and label not in written[name]:
                say("monitoring", f"label '{label}' of '{name}' is used, and never written")
    print(f"{count['json']} JSON, {count['xml']} XML, {count['prom']} metrics files, {len(faults)} faults")
    for f in faults[:20]:
        print("  " + f)
    return 1 if faults or sum(count.values()) == 0 else 0


sys.exit(main(pathlib.Path(sys.argv[1]), [pathlib.Path(f) for f in sys.argv[2:]]))
