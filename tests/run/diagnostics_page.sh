# docs/diagnostics.md is the table compiler/support/diag.def, each row with a message from golden/diagnostics. With
# NNC_UPDATE_GOLDEN set it is made anew.
set -eu
root=$2
page=$root/docs/diagnostics.md

cat >diagnostics.md <<'TEXT'
# Diagnostics

What `nnc` says when something is wrong. A message begins with its place and its id:

```
fashion.nn:4:23: error[unknown-function]: there is no function or layer called `rellu`
  4 |     h = x |> dense(3) |> rellu
    |                          ^^^^^
hint: did you mean `relu`?
```

Under it stands the line itself; a *note* points at another place that explains it, a *hint* says what may help. An
error ends the command with status 1, once everything else that is wrong has been said too. A warning ends nothing.

This page is made of the compiler's own table: every id, what it means, and a message that it has been seen with.
TEXT

shown() {
    cat "$root/tests/golden/diagnostics/$1"-*.expected | sed -n "s/^.*\[$1\]: //p" | head -n 1
}

sed -n 's|^/\* \(.*\) \*/$|# \1|p; s|^DIAG(\([a-z_]*\), SEVERITY_\([A-Z]*\), "\(.*\)")$|\1 \2 \3|p' \
    "$root/compiler/support/diag.def" | while read -r name severity about; do
    id=$(echo "$name" | tr _ -)
    case $name in
    '#') printf '\n## %s\n\n' "$severity${about:+ $about}" ;;
    *)
        kind=
        [ "$severity" = ERROR ] || kind=' (a warning)'
        printf -- '- `%s`%s: %s.  \n  %s\n' "$id" "$kind" "$about" "$(shown "$id")"
        ;;
    esac
done >>diagnostics.md

[ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp diagnostics.md "$page"
diff "$page" diagnostics.md || { echo "FAIL: docs/diagnostics.md is out of date; run with NNC_UPDATE_GOLDEN=1" >&2; exit 1; }
