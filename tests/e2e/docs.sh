#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each command line of the documents is run by a test or is named here with the reason why not (doclines.py); those of crlagent and
# hsmupgrade, also in the PowerShell module and in the verification script, name a verb and options that the Windows programs
# have. Each link between documents leads somewhere, each test that is named is there.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${CRLAGENT_BUILD:-$top/build/mingw}
work=$(mktemp -d "${TMPDIR:-/tmp}/docs.XXXXXX")
export WINEPREFIX=${WINEPREFIX:-$work/prefix} WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
own=
[ -e "$WINEPREFIX/system.reg" ] || { own=1; wineboot -i > /dev/null 2>&1; wineserver -p300; }
finish() {
    [ -z "$own" ] || wineserver -k
    rm -rf "$work"
}
trap finish EXIT
PYTHONDONTWRITEBYTECODE=1 python3 - "$top" "$build/bin" <<'EOF2'
import collections, concurrent.futures, pathlib, re, subprocess, sys, tempfile
top, bin_ = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(top / "tests/e2e"))
import doclines
errors, lines, cache = [], 0, {}

def help_of(program, *words):
    key = (program,) + words
    if key not in cache:
        # A file, not a pipe: Wine's services, when this call starts them, keep it open for minutes.
        with tempfile.TemporaryFile() as out:
            subprocess.run(["wine", str(bin_ / f"{program}.exe"), *words], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                           timeout=60, check=False)
            out.seek(0)
            cache[key] = out.read().decode("utf-8", "replace").replace("\r", "")
    return cache[key]

def verbs_of(program):
    found = re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)(?:  +| [A-Z|\[<])", help_of(program, "help"), re.M)
    if len(found) < 5:
        sys.exit(f"{program} help lists no verbs:\n{help_of(program, 'help')}")
    return found

programs = {p: verbs_of(p) for p in ("crlagent", "hsmupgrade") if (bin_ / f"{p}.exe").exists()}

def check(where, program, rest):
    global lines
    if program not in programs:
        return
    words = rest.split()
    verb = next((v for n in (2, 1) for v in [" ".join(words[:n])] if v in programs[program]), None)
    if verb is None:
        errors.append(f"{where}: '{program} {rest}': no such verb")
        return
    lines += 1
    text = help_of(program, *verb.split(), "--help")
    for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", rest):
        if option not in ("--help",) and not re.search(re.escape(option) + r"(?![\w-])", text):
            errors.append(f"{where}: '{program} {verb}' has no option {option}")

# The programs' help is asked side by side: starting a Windows program is most of the time of this test.
documented = list(doclines.lines())
asked = set()
for _, _, _, text in documented:
    program, *words = text.split()
    asked |= {(program, v) for n in (1, 2) for v in [" ".join(words[:n])] if v in programs.get(program, ())}
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(lambda a: help_of(a[0], *a[1].split(), "--help"), asked))

# Where each line is run: in guide.sh, in docs_native.sh, here, or nowhere for a reason that is printed.
dev_verbs = re.findall(r"^  (\w+)  ", subprocess.run([top / "dev", "help"], capture_output=True, text=True, check=True).stdout, re.M)
nowhere = collections.defaultdict(list)
for (world, codes), where, _, text in documented:
    if world is None:
        errors.append(f"{where}: '{text}': no world of tests/e2e/doclines.py runs this line")
    elif world == "none":
        nowhere[codes].append(f"{where}: {text}")
    if text.startswith("./dev ") and text.split()[1] not in dev_verbs + ["help"]:
        errors.append(f"{where}: '{text}': ./dev has no such verb")
    if world == "shell" and subprocess.run([top / "dev", *text.split()[1:]], capture_output=True, check=False).returncode != int(codes):
        errors.append(f"{where}: '{text}' does not end with {codes}")
    if text.split()[0] in programs and world in ("lab", "native"):
        check(where, *text.split(maxsplit=1))
for reason, texts in nowhere.items():
    if reason != doclines.PROSE:
        print(f"{len(texts)} lines are not run: {reason}", *texts, sep="\n    ")

pages = [top / "README.md"] + sorted((top / "docs").glob("*.md"))
for page in pages:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        if not (page.parent / link).exists():
            errors.append(f"{page.name}: link to '{link}', which is not there")

# Nothing is said of Windows Server that was only seen under Wine: a line that names it says where the knowledge ends.
for page in pages:
    text = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(text, 1):
        around = " ".join(text[max(0, number - 2):number + 1])
        if "Windows Server" in line and not re.search(r"\b([Nn]othing|[Nn]ot|No|never|throw-away|to be seen|how to check)\b", around):
            errors.append(f"{page.name}:{number}: 'Windows Server' without saying what was seen where")

# A test or file that a page names must be there.
cases = set()
for source in (top / "tests/unit").glob("*.c"):
    cases |= set(re.findall(r"\b\w+__\w+\b", source.read_text(encoding="utf-8")))
for page in pages:
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        for span in re.findall(r"`([^`]+)`", line):
            if re.fullmatch(r"\w+?__\w+__\w+", span) and span not in cases and span != "x__y__z":
                errors.append(f"{page.name}:{number}: no test case '{span}'")
            if re.fullmatch(r"(tests|docs|common|agent|driver|win32|installer)/[\w./-]+", span) and not (top / span).exists():
                errors.append(f"{page.name}:{number}: no file '{span}'")

# The figures of the tests are still true.
faults = subprocess.run([top / "tests/tools/faults.py", "--check"], capture_output=True, text=True, check=False)
if faults.returncode:
    errors.append(faults.stderr.strip())

# The page of settings is the program's own.
settings = [l.rstrip() for l in (top / "docs/configuration.md").read_text(encoding="utf-8").splitlines() if l.strip()]
own = [l.rstrip() for l in help_of("crlagent", "config", "reference").splitlines() if l.strip()]
if len(own) < 50 or settings != own:
    errors.append("configuration.md is out of date: crlagent config reference > docs/configuration.md")

# Exit codes: the programs' enums and the pages list the same.
def exit_codes(header, page, after="# "):
    code = {int(n) for n in re.findall(r"^    (?:EXIT|HU)_\w+ = (\d+)", (top / header).read_text(), re.M)}
    text = (top / page).read_text(encoding="utf-8").split(after, 1)[-1].split("\n## Where")[0]
    said = {int(n) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.M) for n in row.split(",")}
    if len(code) < 10 or code != said:
        errors.append(f"{page}: exit codes {sorted(code ^ said)} are in one of {header} and the page only")

exit_codes("agent/cli.h", "docs/exit-codes.md")
exit_codes("driver/exitcode.h", "docs/hsmupgrade.md", "## Exit codes")

# The pages name every field of the JSON documents.
FIELD = re.compile(r'json_(?:put_\w+|object_set(?:_new)?)\(\s*\w+,\s*"([\w-]+)"')
for sources, page, least in (("agent/document.c", "docs/exit-codes.md", 80), ("driver/*.c", "docs/hsmupgrade.md", 60),
                             ("common/report/*.c", "docs/report-formats.md", 80), ("common/crl/print_json.c", "docs/crl-engine.md", 35),
                             ("agent/verb_crl.c", "docs/crl-engine.md", 8)):
    fields = {f for source in top.glob(sources) for f in FIELD.findall(source.read_text())}
    said = set(re.findall(r"[\w-]+", (top / page).read_text(encoding="utf-8")))
    if len(fields) < least or fields - said:
        errors.append(f"{page}: fields of {sources} are not there: {sorted(fields - said)} ({len(fields)} were found)")

# The pages know every table of the store and every room.
maintenance, readme = ((top / p).read_text(encoding="utf-8") for p in ("docs/maintenance.md", "README.md"))
for table in re.findall(r'CREATE TABLE (\w+)', (top / "common/store/schema.c").read_text()):
    if f"`{table}`" not in maintenance.split("| table | holds |")[1]:
        errors.append(f"maintenance.md: the table '{table}' of the store is not there")
for room in (top / "common").iterdir():
    if room.is_dir() and f"`{room.name}`" not in readme:
        errors.append(f"README.md: common/{room.name} is not there")

# Each threat names what shows that something stands against it (that the names exist is checked above).
threats = (top / "docs/security.md").read_text(encoding="utf-8").split("## Threats")[1].split("\n## ")[0]
threats = [r for r in threats.splitlines() if r.startswith("| ")][1:]
for row in threats:
    tests = re.findall(r"`([^`]+)`", row.rstrip(" |").split(" | ")[-1])
    if not any(re.fullmatch(r"\w+?__\w+__\w+|tests/[\w./-]+", t) for t in tests):
        errors.append(f"security.md: no test is named: {row[:80]}")
if len(threats) < 20:
    errors.append("security.md: threats have been lost")

module = (top / "installer/powershell/CrlAgent.psm1").read_text(encoding="utf-8")
functions = re.findall(r"^function ([\w-]+) \{(.*?)^\}", module, re.M | re.S)
exported = set(re.findall(r"'([A-Z][a-z]+-CrlAgent\w+)'", (top / "installer/powershell/CrlAgent.psd1").read_text()))
public = {n for n, _ in functions if "-CrlAgent" in n}
APPROVED = {"Get", "Set", "Test", "Compare", "Export", "Publish", "Suspend", "Resume", "Stop"}
if public != exported:
    errors.append(f"CrlAgent.psd1 exports {exported ^ public} differently from the module")
errors += [f"CrlAgent.psm1: {n}: not an approved verb" for n in public if n.split("-")[0] not in APPROVED]
for name, body in functions:
    first = re.search(r"@\(('[a-z][^)]*)\)", body)
    if not name.split("-")[1].startswith("CrlAgent"):
        continue
    words = re.findall(r"'([^']*)'", first.group(1))
    options = [f"--{o}" for names in re.findall(r"@\{([^}]*)\}", body, re.S) for o in re.findall(r"= '([a-z-]+)'", names)]
    options += re.findall(r"'(--[a-z-]+)'", body)
    verb = [w for w in words if not w.startswith("-")][:2]
    check(f"CrlAgent.psm1:{name}", "crlagent", " ".join(verb + options))
    for a, b in ("{}", "()"):
        if body.count(a) != body.count(b):
            errors.append(f"CrlAgent.psm1:{name}: {a} and {b} do not match")

script = top / "tests/windows/verify.ps1"
if script.exists():
    for number, line in enumerate(script.read_text(encoding="utf-8").splitlines(), 1):
        for args in re.findall(r"(?:Invoke-Agent|& \$agent) ([a-z][^|;})]*)", line):
            check(f"verify.ps1:{number}", "crlagent", args)
print(*errors, sep="\n", end="\n" if errors else "")
print(f"{lines} command lines passed, {len(errors)} failed")
sys.exit(bool(errors) or lines < 150)
EOF2
