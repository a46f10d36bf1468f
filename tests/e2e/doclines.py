#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command line of the documents, and the world in which a test runs it: doclines.py WORLD | all

Prints 'exit codes TAB page:line TAB heading TAB command line', in the order of the pages. The worlds are
  lab     crlagent.exe in the lab with a CA (guide.sh)
  native  crlagent and hsmupgrade as native programs, the latter against the lab appliance (docs_native.sh)
  shell   run by docs.sh itself
  none    cannot be run here; the reason stands in place of the exit codes
A line that no row of WORLDS knows ends this program with an error, and so the tests that call it.
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
MSI = "run by msi.sh under Wine's msiexec, with the package's real name"
NO_POWERSHELL = "no PowerShell can be had here; parsed by powershell.sh, which knows the command lines behind the module, too"
WINDOWS_TOOL = "a tool, or a verb of certutil, that neither Wine nor the lab has"
ITSELF = "the verb must be there; the rest is the run that this test is part of, or takes longer"
FORM = "the form of a call that reserve.sh makes the agent do"
PROSE = "no command line: a picture, or what a program says"

# Pattern of the whole line, world, exit codes (or the reason). The first row that fits counts.
WORLDS = [
    # named as a verb only: the program says what else it needs
    (r"crlagent (hook (pre|post)-upgrade|check --url|crl \w+|evidence (verify|show))|hsmupgrade path", "native", "20"),
    (r"crlagent (explain( \d+| --markdown)?|version|config reference|hook pre-upgrade --help)", "native", "0"),
    (r"crlagent crl find .*", "lab", "1"),  # the serial number of the page is not revoked
    (r"crlagent crl .*|crlagent evidence (verify|show) .*", "lab", "0"),
    (r"crlagent (install( --account LocalSystem)?|uninstall|start|stop|status( --json)?|maintenance|history( .*)?)", "lab", "0"),
    (r"crlagent secret (set|remove) .*|net (stop|start) certsvc", "lab", "0"),
    (r"crlagent config (init|test|show)", "lab", "0"),
    (r"crlagent grant", "lab", "20"),  # of what?
    (r"crlagent grant --ca --services", "lab", "23"),  # Wine's SCM keeps no access lists, and grant says so
    (r'crlagent grant --ca --account "LAB\\svc-crlagent"', "lab", "20"),  # no such account here
    (r"crlagent (grant --ca( --services --dry-run)?|revoke( --dry-run)?)", "lab", "0"),
    (r"crlagent doctor", "lab", "2"),  # rights cannot be given under Wine
    (r"crlagent notify --test", "lab", "2"),  # no mail server and no webhook are configured
    # 2: until the guide comes to the configuration the service tries the CA's key by CNG, where the lab has none
    (r"crlagent (check|report)( --(format|before) .*| --issuer CA\.pem --parents)?", "lab", "0 1 2"),
    (r"crlagent simulate --outage .*", "lab", "0 1 2"),
    (r"crlagent (check|simulate) .*", "lab", "0 1"),
    (r"crlagent (hook (pre|post)-upgrade|resume|abort|extend|publish|reserve \w+)( .*)?", "lab", "0"),
    (r"certutil (-verifykeys|-sign current\.crl .*|-CRL( republish( delta)?)?|-getreg .*)", "lab", "0"),
    (r"hsmupgrade (plan init|plan check|path|check|run|status|resume|abort|watch) .*", "native", "0"),
    (r"\./dev( help)?", "shell", "0"),
    (r"\./dev (demo|test|build|package|bench|soak|faults|fuzz|lint)\b.*", "none", ITSELF),
    (r"msiexec .*|osslsigncode .*", "none", MSI),
    (r"(signtool|icacls|w32tm|sc config) .*|certutil -(store|pulse|f|dspublish|setreg|renewCert|ca\.cert|view)\b.*", "none", WINDOWS_TOOL),
    (r"certutil -sign( IN OUT .*)?", "none", FORM),
    (r"(PS>|[A-Z][a-z]+-[A-Z]\w+) .*", "none", NO_POWERSHELL),
    (r".*[─═▶◀].*|\(crlagent .*|\.\.\. .*|'ca\.crl': at offset .*", "none", PROSE),
]
PROGRAMS = r"crlagent|hsmupgrade"
OTHERS = r"certutil -|msiexec /|osslsigncode |signtool |icacls |net st|sc config |\./dev\b|[A-Z][a-z]+-[A-Z][a-z]+\w* -\w"
CALL = re.compile(rf'(?<![\w/.(-])(?:& )?(?:"[^"\n]*\\)?({PROGRAMS})(?:\.exe"| )[ ]*(-?[a-z].*)')
# In the catalogue of findings what to type stands behind a colon, up to the next thought.
TYPED = re.compile(r"`([^`]+)`|\w: '?((?:crlagent|certutil|w32tm) [-/a-z].*?)(?=\.? - |; |\. |\.?\n|\.?$|' | \(| creates | shows | with )")
TASK = re.compile(r"-Execute \$exe -Argument '([^']+)'")


def plain(text):
    """A command line as it is typed: without the explanation behind it, with every optional word, with values for variables."""
    text = re.split(r" {3,}| {2,}(?!--)", text.strip())[0].replace("\\|", "|")
    text = re.sub(r"\[(--?[^]]+)\]", r"\1", text)
    text = re.sub(r"\{\{ change \}\}|\{change\}|\bCHANGE\b", "CHG0012345", text).replace("$change", "CAU-20261123")
    return re.sub(r" +", " ", text).strip()


def commands(code, block):
    """The command lines in a line of a block (of that language), or in `inline code`."""
    task, call = TASK.search(code), CALL.search(code)
    if task:
        return ["crlagent " + plain(task.group(1))]
    if call and "──" not in code:
        return [f"{call.group(1)} {plain(call.group(2))}"]
    if block == "powershell":
        return ["PS> " + plain(code)]
    if block or re.match(OTHERS, code):
        return [plain(code)]
    return []


def spans(path):
    """Line number, heading, text, and the block's language, "block" or nothing, of all code of a page and of what its findings
    say to type."""
    fence, heading, paragraph, start = None, "", "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() + [""], 1):
        block = fence is None and line.startswith("    ")
        if line.lstrip().startswith("```"):
            fence = None if fence is not None else line.strip("` ")
            continue
        if fence is not None or block:
            # What stands far to the right explains the line above it. Of a file in another language only the calls of our
            # programs are command lines.
            if line.strip() and not line.startswith(("#", " " * 16)) and (fence not in ("yaml", "ini") or CALL.search(line)):
                yield number, heading, line, fence or "block"
            continue
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if line.strip() and not line.startswith(("#", "|", "* ", "- ")) and paragraph:
            paragraph += "\n" + line
        else:
            yield from inline(paragraph, start, heading)
            paragraph, start = line, number
    yield from inline(paragraph, start, heading)


def inline(paragraph, start, heading):
    for found in re.finditer(TYPED if heading[:1].isdigit() else r"`([^`]+)`()", paragraph):
        number = start + paragraph.count("\n", 0, found.start())
        yield number, heading, (found.group(1) or found.group(2)).replace("\n", " "), ""


def lines():
    """(world, codes, page:line, heading, command line); operator's guide first, then every other page."""
    pages = sorted((TOP / "docs").glob("*.md"), key=lambda p: (p.name != "operators-guide.md", p.name))
    for page in [pages[0], TOP / "README.md"] + pages[1:]:
        for number, heading, code, block in spans(page):
            for text in commands(code, block):
                row = next((r for r in WORLDS if re.fullmatch(r[0], text)), None)
                yield (row[1], row[2]) if row else (None, None), f"{page.name}:{number}", heading, text


def main(world):
    unknown = 0
    for (where, codes), place, heading, text in lines():
        if where is None:
            print(f"{place}: '{text}': no world of tests/e2e/doclines.py runs this line", file=sys.stderr)
            unknown += 1
        elif world in ("all", where):
            print(codes, place, heading, text, sep="\t")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
