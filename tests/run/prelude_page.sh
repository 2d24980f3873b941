# docs/prelude.md is what the comments in compiler/prelude say. With NNC_UPDATE_GOLDEN set it is made anew.
set -eu
root=$2
page=$root/docs/prelude.md

cat >prelude.md <<'TEXT'
# The prelude

The library that every file may use, written in the language itself. This page is made from the comments in
[`compiler/prelude`](../compiler/prelude), where the definitions stand too: most are one line. Copy what you want to
change into your own file; your version hides the one here. [The language](language.md) explains how to read them, and
lists the [functions that are part of the language](language.md#built-in-functions).
TEXT

# The first comment of a file is about the file. An item is its comment, then its line up to the parenthesis that closes
# the arguments, and the result type if there is one.
awk '
    function signature(line,    i, depth, c) {
        for (i = 1; i <= length(line); i++) {
            c = substr(line, i, 1)
            if (c == "(") depth++
            if (c == ")" && --depth == 0) break
        }
        if (match(substr(line, i + 1), /^ -> [^{]*[^{ ]/)) i += RLENGTH
        return substr(line, 1, i)
    }
    function item(text) {
        printf "- `%s`  \n  %s\n", text, comment
        comment = ""
    }
    FNR == 1 {
        title = FILENAME
        sub(/.*\//, "", title)
        sub(/\.nn$/, "", title)
        printf "\n## %s%s\n\n", toupper(substr(title, 1, 1)), substr(title, 2)
        about = 1
    }
    /^#/ { sub(/^# ?/, ""); if (about) print; else comment = comment (comment == "" ? "" : " ") $0; next }
    /^$/ { if (about) print ""; about = 0; comment = "" }
    /^(fn|layer|optimizer) / { item(signature($0)) }
    /^const / { item($0) }
' "$root"/compiler/prelude/*.nn >>prelude.md

[ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp prelude.md "$page"
diff "$page" prelude.md || { echo "FAIL: docs/prelude.md is out of date; run with NNC_UPDATE_GOLDEN=1" >&2; exit 1; }
