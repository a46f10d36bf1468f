#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The HTML report in a real browser: axe-core finds no accessibility fault, nothing is wider than the window, at 1280 and
# 400 pixels, light and dark; on paper nothing is cut, no finding and no heading is torn from what follows, and the dark
# scheme stays on the screen. With a folder as argument the pictures are kept there.
set -euo pipefail
keep=${1:-}
cache=${CRLAGENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/crlagent}
axe=$cache/npm/node_modules/axe-core/axe.min.js
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -s "$axe" ] || { echo "axe-core is missing: ./dev test puts it into $cache/npm"; exit 1; }
fails=0
fail() { fails=$((fails + 1)); printf 'FAIL: %s\n' "$*"; }

CRLAGENT_TEST_PAGES=$work "${CRLAGENT_BUILD:?}/bin/test_report_page" > /dev/null 2>&1 || fail "test_report_page"
[ -s "$work/full.html" ] && [ -s "$work/many.html" ] || { echo "no page was written"; exit 1; }

# checked PAGE: a copy with axe-core in it. The page itself allows no script: the copy is without that rule.
checked() {
    grep -v 'Content-Security-Policy' "$work/$1.html" | sed '/<\/body>/,$d'
    printf '<script>'
    cat "$axe"
    cat <<'HTML'
</script><script>
const d = document.documentElement;
if (window.innerWidth < 640) d.style.width = '400px'; // the browser's narrowest window is 500
axe.run(document).then(r => {
  const said = r.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.target));
  const room = d.style.width ? parseInt(d.style.width) : window.innerWidth;
  for (const e of document.querySelectorAll('body *:not(thead *):not(thead)'))
    if (e.getBoundingClientRect().right > room + 1) said.push('wider than ' + room + ': ' + e.tagName + ' ' + e.className);
  document.title = 'checked ' + r.passes.length + ' rules, ' + (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light') +
    ' ' + room + ', faults: ' + said.length + ' ' + said.slice(0, 9).join('; ');
});
</script></body></html>
HTML
}
browser() {
    timeout 30 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --hide-scrollbars --user-data-dir="$work/profile-$RANDOM" "$@" 2>> "$work/browser.txt"
}
# look PAGE SIZE SCHEME
look() {
    local page=$1 size=$2 scheme=${3##*:} said args
    args=(--blink-settings="preferredColorScheme=${3%%:*}" --virtual-time-budget=8000 --window-size="$size",2400)
    said=$(browser "${args[@]}" --dump-dom "file://$work/$page-check.html" | grep -o '<title>checked [^<]*' | head -1 || true)
    case $said in
        *"rules, $scheme $size, faults: 0 "*) echo "$page: $said" ;;
        *) fail "$page $size $scheme: ${said:-no answer: $(tail -3 "$work/browser.txt")}" ;;
    esac
    [ -n "$keep" ] || return 0
    printf '<body style="margin:0"><iframe src="%s.html" style="border:0;width:%spx;height:2400px">' "$page" "$size" > "$work/frame.html"
    browser "${args[@]}" --screenshot="$keep/$page-$size-$scheme.png" "file://$work/frame.html" > /dev/null || fail "picture"
}
checked full > "$work/full-check.html"
# Of the large page the two hard cases; axe looks at its first part, the rest is more of the same.
{ sed '/<section><h2>Locations/,$d' "$work/many.html" | grep -v '</body>'; echo '</body>'; } > "$work/top.html"
checked top > "$work/top-check.html"
for scheme in 1:light 0:dark; do
    for size in 1280 400; do
        look full $size $scheme
    done
done
look top 400 1:light

# paper PAGE MOST-PAGES: asked for by somebody whose screen is dark
paper() {
    browser --blink-settings=preferredColorScheme=0 --print-to-pdf="$work/$1.pdf" --no-pdf-header-footer "file://$work/$1.html" > /dev/null ||
        fail "printing $1"
    pdftotext -bbox "$work/$1.pdf" "$work/$1.bbox" && pdftoppm -r 20 "$work/$1.pdf" "$work/$1-paper" || fail "no PDF of $1"
    python3 - "$work" "$@" <<'PY' || fail "$1 on paper"
import glob, html, re, sys
work, name, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
faults, findings = [], 0
source = open(f"{work}/{name}.html", encoding="utf-8").read()
pages = re.findall(r'<page width="([\d.]+)" height="([\d.]+)">(.*?)</page>', open(f"{work}/{name}.bbox").read(), re.S)
if not 1 <= len(pages) <= most:
    faults.append(f"{len(pages)} pages, expected at most {most}")
heads = [html.unescape(re.sub("<.*?>", "", h)).split() for h in re.findall(r"<h2>(.*?)</h2>", source)]
seen = 0
for number, (width, height, body) in enumerate(pages, 1):
    words = [(float(x0), float(y0), float(x1), float(y1), html.unescape(w)) for x0, y0, x1, y1, w in re.findall(
        r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', body)]
    text = [w[4] for w in words]
    for x0, y0, x1, y1, w in words:
        if x0 < 20 or x1 > float(width) - 20 or y0 < 20 or y1 > float(height) - 10:
            faults.append(f"page {number}: '{w}' stands in the margin")
    for h in heads:
        at = next((i for i in range(len(text)) if text[i:i + len(h)] == h and words[i][3] - words[i][1] > 13), None)
        if at is not None:
            seen += 1
            if words[at][1] > 0.9 * float(height):
                faults.append(f"page {number}: the heading '{' '.join(h)}' is the last on its page")
    begun = sum(a == "critical" and re.fullmatch(r"\d{4}", b) is not None for a, b in zip(text, text[1:]))
    if begun != text.count("Why"):
        faults.append(f"page {number}: a finding is torn: {begun} titles, {text.count('Why')} bodies")
    findings += begun
if seen < len(heads):
    faults.append(f"{seen} of {len(heads)} headings are on paper")
if findings != source.count("<article class"):
    faults.append(f"{findings} findings on paper, {source.count('<article class')} in the page")
for file in sorted(glob.glob(f"{work}/{name}-paper-*.ppm")):
    data = open(file, "rb").read().split(b"\n", 3)[3]
    white = sum(1 for i in range(0, len(data), 3) if min(data[i:i + 3]) > 230) / (len(data) / 3)
    if white < 0.6:
        faults.append(f"{file.rsplit('/')[-1]}: {white:.0%} of the paper is white")
print(f"{name} on paper: {len(pages)} pages, {findings} findings")
for f in faults[:10]:
    print("  " + f)
sys.exit(1 if faults else 0)
PY
    [ -z "$keep" ] || cp "$work/$1.pdf" "$keep/$1.pdf"
}
paper full 3
paper many 24
echo "$fails failed"
[ "$fails" = 0 ]
