# The graph of includes in docs/architecture.md, and the drawing beside it, are what .ci/includes finds. With
# NNC_UPDATE_GOLDEN set both are made anew (the drawing needs Graphviz).
set -eu
root=$2
page=$root/docs/architecture.md drawing=$root/docs/includes.svg
[ -e "$root/.git" ] || { echo "no checkout, so git cannot list the sources"; exit 0; }
sh "$root/.ci/includes" --dot >found.dot

if [ -n "${NNC_UPDATE_GOLDEN:-}" ]; then
    awk 'FNR == NR { graph = graph $0 "\n"; next }
         /^```dot$/ { print; printf "%s", graph; inside = 1; next }
         /^```$/ { inside = 0 }
         !inside { print }' found.dot "$page" >page.md
    cp page.md "$page"
    dot -Tsvg found.dot >"$drawing"
fi

sed -n '/^```dot$/,/^```$/p' "$page" | sed '1d; $d' >page.dot
diff page.dot found.dot || { echo "FAIL: docs/architecture.md shows another graph; run with NNC_UPDATE_GOLDEN=1" >&2; exit 1; }

# Graphviz gives each edge a title, `from&#45;&gt;to`.
sed -n 's/^    "\(.*\)" -> "\(.*\)";$/\1->\2/p' found.dot | sort >found.edges
sed -n 's/.*<title>\(.*&gt;.*\)<\/title>.*/\1/p' "$drawing" | sed 's/&#45;/-/g; s/&gt;/>/g' | sort >drawn.edges
diff drawn.edges found.edges || { echo "FAIL: docs/includes.svg is out of date; run with NNC_UPDATE_GOLDEN=1" >&2; exit 1; }
